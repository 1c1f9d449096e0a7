//! Prekeys: the keys a device leaves with the server so that others can write to it while it
//! sleeps. Knows nothing of where they are kept or how many there are.

use std::fmt;

use rand_core::CryptoRng;
use wa_crypto::{BadSignature, KeyPair, PublicKey, Signature};

use crate::limits::PREKEY_ID_END;

macro_rules! prekey_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The id a new device begins with.
            pub const FIRST: Self = Self(1);

            /// Takes a number below [`PREKEY_ID_END`]; `None` for any other.
            pub const fn new(id: u32) -> Option<Self> {
                if id < PREKEY_ID_END { Some(Self(id)) } else { None }
            }

            /// The id after this one; behind the last comes [`Self::FIRST`], never 0.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 + 1 < PREKEY_ID_END { Self(self.0 + 1) } else { Self::FIRST }
            }

            /// The number itself.
            pub const fn as_u32(self) -> u32 {
                self.0
            }

            /// Reads the three bytes of a stanza.
            pub const fn from_be_bytes([a, b, c]: [u8; 3]) -> Self {
                Self(u32::from_be_bytes([0, a, b, c]))
            }

            /// The three bytes of a stanza.
            pub const fn to_be_bytes(self) -> [u8; 3] {
                let [_, a, b, c] = self.0.to_be_bytes();
                [a, b, c]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

prekey_id!(
    /// The id of a one-time prekey: 24 bits.
    PreKeyId
);
prekey_id!(
    /// The id of a signed prekey: 24 bits.
    SignedPreKeyId
);

/// A one-time prekey; its private half is deleted with the first message that used it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKey {
    /// Its id, unique among this device's one-time prekeys.
    pub id: PreKeyId,
    /// The key pair.
    pub pair: KeyPair,
}

impl PreKey {
    /// Makes a new one. Draws 32 bytes.
    pub fn generate(id: PreKeyId, rng: &mut impl CryptoRng) -> Self {
        Self { id, pair: KeyPair::random(rng) }
    }

    /// What the server is told.
    pub const fn public(&self) -> PreKeyPublic {
        PreKeyPublic { id: self.id, key: self.pair.public }
    }
}

/// A prekey that serves many sessions and is replaced from time to time, signed by the identity
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPreKey {
    /// Its id, unique among this device's signed prekeys.
    pub id: SignedPreKeyId,
    /// The key pair.
    pub pair: KeyPair,
    /// The identity key's signature over the 33-byte public key.
    pub signature: Signature,
}

impl SignedPreKey {
    /// Makes a new one and signs it. Draws 32 bytes for the key, then 64 for the signature.
    pub fn generate(id: SignedPreKeyId, identity: &KeyPair, rng: &mut impl CryptoRng) -> Self {
        let pair = KeyPair::random(rng);
        let signature = identity.private.sign(&pair.public.to_wire(), rng);
        Self { id, pair, signature }
    }

    /// What the server is told.
    pub const fn public(&self) -> SignedPreKeyPublic {
        SignedPreKeyPublic { id: self.id, key: self.pair.public, signature: self.signature }
    }
}

/// The public half of a one-time prekey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreKeyPublic {
    /// Its id.
    pub id: PreKeyId,
    /// The key.
    pub key: PublicKey,
}

/// The public half of a signed prekey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedPreKeyPublic {
    /// Its id.
    pub id: SignedPreKeyId,
    /// The key.
    pub key: PublicKey,
    /// The owner's signature over the 33-byte key.
    pub signature: Signature,
}

impl SignedPreKeyPublic {
    /// Checks the signature.
    ///
    /// # Errors
    /// [`BadSignature`] if `identity` did not sign this key.
    pub fn verify(&self, identity: &PublicKey) -> Result<(), BadSignature> {
        identity.verify(&self.key.to_wire(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_24_bits_and_the_one_after_the_last_is_the_first() {
        let last = PreKeyId::new(16_777_215).unwrap();
        assert_eq!(PreKeyId::new(16_777_216), None);
        assert_eq!(last.next(), PreKeyId::FIRST);
        assert_eq!(PreKeyId::FIRST.next().as_u32(), 2);
        assert_eq!(PreKeyId::from_be_bytes([1, 2, 3]).as_u32(), 0x01_0203);
        assert_eq!(last.to_be_bytes(), [0xff; 3]);
    }
}
