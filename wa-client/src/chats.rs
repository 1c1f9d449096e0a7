//! What a person does with chats and the messages in them: silent, pinned, archived, read, starred,
//! deleted, labelled. All devices of the account follow.
//!
//! Knows nothing of patches; see [`crate::app_state`].

use std::{sync::Arc, time::Duration};

use wa_proto::{
    Jid,
    app_state::{LabelEdit, MessageEntry, MessageRange, MuteEnd, SyncAction, SyncEntry},
};
use wa_store::{MessageKey, StoreError};

use crate::{
    app_state::{self, Synced},
    error::Error,
    inner::Inner,
};

/// The account's chats. Every verb returns once the server has the change and it took effect here
/// ([`Synced::Done`]), or once it is certain to be made later ([`Synced::Queued`]).
///
/// Errors of all verbs: [`Error::NotLinked`]; [`Error::Server`] if the server refuses the change
/// for good, which then has no effect; the store's.
#[derive(Debug, Clone)]
pub struct Chats {
    inner: Arc<Inner>,
}

/// For how long a chat is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MuteFor {
    /// Until it is told otherwise.
    Ever,
    /// For so long from now.
    Time(Duration),
}

impl Chats {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Makes a chat silent.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn mute(&self, chat: &Jid, how_long: MuteFor) -> Result<Synced, Error> {
        let end = match how_long {
            MuteFor::Ever => MuteEnd::Never,
            MuteFor::Time(time) => {
                let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                let end = self.inner.clock.unix_ms().saturating_add(time);
                MuteEnd::At(i64::try_from(end).unwrap_or(i64::MAX))
            }
        };
        self.set_muted(chat, Some(end)).await
    }

