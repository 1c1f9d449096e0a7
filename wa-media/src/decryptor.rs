//! From a blob back to its file, in one pass.
//!
//! What comes out before the end was checked by nothing. It may be kept where nobody reads it,
//! such as a temporary file, until [`Decryptor::finish`] has said yes. Whoever cannot do that goes
//! over the blob with a [`Verifier`] first.

use std::fmt;

use wa_crypto::{AES_BLOCK_LEN, AesCbcDecryptor, Digest as _, Sha256};

use crate::{
    Digests, MediaKey, MediaType, OpenError, Verifier, keys::FileKeys, verifier::MIN_BLOB_LEN,
};

/// Decrypts a blob, piece by piece.
pub struct Decryptor {
    cipher: AesCbcDecryptor,
    verifier: Verifier,
    plain: Sha256,
    digests: Digests,
    /// What may be the last block and the MAC, and the beginning of a block.
    held: Vec<u8>,
    length: u64,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// The length of the file, in bytes.
    pub length: u64,
}

impl Decryptor {
    /// Begins a blob.
    pub fn new(key: &MediaKey, media_type: MediaType, digests: Digests) -> Self {
        let keys = FileKeys::derive(key, media_type);
        Self {
            cipher: AesCbcDecryptor::new(&keys.cipher, &keys.iv),
            verifier: Verifier::with_keys(&keys),
            plain: Sha256::new(),
            digests,
            held: Vec::with_capacity(MIN_BLOB_LEN + AES_BLOCK_LEN),
            length: 0,
        }
    }

    /// Takes the next piece of the blob and adds to `file` what it became: at most as many bytes.
    /// Nothing of it may be used before [`Decryptor::finish`] succeeds.
    pub fn update(&mut self, piece: &[u8], file: &mut Vec<u8>) {
        self.verifier.update(piece);
        let spare = (self.held.len() + piece.len()).saturating_sub(MIN_BLOB_LEN);
        let whole = spare - spare % AES_BLOCK_LEN;
        let from_held = whole.min(self.held.len());
        let (now, rest) = piece.split_at(whole - from_held);
        let start = file.len();
        file.extend(self.held.drain(..from_held));
        file.extend_from_slice(now);
        self.held.extend_from_slice(rest);
        let fresh = file.get_mut(start..).unwrap_or_default();
        self.cipher.decrypt_blocks(fresh.as_chunks_mut().0);
        self.plain.update(&*fresh);
        self.length = self.length.saturating_add(fresh.len() as u64);
    }

    /// Checks everything and adds the end to `file`.
    ///
    /// # Errors
    /// [`OpenError`]; then nothing that was added may be used.
    pub fn finish(mut self, file: &mut Vec<u8>) -> Result<Opened, OpenError> {
        self.verifier.finish(self.digests.enc_sha256.as_ref())?;
        let block = self.held.get(..AES_BLOCK_LEN).ok_or(OpenError::Length)?;
        let last = self.cipher.finish(block).map_err(|_| OpenError::Padding)?;
        self.plain.update(&last);
        let sha256: [u8; 32] = self.plain.finalize().into();
        if self.digests.sha256.is_some_and(|expected| expected != sha256) {
            return Err(OpenError::PlainHash);
        }
        file.extend_from_slice(&last);
        Ok(Opened { sha256, length: self.length.saturating_add(last.len() as u64) })
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Decrypts a blob that is in memory.
///
/// # Errors
/// [`OpenError`].
pub fn decrypt(
    key: &MediaKey,
    media_type: MediaType,
    digests: Digests,
    blob: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let mut decryptor = Decryptor::new(key, media_type, digests);
    let mut file = Vec::with_capacity(blob.len());
    decryptor.update(blob, &mut file);
    decryptor.finish(&mut file)?;
    Ok(file)
}
