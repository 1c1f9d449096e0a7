//! Random changes by two devices through one server: they end alike, and nothing that was changed
//! on the way is believed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use prost::Message as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use wa_appstate::{
    Applied, Collection, CollectionState, IndexMac, Keyring, LtHash, Mutation, Operation,
    SyncKeyId, ValueMac, apply_patch, apply_snapshot, build_patch, build_snapshot, index_macs,
    pb::{SyncActionValue, SyncdPatch, SyncdVersion, sync_action_value::PinAction},
    recover, write_recovery,
};

const COLLECTION: Collection = Collection::RegularLow;

/// A device: what it remembers, and what stands in the collection by its account.
#[derive(Clone, Default)]
struct Device {
    state: Option<CollectionState>,
    macs: HashMap<IndexMac, ValueMac>,
    values: BTreeMap<Vec<u8>, Mutation>,
}

impl Device {
    fn state(&self) -> CollectionState {
        self.state.unwrap_or(CollectionState::EMPTY)
    }

    fn keep(&mut self, applied: Applied) {
        self.state = Some(applied.state);
        for change in applied.macs {
            match change.value {
                Some(mac) => drop(self.macs.insert(change.index, mac)),
                None => drop(self.macs.remove(&change.index)),
            }
        }
        for mutation in applied.mutations {
            match mutation.operation {
                Operation::Set => drop(self.values.insert(mutation.index.clone(), mutation)),
                Operation::Remove => drop(self.values.remove(&mutation.index)),
            }
        }
        let anew = self.macs.values().fold(LtHash::EMPTY, LtHash::adding);
        assert!(anew == self.state().hash);
    }

    fn follow(&mut self, patches: &[SyncdPatch]) {
        let held = usize::try_from(self.state().version).unwrap();
        for patch in &patches[held..] {
            // Only what the patch touches is looked up, as from a store.
            let touched = index_macs(patch);
            let known = touched.iter().filter_map(|mac| Some((*mac, *self.macs.get(mac)?)));
            let known = known.collect();
            let applied = apply_patch(COLLECTION, &self.state(), patch, &keys(), &known).unwrap();
            self.keep(applied);
        }
    }
}

fn keys() -> Keyring {
    [(key_id(0), [7; 32]), (key_id(1), [8; 32])].into_iter().collect()
}

fn key_id(epoch: u8) -> SyncKeyId {
    SyncKeyId::new([0, 0, 0, 0, 0, epoch])
}

