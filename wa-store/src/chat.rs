//! Conversations and their settings.
//!
//! Knows nothing of the messages in them but the last one's place and time.

use std::fmt;

use wa_proto::Jid;

use crate::{Seq, Timestamp};

/// A conversation. The same person under phone number and LID is one chat.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chat {
    /// The other side: the LID of a person where it is known, else the phone number; a group.
    pub jid: Jid,
    /// The phone number of a person, where it is known.
    pub phone: Option<Jid>,
    /// The chat's own name (a group's subject), else the contact's name.
    pub name: Option<String>,
    /// The newest message by time: its number and time.
    pub last_message: Option<(Seq, Timestamp)>,
    /// How many messages wait to be read.
    pub unread: u32,
    /// Whether the user marked it as unread by hand.
    pub marked_unread: bool,
    /// Until when it is silent.
    pub muted_until: Option<Timestamp>,
    /// When it was pinned.
    pub pinned_at: Option<Timestamp>,
    /// Whether it is archived.
    pub archived: bool,
    /// How long messages live, in seconds; `None` or 0: for ever.
    pub ephemeral_secs: Option<u32>,
    /// When that was set, if told.
    pub ephemeral_set_at: Option<Timestamp>,
}

impl Chat {
    /// A chat without messages and with no setting changed.
    pub const fn new(jid: Jid) -> Self {
        Self {
            jid,
            phone: None,
            name: None,
            last_message: None,
            unread: 0,
            marked_unread: false,
            muted_until: None,
            pinned_at: None,
            archived: false,
            ephemeral_secs: None,
            ephemeral_set_at: None,
        }
    }

    /// Whether it is silent at this time.
    pub fn is_muted(&self, at: Timestamp) -> bool {
        self.muted_until.is_some_and(|until| until > at)
    }

    pub(crate) fn apply(&mut self, update: &ChatUpdate) {
        if let Some(name) = &update.name {
            self.name = Some(name.clone());
        }
        self.unread = update.unread.unwrap_or(self.unread);
        self.marked_unread = update.marked_unread.unwrap_or(self.marked_unread);
        self.muted_until = update.muted_until.unwrap_or(self.muted_until);
        self.pinned_at = update.pinned_at.unwrap_or(self.pinned_at);
        self.archived = update.archived.unwrap_or(self.archived);
        // What was set earlier may be heard of later.
        if let Some(seconds) = update.ephemeral_secs
            && update.ephemeral_set_at.is_none_or(|at| Some(at) >= self.ephemeral_set_at)
        {
            self.ephemeral_secs = seconds;
            self.ephemeral_set_at = update.ephemeral_set_at.or(self.ephemeral_set_at);
        }
    }

    /// Takes over what the same person's chat under the phone number holds: counts are added,
    /// settings fill what this one has not set.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.name.is_none() {
            self.name.clone_from(&other.name);
        }
        self.unread = self.unread.saturating_add(other.unread);
        self.marked_unread |= other.marked_unread;
        self.muted_until = self.muted_until.max(other.muted_until);
        self.pinned_at = self.pinned_at.max(other.pinned_at);
        // A chat that is shown on either side stays shown.
        self.archived &= other.archived;
        if other.ephemeral_set_at > self.ephemeral_set_at || self.ephemeral_secs.is_none() {
            self.ephemeral_secs = other.ephemeral_secs;
            self.ephemeral_set_at = other.ephemeral_set_at;
        }
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("last_message", &self.last_message)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

/// What changed in a chat; `None` leaves what is there, `Some(None)` removes it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatUpdate {
    /// The chat; it is made if it is not there.
    pub jid: Jid,
    /// See [`Chat::name`].
    pub name: Option<String>,
    /// See [`Chat::unread`].
    pub unread: Option<u32>,
    /// See [`Chat::marked_unread`].
    pub marked_unread: Option<bool>,
    /// See [`Chat::muted_until`].
    pub muted_until: Option<Option<Timestamp>>,
    /// See [`Chat::pinned_at`].
    pub pinned_at: Option<Option<Timestamp>>,
    /// See [`Chat::archived`].
    pub archived: Option<bool>,
    /// See [`Chat::ephemeral_secs`]. Left alone if it was set before what is there.
    pub ephemeral_secs: Option<Option<u32>>,
    /// When it was set.
    pub ephemeral_set_at: Option<Timestamp>,
}

impl ChatUpdate {
    /// Nothing changed yet.
    pub const fn new(jid: Jid) -> Self {
        Self {
            jid,
            name: None,
            unread: None,
            marked_unread: None,
            muted_until: None,
            pinned_at: None,
            archived: None,
            ephemeral_secs: None,
            ephemeral_set_at: None,
        }
    }
}

impl fmt::Debug for ChatUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatUpdate(…)")
    }
}
