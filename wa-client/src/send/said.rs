//! What a caller wants to say, before it is known how that is written.
//!
//! Owns the intents and their options. Knows nothing of the archive, which most of them need.

use wa_proto::{Content, Jid};
use wa_store::{Attendance, MessageKey};

/// What a caller wants to say.
#[derive(Clone)]
pub(crate) enum Said {
    /// Something of its own.
    Content(Box<Content>),
    /// An emoji on a message, or none any more.
    Reaction { target: MessageKey, emoji: String },
    /// Another text for an own message; `late` also after the time for that.
    Edit { target: MessageKey, text: String, late: bool },
    /// A message taken back.
    Revoke { target: MessageKey },
    /// A vote, by the options' texts.
    Vote { poll: MessageKey, options: Vec<String> },
    /// An answer to an event.
    Answer { event: MessageKey, attendance: Attendance, guests: u32 },
    /// A message pinned for so many seconds, or no longer.
    Pin { target: MessageKey, seconds: Option<u32> },
    /// A disappearing message kept, or no longer.
    Keep { target: MessageKey, kept: bool },
    /// A message passed on; if it has this digest, where one is given.
    Forward { source: MessageKey, unchanged_since: Option<[u8; 32]> },
    /// A comment on a message.
    Comment { target: MessageKey, text: String },
    /// Another timer for disappearing messages; 0 for none.
    Timer { seconds: u32 },
}

impl Said {
    /// Its name: all of it that is fit for a log.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Content(_) => "content",
            Self::Reaction { .. } => "reaction",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::Vote { .. } => "vote",
            Self::Answer { .. } => "answer",
            Self::Pin { .. } => "pin",
            Self::Keep { .. } => "keep",
            Self::Forward { .. } => "forward",
            Self::Comment { .. } => "comment",
            Self::Timer { .. } => "timer",
        }
    }
}

/// How a message is to be said, besides what it says.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// The message it answers.
    pub(crate) quoting: Option<wa_proto::MessageId>,
    pub(crate) mentions: Vec<Jid>,
    pub(crate) mentions_everyone: bool,
    /// The message it belongs to, as a picture to its album.
    pub(crate) parent: Option<wa_proto::MessageKey>,
    /// Whether its media is to be looked at once.
    pub(crate) view_once: bool,
}
