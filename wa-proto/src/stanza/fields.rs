//! Reading one field of a node, with an error that names the field and nothing of its value.
//!
//! Owns the rule what counts as missing and what as malformed. Optional fields that are malformed
//! count as absent: a peer's odd attribute must not cost a message.

use bytes::Bytes;
use compact_str::CompactString;

use crate::{Jid, MessageId, Node};

/// A stanza of a known kind cannot be read. Field names are this program's own, never foreign
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// An attribute is not there.
    #[error("the attribute {0} is missing")]
    MissingAttr(&'static str),
    /// An attribute is there but is no number, JID or id as it should be.
    #[error("the attribute {0} is malformed")]
    MalformedAttr(&'static str),
    /// A child node is not there.
    #[error("the child <{0}> is missing")]
    MissingChild(&'static str),
    /// A node's content is not there, or has another length or form than it must have.
    #[error("the content of <{0}> is malformed")]
    Content(&'static str),
    /// The key material has another type than 5 (Curve25519).
    #[error("keys of an unknown type")]
    KeyType,
    /// The frame holds no node that can be decoded.
    #[error("the node cannot be decoded")]
    Undecodable,
    /// The answer is about something else than was asked.
    #[error("the answer is about another <{0}> than the question")]
    NotAsked(&'static str),
    /// A list with more entries than this operation takes.
    #[error("more entries in <{0}> than are taken")]
    TooMany(&'static str),
}

impl Node<'_> {
    pub(crate) fn need_text(&self, name: &'static str) -> Result<CompactString, ParseError> {
        self.text_opt(name).ok_or(ParseError::MissingAttr(name))
    }

    pub(crate) fn text_opt(&self, name: &str) -> Option<CompactString> {
        self.attrs.text(name).map(CompactString::from)
    }

    pub(crate) fn need_jid(&self, name: &'static str) -> Result<Jid, ParseError> {
        let value = self.attrs.value(name).ok_or(ParseError::MissingAttr(name))?;
        value.to_jid().ok_or(ParseError::MalformedAttr(name))
    }

    pub(crate) fn need_number<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<T, ParseError> {
        let text = self.attrs.text(name).ok_or(ParseError::MissingAttr(name))?;
        text.parse().map_err(|_| ParseError::MalformedAttr(name))
    }

    pub(crate) fn need_message_id(&self, name: &'static str) -> Result<MessageId, ParseError> {
        let text = self.need_text(name)?;
        MessageId::new(text).map_err(|_| ParseError::MalformedAttr(name))
    }

    pub(crate) fn need_child(&self, tag: &'static str) -> Result<&Self, ParseError> {
        self.find(tag).ok_or(ParseError::MissingChild(tag))
    }

    /// The content of a child, as bytes.
    pub(crate) fn need_bytes(&self, tag: &'static str) -> Result<Bytes, ParseError> {
        let bytes = self.need_child(tag)?.content_bytes().ok_or(ParseError::Content(tag))?;
        Ok(Bytes::copy_from_slice(bytes))
    }

    /// The content of a child that may be absent, as bytes.
    pub(crate) fn bytes_opt(&self, tag: &str) -> Option<Bytes> {
        self.find(tag)?.content_bytes().map(Bytes::copy_from_slice)
    }

    /// The content of a child, as an array.
    pub(crate) fn need_array<const N: usize>(
        &self,
        tag: &'static str,
    ) -> Result<[u8; N], ParseError> {
        let bytes = self.need_child(tag)?.content_bytes().ok_or(ParseError::Content(tag))?;
        bytes.try_into().map_err(|_| ParseError::Content(tag))
    }

    /// The content of a child, as a big-endian number of 1 to 4 bytes.
    pub(crate) fn need_big_endian(&self, tag: &'static str) -> Result<u32, ParseError> {
        let bytes = self.need_child(tag)?.content_bytes().ok_or(ParseError::Content(tag))?;
        big_endian(bytes).ok_or(ParseError::Content(tag))
    }
}

/// A big-endian number of 1 to 4 bytes.
pub(crate) fn big_endian(bytes: &[u8]) -> Option<u32> {
    matches!(bytes.len(), 1..=4)
        .then(|| bytes.iter().fold(0, |number, &byte| (number << 8) | u32::from(byte)))
}