    /// Ends the silence of a chat.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn unmute(&self, chat: &Jid) -> Result<Synced, Error> {
        self.set_muted(chat, None).await
    }

    async fn set_muted(&self, chat: &Jid, until: Option<MuteEnd>) -> Result<Synced, Error> {
        let chat = self.form(chat, SyncEntry::Mute).await?;
        self.make(&[SyncAction::Mute { chat, until }]).await
    }

    /// Pins a chat.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn pin(&self, chat: &Jid) -> Result<Synced, Error> {
        let chat = self.form(chat, SyncEntry::Pin).await?;
        self.make(&[SyncAction::Pin { chat, pinned: true }]).await
    }

    /// Takes a chat's pin away.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn unpin(&self, chat: &Jid) -> Result<Synced, Error> {
        let chat = self.form(chat, SyncEntry::Pin).await?;
        self.make(&[SyncAction::Pin { chat, pinned: false }]).await
    }

    /// Archives a chat, and takes its pin away.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn archive(&self, chat: &Jid) -> Result<Synced, Error> {
        let pinned = self.form(chat, SyncEntry::Pin).await?;
        let archive = self.archived(chat, true).await?;
        self.make(&[SyncAction::Pin { chat: pinned, pinned: false }, archive]).await
    }

    /// Brings a chat back from the archived ones.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn unarchive(&self, chat: &Jid) -> Result<Synced, Error> {
        let action = self.archived(chat, false).await?;
        self.make(&[action]).await
    }

    async fn archived(&self, chat: &Jid, archived: bool) -> Result<SyncAction, StoreError> {
        let chat = self.form(chat, SyncEntry::Archive).await?;
        Ok(SyncAction::Archive { range: self.range(&chat).await?, chat, archived })
    }

    /// Marks a chat as read on the own devices. The senders learn it by
    /// [`Client::mark_read`](crate::Client::mark_read).
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn mark_read(&self, chat: &Jid) -> Result<Synced, Error> {
        self.set_read(chat, true).await
    }

    /// Marks a chat as unread on the own devices.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn mark_unread(&self, chat: &Jid) -> Result<Synced, Error> {
        self.set_read(chat, false).await
    }

    async fn set_read(&self, chat: &Jid, read: bool) -> Result<Synced, Error> {
        let chat = self.form(chat, SyncEntry::MarkRead).await?;
        let range = self.range(&chat).await?;
        self.make(&[SyncAction::MarkRead { chat, read, range }]).await
    }

    /// Puts a star on a message.
    ///
    /// # Errors
    /// See [`Chats`]; [`Error::InvalidInput`] if there is no such message.
    pub async fn star(&self, message: &MessageKey) -> Result<Synced, Error> {
        self.set_starred(message, true).await
    }

    /// Takes a message's star off.
    ///
    /// # Errors
    /// See [`Chats`]; [`Error::InvalidInput`] if there is no such message.
    pub async fn unstar(&self, message: &MessageKey) -> Result<Synced, Error> {
        self.set_starred(message, false).await
    }

    async fn set_starred(&self, message: &MessageKey, starred: bool) -> Result<Synced, Error> {
        let (message, _) = self.entry(message, SyncEntry::Star).await?;
        self.make(&[SyncAction::Star { message, starred }]).await
    }

    /// Deletes a message on the own devices. Others keep it.
    ///
    /// # Errors
    /// See [`Chats`]; [`Error::InvalidInput`] if there is no such message.
    pub async fn delete_for_me(
        &self,
        message: &MessageKey,
        media_too: bool,
    ) -> Result<Synced, Error> {
        let (message, timestamp) = self.entry(message, SyncEntry::DeleteForMe).await?;
        let timestamp = Some(timestamp);
        self.make(&[SyncAction::DeleteForMe { message, media_too, timestamp }]).await
    }

    /// Deletes all messages of a chat on the own devices; the chat stays. Messages with a star
    /// stay if that is wanted.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn clear(&self, chat: &Jid, keep_starred: bool) -> Result<Synced, Error> {
        let entry =
            |chat| SyncEntry::ClearChat { chat, starred_too: !keep_starred, media_too: true };
        let chat = self.form(chat, entry).await?;
        let range = self.range(&chat).await?;
        let (starred_too, media_too) = (!keep_starred, true);
        self.make(&[SyncAction::ClearChat { chat, starred_too, media_too, range }]).await
    }

    /// Deletes a chat on the own devices, with all its messages.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn delete(&self, chat: &Jid) -> Result<Synced, Error> {
        let entry = |chat| SyncEntry::DeleteChat { chat, media_too: true };
        let chat = self.form(chat, entry).await?;
        let range = self.range(&chat).await?;
        self.make(&[SyncAction::DeleteChat { chat, media_too: true, range }]).await
    }

    /// Puts a label on a chat.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn label(&self, chat: &Jid, label: &str) -> Result<Synced, Error> {
        self.set_label(chat, label, true).await
    }

    /// Takes a label off a chat.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn unlabel(&self, chat: &Jid, label: &str) -> Result<Synced, Error> {
        self.set_label(chat, label, false).await
    }

    async fn set_label(&self, chat: &Jid, label: &str, labeled: bool) -> Result<Synced, Error> {
        let entry = |chat| SyncEntry::LabelChat { label: label.into(), chat };
        let chat = self.form(chat, entry).await?;
        self.make(&[SyncAction::LabelChat { label: label.into(), chat, labeled }]).await
    }

    /// Puts a label on a message, or takes it off.
    ///
    /// # Errors
    /// See [`Chats`]; [`Error::InvalidInput`] if there is no such message.
    pub async fn label_message(
        &self,
        message: &MessageKey,
        label: &str,
        labeled: bool,
    ) -> Result<Synced, Error> {
        let entry = |message| SyncEntry::LabelMessage { label: label.into(), message };
        let (message, _) = self.entry(message, entry).await?;
        self.make(&[SyncAction::LabelMessage { label: label.into(), message, labeled }]).await
    }

    /// Makes a label, or changes it; `None` deletes it. Ids are small numbers as text.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn edit_label(&self, id: &str, edit: Option<LabelEdit>) -> Result<Synced, Error> {
        self.make(&[SyncAction::Label { id: id.into(), edit }]).await
    }

    /// Locks a chat, or unlocks it.
    ///
    /// # Errors
    /// See [`Chats`].
    pub async fn set_locked(&self, chat: &Jid, locked: bool) -> Result<Synced, Error> {
        let chat = self.form(chat, SyncEntry::Lock).await?;
        self.make(&[SyncAction::Lock { chat, locked }]).await
    }

    async fn make(&self, actions: &[SyncAction]) -> Result<Synced, Error> {
        app_state::make(&self.inner, actions).await
    }

    async fn form(
        &self,
        chat: &Jid,
        entry: impl Fn(Jid) -> SyncEntry + Send + Sync,
    ) -> Result<Jid, StoreError> {
        app_state::own_form(&self.inner, chat, entry).await
    }

    async fn range(&self, chat: &Jid) -> Result<Option<MessageRange>, StoreError> {
        app_state::range_of(&self.inner, chat).await
    }

    /// A message as the app state names it, and its time in seconds since 1970.
    async fn entry(
        &self,
        message: &MessageKey,
        entry: impl Fn(MessageEntry) -> SyncEntry + Send + Sync,
    ) -> Result<(MessageEntry, i64), Error> {
        let missing = Error::InvalidInput("there is no such message");
        let Some(kept) = self.inner.store.message(message).await? else { return Err(missing) };
        let Some(named) = app_state::message_entry(kept.key.chat.clone(), &kept.key) else {
            return Err(missing);
        };
        let place = |chat| entry(MessageEntry { chat, ..named.clone() });
        let chat = self.form(&kept.key.chat, place).await?;
        Ok((MessageEntry { chat, ..named }, kept.timestamp.secs()))
    }
}
