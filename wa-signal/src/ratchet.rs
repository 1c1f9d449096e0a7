//! The Double Ratchet (<https://signal.org/docs/specifications/doubleratchet/>): its keys and
//! chains, each stepping forward only.
//!
//! A [`RootKey`] and two ratchet keys give a chain; a [`ChainKey`] gives a [`MessageSeed`] with
//! each step; a seed gives the keys of one message. Knows nothing of sessions or wire formats.

mod chain_key;
mod forward_chain;
mod message_key;
mod receiver_chain;
mod root_key;
mod sender_chain;

pub(crate) use chain_key::ChainKey;
pub(crate) use forward_chain::{ForwardChain, FoundSeed, MissingSeed};
pub(crate) use message_key::{MAC_LEN, MessageKeys, MessageSeed};
pub(crate) use receiver_chain::ReceiverChain;
pub(crate) use root_key::RootKey;
pub(crate) use sender_chain::SenderChain;
