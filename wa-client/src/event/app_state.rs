//! What becomes of the app state, and what it says of the account.

use std::fmt;

use wa_proto::{
    Jid,
    app_state::{Collection, SyncAction},
};

/// Something about the app state.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AppStateEvent {
    /// A collection is up to date.
    SyncCompleted {
        /// Which.
        collection: Collection,
        /// Whether all of it was read anew.
        full: bool,
        /// How many changes were read.
        mutations: usize,
    },
    /// A collection could not be brought up to date; it stays as it was.
    SyncFailed {
        /// Which.
        collection: Collection,
        /// Why.
        reason: SyncFailure,
    },
    /// A key is missing; the own devices are asked for it, and the collection goes on when it
    /// comes.
    KeyMissing {
        /// The collection that waits.
        collection: Collection,
    },
    /// What the server has of a collection does not add up, and the phone was asked for its own
    /// copy.
    RecoveryRequested {
        /// Which.
        collection: Collection,
    },
    /// The server refused what was changed here; it was given up and has no effect.
    PushFailed {
        /// The collection.
        collection: Collection,
        /// The server's code.
        code: u16,
    },
    /// A setting of the account changed.
    Setting(AccountSetting),
    /// A label was made, changed or deleted.
    LabelChanged {
        /// Its id.
        id: String,
    },
    /// A ready-made answer was made, changed or deleted.
    QuickReplyChanged {
        /// Its id.
        id: String,
    },
    /// Something this client has no use for.
    Other(Box<SyncAction>),
}

/// Why a collection is not up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncFailure {
    /// A MAC or hash does not hold.
    NotAuthentic,
    /// The server, or whoever stands between, gives an older version than is known.
    Rollback,
    /// A part on the media hosts cannot be had.
    Media,
    /// The server refuses, does not answer, or never comes to an end.
    Server,
    /// The database failed.
    Storage,
}

/// A setting that all devices of the account share. `Debug` shows which.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountSetting {
    /// The name others see.
    PushName(String),
    /// The language.
    Locale(String),
    /// Whether archived chats come back with new messages.
    UnarchiveChats(bool),
    /// Whether links are sent without a preview.
    DisableLinkPreviews(bool),
    /// Whether calls go through a server.
    RelayAllCalls(bool),
    /// Whether times are shown with 24 hours.
    TwentyFourHours(bool),
}

impl fmt::Debug for AccountSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PushName(_) => "PushName",
            Self::Locale(_) => "Locale",
            Self::UnarchiveChats(_) => "UnarchiveChats",
            Self::DisableLinkPreviews(_) => "DisableLinkPreviews",
            Self::RelayAllCalls(_) => "RelayAllCalls",
            Self::TwentyFourHours(_) => "TwentyFourHours",
        })
    }
}

/// Something about a person in the address book. `Debug` shows nobody.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressBookEvent {
    /// Their names in the address book changed.
    Changed {
        /// The person.
        person: Jid,
        /// Whether they are in it now.
        in_address_book: bool,
    },
    /// The whole address book was read.
    Synced {
        /// How many people are in it.
        count: usize,
    },
    /// Their status posts are hidden, or no longer.
    StatusMuted {
        /// The person.
        person: Jid,
        /// Whether they are.
        muted: bool,
    },
}

impl fmt::Debug for AddressBookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { .. } => f.write_str("Changed"),
            Self::Synced { count } => f.debug_struct("Synced").field("count", count).finish(),
            Self::StatusMuted { .. } => f.write_str("StatusMuted"),
        }
    }
}
