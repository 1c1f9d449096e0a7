//! What is known of the history: its parts that wait to be read, and where it is known to end early.
//!
//! Knows nothing of how the phone tells it.

use std::fmt;

use wa_proto::Jid;

use crate::{MessageId, Timestamp};

/// A part of the history that the phone told of and that was not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryChunk {
    /// The id of the message that told of it.
    pub id: MessageId,
    /// What was told, in the client's own form.
    pub notice: Vec<u8>,
    /// When it was told.
    pub received_at: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// A stretch of the history that this device does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryGap {
    /// Where it is.
    pub place: GapPlace,
    /// Where it begins; `None` if nobody knows.
    pub from: Option<Timestamp>,
    /// Where it ends; `None` if nobody knows.
    pub to: Option<Timestamp>,
    /// Why it is there.
    pub reason: GapReason,
    /// How often the phone was asked to close it.
    pub attempts: u32,
}

impl HistoryGap {
    /// A gap without known ends.
    pub const fn new(place: GapPlace, reason: GapReason) -> Self {
        Self { place, from: None, to: None, reason, attempts: 0 }
    }
}

/// Where a gap is. There is at most one for each.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GapPlace {
    /// Before the oldest message of a chat.
    Chat(Jid),
    /// A whole part of the history, of whichever chats.
    Chunk {
        /// Its kind, by the phone's number for it.
        kind: u32,
        /// Its number among the parts of its kind.
        order: u32,
    },
}

impl GapPlace {
    /// The word under which a table keeps it. A person stands under their own form.
    pub(crate) fn to_column(&self) -> String {
        match self {
            Self::Chat(chat) => chat.to_string(),
            Self::Chunk { kind, order } => format!("#{kind}/{order}"),
        }
    }

    pub(crate) fn from_column(text: &str) -> Option<Self> {
        match text.strip_prefix('#') {
            None => text.parse().ok().map(Self::Chat),
            Some(numbers) => {
                let (kind, order) = numbers.split_once('/')?;
                Some(Self::Chunk { kind: kind.parse().ok()?, order: order.parse().ok()? })
            }
        }
    }
}

impl fmt::Debug for GapPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat(_) => f.write_str("Chat(…)"),
            Self::Chunk { kind, order } => write!(f, "Chunk({kind}, {order})"),
        }
    }
}

/// Why a gap is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapReason {
    /// The phone has more than it gave.
    MoreOnPhone,
    /// The phone has more and may not give it.
    NoAccess,
    /// A part came that could not be read.
    Unreadable,
}

impl GapReason {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MoreOnPhone => "more-on-phone",
            Self::NoAccess => "no-access",
            Self::Unreadable => "unreadable",
        }
    }

    pub(crate) const ALL: [Self; 3] = [Self::MoreOnPhone, Self::NoAccess, Self::Unreadable];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let places = [
            GapPlace::Chat(Jid::lid("7")),
            GapPlace::Chat(Jid::group("120363000000000001")),
            GapPlace::Chunk { kind: 3, order: 12 },
        ];
        for place in places {
            assert_eq!(GapPlace::from_column(&place.to_column()), Some(place));
        }
        assert_eq!(GapPlace::from_column("#3"), None);
    }
}
