//! Help for a companion whose collection does not add up: the phone's own copy, in plain.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use prost::Message as _;
use wa_appstate::{IndexMac, write_recovery};
use wa_proto::{
    app_state::Collection,
    pb::message::{
        PeerDataOperationRequestMessage,
        peer_data_operation_request_response_message::{
            PeerDataOperationResult, peer_data_operation_result::SyncDSnapshotFatalRecoveryResponse,
        },
    },
};

use super::Endpoint;

impl Endpoint {
    /// The copy of the collection a companion asks for; `None` if the phone does not help.
    pub(in crate::phone::endpoint) fn recovery_of(
        &mut self,
        request: &PeerDataOperationRequestMessage,
    ) -> Option<PeerDataOperationResult> {
        self.app_state.synced.recoveries += 1;
        if self.app_state.is_silent {
            return None;
        }
        let asked = request.syncd_collection_fatal_recovery_request.as_ref()?;
        let collection: Collection = asked.collection_name.as_deref()?.parse().ok()?;
        let followed = self.app_state.collections.get(&collection)?;
        let keyring = self.keyring();
        let sealed = followed.values.values().filter_map(|value| {
            self.app_state.keys.iter().rev().find_map(|key| {
                let index = IndexMac::of(&value.index, keyring.find(key.id.as_bytes())?);
                Some((value, &key.id, followed.macs.get(&index)?))
            })
        });
        let copy = write_recovery(collection, &followed.state, sealed);
        let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
        zipped.write_all(&copy.encode_to_vec()).ok()?;
        Some(PeerDataOperationResult {
            syncd_snapshot_fatal_recovery_response: Some(SyncDSnapshotFatalRecoveryResponse {
                collection_snapshot: Some(zipped.finish().ok()?.into()),
                is_compressed: Some(true),
            }),
            ..Default::default()
        })
    }
}
