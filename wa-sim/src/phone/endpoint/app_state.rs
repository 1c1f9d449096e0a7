//! The phone's part in the app state: it makes the keys and shares them with its companions, makes
//! patches and follows those of others, and helps a companion whose collections do not add up.
//! Knows nothing of what a person sees of it (see `synced`).

mod keys;
mod recovery;

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;
use rand_core::Rng as _;
use wa_appstate::{
    Applied, CollectionState, IndexMac, Keyring, LtHash, Mutation, Operation, SYNC_KEY_LEN,
    SyncKeyId, ValueMac, apply_patch, build_patch,
};
use wa_media::MediaType;
use wa_proto::{
    Node,
    app_state::{Collection, SyncAction, SyncIndex, SyncOperation},
    pb::{ExternalBlobReference, SyncActionValue, SyncdMutations},
};

use super::{Endpoint, media::upload, synced::Synced};
use crate::server::{Server, app_state::PushError};

/// How often a patch is built anew because another device's came first.
const MAX_CONFLICTS: usize = 8;

/// More mutations than this are left with the media host.
const MAX_INLINE: usize = 50;

/// A key as the phone made it.
#[derive(Clone)]
struct SharedKey {
    id: SyncKeyId,
    data: [u8; SYNC_KEY_LEN],
    /// In milliseconds since 1970.
    timestamp: i64,
    /// The companions there were when it was made, by key index.
    devices: Vec<u32>,
}

/// A collection as the phone follows it.
struct Followed {
    state: CollectionState,
    macs: HashMap<IndexMac, ValueMac>,
    /// What stands in it, by index.
    values: BTreeMap<Vec<u8>, Mutation>,
}

/// All the phone knows of the app state.
#[derive(Default)]
pub(crate) struct AppState {
    keys: Vec<SharedKey>,
    collections: BTreeMap<Collection, Followed>,
    /// Whether companions are told no keys by themselves.
    pub(crate) withholds_keys: bool,
    /// Whether companions' requests for keys and for help go unanswered.
    pub(crate) is_silent: bool,
    pub(crate) synced: Synced,
}

impl Default for Followed {
    fn default() -> Self {
        Self { state: CollectionState::EMPTY, macs: HashMap::new(), values: BTreeMap::new() }
    }
}

impl Followed {
    fn keep(&mut self, applied: &Applied) {
        self.state = applied.state;
        for change in &applied.macs {
            match change.value {
                Some(mac) => drop(self.macs.insert(change.index, mac)),
                None => drop(self.macs.remove(&change.index)),
            }
        }
        for mutation in &applied.mutations {
            match mutation.operation {
                Operation::Set => {
                    drop(self.values.insert(mutation.index.clone(), mutation.clone()));
                }
                Operation::Remove => drop(self.values.remove(&mutation.index)),
            }
        }
    }
}

impl Endpoint {
    fn keyring(&self) -> Keyring {
        self.app_state.keys.iter().map(|key| (key.id.clone(), key.data)).collect()
    }

    /// Tells the other devices something; what is of one collection goes into one patch.
    pub(crate) fn sync_actions(&mut self, server: &mut Server, actions: &[SyncAction]) {
        let now = i64::try_from(server.now).unwrap_or_default().saturating_mul(1_000);
        let mut by_collection: BTreeMap<Collection, Vec<Mutation>> = BTreeMap::new();
        for action in actions {
            let record = action.to_record(now);
            let mutation = Mutation {
                operation: match record.operation {
                    SyncOperation::Set => Operation::Set,
                    SyncOperation::Remove => Operation::Remove,
                },
                index: record.index.to_json(),
                value: record.value,
                action_version: record.action_version,
            };
            by_collection.entry(action.entry().collection()).or_default().push(mutation);
        }
        for (collection, mutations) in by_collection {
            self.push_mutations(server, collection, &mutations);
        }
    }

    /// Removes an entry.
    pub(crate) fn remove_entry(
        &mut self,
        server: &mut Server,
        collection: Collection,
        index: &SyncIndex,
    ) {
        let removal = Mutation::remove(index.to_json(), SyncActionValue::default(), 1);
        self.push_mutations(server, collection, &[removal]);
    }