fn mutation(removes: bool, which: u8, value: u8) -> Mutation {
    let index = format!(r#"["pin_v1","{which}@lid"]"#).into_bytes();
    let pin = PinAction { pinned: Some(value.is_multiple_of(2)) };
    let value = SyncActionValue {
        timestamp: Some(i64::from(value)),
        pin_action: (!removes).then_some(pin),
        ..Default::default()
    };
    if removes { Mutation::remove(index, value, 5) } else { Mutation::set(index, value, 5) }
}

/// Who, with which key, sets or removes what.
type Change = (bool, bool, Vec<(bool, u8, u8)>);

fn run(changes: &[Change], rng: &mut ChaCha20Rng) -> (Vec<SyncdPatch>, [Device; 2]) {
    let mut patches = Vec::new();
    let mut devices = [Device::default(), Device::default()];
    for (who, newer_key, mutations) in changes {
        let device = &mut devices[usize::from(*who)];
        device.follow(&patches);
        let mutations: Vec<_> = mutations
            .iter()
            .map(|&(removes, which, value)| mutation(removes, which % 6, value))
            .collect();
        let key = key_id(u8::from(*newer_key));
        let built =
            build_patch(COLLECTION, &device.state(), &mutations, &keys(), &key, &device.macs, rng)
                .unwrap();
        let version = built.applied.state.version;
        device.keep(built.applied);
        // The server numbers the patch, and it crosses the wire.
        let mut patch = built.patch;
        patch.version = Some(SyncdVersion { version: Some(version) });
        patches.push(SyncdPatch::decode(patch.encode_to_vec().as_slice()).unwrap());
    }
    devices.iter_mut().for_each(|device| device.follow(&patches));
    (patches, devices)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_devices_end_alike_and_a_newcomer_with_them(
        changes in prop::collection::vec(
            (any::<bool>(), any::<bool>(), prop::collection::vec(any::<(bool, u8, u8)>(), 1..5)),
            0..12,
        ),
        seed: u64,
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (_, [one, other]) = run(&changes, &mut rng);
        prop_assert_eq!(one.state(), other.state());
        prop_assert_eq!(&one.values, &other.values);
        let values: Vec<_> = one.values.values().cloned().collect();
        let version = one.state().version;
        let (snapshot, kept) =
            build_snapshot(COLLECTION, version, &values, &keys(), &key_id(1), &mut rng).unwrap();
        let read = apply_snapshot(COLLECTION, &snapshot, &keys()).unwrap();
        prop_assert_eq!(&read, &kept);
        prop_assert_eq!(read.mutations, values);
    }

    #[test]
    fn a_bit_that_was_flipped_on_the_way_is_noticed(
        mutations in prop::collection::vec(any::<(bool, u8, u8)>(), 1..4),
        place: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (mut patches, _) = run(&[(false, false, mutations)], &mut rng);
        let patch = patches.pop().unwrap();
        let mut bytes = patch.encode_to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let Ok(changed) = SyncdPatch::decode(bytes.as_slice()) else { return Ok(()) };
        // A changed tag may hide an optional field, which is as if it had been left out.
        prop_assume!(changed != patch && changed.version.is_some());
        let applied = apply_patch(COLLECTION, &CollectionState::EMPTY, &changed, &keys(), &HashMap::new());
        let same = apply_patch(COLLECTION, &CollectionState::EMPTY, &patch, &keys(), &HashMap::new()).unwrap();
        // What is not under a MAC, such as debug data, does not change what is read.
        prop_assert!(applied.is_err() || applied.unwrap() == same);
    }
}

#[test]
fn a_version_that_was_had_before_is_refused_and_one_too_far_as_well() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let change = (false, false, vec![(false, 1, 1)]);
    let (patches, [device, _]) = run(&[change.clone(), change], &mut rng);
    let none = HashMap::new();
    let again = apply_patch(COLLECTION, &device.state(), &patches[0], &keys(), &none);
    assert_eq!(again, Err(wa_appstate::AppStateError::Rollback { held: 2, found: 1 }));
    let skipped = apply_patch(COLLECTION, &CollectionState::EMPTY, &patches[1], &keys(), &none);
    assert_eq!(skipped, Err(wa_appstate::AppStateError::Gap { held: 0, found: 2 }));
}

#[test]
fn a_patch_of_another_collection_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (patches, _) = run(&[(false, false, vec![(false, 1, 1)])], &mut rng);
    let none = HashMap::new();
    let moved =
        apply_patch(Collection::Regular, &CollectionState::EMPTY, &patches[0], &keys(), &none);
    assert!(matches!(moved, Err(wa_appstate::AppStateError::LtHash)));
}

#[test]
fn the_phones_copy_brings_a_device_to_the_phones_state() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let values = [mutation(false, 1, 2), mutation(false, 2, 3)];
    let (_, phone) = build_snapshot(COLLECTION, 9, &values, &keys(), &key_id(0), &mut rng).unwrap();
    let id = key_id(0);
    let macs: Vec<_> = phone.macs.iter().filter_map(|change| change.value).collect();
    let copy = write_recovery(
        COLLECTION,
        &phone.state,
        values.iter().zip(&macs).map(|(value, mac)| (value, &id, mac)),
    );
    let read = recover(COLLECTION, &copy, &keys()).unwrap();
    assert_eq!(read, phone);
    let elsewhere = recover(Collection::Regular, &copy, &keys());
    assert_eq!(elsewhere, Err(wa_appstate::AppStateError::Incomplete));
}
