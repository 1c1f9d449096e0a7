//! The keys of one message, and the seed they are derived from.

use std::fmt;

use wa_crypto::{
    DecryptError, MacMismatch, PublicKey, aes_cbc_decrypt, aes_cbc_encrypt, hkdf_sha256,
    hmac_sha256, hmac_sha256_verify,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const INFO: &[u8] = b"WhisperMessageKeys";

/// How many bytes of the message authentication code travel.
pub(crate) const MAC_LEN: usize = 8;

/// What a chain step gives for one message; kept in place of the longer keys.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MessageSeed {
    seed: [u8; 32],
    index: u32,
}

impl MessageSeed {
    pub(crate) const fn new(seed: [u8; 32], index: u32) -> Self {
        Self { seed, index }
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.seed
    }

    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    /// The keys of a session's message.
    pub(crate) fn message_keys(&self) -> MessageKeys {
        let output: Zeroizing<[u8; 80]> = Zeroizing::new(hkdf_sha256(&[0; 32], &self.seed, INFO));
        let (cipher, rest) = output.split_at(32);
        let (mac, iv) = rest.split_at(32);
        let mut keys = MessageKeys { cipher: [0; 32], mac: [0; 32], iv: [0; 16] };
        keys.cipher.copy_from_slice(cipher);
        keys.mac.copy_from_slice(mac);
        keys.iv.copy_from_slice(iv);
        keys
    }
}

impl fmt::Debug for MessageSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageSeed(#{} …)", self.index)
    }
}

/// The keys of one message of a session.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct MessageKeys {
    cipher: [u8; 32],
    mac: [u8; 32],
    iv: [u8; 16],
}

impl MessageKeys {
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        aes_cbc_encrypt(&self.cipher, &self.iv, plaintext)
    }

    /// To be called only after [`Self::verify`] agreed.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>, DecryptError> {
        aes_cbc_decrypt(&self.cipher, &self.iv, ciphertext)
    }

    /// The code over version byte and protobuf, bound to both identities.
    pub(crate) fn mac(
        &self,
        sender: &PublicKey,
        receiver: &PublicKey,
        message: &[u8],
    ) -> [u8; MAC_LEN] {
        let code = hmac_sha256(&self.mac, &[&sender.to_wire(), &receiver.to_wire(), message]);
        let mut short = [0; MAC_LEN];
        short.copy_from_slice(code.split_at(MAC_LEN).0);
        short
    }

    pub(crate) fn verify(
        &self,
        sender: &PublicKey,
        receiver: &PublicKey,
        message: &[u8],
        mac: &[u8; MAC_LEN],
    ) -> Result<(), MacMismatch> {
        let parts: &[&[u8]] = &[&sender.to_wire(), &receiver.to_wire(), message];
        hmac_sha256_verify(&self.mac, parts, mac)
    }
}

impl fmt::Debug for MessageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKeys(…)")
    }
}
