//! What the devices of an account keep in common: its collections, and what is said in them.
//!
//! Owns the names of collections, the index of an entry, and the actions as values. Knows nothing
//! of encryption and versions.

mod action;
mod entry;
mod index;
mod range;
mod write;

use std::{fmt, str::FromStr};

pub use action::{
    ContactNames, LabelEdit, MuteEnd, QuickReply, SyncAction, SyncOperation, UnknownAction,
};
pub use entry::{MessageEntry, SyncEntry};
pub use index::{InvalidIndex, MAX_INDEX_PARTS, SyncIndex};
pub use range::{MessageRange, RangeMessage};
pub use write::SyncRecord;

/// A collection of the app state. Each has versions of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Push name, locale: what must be there before anything is shown.
    CriticalBlock,
    /// Contacts.
    CriticalUnblockLow,
    /// Mute, star, deleted messages and chats.
    RegularHigh,
    /// Labels, quick replies, some settings.
    Regular,
    /// Pins, archived and read chats.
    RegularLow,
}

impl Collection {
    /// All of them, in the order in which a new device asks for them.
    pub const ALL: [Self; 5] = [
        Self::CriticalBlock,
        Self::CriticalUnblockLow,
        Self::RegularHigh,
        Self::Regular,
        Self::RegularLow,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CriticalBlock => "critical_block",
            Self::CriticalUnblockLow => "critical_unblock_low",
            Self::RegularHigh => "regular_high",
            Self::Regular => "regular",
            Self::RegularLow => "regular_low",
        }
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is the name of no collection this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no known collection has this name")]
pub struct UnknownCollection;

impl FromStr for Collection {
    type Err = UnknownCollection;

    fn from_str(name: &str) -> Result<Self, UnknownCollection> {
        Self::ALL.into_iter().find(|known| known.as_str() == name).ok_or(UnknownCollection)
    }
}
