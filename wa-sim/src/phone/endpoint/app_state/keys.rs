//! The keys of the app state: made by the phone, shared with companions when they are linked, and
//! again when they ask.

use rand_core::Rng as _;
use wa_appstate::SyncKeyId;
use wa_proto::{
    Content,
    content::{MessageContext, Protocol},
    pb::message::{
        AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
        AppStateSyncKeyRequest, AppStateSyncKeyShare,
    },
};

use super::{Endpoint, SharedKey};
use crate::{address::DeviceAddress, phone::endpoint::send::fresh_message_id, server::Server};

/// The most keys a phone makes.
const MAX_KEYS: usize = 1_000;

impl Endpoint {
    /// The key that is used now; one is made if there is none.
    pub(super) fn newest_key(&mut self, server: &mut Server) -> SyncKeyId {
        if self.app_state.keys.is_empty() {
            self.make_sync_key(server);
        }
        let newest = self.app_state.keys.last();
        newest.map_or_else(|| SyncKeyId::new(Vec::new()), |key| key.id.clone())
    }

    /// Makes a further key, which is used from now on, and tells nobody yet.
    pub(crate) fn make_sync_key(&mut self, server: &mut Server) {
        if self.app_state.keys.len() >= MAX_KEYS {
            return;
        }
        let epoch = u32::try_from(self.app_state.keys.len()).unwrap_or(u32::MAX) + 1;
        let id = [&[0, 0][..], &epoch.to_be_bytes()].concat();
        let mut data = [0; 32];
        server.rng.fill_bytes(&mut data);
        let now = i64::try_from(server.now).unwrap_or_default();
        // Keys of one second are told apart by their order.
        let timestamp = now.saturating_mul(1_000).saturating_add(i64::from(epoch));
        let devices = server.key_indexes(self.address.account);
        self.app_state.keys.push(SharedKey { id: SyncKeyId::new(id), data, timestamp, devices });
    }

    /// Tells a companion all keys.
    pub(crate) fn share_sync_keys(&mut self, server: &mut Server, to: DeviceAddress) {
        self.newest_key(server);
        let keys = self.app_state.keys.iter().map(|key| self.key_to_share(key)).collect();
        self.send_keys(server, to, keys);
    }

    /// Tells a companion that is new all keys, unless it is to go without.
    pub(crate) fn welcome_with_keys(&mut self, server: &mut Server, to: DeviceAddress) {
        if !self.app_state.withholds_keys {
            self.share_sync_keys(server, to);
        }
    }

    /// Answers a companion that asks for keys; those the phone has not got come without data.
    pub(in crate::phone::endpoint) fn answer_key_request(
        &mut self,
        server: &mut Server,
        from: DeviceAddress,
        request: &AppStateSyncKeyRequest,
    ) {
        self.app_state.synced.key_requests += 1;
        if self.app_state.is_silent {
            return;
        }
        let asked = request.key_ids.iter().take(MAX_KEYS).filter_map(|id| id.key_id.clone());
        let keys = asked
            .map(|id| {
                let known = self.app_state.keys.iter().find(|key| key.id.as_bytes() == id.as_ref());
                known.map_or_else(
                    || AppStateSyncKey {
                        key_id: Some(AppStateSyncKeyId { key_id: Some(id.clone()) }),
                        key_data: None,
                    },
                    |key| self.key_to_share(key),
                )
            })
            .collect();
        self.send_keys(server, from, keys);
    }

    fn key_to_share(&self, key: &SharedKey) -> AppStateSyncKey {
        let fingerprint = AppStateSyncKeyFingerprint {
            raw_id: Some(self.raw_id),
            current_index: key.devices.iter().copied().max(),
            device_indexes: key.devices.clone(),
        };
        AppStateSyncKey {
            key_id: Some(AppStateSyncKeyId { key_id: Some(key.id.as_bytes().to_vec().into()) }),
            key_data: Some(AppStateSyncKeyData {
                key_data: Some(key.data.to_vec().into()),
                fingerprint: Some(fingerprint),
                timestamp: Some(key.timestamp),
            }),
        }
    }

    fn send_keys(&mut self, server: &mut Server, to: DeviceAddress, keys: Vec<AppStateSyncKey>) {
        let share = Protocol::AppStateKeyShare(AppStateSyncKeyShare { keys });
        let Ok(message) = Content::Protocol(share).to_message(&MessageContext::default()) else {
            return;
        };
        let id = fresh_message_id(server);
        self.send_to_companion(server, to, id, &message);
    }
}