    fn push_mutations(
        &mut self,
        server: &mut Server,
        collection: Collection,
        mutations: &[Mutation],
    ) {
        let key = self.newest_key(server);
        let keyring = self.keyring();
        for _ in 0..MAX_CONFLICTS {
            self.follow(server, collection);
            let followed = self.app_state.collections.entry(collection).or_default();
            let built = build_patch(
                collection,
                &followed.state,
                mutations,
                &keyring,
                &key,
                &followed.macs,
                &mut server.rng,
            );
            let Ok(mut built) = built else { return };
            let version = followed.state.version;
            if built.patch.mutations.len() > MAX_INLINE {
                let outside =
                    SyncdMutations { mutations: std::mem::take(&mut built.patch.mutations) };
                let blob = self.leave(server, &outside.encode_to_vec());
                built.patch.external_mutations = blob;
            }
            let bytes = built.patch.encode_to_vec().into();
            match server.push_app_state(self.address, collection, version, bytes) {
                Ok(_) => {
                    let followed = self.app_state.collections.entry(collection).or_default();
                    followed.keep(&built.applied);
                    self.show(server, &built.applied.mutations, true);
                    return;
                }
                Err(PushError::Conflict(_)) => {}
                Err(PushError::Malformed) => return,
            }
        }
    }

    fn leave(&self, server: &mut Server, bytes: &[u8]) -> Option<ExternalBlobReference> {
        let uploaded = upload(&mut server.rng, &self.media, MediaType::AppState, bytes).ok()?;
        Some(uploaded.to_blob_reference())
    }

    /// A notice that collections have news.
    pub(super) fn take_server_sync(&mut self, server: &mut Server, node: &Node<'_>) {
        let names = node.find_all("collection").filter_map(|node| node.attrs.text("name"));
        let collections: Vec<Collection> = names.filter_map(|name| name.parse().ok()).collect();
        for collection in collections {
            self.follow(server, collection);
        }
    }

    /// Reads the patches of others.
    fn follow(&mut self, server: &mut Server, collection: Collection) {
        loop {
            let held = self
                .app_state
                .collections
                .get(&collection)
                .map_or(0, |followed| followed.state.version);
            let news = server.app_state_news(self.address.account, collection, held, false);
            if news.patches.is_empty() {
                return;
            }
            let keyring = self.keyring();
            for mut patch in news.patches {
                let Some(mutations) = server.mutations_of(&patch) else { return };
                (patch.mutations, patch.external_mutations) = (mutations, None);
                let followed = self.app_state.collections.entry(collection).or_default();
                let applied =
                    apply_patch(collection, &followed.state, &patch, &keyring, &followed.macs);
                match applied {
                    Ok(applied) => {
                        followed.keep(&applied);
                        self.show(server, &applied.mutations, false);
                    }
                    Err(error) => {
                        tracing::warn!(%collection, %error, "a companion's patch is refused");
                        self.app_state.synced.refused += 1;
                        return;
                    }
                }
            }
        }
    }

    /// Does what mutations say.
    fn show(&mut self, server: &mut Server, mutations: &[Mutation], own: bool) {
        for mutation in mutations {
            let Ok(index) = SyncIndex::parse(&mutation.index) else { continue };
            let operation = match mutation.operation {
                Operation::Set => SyncOperation::Set,
                Operation::Remove => SyncOperation::Remove,
            };
            let action = SyncAction::read(operation, index, mutation.value.clone());
            self.take_action(server, &action, own);
        }
    }

    /// From now on the phone's hash of a collection is wrong, and so is that of all its patches:
    /// nobody else can reach it by adding up values.
    pub(crate) fn spoil_hash(&mut self, server: &mut Server, collection: Collection) {
        self.follow(server, collection);
        let mut noise = [0; 128];
        server.rng.fill_bytes(&mut noise);
        let followed = self.app_state.collections.entry(collection).or_default();
        followed.state.hash = LtHash::from_bytes(noise);
    }

    /// The version of a collection that the phone is at.
    pub(crate) fn collection_version(&self, collection: Collection) -> u64 {
        self.app_state.collections.get(&collection).map_or(0, |kept| kept.state.version)
    }
}
