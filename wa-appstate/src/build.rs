//! Making patches and snapshots.
//!
//! What is built is exactly what the reading side accepts; both share the sealing and the hash.

use std::collections::HashMap;

use bytes::Bytes;
use rand_core::CryptoRng;
use wa_proto::{
    app_state::Collection,
    pb::{SyncdPatch, SyncdSnapshot, SyncdVersion},
};

use crate::{
    Applied, CollectionState, IndexMac, Keyring, LtHash, MAX_INDEX_LEN, MAX_MUTATIONS, Mutation,
    SyncKeyId, ValueMac,
    mutation::{pb_key_id, seal},
    patch::{mac_of_patch, state_mac},
    state::Progress,
};

/// Why a patch cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The key is not on the ring.
    #[error("the key to seal with is not known")]
    UnknownKey,
    /// There is nothing to say, or more than [`MAX_MUTATIONS`].
    #[error("a patch has 1 to {MAX_MUTATIONS} mutations")]
    Count,
    /// An index is empty or longer than [`MAX_INDEX_LEN`].
    #[error("an index has 1 to {MAX_INDEX_LEN} bytes")]
    Index,
    /// There is no version after this one.
    #[error("there is no further version")]
    Version,
}

/// A patch, and the state it leads to once the server has taken it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BuiltPatch {
    /// The patch.
    pub patch: SyncdPatch,
    /// What to keep if the server takes it.
    pub applied: Applied,
}

/// Builds the patch that follows this state.
///
/// `previous` holds the value MACs that are remembered, at least those of the mutations' indexes
/// ([`IndexMac::of`] under the same key).
///
/// # Errors
/// [`BuildError`].
pub fn build_patch(
    collection: Collection,
    state: &CollectionState,
    mutations: &[Mutation],
    keyring: &Keyring,
    key_id: &SyncKeyId,
    previous: &HashMap<IndexMac, ValueMac>,
    rng: &mut impl CryptoRng,
) -> Result<BuiltPatch, BuildError> {
    if mutations.is_empty() || mutations.len() > MAX_MUTATIONS {
        return Err(BuildError::Count);
    }
    check_indexes(mutations)?;
    let keys = keyring.find(key_id.as_bytes()).ok_or(BuildError::UnknownKey)?;
    let version = state.version.checked_add(1).ok_or(BuildError::Version)?;
    let mut progress = Progress::new(state.hash, |index| previous.get(index).copied());
    let mut sealed = Vec::with_capacity(mutations.len());
    let mut macs = Vec::with_capacity(mutations.len());
    for mutation in mutations {
        let (record, opened) = seal(mutation, key_id, keys, rng);
        progress.take(&opened);
        sealed.push(record);
        macs.push(opened.value_mac);
    }
    let hash = progress.hash();
    let snapshot_mac = state_mac(&hash, version, collection, keys);
    let patch_mac = mac_of_patch(&snapshot_mac, macs.iter(), version, collection, keys);
    let patch = SyncdPatch {
        // The server puts the number in.
        version: None,
        mutations: sealed,
        snapshot_mac: Some(Bytes::copy_from_slice(&snapshot_mac)),
        patch_mac: Some(Bytes::copy_from_slice(&patch_mac)),
        key_id: Some(pb_key_id(key_id)),
        ..Default::default()
    };
    let applied = Applied {
        state: CollectionState { version, hash },
        mutations: mutations.to_vec(),
        missing_removals: progress.missing_removals,
        macs: progress.into_macs(),
    };
    Ok(BuiltPatch { patch, applied })
}

/// Builds a snapshot of values that all stand at different indexes, as the server hands it out.
///
/// # Errors
/// [`BuildError`].
pub fn build_snapshot(
    collection: Collection,
    version: u64,
    values: &[Mutation],
    keyring: &Keyring,
    key_id: &SyncKeyId,
    rng: &mut impl CryptoRng,
) -> Result<(SyncdSnapshot, Applied), BuildError> {
    check_indexes(values)?;
    let keys = keyring.find(key_id.as_bytes()).ok_or(BuildError::UnknownKey)?;
    let mut progress = Progress::new(LtHash::EMPTY, |_: &_| None);
    let mut records = Vec::with_capacity(values.len());
    for value in values {
        let (mutation, opened) = seal(value, key_id, keys, rng);
        progress.take(&opened);
        records.extend(mutation.record);
    }
    let hash = progress.hash();
    let mac = state_mac(&hash, version, collection, keys);
    let snapshot = SyncdSnapshot {
        version: Some(SyncdVersion { version: Some(version) }),
        records,
        mac: Some(Bytes::copy_from_slice(&mac)),
        key_id: Some(pb_key_id(key_id)),
    };
    let applied = Applied {
        state: CollectionState { version, hash },
        mutations: values.to_vec(),
        missing_removals: 0,
        macs: progress.into_macs(),
    };
    Ok((snapshot, applied))
}

fn check_indexes(mutations: &[Mutation]) -> Result<(), BuildError> {
    let fits = |mutation: &Mutation| (1..=MAX_INDEX_LEN).contains(&mutation.index.len());
    if mutations.iter().all(fits) { Ok(()) } else { Err(BuildError::Index) }
}
