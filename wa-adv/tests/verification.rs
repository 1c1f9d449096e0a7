//! What a lying server may try with device identities and key index lists.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use wa_adv::{
    AccountKey, Address, AdvanceError, DeviceDetails, DeviceIdentityError, KeyIndexError,
    KeyIndexList, KnownDevices, MAX_KEY_INDEXES, NotVouched, SealError, SignedDeviceIdentity,
    open_identity, seal_identity,
};
use wa_crypto::KeyPair;
use wa_proto::pb;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn pair(seed: u64) -> KeyPair {
    KeyPair::random(&mut rng(seed))
}

fn key(pair: &KeyPair) -> AccountKey {
    AccountKey::new(pair.public)
}

fn details(key_index: u32) -> DeviceDetails {
    DeviceDetails { raw_id: 5, timestamp: 1_700_000_000, key_index, ..DeviceDetails::default() }
}

/// A device identity that holds.
fn identity(account: &KeyPair, device: &KeyPair, key_index: u32) -> SignedDeviceIdentity {
    let signed =
        SignedDeviceIdentity::sign(&details(key_index), &device.public, account, &mut rng(3));
    signed.countersign(device, &mut rng(4)).unwrap()
}

fn list(account: &KeyPair, timestamp: u64, current: u32, valid: &[u32]) -> KeyIndexList {
    let signed = KeyIndexList::sign(5, timestamp, current, valid, account, &mut rng(5));
    KeyIndexList::verify(&signed, &key(account)).unwrap()
}

#[test]
fn a_device_that_account_and_device_signed_is_vouched_for() {
    let (account, device) = (pair(1), pair(2));
    let shown = SignedDeviceIdentity::decode(&identity(&account, &device, 2).encode()).unwrap();
    let verified = shown.verify(&device.public, Address::Ordinary, &key(&account)).unwrap();
    let known = KnownDevices::new(key(&account)).advanced(list(&account, 9, 2, &[0, 2])).unwrap();
    let vouched = known.vouch(verified).unwrap();
    let vouched = vouched.device();
    assert_eq!((vouched.identity(), vouched.key_index()), (&device.public, 2));
    assert_eq!((known.lists(Some(2)), known.lists(None)), (Ok(()), Err(NotVouched::NotListed)));
}

#[test]
fn an_identity_that_came_without_its_accounts_key_is_told_it() {
    let (account, device) = (pair(1), pair(2));
    let bare = identity(&account, &device, 2).encode_for_phone();
    let bare = SignedDeviceIdentity::decode(&bare).unwrap();
    assert_eq!(bare.claimed_account_key(), None);
    let told = bare.with_account_key(key(&account));
    assert_eq!(told.claimed_account_key(), Some(key(&account)));
}

#[test]
fn a_key_of_the_servers_choice_is_nobodys_device() {
    let (account, device, server) = (pair(1), pair(2), pair(3));
    let true_one = identity(&account, &device, 1);
    // The true identity beside a key of the server's own.
    assert_eq!(
        true_one.verify(&server.public, Address::Ordinary, &key(&account)),
        Err(DeviceIdentityError::AccountSignature)
    );
    // An identity that the server signed as if it were the account.
    let forged = identity(&server, &server, 1);
    assert_eq!(
        forged.verify(&server.public, Address::Ordinary, &key(&account)),
        Err(DeviceIdentityError::OtherAccount)
    );
    // The same, under the account's name.
    let mut wire = pb::AdvSignedDeviceIdentity::default();
    prost::Message::merge(&mut wire, &forged.encode()[..]).unwrap();
    wire.account_signature_key = Some(account.public.as_bytes().to_vec().into());
    let renamed = SignedDeviceIdentity::decode(&prost::Message::encode_to_vec(&wire)).unwrap();
    assert_eq!(
        renamed.verify(&server.public, Address::Ordinary, &key(&account)),
        Err(DeviceIdentityError::AccountSignature)
    );
    // And without a name.
    wire.account_signature_key = None;
    let nameless = SignedDeviceIdentity::decode(&prost::Message::encode_to_vec(&wire)).unwrap();
    assert_eq!(
        nameless.verify(&server.public, Address::Ordinary, &key(&account)),
        Err(DeviceIdentityError::AccountSignature)
    );
}

