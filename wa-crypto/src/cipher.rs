//! AES-256 in the three modes WhatsApp uses: CBC for messages and media, GCM for the transport and
//! wrapped secrets, CTR for the pairing code.

use aes::Aes256;
use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit as _, Payload},
};
use cbc::cipher::{
    Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher, block_padding::Pkcs7,
};

/// What AES-256-GCM adds to a plaintext, in bytes.
pub const GCM_TAG_LEN: usize = 16;

/// A ciphertext did not decrypt. Which check failed is deliberately not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not decrypt with this key")]
pub struct DecryptError;

/// AES-256-CBC with PKCS#7 padding.
pub fn aes_cbc_encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// Undoes [`aes_cbc_encrypt`]. The caller has checked a MAC over the ciphertext first.
///
/// # Errors
/// [`DecryptError`] if the length is no multiple of 16 or the padding is wrong.
pub fn aes_cbc_decrypt(
    key: &[u8; 32],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Result<Vec<u8>, DecryptError> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|_| DecryptError)
}

/// The block of AES, in bytes.
pub const AES_BLOCK_LEN: usize = 16;

/// AES-256-CBC with PKCS#7 padding, piece by piece, for inputs that do not fit in memory.
pub struct AesCbcEncryptor(cbc::Encryptor<Aes256>);

impl AesCbcEncryptor {
    /// Begins a ciphertext.
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(cbc::Encryptor::new(key.into(), iv.into()))
    }

    /// Encrypts the next whole blocks in place.
    pub fn encrypt_blocks(&mut self, blocks: &mut [[u8; AES_BLOCK_LEN]]) {
        self.0.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }

    /// Encrypts what is left, padded.
    pub fn finish(self, rest: &[u8]) -> Vec<u8> {
        self.0.encrypt_padded_vec::<Pkcs7>(rest)
    }
}

impl std::fmt::Debug for AesCbcEncryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesCbcEncryptor(…)")
    }
}

/// Undoes [`AesCbcEncryptor`], piece by piece. Nothing may be made of what it gives before a MAC
/// over the whole ciphertext was checked.
pub struct AesCbcDecryptor(cbc::Decryptor<Aes256>);

impl AesCbcDecryptor {
    /// Begins a ciphertext.
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(cbc::Decryptor::new(key.into(), iv.into()))
    }

    /// Decrypts the next whole blocks in place. The last block is for [`AesCbcDecryptor::finish`].
    pub fn decrypt_blocks(&mut self, blocks: &mut [[u8; AES_BLOCK_LEN]]) {
        self.0.decrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }

    /// Decrypts the end and takes the padding off it.
    ///
    /// # Errors
    /// [`DecryptError`] if it is not whole blocks, or the padding is wrong.
    pub fn finish(self, last: &[u8]) -> Result<Vec<u8>, DecryptError> {
        self.0.decrypt_padded_vec::<Pkcs7>(last).map_err(|_| DecryptError)
    }
}

impl std::fmt::Debug for AesCbcDecryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesCbcDecryptor(…)")
    }
}

/// AES-256-GCM: the ciphertext with its 16-byte tag at the end.
pub fn aes_gcm_seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    // The only error is a plaintext beyond 64 GiB.
    #[expect(clippy::expect_used, reason = "no plaintext of 64 GiB fits the protocol's frames")]
    Aes256Gcm::new(key.into())
        .encrypt(nonce.into(), Payload { msg: plaintext, aad })
        .expect("a plaintext below 64 GiB")
}

/// Undoes [`aes_gcm_seal`].
///
/// # Errors
/// [`DecryptError`] if key, nonce, additional data or ciphertext are not those of the sealing.
pub fn aes_gcm_open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, DecryptError> {
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), Payload { msg: ciphertext, aad })
        .map_err(|_| DecryptError)
}

/// AES-256-CTR with a 128-bit big-endian counter; encrypts and decrypts in place.
pub fn aes_ctr_apply(key: &[u8; 32], iv: &[u8; 16], data: &mut [u8]) {
    ctr::Ctr128BE::<Aes256>::new(key.into(), iv.into()).apply_keystream(data);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encrypted_decrypts(key: [u8; 32], iv: [u8; 16], nonce: [u8; 12], data: Vec<u8>, aad: Vec<u8>) {
            let cbc = aes_cbc_encrypt(&key, &iv, &data);
            prop_assert_eq!(cbc.len(), data.len() / 16 * 16 + 16);
            prop_assert_eq!(aes_cbc_decrypt(&key, &iv, &cbc), Ok(data.clone()));

            let mut gcm = aes_gcm_seal(&key, &nonce, &aad, &data);
            prop_assert_eq!(gcm.len(), data.len() + GCM_TAG_LEN);
            prop_assert_eq!(aes_gcm_open(&key, &nonce, &aad, &gcm), Ok(data.clone()));
            gcm[0] ^= 1;
            prop_assert_eq!(aes_gcm_open(&key, &nonce, &aad, &gcm), Err(DecryptError));

            let mut ctr = data.clone();
            aes_ctr_apply(&key, &iv, &mut ctr);
            aes_ctr_apply(&key, &iv, &mut ctr);
            prop_assert_eq!(ctr, data);
        }
    }

    #[test]
    fn piece_by_piece_it_is_the_same_ciphertext() {
        let plaintext: Vec<u8> = (0..=100).collect();
        let whole = aes_cbc_encrypt(&[1; 32], &[2; 16], &plaintext);
        let mut pieces = plaintext.clone();
        let (blocks, rest) = pieces.as_chunks_mut();
        let mut encryptor = AesCbcEncryptor::new(&[1; 32], &[2; 16]);
        let (first, second) = blocks.split_at_mut(1);
        encryptor.encrypt_blocks(first);
        encryptor.encrypt_blocks(second);
        let end = encryptor.finish(rest);
        let mut joined = pieces[..96].to_vec();
        joined.extend(end);
        assert_eq!(joined, whole);
        let mut decryptor = AesCbcDecryptor::new(&[1; 32], &[2; 16]);
        decryptor.decrypt_blocks(joined[..96].as_chunks_mut().0);
        let end = decryptor.finish(&whole[96..]).unwrap();
        assert_eq!([&joined[..96], &end].concat(), plaintext);
    }

    #[test]
    fn ctr_is_that_of_nist_sp_800_38a() {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let counter = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        let mut data = bytes("6bc1bee22e409f96e93d7e117393172a");
        aes_ctr_apply(&key.try_into().unwrap(), &counter.try_into().unwrap(), &mut data);
        assert_eq!(hex::encode(data), "601ec313775789a5b7a7f504bbf3d228");
    }

    #[test]
    fn gcm_is_that_of_the_nist_vectors() {
        let sealed = aes_gcm_seal(&[0; 32], &[0; 12], &[], &[0; 16]);
        assert_eq!(
            hex::encode(sealed),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
    }

    #[test]
    fn cbc_refuses_what_is_no_ciphertext() {
        assert_eq!(aes_cbc_decrypt(&[0; 32], &[0; 16], &[]), Err(DecryptError));
        assert_eq!(aes_cbc_decrypt(&[0; 32], &[0; 16], &[0; 15]), Err(DecryptError));
    }
}
