//! The key of one file, and what is derived from it.

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use wa_crypto::hkdf_sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::MediaType;

/// How long a media key is, in bytes.
pub const MEDIA_KEY_LEN: usize = 32;

/// The secret of one file, as the message with the file carries it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MediaKey([u8; MEDIA_KEY_LEN]);

/// A media key has another length than [`MEDIA_KEY_LEN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a media key has 32 bytes, not {len}")]
pub struct InvalidMediaKey {
    /// Its length in bytes.
    pub len: usize,
}

impl MediaKey {
    /// A fresh one, for one file.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; MEDIA_KEY_LEN];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key, for the message that is to carry it.
    pub const fn as_bytes(&self) -> &[u8; MEDIA_KEY_LEN] {
        &self.0
    }
}

impl From<[u8; MEDIA_KEY_LEN]> for MediaKey {
    fn from(key: [u8; MEDIA_KEY_LEN]) -> Self {
        Self(key)
    }
}

impl TryFrom<&[u8]> for MediaKey {
    type Error = InvalidMediaKey;

    fn try_from(key: &[u8]) -> Result<Self, InvalidMediaKey> {
        key.try_into().map(Self).map_err(|_| InvalidMediaKey { len: key.len() })
    }
}

impl PartialEq for MediaKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for MediaKey {}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

/// What one file is encrypted with: the first 80 of 112 bytes from HKDF-SHA256; the last 32 are
/// not for the file.
pub(crate) struct FileKeys {
    pub(crate) iv: [u8; 16],
    pub(crate) cipher: Zeroizing<[u8; 32]>,
    pub(crate) mac: Zeroizing<[u8; 32]>,
}

impl FileKeys {
    pub(crate) fn derive(key: &MediaKey, media_type: MediaType) -> Self {
        let info = media_type.hkdf_info().as_bytes();
        let expanded = Zeroizing::new(hkdf_sha256::<80>(&[], key.as_bytes(), info));
        let mut keys =
            Self { iv: [0; 16], cipher: Zeroizing::default(), mac: Zeroizing::default() };
        let (iv, rest) = expanded.split_at(16);
        let (cipher, mac) = rest.split_at(32);
        keys.iv.copy_from_slice(iv);
        keys.cipher.copy_from_slice(cipher);
        keys.mac.copy_from_slice(mac);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_none_and_debug_hides_it() {
        assert_eq!(MediaKey::try_from(&[7; 31][..]), Err(InvalidMediaKey { len: 31 }));
        let key = MediaKey::try_from(&[7; 32][..]).unwrap();
        assert_eq!(key, MediaKey::from([7; 32]));
        assert!(!format!("{key:?}").contains('7'));
    }
}
