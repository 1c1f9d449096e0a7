//! Groups: what can be done with them, and what is known of them.
//!
//! Owns the verbs. What is known of a group is kept on disk ([`cache`]), changed by notices
//! ([`notice`]) and asked for again when it may be wrong. What a verb changes arrives as a notice
//! like everybody else's changes. Knows nothing of how messages travel.

pub(crate) mod cache;
mod community;
mod create;
mod invite;
mod known_members;
mod members;
pub(crate) mod notice;
mod settings;

use std::sync::Arc;

use wa_proto::{
    Jid,
    request::LeaveGroup,
    stanza::{GroupInfo, IqError},
};

pub use create::CreateGroup;
pub use invite::{InviteLink, ParseInviteLinkError};

use crate::{error::Error, inner::Inner, lid, request::RequestError};

/// The groups of the account; see [`crate::Client::groups`].
#[derive(Debug, Clone)]
pub struct Groups {
    inner: Arc<Inner>,
}

impl Groups {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// What is known of a group; asked for if nothing is.
    ///
    /// # Errors
    /// [`Error::NotInGroup`]; or the server could not be asked, or the store failed.
    pub async fn info(&self, group: &Jid) -> Result<GroupInfo, Error> {
        cache::info(&self.inner, &checked(group)?).await
    }

    /// What the server says of a group now.
    ///
    /// # Errors
    /// As [`Groups::info`].
    pub async fn refresh(&self, group: &Jid) -> Result<GroupInfo, Error> {
        cache::refresh(&self.inner, &checked(group)?).await
    }

    /// Every group that the account is in, as the server says now. All is kept, so that
    /// [`Groups::info`] knows it.
    ///
    /// # Errors
    /// The server could not be asked, or the store failed.
    pub async fn list(&self) -> Result<Vec<GroupInfo>, Error> {
        cache::refresh_all(&self.inner).await
    }

    /// Every group of which anything is known, without asking.
    ///
    /// # Errors
    /// The store's.
    pub async fn known(&self) -> Result<Vec<GroupInfo>, Error> {
        Ok(self.inner.store.groups().await?)
    }

    /// Begins to make a group; see [`CreateGroup`] for what may be said about it. Awaiting makes
    /// it.
    pub fn create(&self, subject: impl Into<String>) -> CreateGroup {
        CreateGroup::new(Arc::clone(&self.inner), subject.into())
    }

    /// Leaves a group. Its messages stay in the archive.
    ///
    /// # Errors
    /// [`Error::NotInGroup`], or the server could not be asked.
    pub async fn leave(&self, group: &Jid) -> Result<(), Error> {
        let group = checked(group)?;
        self.inner.request(&LeaveGroup { group: group.clone() }).await.map_err(refused)?;
        cache::forget_left(&self.inner, &group).await?;
        Ok(())
    }
}

/// Takes the JID of a group.
fn checked(group: &Jid) -> Result<Jid, Error> {
    if !group.is_group() || group.user.is_empty() {
        return Err(Error::InvalidInput("expected the JID of a group"));
    }
    Ok(group.to_user())
}

/// Takes people, each by the address that groups use, with the phone number behind a LID.
async fn people(inner: &Inner, people: &[Jid]) -> Result<Vec<(Jid, Option<Jid>)>, Error> {
    if people.is_empty() {
        return Err(Error::InvalidInput("nobody was named"));
    }
    if people.len() > MAX_PEOPLE {
        return Err(Error::InvalidInput("more people than a group can have"));
    }
    let is_person = |jid: &Jid| {
        let digits = !jid.user.is_empty() && jid.user.bytes().all(|byte| byte.is_ascii_digit());
        jid.is_person() && digits
    };
    if !people.iter().all(is_person) {
        return Err(Error::InvalidInput("members are people: by phone number or LID, digits only"));
    }
    let mut named = Vec::with_capacity(people.len());
    for jid in people {
        let person = lid::canonical(&*inner.store, &jid.to_user()).await?;
        let phone = match person.is_lid() {
            true => inner.store.phone_of(&person).await?,
            false => None,
        };
        named.push((person, phone));
    }
    Ok(named)
}

/// What the server's refusal means of a group.
fn refused(error: RequestError) -> Error {
    match error {
        RequestError::Refused(IqError { code: 403, .. }) => Error::AdminsOnly,
        RequestError::Refused(IqError { code: 404, .. }) => Error::NotInGroup,
        error => error.into(),
    }
}

/// The most people that one request names.
const MAX_PEOPLE: usize = 1_024;
