//! The Noise handshake of WhatsApp, from both sides.
//!
//! Three patterns, all over Curve25519, AES-256-GCM and SHA-256, with the connection's four-byte
//! header as prologue; each message is a protobuf `HandshakeMessage` in one frame:
//!
//! ```text
//! XX          -> e                          client hello
//!             <- e, ee, s, es, certificate  server hello
//!             -> s, se, client payload      client finish
//!
//! IK          <- s                          known from an earlier connection
//!             -> e, es, s, ss, payload      client hello
//!             <- e, ee, se, certificate     server hello
//!
//! XXfallback  -> e                          the IK hello, which the server could not read
//!             <- e, ee, s, es, certificate  server hello
//!             -> s, se, client payload      client finish
//! ```
//!
//! One departure from the Noise specification: the empty payload of XX's first message is not
//! mixed into the hash. Knows nothing of frames; every message is given and taken without its
//! length.

mod client;
mod message;
mod server;
pub(crate) mod symmetric_state;

pub use client::{ClientHandshake, ClientResumption, ClientVerified, Resumed};
pub use server::{Accepted, ClientIdentity, ServerAwaitingFinish, ServerHandshake, ServerReply};

use std::fmt;

use wa_crypto::InvalidPublicKey;

use crate::CertificateError;

/// The handshake cannot go on; the connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The bytes are no protobuf `HandshakeMessage`.
    #[error("the bytes are no handshake message")]
    Malformed,
    /// The message is not the one whose turn it is, which is named.
    #[error("a handshake message other than the {0} that was due")]
    UnexpectedMessage(HandshakeMessageKind),
    /// The message lacks a field.
    #[error("the handshake message has no {0}")]
    MissingField(HandshakeField),
    /// A public key is not 32 bytes long.
    #[error("the handshake message's {field} has {len} bytes; expected 32")]
    KeyLength {
        /// The field that holds the key.
        field: HandshakeField,
        /// Its length, once decrypted.
        len: usize,
    },
    /// A field does not decrypt: the peer has other keys, or the message was altered.
    #[error("the handshake message's {0} does not decrypt")]
    Decrypt(HandshakeField),
    /// A public key is one that nobody can have made, with which no secret is agreed.
    #[error("the other side's public key is refused")]
    InvalidKey(#[from] InvalidPublicKey),
    /// The server's certificate chain does not prove its key.
    #[error("the server's certificate is refused")]
    Certificate(#[from] CertificateError),
}

/// The messages of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeMessageKind {
    /// The client's first.
    ClientHello,
    /// The server's only one.
    ServerHello,
    /// The client's second.
    ClientFinish,
}

impl fmt::Display for HandshakeMessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientHello => "client hello",
            Self::ServerHello => "server hello",
            Self::ClientFinish => "client finish",
        })
    }
}

/// The fields of a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandshakeField {
    /// The sender's key of this connection.
    Ephemeral,
    /// The sender's lasting key, encrypted.
    Static,
    /// The certificate chain or the client payload, encrypted.
    Payload,
}

impl fmt::Display for HandshakeField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ephemeral => "ephemeral key",
            Self::Static => "static key",
            Self::Payload => "payload",
        })
    }
}

#[cfg(test)]
mod tests;
