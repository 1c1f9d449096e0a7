//! A group, and who is in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::stanza::{AddressingMode, GroupInfo, GroupRole, MemberAddMode};
use wa_store::{Store, StoreError, Timestamp};

use super::{PersonView, person::People};
use crate::moment;

/// A group, and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GroupView {
    /// The address by which every call names the group.
    pub jid: String,
    /// What it is called.
    pub subject: String,
    /// What it is said to be about.
    pub description: Option<String>,
    /// When it was made (RFC 3339).
    pub created_at: Option<String>,
    /// Who made it.
    pub creator: Option<PersonView>,
    /// How many are in it.
    pub size: usize,
    /// Who is in it.
    pub participants: Vec<ParticipantView>,
    /// Only admins may write.
    pub announce: bool,
    /// Only admins may change name, picture and description.
    pub locked: bool,
    /// Admins have to let people in.
    pub approval: bool,
    /// Who may add people: `admins` or `everybody`.
    pub add_members: String,
    /// After how many seconds messages disappear; null for never.
    pub disappearing: Option<u32>,
    /// How its members are addressed: `lid` or `phone`.
    pub addressing: String,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ParticipantView {
    /// Who.
    #[serde(flatten)]
    pub person: PersonView,
    /// `member`, `admin` or `creator`.
    pub role: String,
}

impl GroupView {
    /// Looks up who is in a group.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(info: &GroupInfo, store: &dyn Store) -> Result<Self, StoreError> {
        let members = info.participants.iter().map(|participant| &participant.jid);
        let people = People::look_up(members.chain(&info.creator), store).await?;
        let participants: Vec<_> = info
            .participants
            .iter()
            .map(|participant| ParticipantView {
                person: people.view_with_phone(&participant.jid, participant.phone.as_ref()),
                role: role(participant.role).to_owned(),
            })
            .collect();
        let size = info.size.and_then(|size| usize::try_from(size).ok());
        let created = info.created.and_then(|seconds| i64::try_from(seconds).ok());
        let add_members = match info.member_add_mode {
            MemberAddMode::Everybody => "everybody",
            MemberAddMode::Admins => "admins",
        };
        let addressing = match info.addressing_mode {
            AddressingMode::Lid => "lid",
            _ => "phone",
        };
        Ok(Self {
            jid: info.jid.to_string(),
            subject: info.subject.clone(),
            description: info.description.as_ref().map(|description| description.text.clone()),
            created_at: created.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
            creator: info.creator.as_ref().map(|creator| people.view(creator)),
            size: size.unwrap_or(participants.len()).max(participants.len()),
            participants,
            announce: info.is_announcement,
            locked: info.is_locked,
            approval: info.needs_approval,
            add_members: add_members.to_owned(),
            disappearing: Some(info.ephemeral).filter(|seconds| *seconds > 0),
            addressing: addressing.to_owned(),
        })
    }
}

const fn role(role: GroupRole) -> &'static str {
    match role {
        GroupRole::SuperAdmin => "creator",
        GroupRole::Admin => "admin",
        _ => "member",
    }
}
