//! What happens to the history, as events.
//!
//! Knows nothing of how it is read.

use wa_store::HistoryGap;

/// Something happened to the history that the phone gives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryEvent {
    /// The phone has begun to give its history, as it does once for a new link.
    Started,
    /// More of it is in the archive.
    Progress {
        /// How much of it was read, by the phone's own measure, 0 to 100; `None` until the phone
        /// has said so.
        percent: Option<u8>,
        /// How many chats it named so far.
        chats: u64,
        /// How many messages it brought to the archive so far.
        messages: u64,
    },
    /// A part of it is in the archive as a whole, and the phone has been told so.
    ChunkStored {
        /// What the part holds.
        kind: HistoryKind,
        /// Its number among the parts of its kind.
        order: u32,
        /// How many chats it names.
        chats: u64,
        /// How many messages it brought that were not in the archive before.
        messages: u64,
        /// How many of its entries could not be read, and were passed over.
        unreadable: u64,
    },
    /// A part of it could not be read to its end.
    ChunkFailed {
        /// What the part holds.
        kind: HistoryKind,
        /// Its number among the parts of its kind.
        order: u32,
        /// Why.
        reason: ChunkFailure,
        /// Whether the phone was asked to give it again.
        asked_again: bool,
    },
    /// The phone has given its history, or has stopped doing so for two minutes. Where more is
    /// known to be on the phone, [`HistoryEvent::GapFound`] follows.
    Completed {
        /// How many chats it named.
        chats: u64,
        /// How many messages it brought to the archive.
        messages: u64,
        /// Whether the phone said that this is all it gives.
        is_whole: bool,
    },
    /// Something is known to be missing.
    GapFound(HistoryGap),
}

/// What a part of the history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryKind {
    /// The newest messages of every chat, and the tables that go with them.
    Bootstrap,
    /// Status posts.
    Status,
    /// Older messages, for a link that asked for everything.
    Full,
    /// Messages of the last months.
    Recent,
    /// The names that people gave themselves.
    PushNames,
    /// What [`History::fetch_older`](crate::History::fetch_older) asked for.
    OnDemand,
    /// Anything else.
    Other,
}

/// Why a part of the history could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChunkFailure {
    /// The media host does not have it (any more).
    Gone,
    /// It is not what its hashes and its MAC say.
    Corrupt,
    /// It ends too early.
    Truncated,
    /// It inflates beyond the bound.
    TooLarge,
    /// It is no history.
    Malformed,
    /// It could not be downloaded, often enough to give up.
    Unreachable,
}
