//! The bytes of `msg` and `pkmsg`: version byte, protobuf and, for the former, the code over both.
//! Knows nothing of keys beyond their form.

mod prekey_message;
mod signal_message;
mod wire;

use wa_crypto::InvalidPublicKey;

pub use prekey_message::PreKeyMessageHeader;
pub(crate) use prekey_message::{OutgoingPreKeyMessage, PreKeyMessage};
pub(crate) use signal_message::{OutgoingSignalMessage, SignalMessage};
pub(crate) use wire::{decode_body, split_version, with_version};

/// An encrypted message, of one of the two kinds a session makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CiphertextMessage {
    /// `msg`: the other side has the session.
    Signal(Vec<u8>),
    /// `pkmsg`: carries what the other side needs to make the session.
    PreKey(Vec<u8>),
}

impl CiphertextMessage {
    /// The `type` of the stanza's `enc` node: `msg` or `pkmsg`.
    pub const fn kind_str(&self) -> &'static str {
        match self {
            Self::Signal(_) => "msg",
            Self::PreKey(_) => "pkmsg",
        }
    }

    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        let (Self::Signal(bytes) | Self::PreKey(bytes)) = self;
        bytes
    }

    /// The bytes to send, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        let (Self::Signal(bytes) | Self::PreKey(bytes)) = self;
        bytes
    }
}

/// What is wrong with the form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// There are not even the bytes every message has.
    #[error("the message is cut short")]
    TooShort,
    /// More than [`MAX_MESSAGE_LEN`](crate::limits::MAX_MESSAGE_LEN) bytes.
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// The upper half of the first byte is not 3.
    #[error("message version {0} is not supported")]
    UnsupportedVersion(u8),
    /// What stands behind the version byte is no protobuf.
    #[error("the message is not a protobuf")]
    Protobuf,
    /// A field that may stand once stands twice.
    #[error("field {0} is repeated")]
    RepeatedField(u32),
    /// A field that every message has is not there.
    #[error("the field `{0}` is missing")]
    MissingField(&'static str),
    /// A field's value is not of its length or range.
    #[error("the field `{0}` is out of range")]
    OutOfRange(&'static str),
    /// A public key is not of its form.
    #[error("an invalid public key")]
    InvalidKey(#[from] InvalidPublicKey),
    /// The code over the ciphertext holds, but it does not decrypt: its sender made it wrongly.
    #[error("the ciphertext does not decrypt")]
    Ciphertext,
}
