//! The key by which an account vouches for its devices.
//!
//! Knows nothing of what it signs.

use wa_crypto::PublicKey;

/// The public key by which an account vouches for its devices. It is the identity key of the
/// account's phone (device 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey(PublicKey);

impl AccountKey {
    /// Takes the identity key of an account's phone.
    pub const fn new(phone_identity: PublicKey) -> Self {
        Self(phone_identity)
    }

    /// The key itself.
    pub const fn public(&self) -> &PublicKey {
        &self.0
    }
}
