//! From a file to the blob that is uploaded, in one pass.

use std::fmt;

use wa_crypto::{
    AES_BLOCK_LEN, AesCbcEncryptor, Digest as _, HmacSha256, Mac as _, Sha256, hmac_sha256_begin,
};

use crate::{MediaKey, MediaType, keys::FileKeys, sidecar::Sidecar, verifier::MAC_LEN};

/// Encrypts a file, piece by piece.
pub struct Encryptor {
    cipher: AesCbcEncryptor,
    mac: HmacSha256,
    plain: Sha256,
    encrypted: Sha256,
    sidecar: Option<Sidecar>,
    /// The beginning of the next block.
    held: Vec<u8>,
    length: u64,
}

/// What a message has to tell of a file that was encrypted, besides its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// SHA-256 of the blob.
    pub enc_sha256: [u8; 32],
    /// The length of the file, in bytes.
    pub length: u64,
    /// The length of the blob, in bytes.
    pub enc_length: u64,
    /// The MACs of the blob's pieces, if its type [is streamed](MediaType::is_streamed).
    pub sidecar: Option<Vec<u8>>,
}

impl Encryptor {
    /// Begins a file. A key must not be used for two files.
    pub fn new(key: &MediaKey, media_type: MediaType) -> Self {
        let keys = FileKeys::derive(key, media_type);
        let mut mac = hmac_sha256_begin(keys.mac.as_slice());
        mac.update(&keys.iv);
        let sidecar = media_type.is_streamed().then(|| Sidecar::new(&keys.mac, &keys.iv));
        Self {
            cipher: AesCbcEncryptor::new(&keys.cipher, &keys.iv),
            mac,
            plain: Sha256::new(),
            encrypted: Sha256::new(),
            sidecar,
            held: Vec::with_capacity(AES_BLOCK_LEN),
            length: 0,
        }
    }

    /// Takes the next piece of the file and adds to `blob` what it became: about as many bytes.
    pub fn update(&mut self, mut piece: &[u8], blob: &mut Vec<u8>) {
        self.plain.update(piece);
        self.length = self.length.saturating_add(piece.len() as u64);
        let start = blob.len();
        if !self.held.is_empty() {
            let (now, rest) = piece.split_at(piece.len().min(AES_BLOCK_LEN - self.held.len()));
            self.held.extend_from_slice(now);
            piece = rest;
            if self.held.len() < AES_BLOCK_LEN {
                return;
            }
            blob.append(&mut self.held);
        }
        let (whole, rest) = piece.split_at(piece.len() - piece.len() % AES_BLOCK_LEN);
        blob.extend_from_slice(whole);
        self.held.extend_from_slice(rest);
        let fresh = blob.get_mut(start..).unwrap_or_default();
        self.cipher.encrypt_blocks(fresh.as_chunks_mut().0);
        self.absorb(fresh);
    }

    /// Adds the end to `blob`: the last block and the MAC.
    pub fn finish(self, blob: &mut Vec<u8>) -> Sealed {
        let Self { cipher, mut mac, plain, mut encrypted, mut sidecar, held, length } = self;
        let last = cipher.finish(&held);
        mac.update(&last);
        if let Some(sidecar) = &mut sidecar {
            sidecar.update(&last);
        }
        let code: [u8; 32] = mac.finalize().into_bytes().into();
        let code = code.get(..MAC_LEN).unwrap_or_default();
        encrypted.update(&last);
        encrypted.update(code);
        blob.extend_from_slice(&last);
        blob.extend_from_slice(code);
        let blocks = length / AES_BLOCK_LEN as u64 + 1;
        Sealed {
            sha256: plain.finalize().into(),
            enc_sha256: encrypted.finalize().into(),
            length,
            enc_length: blocks * AES_BLOCK_LEN as u64 + MAC_LEN as u64,
            sidecar: sidecar.map(|sidecar| sidecar.finish(code)),
        }
    }

    fn absorb(&mut self, ciphertext: &[u8]) {
        self.mac.update(ciphertext);
        self.encrypted.update(ciphertext);
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.update(ciphertext);
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Encrypts a file that is in memory.
pub fn encrypt(key: &MediaKey, media_type: MediaType, file: &[u8]) -> (Vec<u8>, Sealed) {
    let mut encryptor = Encryptor::new(key, media_type);
    let mut blob = Vec::with_capacity(file.len() + AES_BLOCK_LEN + MAC_LEN);
    encryptor.update(file, &mut blob);
    let sealed = encryptor.finish(&mut blob);
    (blob, sealed)
}
