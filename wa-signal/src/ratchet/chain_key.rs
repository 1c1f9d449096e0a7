//! The chain key: what the symmetric half of the ratchet advances, in sessions and sender keys
//! alike.

use std::fmt;

use wa_crypto::hmac_sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::MessageSeed;

const SEED_INPUT: &[u8] = &[0x01];
const CHAIN_INPUT: &[u8] = &[0x02];

/// A chain key and its position; the key at index `n` makes the message with counter `n`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ChainKey {
    key: [u8; 32],
    index: u32,
}

impl ChainKey {
    pub(crate) const fn new(key: [u8; 32], index: u32) -> Self {
        Self { key, index }
    }

    pub(crate) const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    /// The seed at this index and the chain key after it; `None` at the last index, which makes
    /// no message because the chain could not go on.
    pub(crate) fn step(&self) -> Option<(MessageSeed, Self)> {
        let next = self.next()?;
        Some((MessageSeed::new(hmac_sha256(&self.key, &[SEED_INPUT]), self.index), next))
    }

    /// The chain key after this one, for half the cost of [`Self::step`].
    pub(crate) fn next(&self) -> Option<Self> {
        let index = self.index.checked_add(1)?;
        Some(Self { key: hmac_sha256(&self.key, &[CHAIN_INPUT]), index })
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainKey(#{} …)", self.index)
    }
}
