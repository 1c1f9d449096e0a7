//! A patch: from one version of a collection to the next.
//!
//! Owns the order of the checks: version, keys, mutations, the state they lead to, and the MAC over
//! the whole. The MACs of patch and state bind version and collection name, so that nothing can be
//! moved elsewhere.

use std::collections::HashMap;

use subtle::ConstantTimeEq as _;
use wa_crypto::hmac_sha256;
use wa_proto::{app_state::Collection, pb::SyncdPatch};

use crate::{
    AppStateError, Applied, CollectionState, IndexMac, Keyring, LtHash, MAX_KEY_ID_LEN,
    MAX_MUTATIONS, MutationKeys, SyncKeyId, ValueMac,
    mutation::{self, OpenError, Opened},
    state::Progress,
};

/// Applies a patch to a copy of the state.
///
/// `previous` holds the value MACs that are remembered for the patch's [`index_macs`]; those of
/// other indexes do not matter. External mutations must have been put in place.
///
/// # Errors
/// [`AppStateError`]; then nothing of the patch may be used.
pub fn apply_patch(
    collection: Collection,
    state: &CollectionState,
    patch: &SyncdPatch,
    keyring: &Keyring,
    previous: &HashMap<IndexMac, ValueMac>,
) -> Result<Applied, AppStateError> {
    let version = next_version(state, patch)?;
    let (Some(snapshot_mac), Some(patch_mac)) = (&patch.snapshot_mac, &patch.patch_mac) else {
        return Err(AppStateError::Incomplete);
    };
    if patch.external_mutations.is_some() {
        return Err(AppStateError::Incomplete);
    }
    if let Some(id) = missing_keys(patch, keyring)?.into_iter().next() {
        return Err(AppStateError::MissingKey(id));
    }
    let keys = patch_keys(patch, keyring)?;
    let opened = open_all(patch, keyring)?;

    let mut progress = Progress::new(state.hash, |index| previous.get(index).copied());
    opened.iter().for_each(|opened| progress.take(opened));
    let hash = progress.hash();
    if !is_equal(&state_mac(&hash, version, collection, keys), snapshot_mac) {
        return Err(AppStateError::LtHash);
    }
    let macs = opened.iter().map(|opened| &opened.value_mac);
    if !is_equal(&mac_of_patch(snapshot_mac, macs, version, collection, keys), patch_mac) {
        return Err(AppStateError::PatchMac);
    }
    Ok(Applied {
        state: CollectionState { version, hash },
        missing_removals: progress.missing_removals,
        macs: progress.into_macs(),
        mutations: opened.into_iter().map(|opened| opened.mutation).collect(),
    })
}

/// The indexes a patch touches, as far as they can be read: what to look up before applying it.
pub fn index_macs(patch: &SyncdPatch) -> Vec<IndexMac> {
    let records = patch.mutations.iter().filter_map(|mutation| mutation.record.as_ref());
    let mut macs: Vec<_> = records
        .take(MAX_MUTATIONS)
        .filter_map(|record| Some(mutation::parts(record).ok()?.index_mac))
        .collect();
    macs.sort_unstable();
    macs.dedup();
    macs
}

/// The keys a patch is sealed with that are not on the ring, each once.
///
/// # Errors
/// If the patch names no key, or too many mutations.
pub fn missing_keys(
    patch: &SyncdPatch,
    keyring: &Keyring,
) -> Result<Vec<SyncKeyId>, AppStateError> {
    if patch.mutations.len() > MAX_MUTATIONS {
        return Err(AppStateError::TooMany);
    }
    let whole = patch.key_id.as_ref().and_then(|key| key.id.as_ref());
    let whole = whole.ok_or(AppStateError::Incomplete)?;
    let records = patch.mutations.iter().filter_map(|mutation| mutation.record.as_ref());
    let each = records.filter_map(|record| record.key_id.as_ref()?.id.as_ref());
    Ok(missing(std::iter::once(whole).chain(each).map(AsRef::as_ref), keyring))
}

/// Those of the ids that are not on the ring, each once.
pub(crate) fn missing<'a>(
    ids: impl Iterator<Item = &'a [u8]>,
    keyring: &Keyring,
) -> Vec<SyncKeyId> {
    let mut missing: Vec<_> = ids
        .filter(|id| id.len() <= MAX_KEY_ID_LEN && !keyring.contains(id))
        .map(SyncKeyId::new)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn next_version(state: &CollectionState, patch: &SyncdPatch) -> Result<u64, AppStateError> {
    let held = state.version;
    // Devices leave the number out and servers put it in. The MACs bind it either way.
    let found = patch.version.as_ref().and_then(|version| version.version);
    let found = found.unwrap_or_else(|| held.saturating_add(1));
    if found <= held {
        return Err(AppStateError::Rollback { held, found });
    }
    if found - held > 1 {
        return Err(AppStateError::Gap { held, found });
    }
    Ok(found)
}

fn patch_keys<'a>(
    patch: &SyncdPatch,
    keyring: &'a Keyring,
) -> Result<&'a MutationKeys, AppStateError> {
    let id = patch.key_id.as_ref().and_then(|key| key.id.as_ref());
    let id = id.ok_or(AppStateError::Incomplete)?;
    keyring.find(id).ok_or_else(|| AppStateError::MissingKey(SyncKeyId::new(id.to_vec())))
}

fn open_all(patch: &SyncdPatch, keyring: &Keyring) -> Result<Vec<Opened>, AppStateError> {
    let open = |(position, mutation): (usize, &wa_proto::pb::SyncdMutation)| {
        let refused = |source| AppStateError::Mutation { position, source };
        let operation = mutation::operation(mutation).map_err(refused)?;
        let record = mutation.record.as_ref().ok_or(refused(crate::MutationError::Malformed))?;
        mutation::open_with(operation, record, keyring).map_err(|error| match error {
            OpenError::MissingKey(id) => AppStateError::MissingKey(id),
            OpenError::Refused(source) => refused(source),
        })
    };
    patch.mutations.iter().enumerate().map(open).collect()
}

/// The MAC over the state after a patch or snapshot.
pub(crate) fn state_mac(
    hash: &LtHash,
    version: u64,
    collection: Collection,
    keys: &MutationKeys,
) -> [u8; 32] {
    let name = collection.as_str().as_bytes();
    hmac_sha256(&keys.snapshot_mac, &[hash.as_bytes(), &version.to_be_bytes(), name])
}

/// The MAC over a patch.
pub(crate) fn mac_of_patch<'a>(
    snapshot_mac: &[u8],
    value_macs: impl Iterator<Item = &'a ValueMac>,
    version: u64,
    collection: Collection,
    keys: &MutationKeys,
) -> [u8; 32] {
    let version = version.to_be_bytes();
    let mut parts = vec![snapshot_mac];
    parts.extend(value_macs.map(|mac| mac.as_bytes().as_slice()));
    parts.extend([version.as_slice(), collection.as_str().as_bytes()]);
    hmac_sha256(&keys.patch_mac, &parts)
}

pub(crate) fn is_equal(expected: &[u8; 32], found: &[u8]) -> bool {
    expected.as_slice().ct_eq(found).into()
}
