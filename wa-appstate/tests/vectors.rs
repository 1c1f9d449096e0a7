//! Keys, hashes, snapshots and patches made by other implementations.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::HashMap, env, fs, path::PathBuf};

use prost::Message as _;
use serde::Deserialize;
use wa_appstate::{
    AppStateError, Applied, Collection, CollectionState, IndexMac, Keyring, LtHash, Mutation,
    MutationError, MutationKeys, Operation, SyncKeyId, ValueMac, apply_patch, apply_snapshot,
    pb::{SyncActionData, SyncdPatch, SyncdSnapshot},
};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Case {
    KeyExpansion(Expansion),
    LtHash { base: Hex, subtract: Vec<Hex>, add: Vec<Hex>, result: Hex },
    Sequence(Sequence),
    Invalid(Refused),
    Disputed(Refused),
}

#[derive(Deserialize)]
struct Expansion {
    key_data: Hex,
    index: Hex,
    value_encryption: Hex,
    value_mac: Hex,
    snapshot_mac: Hex,
    patch_mac: Hex,
}

#[derive(Deserialize)]
struct Sequence {
    name: String,
    collection: String,
    keys: HashMap<String, Hex>,
    snapshot: Option<Step>,
    patches: Vec<Step>,
    r#final: State,
}

#[derive(Deserialize)]
struct Step {
    version: u64,
    bytes: Hex,
    #[serde(default, alias = "records")]
    mutations: Vec<Said>,
    lt_hash: Option<Hex>,
}

#[derive(Deserialize)]
struct Said {
    operation: Option<String>,
    index: Vec<String>,
    version: i32,
    plaintext: Option<Hex>,
}

#[derive(Deserialize)]
struct State {
    hash: Hex,
    version: u64,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    reason: String,
    collection: String,
    keys: HashMap<String, Hex>,
    snapshot: Option<Hex>,
    #[serde(default)]
    patches: Vec<Hex>,
    #[serde(default)]
    valid_patches: usize,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

impl Hex {
    fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().unwrap()
    }
}

/// A device that follows a collection.
struct Follower {
    collection: Collection,
    keys: Keyring,
    state: CollectionState,
    macs: HashMap<IndexMac, ValueMac>,
}

impl Follower {
    fn new(collection: &str, keys: &HashMap<String, Hex>) -> Self {
        let keys =
            keys.iter().map(|(id, data)| (SyncKeyId::new(hex::decode(id).unwrap()), data.array()));
        Self {
            collection: collection.parse().unwrap(),
            keys: keys.collect(),
            state: CollectionState::EMPTY,
            macs: HashMap::new(),
        }
    }

    fn snapshot(&mut self, bytes: &[u8]) -> Result<Vec<Mutation>, AppStateError> {
        let snapshot = SyncdSnapshot::decode(bytes).unwrap();
        let applied = apply_snapshot(self.collection, &snapshot, &self.keys)?;
        self.macs.clear();
        Ok(self.keep(applied))
    }

    fn patch(&mut self, bytes: &[u8]) -> Result<Vec<Mutation>, AppStateError> {
        let patch = SyncdPatch::decode(bytes).unwrap();
        let applied = apply_patch(self.collection, &self.state, &patch, &self.keys, &self.macs)?;
        Ok(self.keep(applied))
    }

    fn keep(&mut self, applied: Applied) -> Vec<Mutation> {
        self.state = applied.state;
        for change in applied.macs {
            match change.value {
                Some(mac) => drop(self.macs.insert(change.index, mac)),
                None => drop(self.macs.remove(&change.index)),
            }
        }
        // The hash over what is remembered is the hash that was carried along.
        let anew = self.macs.values().fold(LtHash::EMPTY, LtHash::adding);
        assert!(anew == self.state.hash, "the hash from scratch");
        applied.mutations
    }
}

fn check_step(name: &str, step: &Step, said: &[Mutation], state: &CollectionState) {
    assert_eq!(state.version, step.version, "{name}");
    if let Some(hash) = &step.lt_hash {
        assert_eq!(state.hash.as_bytes(), &hash.array(), "{name}");
    }
    assert_eq!(said.len(), step.mutations.len(), "{name}");
    for (mutation, expected) in said.iter().zip(&step.mutations) {
        let operation = match expected.operation.as_deref() {
            Some("REMOVE") => Operation::Remove,
            _ => Operation::Set,
        };
        assert_eq!(mutation.operation, operation, "{name}");
        let index: Vec<String> = serde_json::from_slice(&mutation.index).unwrap();
        assert_eq!((&index, mutation.action_version), (&expected.index, expected.version));
        if let Some(plaintext) = &expected.plaintext {
            let data = SyncActionData::decode(plaintext.0.as_slice()).unwrap();
            assert_eq!(data.index.unwrap(), mutation.index, "{name}");
            assert_eq!(data.value.unwrap_or_default(), mutation.value, "{name}");
        }
    }
}

