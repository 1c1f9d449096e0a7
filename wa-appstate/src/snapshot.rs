//! A snapshot: a whole collection at one version, for a device that begins anew.

use subtle::ConstantTimeEq as _;
use wa_proto::{app_state::Collection, pb::SyncdSnapshot};

use crate::{
    AppStateError, Applied, CollectionState, Keyring, LtHash, MAX_SNAPSHOT_RECORDS, Operation,
    SyncKeyId,
    mutation::{self, OpenError},
    patch::{missing, state_mac},
    state::Progress,
};

/// Reads a snapshot. All MACs remembered before are void.
///
/// # Errors
/// [`AppStateError`]; then nothing of the snapshot may be used.
pub fn apply_snapshot(
    collection: Collection,
    snapshot: &SyncdSnapshot,
    keyring: &Keyring,
) -> Result<Applied, AppStateError> {
    let version = snapshot.version.as_ref().and_then(|version| version.version);
    let (Some(version), Some(mac)) = (version, &snapshot.mac) else {
        return Err(AppStateError::Incomplete);
    };
    if let Some(id) = missing_snapshot_keys(snapshot, keyring)?.into_iter().next() {
        return Err(AppStateError::MissingKey(id));
    }
    let id = snapshot.key_id.as_ref().and_then(|key| key.id.as_ref());
    let keys = id.and_then(|id| keyring.find(id)).ok_or(AppStateError::Incomplete)?;

    let mut progress = Progress::new(LtHash::EMPTY, |_: &_| None);
    let mut mutations = Vec::with_capacity(snapshot.records.len());
    for (position, record) in snapshot.records.iter().enumerate() {
        let opened = mutation::open_with(Operation::Set, record, keyring);
        let opened = opened.map_err(|error| match error {
            OpenError::MissingKey(id) => AppStateError::MissingKey(id),
            OpenError::Refused(source) => AppStateError::Mutation { position, source },
        })?;
        progress.take(&opened);
        mutations.push(opened.mutation);
    }
    let hash = progress.hash();
    let expected = state_mac(&hash, version, collection, keys);
    if !bool::from(expected.as_slice().ct_eq(mac)) {
        return Err(AppStateError::LtHash);
    }
    Ok(Applied {
        state: CollectionState { version, hash },
        mutations,
        macs: progress.into_macs(),
        missing_removals: 0,
    })
}

/// The keys a snapshot is sealed with that are not on the ring, each once.
///
/// # Errors
/// If the snapshot names no key, or too many records.
pub fn missing_snapshot_keys(
    snapshot: &SyncdSnapshot,
    keyring: &Keyring,
) -> Result<Vec<SyncKeyId>, AppStateError> {
    if snapshot.records.len() > MAX_SNAPSHOT_RECORDS {
        return Err(AppStateError::TooMany);
    }
    let whole = snapshot.key_id.as_ref().and_then(|key| key.id.as_ref());
    let whole = whole.ok_or(AppStateError::Incomplete)?;
    let each = snapshot.records.iter().filter_map(|record| record.key_id.as_ref()?.id.as_ref());
    Ok(missing(std::iter::once(whole).chain(each).map(AsRef::as_ref), keyring))
}
