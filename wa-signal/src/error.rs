//! Why a message could not be encrypted, decrypted or a record not be read: one enum per
//! operation, one cause per variant.

use wa_crypto::InvalidPublicKey;

use crate::{MessageError, PreKeyId, SignedPreKeyId};

/// Why nothing was encrypted. The record is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// The record holds no current session: fetch a bundle first.
    #[error("there is no session with this device")]
    NoSession,
    /// The sending chain has reached its last counter.
    #[error("the sending chain is used up")]
    ChainExhausted,
}

/// Why a `msg` or `pkmsg` did not decrypt. The record is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// The record holds no session at all.
    #[error("there is no session with this device")]
    NoSession,
    /// A session knows the message's key as used: the message was handled before.
    #[error("the message was decrypted before")]
    DuplicateMessage,
    /// The message's key was skipped, and given up since because too many were skipped after it.
    #[error("the key of this late message is no longer kept")]
    KeyDiscarded,
    /// The message is more than [`MAX_SKIPPED_KEYS`](crate::limits::MAX_SKIPPED_KEYS) ahead.
    #[error("the message is too far ahead of its chain")]
    FutureMessage,
    /// No session has the keys with which the message was made, or it was altered on its way.
    #[error("the message authentication code does not match any session")]
    BadMac,
    /// The message is not well formed.
    #[error("malformed message")]
    InvalidMessage(#[source] MessageError),
    /// A public key in the message is one that nobody can have made.
    #[error("the message holds an invalid public key")]
    InvalidKey(#[from] InvalidPublicKey),
    /// The message would begin a session that there was, and that was given up since: it was
    /// handled then, or is so late that only its sender can help.
    #[error("the message belongs to a session that was given up")]
    EndedSession,
    /// The message would begin a session with an identity key that the sender's device has
    /// replaced. Only a bundle fetched from the server brings such a key back.
    #[error("the message is of an identity that its sender has replaced; fetch the sender's keys")]
    ReplacedIdentity,
    /// The one-time prekey the message was made for was not given: used up, or never ours.
    #[error("one-time prekey {0} is missing")]
    MissingPreKey(PreKeyId),
    /// The signed prekey the message was made for was not given.
    #[error("signed prekey {0} is missing")]
    MissingSignedPreKey(SignedPreKeyId),
    /// The message is of a protocol version other than 3.
    #[error("message version {0} is not supported")]
    UnsupportedVersion(u8),
}

impl From<MessageError> for DecryptError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::UnsupportedVersion(version) => Self::UnsupportedVersion(version),
            MessageError::InvalidKey(error) => Self::InvalidKey(error),
            other => Self::InvalidMessage(other),
        }
    }
}

/// Why a sender key did not write. The record is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SenderKeyEncryptError {
    /// The newest key of the record is another's, or there is none: create one first.
    #[error("there is no sender key of one's own")]
    NoOwnKey,
    /// The chain has reached its last iteration: create a new key.
    #[error("the sender key is used up")]
    ChainExhausted,
}

/// Why a `skmsg` or a distribution message was refused. The record is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SenderKeyError {
    /// The sender has not told this key, or it was given up for newer ones.
    #[error("sender key {0} is not known")]
    NoSenderKey(u32),
    /// The message's key is known as used: the message was handled before.
    #[error("the message was decrypted before")]
    DuplicateMessage,
    /// The message was sent before the key was told to this device, or its skipped key is no
    /// longer kept. Only the sender can help.
    #[error("the key of this old message is not known")]
    KeyDiscarded,
    /// The message is more than [`MAX_SENDER_KEY_STEPS`](crate::limits::MAX_SENDER_KEY_STEPS)
    /// ahead.
    #[error("the message is too far ahead of its chain")]
    FutureMessage,
    /// The sender's signing key did not sign this message.
    #[error("the signature does not verify")]
    BadSignature,
    /// The message is not well formed.
    #[error("malformed message")]
    InvalidMessage(#[source] MessageError),
    /// The signing key in a distribution message is one that nobody can have made.
    #[error("the message holds an invalid public key")]
    InvalidKey(#[source] InvalidPublicKey),
    /// The message is of a protocol version other than 3.
    #[error("message version {0} is not supported")]
    UnsupportedVersion(u8),
}

impl From<MessageError> for SenderKeyError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::UnsupportedVersion(version) => Self::UnsupportedVersion(version),
            MessageError::InvalidKey(error) => Self::InvalidKey(error),
            other => Self::InvalidMessage(other),
        }
    }
}

/// Why the bytes of a stored record were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There are no bytes, not even the version.
    #[error("an empty record")]
    Empty,
    /// The record was written by a later version of this crate.
    #[error("record version {0} is not known")]
    UnknownVersion(u8),
    /// The bytes behind the version are no protobuf.
    #[error("the record is not a protobuf")]
    Protobuf(#[source] prost::DecodeError),
    /// A field is missing, or has a value this crate never writes.
    #[error("the record's field `{0}` is missing or invalid")]
    Field(&'static str),
}
