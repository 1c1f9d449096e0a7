//! What changed in a chat's settings, on whichever device of the account.

use std::fmt;

use wa_proto::Jid;
use wa_store::Timestamp;

/// A chat changed. `Debug` shows what changed and not where.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatEvent {
    /// The chat.
    pub chat: Jid,
    /// What changed.
    pub change: ChatChange,
    /// Whether it was learnt while everything was fetched anew, and may be long known.
    pub full_sync: bool,
}

impl fmt::Debug for ChatEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatEvent")
            .field("change", &self.change)
            .field("full_sync", &self.full_sync)
            .finish_non_exhaustive()
    }
}

/// What changed in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatChange {
    /// It is silent until then ([`Timestamp::MAX`] is for ever), or no longer.
    Muted(Option<Timestamp>),
    /// Whether it is pinned.
    Pinned(bool),
    /// Whether it is archived, which takes its pin away.
    Archived(bool),
    /// It was read (`true`), or marked as unread.
    Read(bool),
    /// Its messages were deleted.
    Cleared,
    /// It was deleted.
    Deleted,
    /// Whether it is locked.
    Locked(bool),
    /// It has a label, or no longer.
    Labelled {
        /// The label's id.
        label: String,
        /// Whether it has.
        labelled: bool,
    },
    /// One of its messages has a star, or no longer.
    Starred {
        /// The message's id.
        id: String,
        /// Whether it has.
        starred: bool,
    },
    /// One of its messages was deleted on the own devices.
    MessageDeleted {
        /// The message's id.
        id: String,
    },
    /// One of its messages has a label, or no longer.
    MessageLabelled {
        /// The message's id.
        id: String,
        /// The label's id.
        label: String,
        /// Whether it has.
        labelled: bool,
    },
}