#[test]
fn an_account_cannot_take_a_device_that_did_not_sign_back() {
    let (account, device, other) = (pair(1), pair(2), pair(3));
    let half = SignedDeviceIdentity::sign(&details(1), &device.public, &account, &mut rng(3));
    let verify = |signed: &SignedDeviceIdentity| {
        signed.verify(&device.public, Address::Ordinary, &key(&account))
    };
    assert_eq!(verify(&half), Err(DeviceIdentityError::DeviceSignature));
    assert_eq!(
        half.countersign(&other, &mut rng(4)).map(drop),
        Err(DeviceIdentityError::AccountSignature),
        "a device signs nothing that is not about itself"
    );
}

#[test]
fn every_byte_of_the_details_is_signed() {
    let (account, device) = (pair(1), pair(2));
    let whole = identity(&account, &device, 1);
    let mut wire = pb::AdvSignedDeviceIdentity::default();
    prost::Message::merge(&mut wire, &whole.encode()[..]).unwrap();
    let true_details = wire.details.clone().unwrap();
    for at in 0..true_details.len() {
        let mut altered = true_details.to_vec();
        *altered.get_mut(at).unwrap() ^= 1;
        wire.details = Some(altered.into());
        let verified = SignedDeviceIdentity::decode(&prost::Message::encode_to_vec(&wire))
            .and_then(|read| read.verify(&device.public, Address::Ordinary, &key(&account)));
        assert!(verified.is_err(), "byte {at}");
    }
}

#[test]
fn a_hosted_device_and_an_ordinary_one_do_not_pass_for_each_other() {
    let (account, device) = (pair(1), pair(2));
    let hosted = DeviceDetails { device_is_hosted: true, ..details(1) };
    let signed = SignedDeviceIdentity::sign(&hosted, &device.public, &account, &mut rng(3));
    let signed = signed.countersign_at(Address::Hosted, &device, &mut rng(4)).unwrap();
    let verify = |address| signed.verify(&device.public, address, &key(&account));
    let verified = verify(Address::Hosted).unwrap();
    assert_eq!(verify(Address::Ordinary), Err(DeviceIdentityError::DeviceSignature));
    let ordinary = identity(&account, &device, 1);
    assert_eq!(
        ordinary.verify(&device.public, Address::Hosted, &key(&account)),
        Err(DeviceIdentityError::DeviceSignature)
    );
    // Where an account has no list, its hosted device is vouched for by its signature alone.
    let known = KnownDevices::new(key(&account));
    assert!(known.vouch(verified).is_ok());
    let known = known.advanced(list(&account, 9, 3, &[0, 3])).unwrap();
    assert_eq!(known.vouch(verified), Err(NotVouched::NotListed));
    let elsewhere = KnownDevices::new(key(&pair(7)));
    assert_eq!(elsewhere.vouch(verified), Err(NotVouched::OtherAccount));
}

#[test]
fn without_a_list_nothing_but_the_phone_is_vouched_for() {
    let (account, device) = (pair(1), pair(2));
    let verified = identity(&account, &device, 1)
        .verify(&device.public, Address::Ordinary, &key(&account))
        .unwrap();
    let known = KnownDevices::new(key(&account));
    assert_eq!(known.vouch(verified), Err(NotVouched::NoList));
    assert_eq!(known.lists(Some(1)), Err(NotVouched::NoList));
}

