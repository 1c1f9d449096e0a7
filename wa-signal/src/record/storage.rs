//! How records are stored: a version byte, then a protobuf. The format is this crate's own.

use std::fmt;

use prost::Message;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use std::sync::Arc;

use wa_crypto::PublicKey;

use super::{ArchivedSession, Ended, SessionRecord};
use crate::{
    RecordError,
    limits::MAX_ARCHIVED_SESSIONS,
    ratchet::{ChainKey, ForwardChain, MessageSeed},
    session::{Session, StoredSession},
};

/// The format written. A reader knows this one and all before it.
///
/// Format 1 had each skipped key as a message of its own, and archived sessions as they are; it
/// knew of nothing that had ended.
const VERSION: u8 = 2;

impl SessionRecord {
    /// The record's bytes, as secret as the keys within.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode_versioned(&StoredRecord {
            current: self.current.as_ref().map(StoredSession::from),
            archived_1: Vec::new(),
            archived: self.archived.iter().map(StoredArchived::from).collect(),
            identity: self.identity.map(|key| key.as_bytes().to_vec()),
            ended: self.ended.sessions().flatten().copied().collect(),
            replaced: self.ended.identities().flat_map(PublicKey::as_bytes).copied().collect(),
        })
    }

    /// Reads what [`Self::to_bytes`] wrote. Archived sessions are not looked into.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes are of a later version, or not of a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let stored: StoredRecord = decode_versioned(bytes)?;
        if stored.archived.len() + stored.archived_1.len() > MAX_ARCHIVED_SESSIONS {
            return Err(RecordError::Field("archived sessions"));
        }
        let current = stored.current.as_ref().map(Session::try_from).transpose()?;
        let identity = match &stored.identity {
            Some(key) => Some(PublicKey::from_bytes(bytes32(key, "identity")?)),
            None => current.as_ref().map(|session| *session.remote_identity()),
        };
        let ended = Ended::from_parts(
            whole_chunks(&stored.ended, "ended sessions")?.iter().copied().collect(),
            whole_chunks(&stored.replaced, "replaced identities")?
                .iter()
                .map(|&key| PublicKey::from_bytes(key))
                .collect(),
        )
        .ok_or(RecordError::Field("ended sessions"))?;
        let archived = stored.archived.into_iter().map(ArchivedSession::from).collect();
        let mut record = Self { identity, current, archived, ended: Arc::new(ended) };
        record.take_over(&stored.archived_1)?;
        record.bound_skipped_keys();
        Ok(record)
    }

    /// Takes over the archived sessions of a record of format 1.
    fn take_over(&mut self, archived: &[StoredSession]) -> Result<(), RecordError> {
        for stored in archived {
            let session = Session::try_from(stored)?;
            let identity = *self.identity.get_or_insert(*session.remote_identity());
            match *session.remote_identity() == identity {
                true => self.archived.push(ArchivedSession::new(&session)),
                false => self.end(&session),
            }
        }
        Ok(())
    }
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct StoredRecord {
    #[prost(message, optional, tag = "1")]
    current: Option<StoredSession>,
    /// As format 1 has them.
    #[prost(message, repeated, tag = "2")]
    archived_1: Vec<StoredSession>,
    #[prost(message, repeated, tag = "3")]
    archived: Vec<StoredArchived>,
    #[prost(bytes = "vec", optional, tag = "4")]
    identity: Option<Vec<u8>>,
    /// Digests of 16 bytes each.
    #[prost(bytes = "vec", tag = "5")]
    ended: Vec<u8>,
    /// Keys of 32 bytes each.
    #[prost(bytes = "vec", tag = "6")]
    replaced: Vec<u8>,
}

#[cfg(test)]
impl StoredRecord {
    pub(super) fn of_format_1(
        current: Option<StoredSession>,
        archived_1: Vec<StoredSession>,
    ) -> Self {
        Self { current, archived_1, ..Self::default() }
    }
}

/// A session that is read when it is needed.
#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct StoredArchived {
    /// A `StoredSession`.
    #[prost(bytes = "vec", tag = "1")]
    session: Vec<u8>,
    #[prost(uint32, tag = "2")]
    skipped_keys: u32,
}

