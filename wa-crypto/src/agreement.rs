//! Curve25519 keys and the agreement between them (RFC 7748).

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The byte that stands before a Curve25519 public key wherever Signal serialises one.
pub const KEY_TYPE_CURVE25519: u8 = 0x05;

/// A Curve25519 public key: the 32-byte Montgomery u-coordinate, little-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// The bytes given are not a serialised Curve25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// Neither 32 bare bytes nor 33 with the type byte, whichever the caller asked for.
    #[error("a public key of {0} bytes; expected 32, or 33 with its type byte")]
    Length(usize),
    /// The first of the 33 bytes is not [`KEY_TYPE_CURVE25519`].
    #[error("public key type {0:#04x}; only Curve25519 (0x05) is known")]
    Type(u8),
}

impl PublicKey {
    /// Takes the bare 32 bytes; every value is a valid u-coordinate.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes a slice that must hold exactly the bare 32 bytes.
    ///
    /// # Errors
    /// [`InvalidPublicKey::Length`] if it does not.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidPublicKey::Length(bytes.len()))
    }

    /// Takes the 33 bytes of Signal's serialisation: `0x05`, then the key.
    ///
    /// # Errors
    /// [`InvalidPublicKey`] if the length or the type byte is another.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        match bytes {
            [KEY_TYPE_CURVE25519, key @ ..] if key.len() == 32 => Self::from_slice(key),
            [other, key @ ..] if key.len() == 32 => Err(InvalidPublicKey::Type(*other)),
            _ => Err(InvalidPublicKey::Length(bytes.len())),
        }
    }

    /// The bare 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33 bytes of Signal's serialisation: `0x05`, then the key.
    pub fn to_wire(&self) -> [u8; 33] {
        let mut wire = [KEY_TYPE_CURVE25519; 33];
        let (_, key) = wire.split_at_mut(1);
        key.copy_from_slice(&self.0);
        wire
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

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
        PublicKey(*x25519_dalek::PublicKey::from(&secret).as_bytes())
    }

    /// X25519 with another party's public key.
    ///
    /// # Errors
    /// [`NotContributory`] if the other key is a point of small order, so that the result would
    /// be zero whatever this key is. No honest party has such a key.
    pub fn agree(&self, theirs: &PublicKey) -> Result<SharedSecret, NotContributory> {
        let secret = x25519_dalek::StaticSecret::from(self.0);
        let shared = secret.diffie_hellman(&x25519_dalek::PublicKey::from(theirs.0));
        if !shared.was_contributory() {
            return Err(NotContributory);
        }
        Ok(SharedSecret(*shared.as_bytes()))
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

/// The other party's public key is of small order and gives a zero secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other party's public key is a point of small order")]
pub struct NotContributory;

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
    fn wire_form_refuses_other_types_and_lengths() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(PublicKey::from_wire(&key.to_wire()), Ok(key));
        let mut djb = key.to_wire();
        djb[0] = 6;
        assert_eq!(PublicKey::from_wire(&djb), Err(InvalidPublicKey::Type(6)));
        assert_eq!(PublicKey::from_wire(&[5; 32]), Err(InvalidPublicKey::Length(32)));
        assert_eq!(PublicKey::from_slice(&[]), Err(InvalidPublicKey::Length(0)));
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let mine = PrivateKey::from_bytes([3; 32]);
        let mut one = [0; 32];
        assert_eq!(mine.agree(&PublicKey::from_bytes(one)), Err(NotContributory));
        one[0] = 1;
        assert_eq!(mine.agree(&PublicKey::from_bytes(one)), Err(NotContributory));
    }

    #[test]
    fn debug_shows_no_secret() {
        let pair = KeyPair::from_private(PrivateKey::from_bytes([0x42; 32]));
        let secret = pair.private.agree(&PublicKey::from_bytes([9; 32])).unwrap();
        let shown = format!("{pair:?} {secret:?}");
        assert!(shown.contains("PrivateKey(…)") && shown.contains("SharedSecret(…)"));
        assert!(!shown.contains("42424242") && !shown.contains("66, 66"));
    }
}
