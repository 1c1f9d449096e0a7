//! The sender chain: the messages we make under our current ratchet key.

use wa_crypto::KeyPair;

use super::{ChainKey, MessageSeed};

#[derive(Debug, Clone)]
pub(crate) struct SenderChain {
    ratchet: KeyPair,
    chain: ChainKey,
}

impl SenderChain {
    pub(crate) const fn new(ratchet: KeyPair, chain: ChainKey) -> Self {
        Self { ratchet, chain }
    }

    pub(crate) const fn ratchet(&self) -> &KeyPair {
        &self.ratchet
    }

    pub(crate) const fn chain(&self) -> &ChainKey {
        &self.chain
    }

    /// The next message's seed and the chain after it; `None` if the chain is used up.
    pub(crate) fn step(&self) -> Option<(MessageSeed, Self)> {
        let (seed, chain) = self.chain.step()?;
        Some((seed, Self { ratchet: self.ratchet.clone(), chain }))
    }
}
