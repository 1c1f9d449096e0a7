//! A group as the commands show it.

use serde::Serialize;
use wa_proto::stanza::{AddressingMode, GroupInfo, GroupRole, MemberAddMode};
use wa_store::{Store, StoreError, Timestamp};

use crate::{
    moment,
    output::{Output, foreign},
    view::PersonView,
};

/// A group in `--json`.
#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    pub(super) jid: String,
    pub(super) subject: String,
    description: Option<String>,
    created_at: Option<String>,
    creator: Option<PersonView>,
    /// How many are in it.
    size: usize,
    participants: Vec<ParticipantView>,
    /// Only admins may write.
    announce: bool,
    /// Only admins may change name, picture and description.
    locked: bool,
    /// Admins have to let people in.
    approval: bool,
    /// `admins` or `everybody`.
    add_members: &'static str,
    /// After how many seconds messages disappear; null for never.
    disappearing: Option<u32>,
    /// `lid` or `phone`.
    addressing: &'static str,
}

/// Somebody in a group, in `--json`.
#[derive(Debug, Serialize)]
struct ParticipantView {
    #[serde(flatten)]
    person: PersonView,
    /// `member`, `admin` or `creator`.
    role: &'static str,
}

impl GroupView {
    pub(super) async fn new(info: &GroupInfo, store: &dyn Store) -> Result<Self, StoreError> {
        let mut participants = Vec::with_capacity(info.participants.len());
        for participant in &info.participants {
            let phone = participant.phone.as_ref();
            participants.push(ParticipantView {
                person: PersonView::with_phone(&participant.jid, phone, store).await?,
                role: role(participant.role),
            });
        }
        let size = info.size.and_then(|size| usize::try_from(size).ok());
        let created = info.created.and_then(|seconds| i64::try_from(seconds).ok());
        Ok(Self {
            jid: info.jid.to_string(),
            subject: info.subject.clone(),
            description: info.description.as_ref().map(|description| description.text.clone()),
            created_at: created.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
            creator: match &info.creator {
                Some(creator) => Some(PersonView::new(creator, store).await?),
                None => None,
            },
            size: size.unwrap_or(participants.len()).max(participants.len()),
            participants,
            announce: info.is_announcement,
            locked: info.is_locked,
            approval: info.needs_approval,
            add_members: match info.member_add_mode {
                MemberAddMode::Everybody => "everybody",
                MemberAddMode::Admins => "admins",
            },
            disappearing: Some(info.ephemeral).filter(|seconds| *seconds > 0),
            addressing: match info.addressing_mode {
                AddressingMode::Lid => "lid",
                _ => "phone",
            },
        })
    }

    /// The line of a list.
    pub(super) fn line(&self, output: &Output) -> String {
        let subject = output.bold(&foreign::plain(&self.subject, " "));
        format!("{subject}  {}  ({} people)\n", output.dim(&self.jid), self.size)
    }

    /// All of it.
    pub(super) fn lines(&self, output: &Output) -> String {
        let mut lines = self.line(output);
        if let Some(description) = &self.description {
            lines.push_str(&format!("    {}\n", foreign::plain(description, "\n    ")));
        }
        let disappearing = self.disappearing.map(|seconds| {
            format!("messages disappear after {} days", seconds.div_ceil(24 * 60 * 60))
        });
        let permits = [
            (self.announce, "only admins write"),
            (self.locked, "only admins change it"),
            (self.approval, "admins let people in"),
            (self.add_members == "everybody", "everybody adds people"),
        ];
        let permits = permits.into_iter().filter(|(holds, _)| *holds);
        for rule in permits.map(|(_, rule)| rule.to_owned()).chain(disappearing) {
            lines.push_str(&format!("    {}\n", output.dim(&rule)));
        }
        for participant in &self.participants {
            let role = match participant.role {
                "member" => String::new(),
                role => format!("  [{role}]"),
            };
            lines.push_str(&format!("    {}{role}\n", participant.person.line()));
        }
        lines
    }
}

const fn role(role: GroupRole) -> &'static str {
    match role {
        GroupRole::SuperAdmin => "creator",
        GroupRole::Admin => "admin",
        _ => "member",
    }
}
