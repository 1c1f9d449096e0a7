//! Making a group, or a community.

use compact_str::CompactString;

use super::{
    super::{Request, group_iq, groups_server},
    participants::participant_node,
};
use crate::{
    Jid, Node, OwnedNode,
    stanza::{GroupInfo, ParseError},
};

/// Makes a group. [`CreateGroup::new`] makes one that is plain; the fields change it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreateGroup {
    /// What it is called.
    pub subject: String,
    /// Names this act: the notice of the new group repeats it.
    pub key: CompactString,
    /// Who is in it besides the account, each with the phone number where they are named by LID.
    pub participants: Vec<(Jid, Option<Jid>)>,
    /// After how many seconds messages disappear; 0 is never.
    pub ephemeral: u32,
    /// Whether admins have to let people in.
    pub needs_approval: bool,
    /// Whether admins alone may change name, picture and description.
    pub is_locked: bool,
    /// Whether admins alone may write.
    pub is_announcement: bool,
    /// The community that it becomes part of.
    pub community: Option<Jid>,
}

impl CreateGroup {
    /// A plain group.
    pub fn new(subject: impl Into<String>, key: impl Into<CompactString>) -> Self {
        Self {
            subject: subject.into(),
            key: key.into(),
            participants: Vec::new(),
            ephemeral: 0,
            needs_approval: false,
            is_locked: false,
            is_announcement: false,
            community: None,
        }
    }
}

impl Request for CreateGroup {
    /// The group; people who could not be added are among its participants with an error, and are
    /// left out here.
    type Response = GroupInfo;

    fn to_node(&self, id: &str) -> OwnedNode {
        let flag = |is_set: bool, tag: &'static str| is_set.then(|| Node::new(tag));
        let approval = self.needs_approval.then(|| {
            Node::new("membership_approval_mode").child(Node::new("group_join").attr("state", "on"))
        });
        let ephemeral = (self.ephemeral != 0)
            .then(|| Node::new("ephemeral").attr("expiration", self.ephemeral));
        let community =
            self.community.as_ref().map(|jid| Node::new("linked_parent").attr("jid", jid));
        let create = Node::new("create")
            .attr("subject", self.subject.clone())
            .attr("key", &self.key)
            .children(self.participants.iter().map(participant_node))
            .children(ephemeral)
            .children(approval)
            .children(flag(self.is_locked, "locked"))
            .children(flag(self.is_announcement, "announcement"))
            .children(community);
        group_iq(id, "set", groups_server()).child(create)
    }

    fn parse(&self, result: &OwnedNode) -> Result<GroupInfo, ParseError> {
        read_created(result)
    }
}

/// Makes a community, with its group for announcements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommunity {
    /// What it is called.
    pub subject: String,
    /// The id of its description, and the text.
    pub description: (CompactString, String),
    /// Whether members may add groups of their own.
    pub members_may_add_groups: bool,
}

impl Request for NewCommunity {
    type Response = GroupInfo;

    fn to_node(&self, id: &str) -> OwnedNode {
        let (description_id, text) = &self.description;
        let description = Node::new("description")
            .attr("id", description_id)
            .child(Node::new("body").bytes(text.clone().into_bytes()));
        let parent =
            Node::new("parent").attr("default_membership_approval_mode", "request_required");
        let open =
            self.members_may_add_groups.then(|| Node::new("allow_non_admin_sub_group_creation"));
        let create = Node::new("create")
            .attr("subject", self.subject.clone())
            .child(description)
            .child(parent)
            .children(open)
            .child(Node::new("create_general_chat"));
        group_iq(id, "set", groups_server()).child(create)
    }

    fn parse(&self, result: &OwnedNode) -> Result<GroupInfo, ParseError> {
        read_created(result)
    }
}

fn read_created(result: &OwnedNode) -> Result<GroupInfo, ParseError> {
    let mut group = result.need_child("group")?.clone();
    if let crate::NodeContent::Nodes(children) = &mut group.content {
        children.retain(|child| child.tag != "participant" || child.attrs.value("error").is_none());
    }
    GroupInfo::read(&group)
}