#[test]
fn an_unlinked_device_does_not_come_back_with_an_old_list() {
    let (account, device) = (pair(1), pair(2));
    let verified = identity(&account, &device, 2)
        .verify(&device.public, Address::Ordinary, &key(&account))
        .unwrap();
    let old = list(&account, 100, 2, &[0, 1, 2]);
    let known = KnownDevices::new(key(&account)).advanced(old.clone()).unwrap();
    assert!(known.vouch(verified).is_ok());
    let known = known.advanced(list(&account, 101, 2, &[0, 1])).unwrap();
    assert_eq!(known.advanced(old.clone()), Err(AdvanceError::Older));
    assert_eq!(known.vouch(verified), Err(NotVouched::NotListed));
    // Not in the same second either.
    let known = KnownDevices::new(key(&account)).advanced(old.clone()).unwrap();
    let known = known.advanced(list(&account, 100, 2, &[0, 1])).unwrap();
    assert_eq!(known.advanced(old), Err(AdvanceError::Older));
    // What it says twice, it says.
    assert!(known.advanced(list(&account, 100, 2, &[0, 1])).is_ok());
}

#[test]
fn a_device_linked_after_the_list_was_signed_is_allowed() {
    let account = pair(1);
    let list = list(&account, 9, 5, &[0, 2]);
    let allowed: Vec<u32> = (0..8).filter(|index| list.allows(*index)).collect();
    assert_eq!(allowed, [0, 2, 6, 7]);
    assert_eq!(list.timestamp(), 9);
    let known = KnownDevices::with_file(key(&account), Some(list.clone()));
    assert_eq!(known.list(), Some(&list));
}

#[test]
fn a_list_of_another_account_counts_for_nothing() {
    let (mine, other) = (pair(1), pair(2));
    let signed = KeyIndexList::sign(5, 9, 1, &[0, 1], &other, &mut rng(5));
    assert_eq!(KeyIndexList::verify(&signed, &key(&mine)), Err(KeyIndexError::OtherAccount));
    let theirs = list(&other, 9, 1, &[0, 1]);
    let known = KnownDevices::new(key(&mine));
    assert_eq!(known.advanced(theirs.clone()), Err(AdvanceError::OtherAccount));
    assert_eq!(KnownDevices::with_file(key(&mine), Some(theirs)).list(), None);
}

#[test]
fn an_altered_list_counts_for_nothing() {
    let account = pair(1);
    let signed = KeyIndexList::sign(5, 9, 1, &[0, 1], &account, &mut rng(5));
    for at in 0..signed.len() {
        let mut altered = signed.clone();
        *altered.get_mut(at).unwrap() ^= 1;
        assert!(KeyIndexList::verify(&altered, &key(&account)).is_err(), "byte {at}");
    }
    let from_file = KeyIndexList::from_file(&signed).unwrap();
    assert_eq!(from_file, KeyIndexList::verify(&signed, &key(&account)).unwrap());
}

#[test]
fn a_list_without_end_is_refused() {
    assert_eq!(MAX_KEY_INDEXES, 1024);
    let account = pair(1);
    let of_length = |length: u32| {
        let many: Vec<u32> = (0..length).collect();
        let signed = KeyIndexList::sign(5, 9, 1, &many, &account, &mut rng(5));
        KeyIndexList::verify(&signed, &key(&account)).map(|list| list.allows(length - 1))
    };
    assert_eq!((of_length(1024), of_length(1025)), (Ok(true), Err(KeyIndexError::TooLong)));
}

#[test]
fn a_seal_with_another_secret_is_refused() {
    let (account, device) = (pair(1), pair(2));
    for account_is_hosted in [false, true] {
        let details = DeviceDetails { account_is_hosted, ..details(1) };
        let signed = SignedDeviceIdentity::sign(&details, &device.public, &account, &mut rng(3));
        let sealed = seal_identity(&signed, &[1; 32]);
        assert_eq!(open_identity(&sealed, &[1; 32]), Ok(signed));
        assert_eq!(open_identity(&sealed, &[2; 32]), Err(SealError::Hmac));
    }
}

#[test]
fn the_corpus_and_its_mutations_are_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/device_identity");
    let mut seeds = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for end in 0..=bytes.len() {
            wa_adv::fuzzing::device_identity(bytes.get(..end).unwrap());
        }
        for at in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut damaged = bytes.clone();
                *damaged.get_mut(at).unwrap() ^= bit;
                wa_adv::fuzzing::device_identity(&damaged);
            }
        }
        seeds += 1;
    }
    assert!(seeds >= 4, "the corpus is empty");
}
