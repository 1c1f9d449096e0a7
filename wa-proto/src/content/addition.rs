//! What is said about an earlier message: reactions, edits, deletions, pins, comments.
//!
//! Owns their values. Knows nothing of whether the earlier message is known, nor of how sealed
//! ones are opened.

use bytes::Bytes;

use super::{Content, key};
use crate::ids::MessageKey;
use crate::pb::{self, message};

/// An emoji on another message.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The message it is on.
    pub target: Option<MessageKey>,
    /// The emoji; empty takes an earlier reaction back.
    pub emoji: String,
    /// When the sender reacted, in milliseconds since 1970.
    pub at_ms: Option<i64>,
}

impl From<message::ReactionMessage> for Reaction {
    fn from(m: message::ReactionMessage) -> Self {
        Self { target: key(m.key), emoji: m.text.unwrap_or_default(), at_ms: m.sender_timestamp_ms }
    }
}

/// New content for an earlier message. Its mentions and quotation are in the context of the
/// message that carries the edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The message that changes.
    pub target: Option<MessageKey>,
    /// What it says now.
    pub content: Box<Content>,
    /// When it was edited, in milliseconds since 1970.
    pub at_ms: Option<i64>,
}

/// An earlier message deleted for everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// The message that is gone. An admin who deletes somebody else's names them as its sender.
    pub target: Option<MessageKey>,
}

/// A message pinned or unpinned for everyone; for how long is in
/// [`MessageContext::add_on_seconds`](super::MessageContext::add_on_seconds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The message.
    pub target: Option<MessageKey>,
    /// Whether it is pinned from now on.
    pub pinned: bool,
    /// When, in milliseconds since 1970.
    pub at_ms: Option<i64>,
}

impl From<message::PinInChatMessage> for Pin {
    fn from(m: message::PinInChatMessage) -> Self {
        let pinned = m.r#type() == message::pin_in_chat_message::Type::PinForAll;
        Self { target: key(m.key), pinned, at_ms: m.sender_timestamp_ms }
    }
}

/// A disappearing message kept, or no longer kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The message.
    pub target: Option<MessageKey>,
    /// Whether it is kept from now on.
    pub kept: bool,
    /// When, in milliseconds since 1970.
    pub at_ms: Option<i64>,
}

impl From<message::KeepInChatMessage> for Keep {
    fn from(m: message::KeepInChatMessage) -> Self {
        let kept = m.keep_type() == pb::KeepType::KeepForAll;
        Self { target: key(m.key), kept, at_ms: m.timestamp_ms }
    }
}

/// A comment on another message.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// The message commented on.
    pub target: Option<MessageKey>,
    /// The comment.
    pub content: Box<Content>,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question.
    pub target: Option<MessageKey>,
    /// The answer.
    pub text: String,
}

/// Something sealed with the message secret of the message it is about (AES-256-GCM under a key
/// derived from that secret).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The message it is about, whose secret opens it.
    pub target: Option<MessageKey>,
    /// Ciphertext and tag.
    pub payload: Bytes,
    /// The nonce, 12 bytes.
    pub iv: Bytes,
}

impl Sealed {
    pub(super) fn new(
        target: Option<pb::MessageKey>,
        payload: Option<Bytes>,
        iv: Option<Bytes>,
    ) -> Self {
        Self {
            target: key(target),
            payload: payload.unwrap_or_default(),
            iv: iv.unwrap_or_default(),
        }
    }
}

/// What a sealed edit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedEditKind {
    /// A calendar event.
    Event,
    /// A message.
    Message,
    /// When a message is to be sent.
    Schedule,
    /// A poll.
    Poll,
    /// A poll's options.
    PollOption,
    /// Something this version does not know.
    Unknown,
}

/// An edit sealed with the target's message secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEdit {
    /// What it changes.
    pub kind: SealedEditKind,
    /// The sealed `Message`.
    pub sealed: Sealed,
}

impl From<message::SecretEncryptedMessage> for SealedEdit {
    fn from(m: message::SecretEncryptedMessage) -> Self {
        use message::secret_encrypted_message::SecretEncType as Type;
        let kind = match m.secret_enc_type() {
            Type::EventEdit => SealedEditKind::Event,
            Type::MessageEdit => SealedEditKind::Message,
            Type::MessageSchedule => SealedEditKind::Schedule,
            Type::PollEdit => SealedEditKind::Poll,
            Type::PollAddOption => SealedEditKind::PollOption,
            Type::Unknown => SealedEditKind::Unknown,
        };
        Self { kind, sealed: Sealed::new(m.target_message_key, m.enc_payload, m.enc_iv) }
    }
}
