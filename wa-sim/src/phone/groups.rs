//! What a phone does with groups it is in, or would like to be in. Knows nothing of what its owner
//! may do; the server decides.

use serde::Deserialize;
use wa_proto::Jid;

use super::Phone;
use crate::server::{
    Server,
    groups::{GroupEdit, Joined, MemberChange},
    iq::IqError,
};

/// What is done to members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupAction {
    /// Takes them in.
    Add,
    /// Puts them out.
    Remove,
    /// Makes them admins.
    Promote,
    /// Makes them ordinary members.
    Demote,
}

/// What is to change about a group; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GroupSettings {
    /// What it is called.
    pub subject: Option<String>,
    /// What it is about; an empty text takes the description away.
    pub description: Option<String>,
    /// Whether admins alone may change name, picture and description.
    pub locked: Option<bool>,
    /// Whether admins alone may write.
    pub announcement: Option<bool>,
    /// After how many seconds messages disappear; 0 is never.
    pub ephemeral: Option<u32>,
    /// Whether admins have to let people in.
    pub approval: Option<bool>,
    /// Whether everybody may add people.
    pub everybody_adds: Option<bool>,
}

/// The server does not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server refuses it: {text} ({code})")]
#[non_exhaustive]
pub struct GroupChangeRefused {
    /// The number: 403 not permitted, 404 not there, 406 not acceptable, 409 a conflict, 410 gone.
    pub code: u16,
    text: &'static str,
}

impl From<IqError> for GroupChangeRefused {
    fn from((code, text): IqError) -> Self {
        Self { code, text }
    }
}

type Outcome<T> = Result<T, GroupChangeRefused>;

impl Phone {
    /// Does something to members of a group; answers for each the number of what went wrong.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] if the phone's owner may not do it at all.
    pub fn change_members(
        &self,
        group: &Jid,
        action: GroupAction,
        people: &[Jid],
    ) -> Outcome<Vec<Option<u16>>> {
        let change = match action {
            GroupAction::Add => MemberChange::Add,
            GroupAction::Remove => MemberChange::Remove,
            GroupAction::Promote => MemberChange::Promote,
            GroupAction::Demote => MemberChange::Demote,
        };
        let results =
            self.ask(|server| server.change_members(self.number, &group.user, change, people))?;
        Ok(results.into_iter().map(|result| result.error).collect())
    }

    /// Changes what a group is called and permits.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] for the first change that is not permitted; those before it hold.
    pub fn change_group(&self, group: &Jid, settings: GroupSettings) -> Outcome<()> {
        let id = &group.user;
        let about = self.sim.group(group).and_then(|info| info.description);
        let previous = about.and_then(|about| about.id).map(|id| id.to_string());
        let edits = [
            settings.subject.map(GroupEdit::Subject),
            settings.description.map(|text| {
                let wording = (!text.is_empty()).then(|| (format!("d{}", self.sim.now()), text));
                GroupEdit::Description(wording, previous)
            }),
            settings.locked.map(GroupEdit::Locked),
            settings.announcement.map(GroupEdit::Announcement),
            settings.ephemeral.map(GroupEdit::Ephemeral),
            settings.approval.map(GroupEdit::Approval),
            settings.everybody_adds.map(GroupEdit::EverybodyAdds),
        ];
        for edit in edits.into_iter().flatten() {
            self.ask(|server| server.edit_group(self.number, id, edit))?;
        }
        Ok(())
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] if the phone's owner is not in it.
    pub fn leave_group(&self, group: &Jid) -> Outcome<()> {
        self.ask(|server| server.leave_group(self.number, &group.user))
    }

    /// The code of a group's link; another one if `reset`.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] if the phone's owner is no admin of it.
    pub fn group_link(&self, group: &Jid, reset: bool) -> Outcome<String> {
        self.ask(|server| server.group_link(self.number, &group.user, reset))
    }

    /// Joins by the code of a link; answers the group, and whether its admins have to agree first.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] if the link is void, or the phone's owner is in the group already.
    pub fn join_by_link(&self, code: &str) -> Outcome<(Jid, bool)> {
        Ok(match self.ask(|server| server.join_by_link(self.number, code))? {
            Joined::In(id) => (Jid::group(id), false),
            Joined::Waiting(id) => (Jid::group(id), true),
        })
    }

    /// Lets somebody in who asked for it, or turns them down.
    ///
    /// # Errors
    /// [`GroupChangeRefused`] if the phone's owner is no admin, or nobody like that asked.
    pub fn answer_join_request(&self, group: &Jid, person: &Jid, approve: bool) -> Outcome<()> {
        let people = std::slice::from_ref(person);
        let results = self
            .ask(|server| server.answer_join_requests(self.number, &group.user, approve, people))?;
        match results.first().and_then(|result| result.error) {
            Some(code) => Err(GroupChangeRefused { code, text: "the request" }),
            None => Ok(()),
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Server) -> Result<T, IqError>) -> Outcome<T> {
        Ok(self.sim.with(|world| ask(&mut world.server))?)
    }
}
