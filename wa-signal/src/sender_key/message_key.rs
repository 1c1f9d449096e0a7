//! The keys of one group message. There is no code over it: it is signed.

use std::fmt;

use wa_crypto::{DecryptError, aes_cbc_decrypt, aes_cbc_encrypt, hkdf_sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ratchet::MessageSeed;

const INFO: &[u8] = b"WhisperGroup";

#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct GroupMessageKeys {
    iv: [u8; 16],
    cipher: [u8; 32],
}

impl GroupMessageKeys {
    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        aes_cbc_encrypt(&self.cipher, &self.iv, plaintext)
    }

    /// To be called only after the message's signature was verified.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>, DecryptError> {
        aes_cbc_decrypt(&self.cipher, &self.iv, ciphertext)
    }
}

impl From<&MessageSeed> for GroupMessageKeys {
    fn from(seed: &MessageSeed) -> Self {
        let output: Zeroizing<[u8; 48]> =
            Zeroizing::new(hkdf_sha256(&[0; 32], seed.as_bytes(), INFO));
        let (iv, cipher) = output.split_at(16);
        let mut keys = Self { iv: [0; 16], cipher: [0; 32] };
        keys.iv.copy_from_slice(iv);
        keys.cipher.copy_from_slice(cipher);
        keys
    }
}

impl fmt::Debug for GroupMessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupMessageKeys(…)")
    }
}
