//! The phone's own copy of a collection, in plain: the last resort when a hash does not match.
//!
//! It comes between own devices, end-to-end encrypted, so its values carry no encryption of their
//! own; the value MACs are given. The hash that comes along is the phone's own and is taken as it
//! is: the collection is asked for because what stands in it does not add up, and later patches
//! continue from the phone's hash.

use bytes::Bytes;
use wa_proto::{
    app_state::Collection,
    pb::{SyncActionData, SyncdPlainTextRecord, SyncdSnapshotRecovery, SyncdVersion},
};

use crate::{
    AppStateError, Applied, CollectionState, IndexMac, Keyring, LtHash, MAX_INDEX_LEN,
    MAX_SNAPSHOT_RECORDS, Mutation, MutationError, Operation, SyncKeyId, ValueMac,
    mutation::Opened, state::Progress,
};

/// Reads the phone's copy of a collection. All MACs remembered before are void.
///
/// # Errors
/// [`AppStateError`] if it is of another collection, lacks a part, or names a key not known.
pub fn recover(
    collection: Collection,
    recovery: &SyncdSnapshotRecovery,
    keyring: &Keyring,
) -> Result<Applied, AppStateError> {
    let version = recovery.version.as_ref().and_then(|version| version.version);
    let hash = recovery.collection_lthash.as_ref().and_then(|hash| hash.as_ref().try_into().ok());
    let (Some(version), Some(hash)) = (version, hash) else {
        return Err(AppStateError::Incomplete);
    };
    if recovery.collection_name.as_deref() != Some(collection.as_str()) {
        return Err(AppStateError::Incomplete);
    }
    if recovery.mutation_records.len() > MAX_SNAPSHOT_RECORDS {
        return Err(AppStateError::TooMany);
    }
    let mut progress = Progress::new(LtHash::EMPTY, |_: &_| None);
    let mut mutations = Vec::with_capacity(recovery.mutation_records.len());
    for (position, record) in recovery.mutation_records.iter().enumerate() {
        let opened = read(record, keyring, position)?;
        progress.take(&opened);
        mutations.push(opened.mutation);
    }
    Ok(Applied {
        state: CollectionState { version, hash: LtHash::from_bytes(hash) },
        mutations,
        macs: progress.into_macs(),
        missing_removals: 0,
    })
}

fn read(
    record: &SyncdPlainTextRecord,
    keyring: &Keyring,
    position: usize,
) -> Result<Opened, AppStateError> {
    let malformed = AppStateError::Mutation { position, source: MutationError::Malformed };
    let (Some(data), Some(key_id), Some(mac)) = (&record.value, &record.key_id, &record.mac) else {
        return Err(malformed);
    };
    let keys = keyring
        .find(key_id)
        .ok_or_else(|| AppStateError::MissingKey(SyncKeyId::new(key_id.to_vec())))?;
    let mac = mac.as_ref().try_into().map_err(|_| malformed.clone())?;
    let index = data.index.as_ref().filter(|index| index.len() <= MAX_INDEX_LEN);
    let index = index.ok_or(malformed)?.to_vec();
    let index_mac = IndexMac::of(&index, keys);
    let mutation = Mutation {
        operation: Operation::Set,
        index,
        value: data.value.clone().unwrap_or_default(),
        action_version: data.version.unwrap_or_default(),
    };
    Ok(Opened { mutation, index_mac, value_mac: ValueMac::from_bytes(mac) })
}

/// Writes a collection down in plain: each value with the key and the MAC it is sealed with.
pub fn write_recovery<'a>(
    collection: Collection,
    state: &CollectionState,
    values: impl IntoIterator<Item = (&'a Mutation, &'a SyncKeyId, &'a ValueMac)>,
) -> SyncdSnapshotRecovery {
    let record = |(mutation, key_id, mac): (&Mutation, &SyncKeyId, &ValueMac)| {
        let data = SyncActionData {
            index: Some(mutation.index.clone().into()),
            value: Some(mutation.value.clone()),
            padding: None,
            version: Some(mutation.action_version),
        };
        SyncdPlainTextRecord {
            value: Some(data),
            key_id: Some(Bytes::copy_from_slice(key_id.as_bytes())),
            mac: Some(Bytes::copy_from_slice(mac.as_bytes())),
        }
    };
    SyncdSnapshotRecovery {
        version: Some(SyncdVersion { version: Some(state.version) }),
        collection_name: Some(collection.as_str().to_owned()),
        mutation_records: values.into_iter().map(record).collect(),
        collection_lthash: Some(Bytes::copy_from_slice(state.hash.as_bytes())),
    }
}
