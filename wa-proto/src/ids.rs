//! The names of messages: an id, and the key that finds it in a chat.
//!
//! Owns their validation and their protobuf form. Knows nothing of how ids are made, which takes
//! randomness, nor of whether such a message exists.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use crate::{Jid, pb};

/// The longest message id that is accepted, in bytes. Real ones have some 20 to 32.
pub const MAX_MESSAGE_ID_LEN: usize = 255;

/// A message's id, chosen by the device that sends it; unique within a chat and sender, not
/// globally.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(CompactString);

impl MessageId {
    /// Checks a text that is to be an id.
    ///
    /// # Errors
    ///
    /// If it is empty, longer than [`MAX_MESSAGE_ID_LEN`] or holds a control character.
    pub fn new(text: impl Into<CompactString>) -> Result<Self, MessageIdError> {
        let text = text.into();
        if text.is_empty() {
            return Err(MessageIdError::Empty);
        }
        if text.len() > MAX_MESSAGE_ID_LEN {
            return Err(MessageIdError::TooLong { len: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(MessageIdError::ControlCharacter);
        }
        Ok(Self(text))
    }

    /// The id as it stands in stanzas and protobufs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        Self::new(text)
    }
}

impl AsRef<str> for MessageId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}

/// Why a text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageIdError {
    /// There is no text.
    #[error("the message id is empty")]
    Empty,
    /// There is too much of it.
    #[error("the message id has {len} bytes, more than {MAX_MESSAGE_ID_LEN}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A character that would break a line or a terminal.
    #[error("the message id holds a control character")]
    ControlCharacter,
}

/// How one message points at another: a reaction at what it is about, a revoke at what it
/// deletes.
///
/// The protocol writes it from the view of whoever sends it: `from_me` is true for the sender's
/// own messages, so a receiver has to turn it round.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// The chat, if the sender named a readable one.
    pub chat: Option<Jid>,
    /// Whether the sender of the pointing message also sent the one pointed at.
    pub from_me: bool,
    /// The id of the message pointed at.
    pub id: MessageId,
    /// Who sent the message pointed at, in groups and status only.
    pub sender: Option<Jid>,
}

impl MessageKey {
    /// Reads the protobuf form. JIDs that cannot be read are left out; they often can be
    /// inferred from the stanza.
    ///
    /// # Errors
    ///
    /// If the id is missing or is no message id: then the key points at nothing.
    pub fn from_pb(key: pb::MessageKey) -> Result<Self, MessageIdError> {
        Ok(Self {
            chat: key.remote_jid.as_deref().and_then(|jid| jid.parse().ok()),
            from_me: key.from_me.unwrap_or(false),
            id: MessageId::new(key.id.unwrap_or_default())?,
            sender: key.participant.as_deref().and_then(|jid| jid.parse().ok()),
        })
    }

    /// The protobuf form. `from_me` is always written, as phones do.
    pub fn to_pb(&self) -> pb::MessageKey {
        pb::MessageKey {
            remote_jid: self.chat.as_ref().map(Jid::to_string),
            from_me: Some(self.from_me),
            id: Some(self.id.as_str().to_owned()),
            participant: self.sender.as_ref().map(Jid::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_to_be_short_printable_and_there() {
        assert!(MessageId::new("3EB07A679511BEB9DA7D40").is_ok());
        assert!(MessageId::new("x".repeat(255)).is_ok());
        assert_eq!(MessageId::new(""), Err(MessageIdError::Empty));
        assert_eq!(MessageId::new("x".repeat(256)), Err(MessageIdError::TooLong { len: 256 }));
        assert_eq!(MessageId::new("a\nb"), Err(MessageIdError::ControlCharacter));
    }

    #[test]
    fn a_key_survives_its_protobuf_form() {
        let key = MessageKey {
            chat: Some("120363012337680535@g.us".parse().unwrap()),
            from_me: false,
            id: MessageId::new("3A679E94C24C70").unwrap(),
            sender: Some("91982503079@s.whatsapp.net".parse().unwrap()),
        };
        assert_eq!(MessageKey::from_pb(key.to_pb()), Ok(key));
    }

    #[test]
    fn a_key_without_an_id_points_at_nothing() {
        assert_eq!(MessageKey::from_pb(pb::MessageKey::default()), Err(MessageIdError::Empty));
    }
}
