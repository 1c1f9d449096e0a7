//! A receiver chain: the messages the other made under one ratchet key.

use wa_crypto::PublicKey;

use super::{ChainKey, ForwardChain, FoundSeed, MissingSeed};
use crate::limits::MAX_SKIPPED_KEYS;

#[derive(Debug, Clone)]
pub(crate) struct ReceiverChain {
    ratchet_key: PublicKey,
    messages: ForwardChain,
}

impl ReceiverChain {
    pub(crate) fn new(ratchet_key: PublicKey, chain: ChainKey) -> Self {
        Self { ratchet_key, messages: ForwardChain::new(chain) }
    }

    pub(crate) const fn from_parts(ratchet_key: PublicKey, messages: ForwardChain) -> Self {
        Self { ratchet_key, messages }
    }

    pub(crate) const fn ratchet_key(&self) -> &PublicKey {
        &self.ratchet_key
    }

    pub(crate) const fn messages(&self) -> &ForwardChain {
        &self.messages
    }

    /// The seed of the message with this counter, which stays in the chain.
    pub(crate) fn find(&self, counter: u32) -> Result<FoundSeed, MissingSeed> {
        self.messages.find(counter, MAX_SKIPPED_KEYS)
    }

    /// Takes a seed that was found out of the chain.
    pub(crate) fn take(&mut self, found: FoundSeed) {
        self.messages.take(found, MAX_SKIPPED_KEYS as usize);
    }

    /// Drops the `count` oldest of the skipped seeds, or all there are; gives how many.
    pub(crate) fn drop_oldest(&mut self, count: usize) -> usize {
        self.messages.drop_lowest(count)
    }
}
