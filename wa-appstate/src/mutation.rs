//! One mutation: sealed under a sync key, and opened again.
//!
//! Owns the record's form and its two MACs. The value is `IV ‖ AES-256-CBC(SyncActionData) ‖ MAC`;
//! the MAC is the first half of HMAC-SHA512 over the operation, the key id, the encrypted value and
//! the length of the first two. The index on the wire is the HMAC-SHA256 of the index itself, which
//! stands within the value.

use std::fmt;

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use wa_crypto::{aes_cbc_decrypt, aes_cbc_encrypt, hmac_sha256, hmac_sha512};
use wa_proto::pb::{
    self, SyncActionData, SyncActionValue, SyncdMutation, SyncdRecord,
    syncd_mutation::SyncdOperation,
};

use crate::{
    Keyring, MAX_INDEX_LEN, MAX_KEY_ID_LEN, MAX_VALUE_LEN, MutationError, MutationKeys, SyncKeyId,
};

const MAC_LEN: usize = 32;
const IV_LEN: usize = 16;

macro_rules! mac {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; MAC_LEN]);

        impl $name {
            /// Takes the 32 bytes.
            pub const fn from_bytes(bytes: [u8; MAC_LEN]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; MAC_LEN] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

mac! {
    /// Stands for an index where the server sees it.
    IndexMac
}
mac! {
    /// Authenticates an encrypted value.
    ValueMac
}

impl IndexMac {
    /// The MAC of an index under a key.
    pub fn of(index: &[u8], keys: &MutationKeys) -> Self {
        Self(hmac_sha256(&keys.index, &[index]))
    }
}

/// Whether a mutation sets a value or takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// From now on the value stands at the index.
    Set,
    /// From now on nothing stands at the index.
    Remove,
}

impl Operation {
    const fn mac_byte(self) -> u8 {
        match self {
            Self::Set => 1,
            Self::Remove => 2,
        }
    }

    const fn to_pb(self) -> SyncdOperation {
        match self {
            Self::Set => SyncdOperation::Set,
            Self::Remove => SyncdOperation::Remove,
        }
    }
}

/// What a mutation says. `Debug` shows its operation alone.
#[derive(Clone, PartialEq)]
pub struct Mutation {
    /// Set or remove.
    pub operation: Operation,
    /// The index: a JSON array of strings.
    pub index: Vec<u8>,
    /// The value; of a removal only the timestamp counts.
    pub value: SyncActionValue,
    /// The version of the action's form.
    pub action_version: i32,
}

impl Mutation {
    /// A value that is set.
    pub const fn set(index: Vec<u8>, value: SyncActionValue, action_version: i32) -> Self {
        Self { operation: Operation::Set, index, value, action_version }
    }

    /// A value that is removed.
    pub const fn remove(index: Vec<u8>, value: SyncActionValue, action_version: i32) -> Self {
        Self { operation: Operation::Remove, index, value, action_version }
    }
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutation").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// A mutation that held, and the MACs by which it is remembered.
pub(crate) struct Opened {
    pub(crate) mutation: Mutation,
    pub(crate) index_mac: IndexMac,
    pub(crate) value_mac: ValueMac,
}

impl Opened {
    pub(crate) fn sets(&self) -> bool {
        self.mutation.operation == Operation::Set
    }
}

/// The parts of a record that are needed before anything is decrypted.
pub(crate) struct RecordParts<'a> {
    pub(crate) index_mac: IndexMac,
    pub(crate) key_id: &'a [u8],
    encrypted: &'a [u8],
    pub(crate) value_mac: ValueMac,
}

/// Reads a record's outside.
pub(crate) fn parts(record: &SyncdRecord) -> Result<RecordParts<'_>, MutationError> {
    let index = record.index.as_ref().and_then(|index| index.blob.as_ref());
    let value = record.value.as_ref().and_then(|value| value.blob.as_ref());
    let key_id = record.key_id.as_ref().and_then(|key| key.id.as_ref());
    let (Some(index), Some(value), Some(key_id)) = (index, value, key_id) else {
        return Err(MutationError::Malformed);
    };
    if value.len() > MAX_VALUE_LEN || key_id.len() > MAX_KEY_ID_LEN {
        return Err(MutationError::Malformed);
    }
    let index_mac = index.as_ref().try_into().map_err(|_| MutationError::Malformed)?;
    let (encrypted, mac) = value.split_last_chunk::<MAC_LEN>().ok_or(MutationError::Malformed)?;
    Ok(RecordParts { index_mac: IndexMac(index_mac), key_id, encrypted, value_mac: ValueMac(*mac) })
}

