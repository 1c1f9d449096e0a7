//! Whether a blob is the one its message tells of: SHA-256 and MAC, in one pass, without
//! decrypting it.

use std::fmt;

use subtle::ConstantTimeEq;
use wa_crypto::{AES_BLOCK_LEN, Digest as _, HmacSha256, Mac as _, Sha256, hmac_sha256_begin};

use crate::{MediaKey, MediaType, Sealed, keys::FileKeys};

/// How much of the MAC stands behind a ciphertext, in bytes.
pub const MAC_LEN: usize = 10;

/// The shortest blob there is, in bytes: that of an empty file.
pub const MIN_BLOB_LEN: usize = AES_BLOCK_LEN + MAC_LEN;

/// What a message says of a file, to be checked. What it does not say is not checked; the MAC
/// always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256 of the blob.
    pub enc_sha256: Option<[u8; 32]>,
    /// SHA-256 of the file.
    pub sha256: Option<[u8; 32]>,
}

impl Digests {
    /// Those of a file that was encrypted here.
    pub const fn of(sealed: &Sealed) -> Self {
        Self { enc_sha256: Some(sealed.enc_sha256), sha256: Some(sealed.sha256) }
    }
}

/// A blob is not the one its message tells of, or the key is another one's. Nothing of it may be
/// used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The blob is no whole number of blocks and a MAC: something is missing.
    #[error("the blob is cut short")]
    Length,
    /// SHA-256 of the blob is another one.
    #[error("the blob is not the one that was sent: its SHA-256 differs")]
    EncryptedHash,
    /// The MAC is another one: the key, or the type, is not that of this blob.
    #[error("the blob does not belong to this key: its MAC differs")]
    Mac,
    /// The padding is none, though the MAC is right: the sender encrypted wrongly.
    #[error("the blob is padded wrongly")]
    Padding,
    /// SHA-256 of the file is another one, though the blob is right: the sender told wrongly.
    #[error("the file is not the one that was sent: its SHA-256 differs")]
    PlainHash,
}

/// Checks a blob, piece by piece.
pub struct Verifier {
    mac: HmacSha256,
    hash: Sha256,
    /// The last bytes so far: in the end, the MAC.
    tail: Vec<u8>,
    length: u64,
}

impl Verifier {
    /// Begins a blob.
    pub fn new(key: &MediaKey, media_type: MediaType) -> Self {
        Self::with_keys(&FileKeys::derive(key, media_type))
    }

    pub(crate) fn with_keys(keys: &FileKeys) -> Self {
        let mut mac = hmac_sha256_begin(keys.mac.as_slice());
        mac.update(&keys.iv);
        Self { mac, hash: Sha256::new(), tail: Vec::with_capacity(2 * MAC_LEN), length: 0 }
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.length = self.length.saturating_add(piece.len() as u64);
        // What the tail and the piece have before their last ten bytes is ciphertext.
        let spare = (self.tail.len() + piece.len()).saturating_sub(MAC_LEN);
        let from_tail = spare.min(self.tail.len());
        let (ciphertext, rest) = piece.split_at(spare - from_tail);
        for part in [self.tail.get(..from_tail).unwrap_or_default(), ciphertext] {
            self.mac.update(part);
        }
        self.tail.drain(..from_tail);
        self.tail.extend_from_slice(rest);
    }

    /// Says whether it was the right blob.
    ///
    /// # Errors
    /// [`OpenError`]; then nothing of the blob may be used.
    pub fn finish(self, enc_sha256: Option<&[u8; 32]>) -> Result<(), OpenError> {
        let ciphertext = self.length.saturating_sub(MAC_LEN as u64);
        if ciphertext == 0 || !ciphertext.is_multiple_of(AES_BLOCK_LEN as u64) {
            return Err(OpenError::Length);
        }
        let hash: [u8; 32] = self.hash.finalize().into();
        if enc_sha256.is_some_and(|expected| !bool::from(hash.ct_eq(expected))) {
            return Err(OpenError::EncryptedHash);
        }
        self.mac.verify_truncated_left(&self.tail).map_err(|_| OpenError::Mac)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("length", &self.length).finish_non_exhaustive()
    }
}
