//! The entry point for fuzzing; total over any bytes.
//!
//! Takes foreign bytes to where a client would, with a fixed key. Not part of the protocol and of
//! no use to a client.

use std::{collections::HashMap, sync::OnceLock};

use prost::Message as _;
use wa_proto::pb::{SyncdPatch, SyncdSnapshot, SyncdSnapshotRecovery};

use crate::{
    Collection, CollectionState, Keyring, SyncKeyId, apply_patch, apply_snapshot, index_macs,
    recover,
};

/// Takes the bytes for a patch, a snapshot and a phone's copy.
pub fn app_state(bytes: &[u8]) {
    static KEYS: OnceLock<Keyring> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let ids = [vec![], vec![0], vec![0, 0, 0, 0, 0, 1]];
        ids.into_iter().map(|id| (SyncKeyId::new(id), [7; 32])).collect()
    });
    let collection = Collection::RegularLow;
    if let Ok(patch) = SyncdPatch::decode(bytes) {
        let previous: HashMap<_, _> = HashMap::new();
        let _ = index_macs(&patch);
        let _ = apply_patch(collection, &CollectionState::EMPTY, &patch, keys, &previous);
    }
    if let Ok(snapshot) = SyncdSnapshot::decode(bytes) {
        let _ = apply_snapshot(collection, &snapshot, keys);
    }
    if let Ok(recovery) = SyncdSnapshotRecovery::decode(bytes) {
        let _ = recover(collection, &recovery, keys);
    }
}
