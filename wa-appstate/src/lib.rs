//! WhatsApp's app state: what the devices of one account keep in common, settings of chats and
//! contacts and the like, as collections that the server stores and cannot read.
//!
//! A collection is at a version. A [patch](pb::SyncdPatch) of encrypted mutations takes it to the
//! next one, a [snapshot](pb::SyncdSnapshot) takes a newcomer to any. Every mutation carries a MAC
//! over its value and one over its index; the homomorphic [`LtHash`] over all value MACs tells
//! whether two devices hold the same, and is itself under the MACs of patch and snapshot.
//!
//! Pure values: nothing here stores, fetches, waits or knows what an index or a value means. A
//! patch is applied to a copy, and the new state is handed back only if every MAC held.
//!
//! ```
//! use std::collections::HashMap;
//! use rand::SeedableRng as _;
//! use wa_appstate::{Collection, CollectionState, Keyring, Mutation, SyncKeyId, apply_patch, build_patch};
//! use wa_proto::pb::SyncActionValue;
//!
//! let id = SyncKeyId::new(vec![0, 0, 1]);
//! let keys = Keyring::from_iter([(id.clone(), [7; 32])]);
//! let mute = Mutation::set(br#"["mute","1@lid"]"#.to_vec(), SyncActionValue::default(), 2);
//! let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
//!
//! let start = CollectionState::EMPTY;
//! let none = HashMap::new();
//! let built =
//!     build_patch(Collection::RegularHigh, &start, &[mute], &keys, &id, &none, &mut rng)?;
//! let read = apply_patch(Collection::RegularHigh, &start, &built.patch, &keys, &none)?;
//! assert_eq!(read.state, built.applied.state);
//! assert_eq!(read.mutations[0].index, br#"["mute","1@lid"]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod error;
pub mod fuzzing;
mod keys;
mod limits;
mod lt_hash;
mod mutation;
mod patch;
mod recovery;
mod snapshot;
mod state;

pub use build::{BuildError, BuiltPatch, build_patch, build_snapshot};
pub use error::{AppStateError, MutationError};
pub use keys::{Keyring, MutationKeys, SYNC_KEY_LEN, SyncKeyId};
pub use limits::{
    MAX_INDEX_LEN, MAX_KEY_ID_LEN, MAX_MUTATIONS, MAX_SNAPSHOT_RECORDS, MAX_VALUE_LEN,
};
pub use lt_hash::{LT_HASH_LEN, LtHash};
pub use mutation::{IndexMac, Mutation, Operation, ValueMac};
pub use patch::{apply_patch, index_macs, missing_keys};
pub use recovery::{recover, write_recovery};
pub use snapshot::{apply_snapshot, missing_snapshot_keys};
pub use state::{Applied, CollectionState, MacChange};
pub use wa_proto::{app_state::Collection, pb};
