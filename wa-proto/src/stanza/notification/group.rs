//! Notifications about groups.
//!
//! Owns the type `w:gp2` and its changes. A change that this version does not know is handed on as
//! it came.

use compact_str::CompactString;

use super::super::{
    fields::ParseError,
    group_info::{GroupCreated, MemberAddMode},
    message::AddressingMode,
};
use crate::{
    Jid, Node, OwnedNode,
    entries::{count_left_out, readable},
};

/// Changes in one group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupNotification {
    /// The group.
    pub group: Jid,
    /// Who changed it.
    pub actor: Option<Jid>,
    /// Who changed it, by their other address (`participant_pn`, `participant_lid`).
    pub actor_alt: Option<Jid>,
    /// By which addresses the group names its people.
    pub addressing_mode: Option<AddressingMode>,
    /// What changed, in order.
    pub changes: Vec<GroupChange>,
    /// Whether a part of it cannot be read and is left out, so that what is known of the group has
    /// to be asked for again: whoever was removed must not stay in it.
    pub is_partial: bool,
}

/// One change in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupChange {
    /// The group is new, or this account was taken in.
    Created(Box<GroupCreated>),
    /// The group is gone.
    Deleted,
    /// People joined, left, or changed their role.
    Participants(ParticipantChange),
    /// People changed their phone number; their new addresses.
    NumberChanged(Vec<GroupParticipant>),
    /// The name.
    Subject {
        /// The new one.
        subject: String,
        /// Who set it.
        owner: Option<Jid>,
        /// When, in seconds since 1970.
        timestamp: Option<u64>,
    },
    /// The description.
    Description {
        /// The new one's id.
        id: Option<CompactString>,
        /// The new one; `None` if it was taken away.
        text: Option<String>,
    },
    /// Whether admins alone may change name, picture and description.
    Locked(bool),
    /// Whether admins alone may write.
    Announcement(bool),
    /// The timer after which messages disappear, in seconds; 0 is off.
    Ephemeral(u32),
    /// A new invitation code.
    Invite(CompactString),
    /// Whether admins have to let people in.
    MembershipApproval(bool),
    /// Who may add people.
    MemberAddMode(MemberAddMode),
    /// Somebody asked to join.
    JoinRequested {
        /// How: by link, or somebody else asked for them.
        method: Option<CompactString>,
        /// Who.
        people: Vec<GroupParticipant>,
    },
    /// Requests to join were taken back or turned down.
    JoinRequestsRevoked(Vec<GroupParticipant>),
    /// A group became part of a community.
    Linked {
        /// The other side.
        group: Jid,
        /// What the other side is to this group.
        kind: LinkKind,
    },
    /// A group is no longer part of a community.
    Unlinked {
        /// The other side.
        group: Jid,
        /// What the other side was to this group.
        kind: LinkKind,
    },
    /// Whether WhatsApp suspended the group.
    Suspended(bool),
    /// Anything else, as it came.
    Raw(OwnedNode),
}

/// What one group is to another within a community.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkKind {
    /// The community that the group is part of.
    Parent,
    /// A group of the community.
    SubGroup,
    /// A group of the same community.
    Sibling,
    /// Something this version does not know.
    Other(CompactString),
}

impl LinkKind {
    /// Reads `<link link_type><group jid/></link>`, or the same of `unlink`.
    fn read(node: &OwnedNode, attr: &'static str) -> Option<(Jid, Self)> {
        let group = node.find("group")?.attrs.jid("jid").filter(Jid::is_group)?;
        let kind = match node.text_opt(attr)?.as_str() {
            "parent_group" => Self::Parent,
            "sub_group" => Self::SubGroup,
            "sibling_group" => Self::Sibling,
            other => Self::Other(other.into()),
        };
        Some((group, kind))
    }
}

/// People joined, left, or changed their role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipantChange {
    /// What happened.
    pub kind: ParticipantChangeKind,
    /// To whom.
    pub participants: Vec<GroupParticipant>,
    /// Why, `invite` for instance.
    pub reason: Option<CompactString>,
    /// The version of the list of members after the change.
    pub version: Option<CompactString>,
    /// The version before it; another than the own means that the list has to be asked for again.
    pub previous_version: Option<CompactString>,
}

/// What happened to people in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParticipantChangeKind {
    /// Came in.
    Add,
    /// Left or were put out: the actor tells which.
    Remove,
    /// Became admins.
    Promote,
    /// Are no longer admins.
    Demote,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupParticipant {
    /// By the group's kind of address.
    pub jid: Jid,
    /// By phone number, if `jid` is a LID and the number may be known.
    pub phone: Option<Jid>,
    /// By LID, if `jid` is a phone number.
    pub lid: Option<Jid>,
    /// Their role.
    pub role: GroupRole,
    /// The name shown for a number that is hidden.
    pub display_name: Option<String>,
    /// The name by which they can be found without their number.
    pub username: Option<String>,
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GroupRole {
    /// Nothing special.
    #[default]
    Member,
    /// Admin.
    Admin,
    /// Made the group.
    SuperAdmin,
}

impl GroupRole {
    /// Whether it permits what only admins may do.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Admin | Self::SuperAdmin)
    }
}

impl GroupParticipant {
    /// An ordinary member.
    pub fn new(jid: Jid) -> Self {
        Self {
            jid,
            phone: None,
            lid: None,
            role: GroupRole::Member,
            display_name: None,
            username: None,
        }
    }