/// The operation of a mutation; a missing one is a set, as protobuf has it.
pub(crate) fn operation(mutation: &SyncdMutation) -> Result<Operation, MutationError> {
    match SyncdOperation::try_from(mutation.operation.unwrap_or_default()) {
        Ok(SyncdOperation::Set) => Ok(Operation::Set),
        Ok(SyncdOperation::Remove) => Ok(Operation::Remove),
        Err(_) => Err(MutationError::Operation),
    }
}

/// Opens a record: both MACs must hold.
pub(crate) fn open(
    operation: Operation,
    parts: &RecordParts<'_>,
    keys: &MutationKeys,
) -> Result<Opened, MutationError> {
    let expected = value_mac(operation, parts.key_id, parts.encrypted, keys);
    if !bool::from(expected.0.ct_eq(&parts.value_mac.0)) {
        return Err(MutationError::ValueMac);
    }
    let (iv, ciphertext) =
        parts.encrypted.split_first_chunk::<IV_LEN>().ok_or(MutationError::Malformed)?;
    let plaintext = aes_cbc_decrypt(&keys.value_encryption, iv, ciphertext)
        .map_err(|_| MutationError::Unreadable)?;
    let data =
        SyncActionData::decode(plaintext.as_slice()).map_err(|_| MutationError::Unreadable)?;
    let index = data.index.unwrap_or_default();
    if index.len() > MAX_INDEX_LEN {
        return Err(MutationError::Malformed);
    }
    if !bool::from(IndexMac::of(&index, keys).0.ct_eq(&parts.index_mac.0)) {
        return Err(MutationError::IndexMac);
    }
    let mutation = Mutation {
        operation,
        index: index.to_vec(),
        value: data.value.unwrap_or_default(),
        action_version: data.version.unwrap_or_default(),
    };
    Ok(Opened { mutation, index_mac: parts.index_mac, value_mac: parts.value_mac })
}

/// Opens a record under whichever key of the ring it names.
pub(crate) fn open_with(
    operation: Operation,
    record: &SyncdRecord,
    keyring: &Keyring,
) -> Result<Opened, OpenError> {
    let parts = parts(record)?;
    let keys = keyring
        .find(parts.key_id)
        .ok_or_else(|| OpenError::MissingKey(SyncKeyId::new(parts.key_id)))?;
    Ok(open(operation, &parts, keys)?)
}

pub(crate) enum OpenError {
    MissingKey(SyncKeyId),
    Refused(MutationError),
}

impl From<MutationError> for OpenError {
    fn from(error: MutationError) -> Self {
        Self::Refused(error)
    }
}

/// Seals a mutation: the record, and the MACs by which it is remembered.
pub(crate) fn seal(
    mutation: &Mutation,
    key_id: &SyncKeyId,
    keys: &MutationKeys,
    rng: &mut impl CryptoRng,
) -> (SyncdMutation, Opened) {
    let data = SyncActionData {
        index: Some(Bytes::from(mutation.index.clone())),
        value: Some(mutation.value.clone()),
        padding: Some(Bytes::new()),
        version: Some(mutation.action_version),
    };
    let mut iv = [0; IV_LEN];
    rng.fill_bytes(&mut iv);
    let mut blob = iv.to_vec();
    blob.extend(aes_cbc_encrypt(&keys.value_encryption, &iv, &data.encode_to_vec()));
    let value_mac = value_mac(mutation.operation, key_id.as_bytes(), &blob, keys);
    blob.extend(value_mac.0);
    let index_mac = IndexMac::of(&mutation.index, keys);
    let record = SyncdRecord {
        index: Some(pb::SyncdIndex { blob: Some(Bytes::copy_from_slice(&index_mac.0)) }),
        value: Some(pb::SyncdValue { blob: Some(blob.into()) }),
        key_id: Some(pb_key_id(key_id)),
    };
    let sealed =
        SyncdMutation { operation: Some(mutation.operation.to_pb().into()), record: Some(record) };
    (sealed, Opened { mutation: mutation.clone(), index_mac, value_mac })
}

pub(crate) fn pb_key_id(id: &SyncKeyId) -> pb::KeyId {
    pb::KeyId { id: Some(Bytes::copy_from_slice(id.as_bytes())) }
}

fn value_mac(
    operation: Operation,
    key_id: &[u8],
    encrypted: &[u8],
    keys: &MutationKeys,
) -> ValueMac {
    let associated_len = (key_id.len() as u64 + 1).to_be_bytes();
    let parts = [&[operation.mac_byte()], key_id, encrypted, &associated_len];
    let mac = hmac_sha512(&keys.value_mac, &parts);
    ValueMac(*mac.first_chunk().unwrap_or(&[0; MAC_LEN]))
}