fn check_sequence(case: &Sequence) {
    let name = case.name.as_str();
    let mut follower = Follower::new(&case.collection, &case.keys);
    if let Some(step) = &case.snapshot {
        let said = follower.snapshot(&step.bytes.0).unwrap();
        assert_eq!(follower.state.version, step.version, "{name}");
        assert!(step.mutations.is_empty() || said.len() == step.mutations.len(), "{name}");
    }
    for step in &case.patches {
        let said = follower.patch(&step.bytes.0).unwrap_or_else(|error| panic!("{name}: {error}"));
        check_step(name, step, &said, &follower.state);
    }
    let last = &case.r#final;
    assert_eq!(follower.state.version, last.version, "{name}");
    assert_eq!(follower.state.hash.as_bytes(), &last.hash.array(), "{name}");
}

/// What the last step of a case ends in, after all before it held.
fn last_step(case: &Refused) -> Result<(), AppStateError> {
    let mut follower = Follower::new(&case.collection, &case.keys);
    if let Some(bytes) = &case.snapshot {
        return follower.snapshot(&bytes.0).map(drop);
    }
    let (valid, rest) = case.patches.split_at(case.valid_patches);
    for bytes in valid {
        follower.patch(&bytes.0).unwrap();
    }
    let before = follower.state;
    let outcome = rest.iter().try_for_each(|bytes| follower.patch(&bytes.0).map(drop));
    assert!(outcome.is_ok() || follower.state == before, "{}: nothing may change", case.name);
    outcome
}

fn fits(error: &AppStateError, reason: &str) -> bool {
    let cause = match error {
        AppStateError::LtHash => ["LT hash", "snapshot MAC"].as_slice(),
        AppStateError::PatchMac => &["patch MAC"],
        AppStateError::MissingKey(_) => &["key not known"],
        // A version that was raised is noticed before its MACs are looked at.
        AppStateError::Gap { .. } => &["patch MAC"],
        AppStateError::Mutation { source: MutationError::ValueMac, .. } => {
            &["value MAC", "patch MAC or LT hash", "snapshot MAC"]
        }
        AppStateError::Mutation { source: MutationError::IndexMac, .. } => &["index MAC"],
        _ => &[],
    };
    cause.iter().any(|cause| reason.contains(cause))
}

#[test]
fn vectors_app_state() {
    let folder = env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join("app-state.json")).unwrap();
    let File { cases } = serde_json::from_str(&text).unwrap();
    let mut disputed = 0;
    for case in &cases {
        match case {
            Case::KeyExpansion(case) => {
                let keys = MutationKeys::expand(&case.key_data.array());
                assert_eq!(keys.index, case.index.array());
                assert_eq!(keys.value_encryption, case.value_encryption.array());
                assert_eq!(keys.value_mac, case.value_mac.array());
                assert_eq!(keys.snapshot_mac, case.snapshot_mac.array());
                assert_eq!(keys.patch_mac, case.patch_mac.array());
            }
            Case::LtHash { base, subtract, add, result } => {
                let mac = |mac: &Hex| ValueMac::from_bytes(mac.array());
                let hash = LtHash::from_bytes(base.array());
                let hash = subtract.iter().map(mac).fold(hash, |hash, mac| hash.removing(&mac));
                let hash = add.iter().map(mac).fold(hash, |hash, mac| hash.adding(&mac));
                assert_eq!(hash.as_bytes(), &result.array());
            }
            Case::Sequence(case) => check_sequence(case),
            Case::Invalid(case) => {
                let error = last_step(case).unwrap_err();
                assert!(fits(&error, &case.reason), "{}: {error:?}", case.name);
            }
            // Taking away what is not there is no error: the hash agrees that it was not.
            Case::Disputed(case) => {
                disputed += 1;
                assert_eq!(last_step(case), Ok(()), "{}", case.name);
            }
        }
    }
    assert!(cases.len() > 40 && disputed == 1);
}
