//! What happens to messages, as events.
//!
//! Knows nothing of how it happens. Texts and names have no `Debug`.

use std::fmt;

use wa_proto::Jid;
use wa_store::{Alteration, MessageKey, MessageKind, SendFailure};

/// A message that is in the archive.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageEvent {
    /// Its place in the archive; the next message has a higher one.
    pub sequence: u64,
    /// The chat.
    pub chat: Jid,
    /// Who sent it, by LID where one is known.
    pub sender: Jid,
    /// The sender by their other name: the phone number of a LID, or the reverse.
    pub sender_alt: Option<Jid>,
    /// Its id, unique for its sender in its chat.
    pub id: String,
    /// When it was sent, in seconds since 1970, by the server's clock.
    pub timestamp: u64,
    /// Whether this account sent it.
    pub from_me: bool,
    /// What it is.
    pub kind: MessageKind,
    /// Its text, or the caption of its media.
    pub text: Option<String>,
}

impl fmt::Debug for MessageEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageEvent")
            .field("sequence", &self.sequence)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something happened to a message that is in the archive: the store tells how it stands now.
///
/// What was added to a message before it came shows with it, and is not told apart.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageChange {
    /// The message.
    pub key: MessageKey,
    /// Whose doing it is; nobody's where time did it.
    pub by: Option<Jid>,
    /// What happened.
    pub what: Alteration,
}

impl fmt::Debug for MessageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageChange")
            .field("id", &self.key.id)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// A receipt: what became of messages sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusChange {
    /// The chat.
    pub chat: Jid,
    /// Whose device it happened on.
    pub by: Jid,
    /// The messages.
    pub ids: Vec<String>,
    /// What happened.
    pub state: SendState,
    /// When, in seconds since 1970.
    pub timestamp: u64,
}

impl fmt::Debug for StatusChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusChange")
            .field("ids", &self.ids)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendState {
    /// It is on disk and will be sent, also after a restart.
    Queued,
    /// The server has it.
    Sent {
        /// When it got there, in seconds since 1970.
        timestamp: u64,
    },
    /// It will never be sent.
    Failed {
        /// Why.
        reason: SendFailure,
    },
    /// It reached a device of its receiver.
    Delivered,
    /// It was read.
    Read,
    /// It was played: voice and view-once messages.
    Played,
}

/// Why a message cannot be read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UndecryptableReason {
    /// The sender left it out for this device; only the phone has it.
    Unavailable,
    /// There is no session or sender key for it.
    NoSession,
    /// It does not decrypt with the keys there are.
    Decryption,
    /// It decrypts to something that is no message.
    Malformed,
}

/// How a message came that could not be read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Its sender encrypted it again.
    Retry,
    /// The phone gave its own copy.
    Phone,
    /// It came with the history.
    History,
}

/// What was tried last for a message that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReason {
    /// Neither its sender nor the phone answered in time.
    NoAnswer,
    /// It is of a kind that the phone does not pass on.
    NotShared,
    /// It is too old to be asked for.
    TooOld,
    /// The database does not take it, although it takes others; it was refused to the server.
    NotKept,
}
