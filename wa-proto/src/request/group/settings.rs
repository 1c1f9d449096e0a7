//! What a group is called and permits.

use compact_str::CompactString;

use super::super::{Request, group_iq};
use crate::{
    Jid, Node, OwnedNode,
    stanza::{MemberAddMode, ParseError},
};

/// Changes one thing about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetGroup {
    /// The group.
    pub group: Jid,
    /// What changes.
    pub setting: GroupSetting,
}

/// One thing about a group.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupSetting {
    /// What it is called.
    Subject(String),
    /// Whether admins alone may change name, picture and description.
    Locked(bool),
    /// Whether admins alone may write.
    Announcement(bool),
    /// After how many seconds messages disappear; 0 is never.
    Ephemeral(u32),
    /// Whether admins have to let people in.
    Approval(bool),
    /// Who may add people.
    MemberAddMode(MemberAddMode),
}

/// The kind alone.
impl std::fmt::Debug for GroupSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Subject(_) => "Subject",
            Self::Locked(_) => "Locked",
            Self::Announcement(_) => "Announcement",
            Self::Ephemeral(_) => "Ephemeral",
            Self::Approval(_) => "Approval",
            Self::MemberAddMode(_) => "MemberAddMode",
        })
    }
}

impl GroupSetting {
    fn to_node(&self) -> OwnedNode {
        let either = |is_set: bool, on, off| Node::new(if is_set { on } else { off });
        match self {
            Self::Subject(text) => Node::new("subject").bytes(text.clone().into_bytes()),
            Self::Locked(on) => either(*on, "locked", "unlocked"),
            Self::Announcement(on) => either(*on, "announcement", "not_announcement"),
            Self::Ephemeral(0) => Node::new("not_ephemeral"),
            Self::Ephemeral(seconds) => Node::new("ephemeral").attr("expiration", *seconds),
            Self::Approval(on) => Node::new("membership_approval_mode")
                .child(Node::new("group_join").attr("state", if *on { "on" } else { "off" })),
            Self::MemberAddMode(mode) => {
                Node::new("member_add_mode").bytes(mode.as_str().as_bytes())
            }
        }
    }
}

impl Request for SetGroup {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        group_iq(id, "set", self.group.clone()).child(self.setting.to_node())
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Changes what a group is said to be about. The server takes it only from whoever knows the
/// wording that it replaces (409 otherwise).
#[derive(Clone, PartialEq, Eq)]
pub struct DescribeGroup {
    /// The group.
    pub group: Jid,
    /// The id of the new wording.
    pub id: CompactString,
    /// The id of the one it replaces.
    pub previous: Option<CompactString>,
    /// The text; `None` takes the description away.
    pub text: Option<String>,
}

/// Without the text.
impl std::fmt::Debug for DescribeGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DescribeGroup").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Request for DescribeGroup {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let description = match &self.text {
            Some(text) => Node::new("description")
                .attr("id", &self.id)
                .child(Node::new("body").bytes(text.clone().into_bytes())),
            None => Node::new("description").attr("delete", "true"),
        };
        let description = description.attr_opt("prev", self.previous.as_ref());
        group_iq(id, "set", self.group.clone()).child(description)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
