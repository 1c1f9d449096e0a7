//! How a session is stored: a protobuf of its own, part of the record's.

use std::fmt;

use prost::Message;
use wa_crypto::{KeyPair, PrivateKey, PublicKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Session, UsedPreKeys};
use crate::{
    PreKeyId, RecordError, RegistrationId, SignedPreKeyId,
    limits::{MAX_RECEIVER_CHAINS, MAX_SKIPPED_KEYS},
    ratchet::{ChainKey, ReceiverChain, RootKey, SenderChain},
    record::{StoredForwardChain, bytes32},
};

#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
pub(crate) struct StoredSession {
    #[prost(bytes = "vec", tag = "1")]
    remote_identity: Vec<u8>,
    #[prost(uint32, tag = "2")]
    remote_registration_id: u32,
    #[prost(bytes = "vec", tag = "3")]
    base_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    root_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    ratchet_private: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    ratchet_public: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    sender_chain_key: Vec<u8>,
    #[prost(uint32, tag = "8")]
    sender_counter: u32,
    #[prost(uint32, tag = "9")]
    previous_counter: u32,
    #[prost(message, repeated, tag = "10")]
    receivers: Vec<StoredReceiver>,
    #[prost(message, optional, tag = "11")]
    unanswered: Option<StoredUsedPreKeys>,
}

#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct StoredReceiver {
    #[prost(bytes = "vec", tag = "1")]
    ratchet_key: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    messages: Option<StoredForwardChain>,
}

#[derive(Clone, Copy, PartialEq, Message, Zeroize)]
struct StoredUsedPreKeys {
    #[prost(uint32, optional, tag = "1")]
    prekey: Option<u32>,
    #[prost(uint32, tag = "2")]
    signed_prekey: u32,
}

impl From<&Session> for StoredSession {
    fn from(session: &Session) -> Self {
        let (ratchet, chain) = (session.sender.ratchet(), session.sender.chain());
        Self {
            remote_identity: session.remote_identity.as_bytes().to_vec(),
            remote_registration_id: session.remote_registration_id.as_u32(),
            base_key: session.base_key.as_bytes().to_vec(),
            root_key: session.root.as_bytes().to_vec(),
            ratchet_private: ratchet.private.as_bytes().to_vec(),
            ratchet_public: ratchet.public.as_bytes().to_vec(),
            sender_chain_key: chain.key().to_vec(),
            sender_counter: chain.index(),
            previous_counter: session.previous_counter,
            receivers: session.receivers.iter().map(StoredReceiver::from).collect(),
            unanswered: session.unanswered.map(|used| StoredUsedPreKeys {
                prekey: used.prekey.map(PreKeyId::as_u32),
                signed_prekey: used.signed_prekey.as_u32(),
            }),
        }
    }
}

impl From<&ReceiverChain> for StoredReceiver {
    fn from(receiver: &ReceiverChain) -> Self {
        Self {
            ratchet_key: receiver.ratchet_key().as_bytes().to_vec(),
            messages: Some(receiver.messages().into()),
        }
    }
}

impl TryFrom<&StoredSession> for Session {
    type Error = RecordError;

    fn try_from(stored: &StoredSession) -> Result<Self, RecordError> {
        if stored.receivers.len() > MAX_RECEIVER_CHAINS {
            return Err(RecordError::Field("receiver chains"));
        }
        let ratchet = KeyPair {
            private: PrivateKey::from_bytes(bytes32(&stored.ratchet_private, "ratchet key")?),
            public: PublicKey::from_bytes(bytes32(&stored.ratchet_public, "ratchet key")?),
        };
        let sender_key = bytes32(&stored.sender_chain_key, "sender chain")?;
        Ok(Self {
            remote_identity: PublicKey::from_bytes(bytes32(&stored.remote_identity, "identity")?),
            remote_registration_id: RegistrationId::new(stored.remote_registration_id),
            base_key: PublicKey::from_bytes(bytes32(&stored.base_key, "base key")?),
            root: RootKey::from_bytes(bytes32(&stored.root_key, "root key")?),
            sender: SenderChain::new(ratchet, ChainKey::new(sender_key, stored.sender_counter)),
            previous_counter: stored.previous_counter,
            receivers: stored.receivers.iter().map(TryFrom::try_from).collect::<Result<_, _>>()?,
            unanswered: stored.unanswered.as_ref().map(TryFrom::try_from).transpose()?,
        })
    }
}

impl TryFrom<&StoredReceiver> for ReceiverChain {
    type Error = RecordError;

    fn try_from(stored: &StoredReceiver) -> Result<Self, RecordError> {
        let key = PublicKey::from_bytes(bytes32(&stored.ratchet_key, "receiver ratchet key")?);
        let messages = stored.messages.as_ref().ok_or(RecordError::Field("receiver chain"))?;
        Ok(Self::from_parts(key, messages.restore(MAX_SKIPPED_KEYS as usize)?))
    }
}

impl TryFrom<&StoredUsedPreKeys> for UsedPreKeys {
    type Error = RecordError;

    fn try_from(stored: &StoredUsedPreKeys) -> Result<Self, RecordError> {
        let invalid = RecordError::Field("used prekeys");
        Ok(Self {
            prekey: match stored.prekey {
                None => None,
                Some(id) => Some(PreKeyId::new(id).ok_or(invalid.clone())?),
            },
            signed_prekey: SignedPreKeyId::new(stored.signed_prekey).ok_or(invalid)?,
        })
    }
}

impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredSession(…)")
    }
}

impl fmt::Debug for StoredReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredReceiver(…)")
    }
}
