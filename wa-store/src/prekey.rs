//! The keys others start sessions with: one-time prekeys and signed prekeys.
//!
//! Knows nothing of how a session is made from one.

use wa_crypto::{KeyPair, Signature};

use crate::Timestamp;

/// A one-time prekey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKey {
    /// Its id, below 2^24.
    pub id: u32,
    /// The key.
    pub pair: KeyPair,
    /// Whether the server has it: set only after the server acknowledged the upload.
    pub uploaded: bool,
}

/// A signed prekey. Old ones are kept for messages that were encrypted before the rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPreKey {
    /// Its id, below 2^24.
    pub id: u32,
    /// The key.
    pub pair: KeyPair,
    /// The identity key's signature over the public key's wire form.
    pub signature: Signature,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How many one-time prekeys are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PreKeyCount {
    /// Those the server has, as far as this device knows.
    pub uploaded: usize,
    /// Those it does not have yet.
    pub not_uploaded: usize,
}
