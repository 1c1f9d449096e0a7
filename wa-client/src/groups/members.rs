//! The verbs about people in a group: taking in, putting out, making admins, letting in.

use wa_proto::{
    Jid,
    request::{
        ChangeParticipants, JoinRequest, JoinRequests, ParticipantAction, ParticipantResult,
        UpdateJoinRequests,
    },
};

use super::{Groups, cache, checked, people, refused};
use crate::error::Error;

impl Groups {
    /// Takes people in. Each has a result of their own: somebody who lets nobody add them (403)
    /// gets an invitation to be sent to them.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no person, [`Error::AdminsOnly`],
    /// [`Error::NotInGroup`]; or the server could not be asked.
    pub async fn add(&self, group: &Jid, who: &[Jid]) -> Result<Vec<ParticipantResult>, Error> {
        self.change(group, ParticipantAction::Add, who).await
    }

    /// Puts people out. They cannot read what is written from then on.
    ///
    /// # Errors
    /// As [`Groups::add`].
    pub async fn remove(&self, group: &Jid, who: &[Jid]) -> Result<Vec<ParticipantResult>, Error> {
        self.change(group, ParticipantAction::Remove, who).await
    }

    /// Makes people admins.
    ///
    /// # Errors
    /// As [`Groups::add`].
    pub async fn promote(&self, group: &Jid, who: &[Jid]) -> Result<Vec<ParticipantResult>, Error> {
        self.change(group, ParticipantAction::Promote, who).await
    }

    /// Makes admins ordinary members.
    ///
    /// # Errors
    /// As [`Groups::add`].
    pub async fn demote(&self, group: &Jid, who: &[Jid]) -> Result<Vec<ParticipantResult>, Error> {
        self.change(group, ParticipantAction::Demote, who).await
    }

    async fn change(
        &self,
        group: &Jid,
        action: ParticipantAction,
        who: &[Jid],
    ) -> Result<Vec<ParticipantResult>, Error> {
        let inner = &*self.inner;
        let group = checked(group)?;
        let participants = people(inner, who).await?;
        let change = ChangeParticipants { group: group.clone(), action, participants };
        let results = inner.request(&change).await.map_err(refused)?;
        // What became of somebody may be unreadable.
        if results.len() < who.len() || results.iter().any(ParticipantResult::is_done) {
            // The notice may come later than the next message leaves.
            cache::forget(inner, &group).await?;
        }
        Ok(results)
    }

    /// Who waits to be let in.
    ///
    /// # Errors
    /// [`Error::AdminsOnly`], [`Error::NotInGroup`]; or the server could not be asked.
    pub async fn join_requests(&self, group: &Jid) -> Result<Vec<JoinRequest>, Error> {
        let group = checked(group)?;
        self.inner.request(&JoinRequests { group }).await.map_err(refused)
    }

    /// Lets people in who wait for it; for each the number of what went wrong, if it did.
    ///
    /// # Errors
    /// As [`Groups::add`].
    pub async fn approve(
        &self,
        group: &Jid,
        who: &[Jid],
    ) -> Result<Vec<(Jid, Option<u16>)>, Error> {
        let results = self.answer(group, true, who).await?;
        if results.len() < who.len() || results.iter().any(|(_, error)| error.is_none()) {
            cache::forget(&self.inner, &checked(group)?).await?;
        }
        Ok(results)
    }

    /// Turns people down who wait to be let in; for each the number of what went wrong, if it did.
    ///
    /// # Errors
    /// As [`Groups::add`].
    pub async fn reject(&self, group: &Jid, who: &[Jid]) -> Result<Vec<(Jid, Option<u16>)>, Error> {
        self.answer(group, false, who).await
    }

    async fn answer(
        &self,
        group: &Jid,
        approve: bool,
        who: &[Jid],
    ) -> Result<Vec<(Jid, Option<u16>)>, Error> {
        let group = checked(group)?;
        let people = people(&self.inner, who).await?.into_iter().map(|(jid, _)| jid).collect();
        self.inner.request(&UpdateJoinRequests { group, approve, people }).await.map_err(refused)
    }
}
