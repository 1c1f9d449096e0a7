//! What a group is, as the server describes it.
//!
//! Owns the `<group>` node of answers and notifications. Knows nothing of who asked, and nothing of
//! how a description is kept up to date.

use std::fmt;

use compact_str::CompactString;

use super::{GroupParticipant, fields::ParseError, message::AddressingMode};
use crate::{
    Jid, Node, OwnedNode, Server,
    entries::{count_left_out, readable},
};

/// The most people that are taken from one description; WhatsApp's own limit is far below.
pub const MAX_GROUP_PARTICIPANTS: usize = 10_000;

/// A group: what it is called, who is in it, and what they may do.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInfo {
    /// The group.
    pub jid: Jid,
    /// By which kind of address it names its people.
    pub addressing_mode: AddressingMode,
    /// What it is called.
    pub subject: String,
    /// Who called it so.
    pub subject_owner: Option<Jid>,
    /// When it was called so, in seconds since 1970.
    pub subject_time: Option<u64>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// Who made it.
    pub creator: Option<Jid>,
    /// What it is about.
    pub description: Option<GroupDescription>,
    /// Who is in it. Empty where only the outside is told, as of an invitation.
    pub participants: Vec<GroupParticipant>,
    /// How many are in it, as the server counts.
    pub size: Option<u32>,
    /// The version of the list of participants (`p_v_id`).
    pub participant_version: Option<CompactString>,
    /// Whether admins alone may change name, picture and description.
    pub is_locked: bool,
    /// Whether admins alone may write.
    pub is_announcement: bool,
    /// After how many seconds messages disappear; 0 is never.
    pub ephemeral: u32,
    /// Whether admins have to let people in.
    pub needs_approval: bool,
    /// Who may add people.
    pub member_add_mode: MemberAddMode,
    /// Whether WhatsApp suspended it.
    pub is_suspended: bool,
    /// What it is to a community.
    pub community: CommunityRole,
}

/// What a group is about.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupDescription {
    /// Names this wording; the next one has to name it.
    pub id: Option<CompactString>,
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub author: Option<Jid>,
    /// When, in seconds since 1970.
    pub timestamp: Option<u64>,
}

/// Who may add people to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MemberAddMode {
    /// `admin_add`.
    #[default]
    Admins,
    /// `all_member_add`.
    Everybody,
}

impl MemberAddMode {
    /// As it stands in stanzas.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admins => "admin_add",
            Self::Everybody => "all_member_add",
        }
    }

    /// Of a word; one that is not known permits the least.
    pub fn of(word: &str) -> Self {
        if word == Self::Everybody.as_str() { Self::Everybody } else { Self::Admins }
    }
}

/// What a group is to a community.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CommunityRole {
    /// It belongs to none.
    #[default]
    None,
    /// It is the community itself.
    Parent,
    /// It is one of a community's groups.
    SubGroup {
        /// The community; of an invitation it may not be told.
        parent: Option<Jid>,
        /// Whether it is the one for announcements, in which everybody is.
        is_default: bool,
    },
}

impl GroupInfo {
    /// A group of which nothing is known but its name.
    pub fn new(jid: Jid, addressing_mode: AddressingMode, subject: impl Into<String>) -> Self {
        Self {
            jid,
            addressing_mode,
            subject: subject.into(),
            subject_owner: None,
            subject_time: None,
            created: None,
            creator: None,
            description: None,
            participants: Vec::new(),
            size: None,
            participant_version: None,
            is_locked: false,
            is_announcement: false,
            ephemeral: 0,
            needs_approval: false,
            member_add_mode: MemberAddMode::default(),
            is_suspended: false,
            community: CommunityRole::None,
        }
    }

    /// Somebody in the group, by whichever address.
    pub fn participant(&self, jid: &Jid) -> Option<&GroupParticipant> {
        self.participants.iter().find(|participant| participant.is(jid))
    }

    /// Reads a `<group>`.
    ///
    /// # Errors
    /// If it has no id, or more than [`MAX_GROUP_PARTICIPANTS`] people.
    pub fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        let jid = group_jid(node)?;
        let mode = AddressingMode::read(node).unwrap_or(AddressingMode::Phone);
        let participants: Vec<_> = node.find_all("participant").collect();
        if participants.len() > MAX_GROUP_PARTICIPANTS {
            return Err(ParseError::TooMany("participant"));
        }
        let (participants, left_out) =
            count_left_out(|| readable(participants, GroupParticipant::read));
        let has = |tag: &str| node.find(tag).is_some();
        let expiration = node.find("ephemeral").and_then(|timer| timer.attrs.number("expiration"));
        Ok(Self {
            subject_owner: node.attrs.jid("s_o"),
            subject_time: node.attrs.number("s_t"),
            created: node.attrs.number("creation"),
            creator: node.attrs.jid("creator"),
            description: node.find("description").and_then(GroupDescription::read),
            participants,
            size: node.attrs.number("size"),
            // A list that is read in part is no version of it: the next notice builds on another,
            // and then it is asked for again.
            participant_version: node.text_opt("p_v_id").filter(|_| left_out == 0),
            is_locked: has("locked"),
            is_announcement: has("announcement"),
            ephemeral: expiration.unwrap_or(0),
            needs_approval: node
                .find("membership_approval_mode")
                .and_then(|mode| mode.find("group_join"))
                .is_some_and(|join| join.attrs.is("state", "on")),
            member_add_mode: node
                .find("member_add_mode")
                .and_then(|mode| mode.content_text())
                .map(MemberAddMode::of)
                .unwrap_or_default(),
            is_suspended: has("suspended"),
            community: CommunityRole::read(node),
            ..Self::new(jid, mode, node.attrs.text("subject").unwrap_or_default())
        })
    }
}

