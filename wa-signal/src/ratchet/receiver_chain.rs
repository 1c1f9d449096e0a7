//! A receiver chain: the messages the other made under one ratchet key.

use wa_crypto::PublicKey;

use super::{ChainKey, ForwardChain, MessageSeed, MissingSeed};
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

    /// The seed of the message with this counter.
    pub(crate) fn take(&mut self, counter: u32) -> Result<MessageSeed, MissingSeed> {
        self.messages.take(counter, MAX_SKIPPED_KEYS, MAX_SKIPPED_KEYS as usize)
    }
}
