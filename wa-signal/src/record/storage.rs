//! How records are stored: a version byte, then a protobuf. The format is this crate's own.

use std::fmt;

use prost::Message;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::SessionRecord;
use crate::{
    RecordError,
    limits::MAX_ARCHIVED_SESSIONS,
    ratchet::{ChainKey, ForwardChain, MessageSeed},
    session::StoredSession,
};

/// The format written. A reader knows this one and all before it.
const VERSION: u8 = 1;

impl SessionRecord {
    /// The record's bytes, as secret as the keys within.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode_versioned(&StoredRecord {
            current: self.current.as_ref().map(StoredSession::from),
            archived: self.archived.iter().map(StoredSession::from).collect(),
        })
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are of a later version, or not of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let stored: StoredRecord = decode_versioned(bytes)?;
        if stored.archived.len() > MAX_ARCHIVED_SESSIONS {
            return Err(RecordError::Field("archived sessions"));
        }
        Ok(Self {
            current: stored.current.as_ref().map(TryFrom::try_from).transpose()?,
            archived: stored.archived.iter().map(TryFrom::try_from).collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct StoredRecord {
    #[prost(message, optional, tag = "1")]
    current: Option<StoredSession>,
    #[prost(message, repeated, tag = "2")]
    archived: Vec<StoredSession>,
}

/// A chain with the seeds it skipped.
#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
pub(crate) struct StoredForwardChain {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(uint32, tag = "2")]
    index: u32,
    #[prost(uint32, tag = "3")]
    start: u32,
    #[prost(uint32, tag = "4")]
    floor: u32,
    #[prost(message, repeated, tag = "5")]
    skipped: Vec<StoredSeed>,
}

#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct StoredSeed {
    #[prost(uint32, tag = "1")]
    index: u32,
    #[prost(bytes = "vec", tag = "2")]
    seed: Vec<u8>,
}

impl From<&ForwardChain> for StoredForwardChain {
    fn from(chain: &ForwardChain) -> Self {
        Self {
            key: chain.chain().key().to_vec(),
            index: chain.chain().index(),
            start: chain.start(),
            floor: chain.floor(),
            skipped: chain
                .skipped()
                .map(|seed| StoredSeed { index: seed.index(), seed: seed.as_bytes().to_vec() })
                .collect(),
        }
    }
}

impl StoredForwardChain {
    /// The chain these fields are of, with at most `kept` skipped seeds.
    pub(crate) fn restore(&self, kept: usize) -> Result<ForwardChain, RecordError> {
        if self.skipped.len() > kept {
            return Err(RecordError::Field("skipped keys"));
        }
        let skipped = self
            .skipped
            .iter()
            .map(|stored| Ok(MessageSeed::new(bytes32(&stored.seed, "skipped key")?, stored.index)))
            .collect::<Result<_, RecordError>>()?;
        let chain = ChainKey::new(bytes32(&self.key, "chain key")?, self.index);
        ForwardChain::from_parts(chain, skipped, self.start, self.floor)
            .ok_or(RecordError::Field("chain"))
    }
}

/// The version byte and the protobuf behind it.
pub(crate) fn encode_versioned(message: &impl Message) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + message.encoded_len()));
    bytes.push(VERSION);
    message.encode_raw(&mut *bytes);
    bytes
}

/// Undoes [`encode_versioned`].
pub(crate) fn decode_versioned<M: Message + Default>(bytes: &[u8]) -> Result<M, RecordError> {
    match bytes {
        [] => Err(RecordError::Empty),
        [VERSION, body @ ..] => M::decode(body).map_err(RecordError::Protobuf),
        [other, ..] => Err(RecordError::UnknownVersion(*other)),
    }
}

/// The 32 bytes of a key.
pub(crate) fn bytes32(bytes: &[u8], field: &'static str) -> Result<[u8; 32], RecordError> {
    bytes.try_into().map_err(|_| RecordError::Field(field))
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

redacted!(StoredRecord, StoredForwardChain, StoredSeed);