/// The JID of a `<group>`: its `id` is a whole JID or the part before the `@`; some answers say
/// `jid`.
fn group_jid(node: &Node<'_>) -> Result<Jid, ParseError> {
    let id = node.attrs.text("id").or_else(|| node.attrs.text("jid"));
    let id = id.ok_or(ParseError::MissingAttr("id"))?;
    let malformed = ParseError::MalformedAttr("id");
    let jid = match id.contains('@') {
        true => id.parse().map_err(|_| malformed)?,
        false => Jid::from_parts(&id, Server::Group).map_err(|_| malformed)?,
    };
    Some(jid).filter(|jid| jid.is_group() && !jid.user.is_empty()).ok_or(malformed)
}

impl GroupDescription {
    fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.find("body")?.content_text()?;
        Some(Self {
            id: node.text_opt("id"),
            text: text.to_owned(),
            author: node.attrs.jid("participant"),
            timestamp: node.attrs.number("t"),
        })
    }

    /// A wording without an author.
    pub fn new(id: Option<CompactString>, text: impl Into<String>) -> Self {
        Self { id, text: text.into(), author: None, timestamp: None }
    }
}

impl CommunityRole {
    fn read(node: &Node<'_>) -> Self {
        let is_default = node.find("default_sub_group").is_some();
        let parent = node.find("linked_parent");
        if node.find("parent").is_some() {
            Self::Parent
        } else if is_default || parent.is_some() {
            let parent = parent.and_then(|parent| parent.attrs.jid("jid"));
            Self::SubGroup { parent, is_default }
        } else {
            Self::None
        }
    }
}

/// Without names and texts.
impl fmt::Debug for GroupInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupInfo")
            .field("jid", &self.jid)
            .field("addressing_mode", &self.addressing_mode)
            .field("participants", &self.participants.len())
            .field("participant_version", &self.participant_version)
            .finish_non_exhaustive()
    }
}

/// Without the text.
impl fmt::Debug for GroupDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupDescription").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A group that is new to this account: made, or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupCreated {
    /// The group.
    pub info: GroupInfo,
    /// Whether it was made just now, rather than joined.
    pub is_new: bool,
    /// Why: `invite` for one joined by an invitation.
    pub reason: Option<CompactString>,
    /// The key that the device which made it gave in its request.
    pub key: Option<CompactString>,
}

impl GroupCreated {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(Self {
            info: GroupInfo::read(node.need_child("group")?)?,
            is_new: node.attrs.is("type", "new"),
            reason: node.text_opt("reason"),
            key: node.text_opt("key"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_whole() {
        let node = Node::new("group")
            .attr("id", "120363000000000001")
            .attr("subject", "Tea")
            .attr("creation", 5_u32)
            .attr("creator", Jid::lid("1"))
            .attr("addressing_mode", "lid")
            .attr("p_v_id", "7")
            .child(Node::new("locked"))
            .child(Node::new("ephemeral").attr("expiration", 86_400_u32))
            .child(Node::new("member_add_mode").bytes(b"all_member_add".to_vec()))
            .child(
                Node::new("membership_approval_mode")
                    .child(Node::new("group_join").attr("state", "on")),
            )
            .child(
                Node::new("description")
                    .attr("id", "d1")
                    .child(Node::new("body").bytes(b"About tea".to_vec())),
            )
            .child(Node::new("linked_parent").attr("jid", Jid::group("9")))
            .child(
                Node::new("participant")
                    .attr("jid", Jid::lid("1"))
                    .attr("phone_number", Jid::phone("1555"))
                    .attr("type", "superadmin"),
            );
        let info = GroupInfo::read(&node).unwrap();
        assert_eq!((&*info.subject, info.created), ("Tea", Some(5)));
        assert_eq!(info.jid, Jid::group("120363000000000001"));
        assert_eq!(info.addressing_mode, AddressingMode::Lid);
        assert!(info.is_locked && !info.is_announcement && info.needs_approval);
        assert_eq!((info.ephemeral, info.member_add_mode), (86_400, MemberAddMode::Everybody));
        assert_eq!(info.description.as_ref().unwrap().text, "About tea");
        let parent = Some(Jid::group("9"));
        assert_eq!(info.community, CommunityRole::SubGroup { parent, is_default: false });
        assert!(info.participant(&Jid::phone("1555").with_device(3)).is_some());
        assert!(!format!("{info:?}").contains("Tea"));
    }

    #[test]
    fn a_group_without_a_name_of_its_own_is_refused() {
        assert_eq!(GroupInfo::read(&Node::new("group")), Err(ParseError::MissingAttr("id")));
        for id in ["7@s.whatsapp.net", "@g.us", "a b"] {
            let node = Node::new("group").attr("id", id.to_owned());
            assert_eq!(GroupInfo::read(&node), Err(ParseError::MalformedAttr("id")), "{id}");
        }
    }
}