    /// Whether this is that person, by whichever address and on whichever device.
    pub fn is(&self, jid: &Jid) -> bool {
        let known = [Some(&self.jid), self.phone.as_ref(), self.lid.as_ref()];
        known.into_iter().flatten().any(|known| known.is_same_user(jid))
    }

    /// The person's other address, if it is told.
    pub fn other(&self) -> Option<&Jid> {
        self.phone.as_ref().or(self.lid.as_ref())
    }

    /// Reads a `<participant>`.
    ///
    /// # Errors
    /// If it has no JID.
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        let jid = node.need_jid("jid")?;
        Ok(Self {
            phone: node.attrs.jid("phone_number").filter(|phone| jid.is_lid() && phone.is_phone()),
            lid: node.attrs.jid("lid").filter(|lid| !jid.is_lid() && lid.is_lid()),
            role: match node.attrs.text("type").as_deref() {
                Some("admin") => GroupRole::Admin,
                Some("superadmin") => GroupRole::SuperAdmin,
                _ => GroupRole::Member,
            },
            display_name: node.attrs.text("display_name").map(Into::into),
            username: ["participant_username", "username"]
                .into_iter()
                .find_map(|name| node.attrs.text(name))
                .filter(|name| !name.is_empty())
                .map(Into::into),
            jid,
        })
    }

    fn read_all(node: &OwnedNode) -> Vec<Self> {
        readable(node.find_all("participant"), Self::read)
    }
}

impl GroupNotification {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let group = node.need_jid("from")?;
        if !group.is_group() {
            return Err(ParseError::MalformedAttr("from"));
        }
        let (changes, left_out) = count_left_out(|| readable(node.nodes(), GroupChange::read));
        let is_of_another = |change: &GroupChange| matches!(change, GroupChange::Created(created) if created.info.jid != group);
        // What one group says of another is nothing that is known of it.
        if changes.iter().any(is_of_another) {
            return Err(ParseError::NotAsked("group"));
        }
        let actor = node.attrs.jid("participant");
        let alternatives = [node.attrs.jid("participant_pn"), node.attrs.jid("participant_lid")];
        Ok(Self {
            group,
            actor_alt: alternatives.into_iter().flatten().find(|alt| Some(alt) != actor.as_ref()),
            actor,
            addressing_mode: AddressingMode::read(node),
            changes,
            is_partial: left_out != 0,
        })
    }
}

impl GroupChange {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(match node.tag.as_ref() {
            "create" => Self::Created(Box::new(GroupCreated::read(node)?)),
            "delete" => Self::Deleted,
            "add" => ParticipantChange::read(ParticipantChangeKind::Add, node),
            "remove" | "leave" => ParticipantChange::read(ParticipantChangeKind::Remove, node),
            "promote" => ParticipantChange::read(ParticipantChangeKind::Promote, node),
            "demote" => ParticipantChange::read(ParticipantChangeKind::Demote, node),
            "modify" => Self::NumberChanged(GroupParticipant::read_all(node)),
            "subject" => Self::Subject {
                subject: node.need_text("subject")?.into(),
                owner: node.attrs.jid("s_o"),
                timestamp: node.attrs.number("s_t"),
            },
            "description" => Self::Description {
                id: node.text_opt("id"),
                text: node
                    .find("body")
                    .filter(|_| node.find("delete").is_none())
                    .and_then(|body| body.content_text())
                    .map(str::to_owned),
            },
            "locked" => Self::Locked(true),
            "unlocked" => Self::Locked(false),
            "announcement" => Self::Announcement(true),
            "not_announcement" => Self::Announcement(false),
            "ephemeral" => Self::Ephemeral(node.need_number("expiration")?),
            "not_ephemeral" => Self::Ephemeral(0),
            "invite" => Self::Invite(node.need_text("code")?),
            "membership_approval_mode" => {
                let state = node.need_child("group_join")?;
                Self::MembershipApproval(state.attrs.is("state", "on"))
            }
            "member_add_mode" => Self::MemberAddMode(MemberAddMode::of(
                node.content_text().ok_or(ParseError::Content("member_add_mode"))?,
            )),
            "created_membership_requests" => Self::JoinRequested {
                method: node.text_opt("request_method"),
                people: GroupParticipant::read_all(node),
            },
            "revoked_membership_requests" => {
                Self::JoinRequestsRevoked(GroupParticipant::read_all(node))
            }
            "link" => match LinkKind::read(node, "link_type") {
                Some((group, kind)) => Self::Linked { group, kind },
                None => Self::Raw(node.clone()),
            },
            "unlink" => match LinkKind::read(node, "unlink_type") {
                Some((group, kind)) => Self::Unlinked { group, kind },
                None => Self::Raw(node.clone()),
            },
            "suspended" => Self::Suspended(true),
            "unsuspended" => Self::Suspended(false),
            _ => Self::Raw(node.clone()),
        })
    }
}

impl ParticipantChange {
    /// A change of which nothing more is known.
    pub const fn new(kind: ParticipantChangeKind, participants: Vec<GroupParticipant>) -> Self {
        Self { kind, participants, reason: None, version: None, previous_version: None }
    }

    fn read(kind: ParticipantChangeKind, node: &OwnedNode) -> GroupChange {
        GroupChange::Participants(Self {
            kind,
            participants: GroupParticipant::read_all(node),
            reason: node.text_opt("reason"),
            version: node.text_opt("v_id"),
            previous_version: node.text_opt("prev_v_id"),
        })
    }
}
