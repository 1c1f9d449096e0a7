//! The address book, which all devices of the account share, and the account's own settings that
//! travel with it.
//!
//! Knows nothing of patches; see [`crate::app_state`].

use std::{sync::Arc, time::Duration};

use wa_proto::{
    Jid,
    app_state::{Collection, ContactNames, QuickReply, SyncAction, SyncEntry},
};

use crate::{
    app_state::{self, Synced},
    error::Error,
    inner::Inner,
};

/// The longest own name, in characters.
const MAX_PUSH_NAME: usize = 25;

/// The address book. What its verbs return, and their errors, is as with
/// [`Chats`](crate::Chats).
#[derive(Debug, Clone)]
pub struct Contacts {
    inner: Arc<Inner>,
}

impl Contacts {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Puts a person into the address book, or changes their names there.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn set(&self, person: &Jid, names: ContactNames) -> Result<Synced, Error> {
        self.make(person, Some(names)).await
    }

    /// Takes a person out of the address book.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn remove(&self, person: &Jid) -> Result<Synced, Error> {
        self.make(person, None).await
    }

    async fn make(&self, person: &Jid, names: Option<ContactNames>) -> Result<Synced, Error> {
        let person = app_state::own_form(&self.inner, person, SyncEntry::Contact).await?;
        app_state::make(&self.inner, &[SyncAction::Contact { person, names }]).await
    }

    /// Hides a person's status posts, or shows them again.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn mute_status(&self, person: &Jid, muted: bool) -> Result<Synced, Error> {
        let person = app_state::own_form(&self.inner, person, SyncEntry::StatusMute).await?;
        app_state::make(&self.inner, &[SyncAction::StatusMute { person, muted }]).await
    }
}

/// The settings of the account that all its devices share.
#[derive(Debug, Clone)]
pub struct SharedSettings {
    inner: Arc<Inner>,
}

/// The user knows that every linked device, this one included, is unlinked by what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlinksAllDevices;

impl SharedSettings {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Changes the name others see.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats); [`Error::InvalidInput`] if it is empty or has more than 25
    /// characters.
    pub async fn set_push_name(&self, name: &str) -> Result<Synced, Error> {
        if !(1..=MAX_PUSH_NAME).contains(&name.chars().count()) {
            return Err(Error::InvalidInput("a name has 1 to 25 characters"));
        }
        app_state::make(&self.inner, &[SyncAction::PushName(name.to_owned())]).await
    }

    /// Whether archived chats come back with new messages.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn set_unarchive_chats(&self, on: bool) -> Result<Synced, Error> {
        app_state::make(&self.inner, &[SyncAction::UnarchiveChats(on)]).await
    }

    /// Whether links are sent without a preview.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn set_disable_link_previews(&self, on: bool) -> Result<Synced, Error> {
        app_state::make(&self.inner, &[SyncAction::DisableLinkPreviews(on)]).await
    }

    /// Makes a ready-made answer, or changes it; `None` deletes it.
    ///
    /// # Errors
    /// See [`Chats`](crate::Chats).
    pub async fn set_quick_reply(
        &self,
        id: &str,
        reply: Option<QuickReply>,
    ) -> Result<Synced, Error> {
        app_state::make(&self.inner, &[SyncAction::QuickReply { id: id.into(), reply }]).await
    }

    /// Fetches what is new in every collection; [`Event::AppState`](crate::Event::AppState) tells
    /// how it went. Needed only if something was missed: it happens by itself at every login.
    pub fn resync(&self) {
        app_state::resync_all(&self.inner);
    }

    /// Waits until what the other devices changed meanwhile is known here, which takes a moment
    /// after the backlog of a connection; whether that was so within `limit`.
    pub async fn until_known(&self, limit: Duration) -> bool {
        app_state::until_settled(&self.inner, limit).await
    }

    /// Tells the phone that these collections are broken beyond repair. **The phone then unlinks
    /// every linked device.** The last resort, after a collection stayed
    /// [`NotAuthentic`](crate::SyncFailure::NotAuthentic) and the phone's own copy did not help;
    /// never done without this call.
    ///
    /// # Errors
    /// If the phone cannot be reached.
    pub async fn give_up(
        &self,
        collections: &[Collection],
        _consent: UnlinksAllDevices,
    ) -> Result<(), Error> {
        app_state::send_fatal_exception(&self.inner, collections).await
    }
}