impl From<&ArchivedSession> for StoredArchived {
    fn from(archived: &ArchivedSession) -> Self {
        let skipped_keys = u32::try_from(archived.skipped_keys()).unwrap_or(u32::MAX);
        Self { session: archived.bytes().to_vec(), skipped_keys }
    }
}

impl From<StoredArchived> for ArchivedSession {
    fn from(mut stored: StoredArchived) -> Self {
        Self::from_parts(std::mem::take(&mut stored.session), stored.skipped_keys as usize)
    }
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
    /// As format 1 has them.
    #[prost(message, repeated, tag = "5")]
    skipped_1: Vec<StoredSeed>,
    /// For each, its index as four bytes, little-endian, and the seed's 32.
    #[prost(bytes = "vec", tag = "6")]
    skipped: Vec<u8>,
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
        let mut skipped = Vec::with_capacity(chain.skipped().len() * SEED_LEN);
        for seed in chain.skipped() {
            skipped.extend_from_slice(&seed.index().to_le_bytes());
            skipped.extend_from_slice(seed.as_bytes());
        }
        Self {
            key: chain.chain().key().to_vec(),
            index: chain.chain().index(),
            start: chain.start(),
            floor: chain.floor(),
            skipped_1: Vec::new(),
            skipped,
        }
    }
}

impl StoredForwardChain {
    /// The chain these fields are of, with at most `kept` skipped seeds.
    pub(crate) fn restore(&self, kept: usize) -> Result<ForwardChain, RecordError> {
        let packed = whole_chunks::<SEED_LEN>(&self.skipped, "skipped keys")?;
        if self.skipped_1.len() + packed.len() > kept {
            return Err(RecordError::Field("skipped keys"));
        }
        let single = self.skipped_1.iter().map(|stored| {
            Ok(MessageSeed::new(bytes32(&stored.seed, "skipped key")?, stored.index))
        });
        let packed = packed.iter().map(|stored| {
            let (index, seed) = stored.split_first_chunk().ok_or(RecordError::Field("seed"))?;
            Ok(MessageSeed::new(bytes32(seed, "skipped key")?, u32::from_le_bytes(*index)))
        });
        let skipped = single.chain(packed).collect::<Result<_, RecordError>>()?;
        let chain = ChainKey::new(bytes32(&self.key, "chain key")?, self.index);
        ForwardChain::from_parts(chain, skipped, self.start, self.floor)
            .ok_or(RecordError::Field("chain"))
    }
}

/// A skipped seed as it is stored: its index and itself.
const SEED_LEN: usize = 4 + 32;

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
        [1..=VERSION, body @ ..] => M::decode(body).map_err(RecordError::Protobuf),
        [other, ..] => Err(RecordError::UnknownVersion(*other)),
    }
}

/// The 32 bytes of a key.
pub(crate) fn bytes32(bytes: &[u8], field: &'static str) -> Result<[u8; 32], RecordError> {
    bytes.try_into().map_err(|_| RecordError::Field(field))
}

/// The bytes in pieces of a fixed length, none left over.
fn whole_chunks<'a, const N: usize>(
    bytes: &'a [u8],
    field: &'static str,
) -> Result<&'a [[u8; N]], RecordError> {
    match bytes.as_chunks() {
        (chunks, []) => Ok(chunks),
        _ => Err(RecordError::Field(field)),
    }
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

redacted!(StoredRecord, StoredArchived, StoredForwardChain, StoredSeed);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_keys_of_both_formats_count_together() {
        let stored = |first: u32, packed: u32| {
            let seed = |index| StoredSeed { index, seed: vec![7; 32] };
            let packed = (first..first + packed).flat_map(|index: u32| {
                index.to_le_bytes().into_iter().chain([7; 32]).collect::<Vec<_>>()
            });
            StoredForwardChain {
                key: vec![1; 32],
                index: 100,
                start: 0,
                floor: 0,
                skipped_1: (0..first).map(seed).collect(),
                skipped: packed.collect(),
            }
        };
        assert!(stored(3, 7).restore(10).is_ok());
        for (first, packed) in [(1, 10), (10, 1), (11, 0), (0, 11)] {
            assert!(stored(first, packed).restore(10).is_err(), "{first} and {packed}");
        }
    }
}
