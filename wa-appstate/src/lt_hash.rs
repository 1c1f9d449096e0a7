//! The homomorphic hash over all value MACs of a collection.
//!
//! Each MAC is stretched to 64 numbers of 16 bits that are added to, or taken from, the hash's. So
//! the order does not count, and a replaced value is taken out without knowing the others.

use std::fmt;

use wa_crypto::hkdf_sha256;

use crate::ValueMac;

/// The hash's length, in bytes.
pub const LT_HASH_LEN: usize = 128;

/// The HKDF label of the stretching.
const INFO: &[u8] = b"WhatsApp Patch Integrity";

/// The hash over the value MACs of a collection.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LtHash([u8; LT_HASH_LEN]);

impl LtHash {
    /// The hash of a collection in which nothing is.
    pub const EMPTY: Self = Self([0; LT_HASH_LEN]);

    /// Takes the hash as it was stored.
    pub const fn from_bytes(bytes: [u8; LT_HASH_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; LT_HASH_LEN] {
        &self.0
    }

    /// The hash with one value more.
    #[must_use]
    pub fn adding(self, mac: &ValueMac) -> Self {
        self.combined(mac, u16::wrapping_add)
    }

    /// The hash with one value less.
    #[must_use]
    pub fn removing(self, mac: &ValueMac) -> Self {
        self.combined(mac, u16::wrapping_sub)
    }

    fn combined(mut self, mac: &ValueMac, combine: fn(u16, u16) -> u16) -> Self {
        let stretched: [u8; LT_HASH_LEN] = hkdf_sha256(&[], mac.as_bytes(), INFO);
        let mine = self.0.as_chunks_mut::<2>().0;
        for (mine, theirs) in mine.iter_mut().zip(stretched.as_chunks::<2>().0) {
            *mine = combine(u16::from_le_bytes(*mine), u16::from_le_bytes(*theirs)).to_le_bytes();
        }
        self
    }
}

impl fmt::Debug for LtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LtHash(…)")
    }
}
