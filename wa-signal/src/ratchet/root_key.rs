//! The root key: what the asymmetric half of the ratchet advances.

use std::fmt;

use wa_crypto::{CheckedPublicKey, PrivateKey, hkdf_sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ChainKey;

const INFO: &[u8] = b"WhisperRatchet";

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RootKey([u8; 32]);

impl RootKey {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF to a root key and a chain key.
    pub(crate) fn derive(salt: &[u8; 32], input: &[u8], info: &[u8]) -> (Self, ChainKey) {
        let output: Zeroizing<[u8; 64]> = Zeroizing::new(hkdf_sha256(salt, input, info));
        let (root_half, chain_half) = output.split_at(32);
        let (mut root, mut chain) = (Self([0; 32]), Zeroizing::new([0; 32]));
        root.0.copy_from_slice(root_half);
        chain.copy_from_slice(chain_half);
        (root, ChainKey::new(*chain, 0))
    }

    /// One step of the root chain: the next root key, and the chain of this pair of ratchet keys.
    pub(crate) fn step(&self, ours: &PrivateKey, theirs: &CheckedPublicKey) -> (Self, ChainKey) {
        Self::derive(&self.0, ours.agree_checked(theirs).as_bytes(), INFO)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}
