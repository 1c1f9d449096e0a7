//! How a sender-key record is stored: a version byte, then a protobuf. The format is this crate's
//! own.

use std::{fmt, sync::Arc};

use prost::Message;
use wa_crypto::{KeyPair, PrivateKey, PublicKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{SenderKeyRecord, SenderKeyState, state::SigningKey};
use crate::{
    RecordError,
    limits::{MAX_SENDER_KEY_SKIPPED, MAX_SENDER_KEY_STATES},
    record::{StoredForwardChain, bytes32, decode_versioned, encode_versioned},
};

impl SenderKeyRecord {
    /// The record's bytes, as secret as the keys within.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode_versioned(&StoredSenderKeys {
            states: self.states.iter().map(|state| StoredState::from(&**state)).collect(),
        })
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are of a later version, or not of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let stored: StoredSenderKeys = decode_versioned(bytes)?;
        if stored.states.len() > MAX_SENDER_KEY_STATES {
            return Err(RecordError::Field("sender keys"));
        }
        let state = |stored| SenderKeyState::try_from(stored).map(Arc::new);
        let states = stored.states.iter().map(state).collect::<Result<_, _>>()?;
        let mut record = Self { states };
        record.bound_skipped_keys();
        Ok(record)
    }
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct StoredSenderKeys {
    #[prost(message, repeated, tag = "1")]
    states: Vec<StoredState>,
}

#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct StoredState {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(message, optional, tag = "2")]
    messages: Option<StoredForwardChain>,
    #[prost(bytes = "vec", tag = "3")]
    signing_public: Vec<u8>,
    /// Only in one's own key.
    #[prost(bytes = "vec", optional, tag = "4")]
    signing_private: Option<Vec<u8>>,
}

impl From<&SenderKeyState> for StoredState {
    fn from(state: &SenderKeyState) -> Self {
        Self {
            id: state.id,
            messages: Some((&state.messages).into()),
            signing_public: state.signing_key().as_bytes().to_vec(),
            signing_private: state.signing_private().map(|key| key.as_bytes().to_vec()),
        }
    }
}

impl TryFrom<&StoredState> for SenderKeyState {
    type Error = RecordError;

    fn try_from(stored: &StoredState) -> Result<Self, RecordError> {
        let public = PublicKey::from_bytes(bytes32(&stored.signing_public, "signing key")?);
        let signing = match &stored.signing_private {
            None => SigningKey::Told(public),
            Some(key) => {
                let private = PrivateKey::from_bytes(bytes32(key, "signing key")?);
                SigningKey::Own(KeyPair { private, public })
            }
        };
        let messages = stored.messages.as_ref().ok_or(RecordError::Field("chain"))?;
        Ok(Self { id: stored.id, messages: messages.restore(MAX_SENDER_KEY_SKIPPED)?, signing })
    }
}

impl fmt::Debug for StoredSenderKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredSenderKeys(…)")
    }
}

impl fmt::Debug for StoredState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredState(…)")
    }
}
