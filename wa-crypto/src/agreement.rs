//! Curve25519 private keys and the agreement with a checked public key (RFC 7748). Knows nothing of
//! how a public key is checked.

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{CheckedPublicKey, InvalidPublicKey, PublicKey};

/// A Curve25519 private key, clamped; zeroized when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey([u8; 32]);

impl PrivateKey {
    /// Makes a key from fresh randomness.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self::from_bytes(*bytes)
    }

    /// Takes 32 bytes and clamps them as RFC 7748 says.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let [first, .., last] = &mut bytes;
        *first &= 248;
        *last = (*last & 127) | 64;
        let key = Self(bytes);
        bytes.zeroize();
        key
    }

    /// The clamped 32 bytes, for storage.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key that belongs to this one.
    pub fn public(&self) -> PublicKey {
        let secret = x25519_dalek::StaticSecret::from(self.0);
        PublicKey::from_bytes(*x25519_dalek::PublicKey::from(&secret).as_bytes())
    }

    /// Checks another party's public key and agrees on a secret with it.
    ///
    /// # Errors
    /// [`InvalidPublicKey`] if the key is none that anybody can have made.
    pub fn agree(&self, theirs: &PublicKey) -> Result<SharedSecret, InvalidPublicKey> {
        Ok(self.agree_checked(&theirs.check()?))
    }

    /// X25519 with another party's public key, checked once for several agreements. The secret is
    /// never zero: a checked key has the order of the subgroup, and no private key is its multiple.
    pub fn agree_checked(&self, theirs: &CheckedPublicKey) -> SharedSecret {
        let secret = x25519_dalek::StaticSecret::from(self.0);
        let theirs = x25519_dalek::PublicKey::from(*theirs.key().as_bytes());
        SharedSecret(*secret.diffie_hellman(&theirs).as_bytes())
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// The 32 bytes two parties agreed on; zeroized when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// The raw bytes, to be fed to a key derivation and nothing else.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SharedSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SharedSecret {}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// A private key beside its public key, so that the latter is computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The half that is kept.
    pub private: PrivateKey,
    /// The half that is told.
    pub public: PublicKey,
}

impl KeyPair {
    /// Makes a pair from fresh randomness.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::from_private(PrivateKey::random(rng))
    }

    /// Computes the public half of a private key.
    pub fn from_private(private: PrivateKey) -> Self {
        let public = private.public();
        Self { private, public }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_clamped() {
        assert_eq!(PrivateKey::from_bytes([0xff; 32]).as_bytes()[0], 0xf8);
        assert_eq!(PrivateKey::from_bytes([0xff; 32]).as_bytes()[31], 0x7f);
        assert_eq!(PrivateKey::from_bytes([0; 32]).as_bytes()[0], 0);
        assert_eq!(PrivateKey::from_bytes([0; 32]).as_bytes()[31], 0x40);
        assert_eq!(PrivateKey::from_bytes([0x35; 32]).as_bytes()[1..31], [0x35; 30]);
    }

    #[test]
    fn keys_and_secrets_are_equal_only_to_themselves() {
        let [one, other] =
            [3, 4].map(|byte| KeyPair::from_private(PrivateKey::from_bytes([byte; 32])));
        assert_eq!(one.private, one.private.clone());
        assert_ne!(one.private, other.private);
        let (with_other, with_self) =
            (one.private.agree(&other.public).unwrap(), one.private.agree(&one.public).unwrap());
        assert_eq!(with_other, with_other.clone());
        assert_ne!(with_other, with_self);
    }

    #[test]
    fn a_key_that_nobody_can_have_made_gives_no_secret() {
        let mine = PrivateKey::from_bytes([3; 32]);
        for small in [0, 1] {
            let mut bytes = [0; 32];
            bytes[0] = small;
            let agreed = mine.agree(&PublicKey::from_bytes(bytes));
            assert_eq!(agreed, Err(InvalidPublicKey::SmallOrderPart));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let pair = KeyPair::from_private(PrivateKey::from_bytes([0x42; 32]));
        let secret = pair.private.agree(&pair.public).unwrap();
        let shown = format!("{pair:?} {secret:?}");
        assert!(shown.contains("PrivateKey(…)") && shown.contains("SharedSecret(…)"));
        assert!(!shown.contains("42424242") && !shown.contains("66, 66"));
    }
}
