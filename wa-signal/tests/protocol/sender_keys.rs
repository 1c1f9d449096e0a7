//! How sender keys are told, used, lost and found.

use wa_crypto::{InvalidPublicKey, PublicKey};
use wa_signal::{RecordError, SenderKeyEncryptError, SenderKeyError, SenderKeyRecord};

use crate::party::{RecordedRng, rng, small_order_keys, with_small_order_parts};

/// A sender, and the messages it sends one after the other.
fn sender(seed: u64, messages: usize) -> (Vec<SenderKeyRecord>, Vec<Vec<u8>>) {
    let rng = &mut rng(seed);
    let mut at = vec![SenderKeyRecord::create(rng)];
    let mut sent = Vec::new();
    for n in 0..messages {
        let (next, message) = at[n].encrypt(&[n as u8], rng).unwrap();
        at.push(next);
        sent.push(message);
    }
    (at, sent)
}

fn told(records: &[&SenderKeyRecord]) -> SenderKeyRecord {
    records.iter().fold(SenderKeyRecord::new(), |receiver, record| {
        receiver.process_distribution(&record.distribution_message().unwrap()).unwrap()
    })
}

fn take(receiver: &mut SenderKeyRecord, message: &[u8]) -> Result<Vec<u8>, SenderKeyError> {
    let before = receiver.to_bytes();
    let outcome = receiver.decrypt(message);
    assert_eq!(*receiver.to_bytes(), *before);
    let (next, plaintext) = outcome?;
    *receiver = SenderKeyRecord::from_bytes(&next.to_bytes()).unwrap();
    Ok(plaintext)
}

#[test]
fn messages_decrypt_in_any_order_and_once() {
    let (at, sent) = sender(1, 8);
    let mut receiver = told(&[&at[0]]);
    for n in [7_u8, 0, 3, 1, 2, 6, 5, 4] {
        assert_eq!(take(&mut receiver, &sent[usize::from(n)]).unwrap(), [n]);
        let again = take(&mut receiver, &sent[usize::from(n)]);
        assert_eq!(again, Err(SenderKeyError::DuplicateMessage));
    }
}

#[test]
fn the_id_of_a_new_key_has_31_bits_and_is_drawn() {
    let id = |first: [u8; 4]| {
        let drawn = [first.to_vec(), vec![7; 32], vec![9; 32]];
        let record = SenderKeyRecord::create(&mut RecordedRng::new(drawn));
        assert!(!record.is_empty() && SenderKeyRecord::new().is_empty());
        record.key_id().unwrap()
    };
    assert_eq!(id([0xff; 4]), 0x7fff_ffff);
    assert_eq!(id([6, 0, 0, 0]), 3);
}

#[test]
fn without_a_distribution_message_the_key_is_missing_and_named() {
    let (at, sent) = sender(2, 1);
    let outcome = take(&mut SenderKeyRecord::new(), &sent[0]);
    assert_eq!(outcome, Err(SenderKeyError::NoSenderKey(at[0].key_id().unwrap())));
}

#[test]
fn a_changed_bit_anywhere_fails_and_changes_nothing() {
    let (at, sent) = sender(3, 1);
    let mut receiver = told(&[&at[0]]);
    for bit in 0..sent[0].len() * 8 {
        let mut changed = sent[0].clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(take(&mut receiver, &changed).is_err(), "bit {bit}");
    }
    assert_eq!(take(&mut receiver, &sent[0]).unwrap(), [0]);
}

#[test]
fn another_signer_with_the_same_id_is_not_believed() {
    let (at, _) = sender(4, 0);
    let mut receiver = told(&[&at[0]]);
    let forger = wa_crypto::KeyPair::random(&mut rng(40));
    let forged = SenderKeyRecord::resume(at[0].key_id().unwrap(), 0, &[1; 32], forger);
    let (_, message) = forged.encrypt(b"forged", &mut rng(41)).unwrap();
    assert_eq!(take(&mut receiver, &message), Err(SenderKeyError::BadSignature));
}

#[test]
fn the_same_key_told_again_brings_no_used_message_back() {
    let (at, sent) = sender(5, 4);
    let mut receiver = told(&[&at[0]]);
    take(&mut receiver, &sent[0]).unwrap();
    take(&mut receiver, &sent[2]).unwrap();
    for told_again in &at[..4] {
        receiver =
            receiver.process_distribution(&told_again.distribution_message().unwrap()).unwrap();
    }
    assert_eq!(take(&mut receiver, &sent[0]), Err(SenderKeyError::DuplicateMessage));
    assert_eq!(take(&mut receiver, &sent[2]), Err(SenderKeyError::DuplicateMessage));
    assert_eq!(take(&mut receiver, &sent[1]).unwrap(), [1]);
    assert_eq!(take(&mut receiver, &sent[3]).unwrap(), [3]);
}

#[test]
fn a_message_from_before_the_key_was_told_is_no_duplicate_and_an_earlier_telling_opens_it() {
    let (at, sent) = sender(6, 4);
    let mut receiver = told(&[&at[2]]);
    assert_eq!(take(&mut receiver, &sent[1]), Err(SenderKeyError::KeyDiscarded));
    assert_eq!(take(&mut receiver, &sent[3]).unwrap(), [3]);
    receiver = receiver.process_distribution(&at[0].distribution_message().unwrap()).unwrap();
    for n in [1_u8, 0, 2] {
        assert_eq!(take(&mut receiver, &sent[usize::from(n)]).unwrap(), [n]);
        let again = take(&mut receiver, &sent[usize::from(n)]);
        assert_eq!(again, Err(SenderKeyError::DuplicateMessage));
    }
    assert_eq!(take(&mut receiver, &sent[3]), Err(SenderKeyError::DuplicateMessage));
}

#[test]
fn after_a_rotation_messages_of_the_old_key_still_decrypt() {
    let ((old, old_sent), (new, new_sent)) = (sender(7, 2), sender(8, 2));
    let mut receiver = told(&[&old[0], &new[0]]);
    assert_eq!(take(&mut receiver, &new_sent[1]).unwrap(), [1]);
    assert_eq!(take(&mut receiver, &old_sent[1]).unwrap(), [1]);
    assert_eq!(take(&mut receiver, &old_sent[0]).unwrap(), [0]);
    assert_eq!(receiver.key_id(), new[0].key_id());
}

/// A group message is signed by nothing else, so a key for which anybody can sign is no key.
#[test]
fn a_distribution_message_with_a_signing_key_that_nobody_can_have_made_is_refused() {
    let (at, _) = sender(16, 0);
    let told = at[0].distribution_message().unwrap();
    let (begin, key) = told.split_last_chunk::<32>().unwrap();
    let altered = |key: PublicKey| {
        let bytes = [begin, key.as_bytes()].concat();
        SenderKeyRecord::new().process_distribution(&bytes).map(|record| record.key_id())
    };
    assert_eq!(altered(PublicKey::from_bytes(*key)), Ok(at[0].key_id()));
    let refused = |why| Err(SenderKeyError::InvalidKey(why));
    for small in small_order_keys() {
        assert_eq!(altered(small), refused(InvalidPublicKey::SmallOrderPart));
    }
    for part in with_small_order_parts(PublicKey::from_bytes(*key)) {
        assert_eq!(altered(part), refused(InvalidPublicKey::SmallOrderPart));
    }
    let mut top_bit = *key;
    top_bit[31] |= 0x80;
    assert_eq!(altered(PublicKey::from_bytes(top_bit)), refused(InvalidPublicKey::NotReduced));
    let mut twist = [0; 32];
    twist[0] = 2;
    assert_eq!(altered(PublicKey::from_bytes(twist)), refused(InvalidPublicKey::NotOnCurve));
}

/// Somebody who is in the group sends this device's own key back to it, from an earlier iteration
/// or a far one: it goes on where it was, or two messages would have one key.
#[test]
fn ones_own_key_told_back_changes_nothing() {
    let (at, _) = sender(14, 3);
    let own = &at[3];
    let signing = wa_crypto::KeyPair::random(&mut rng(140));
    let far = SenderKeyRecord::resume(7, 60_000, &[9; 32], signing.clone());
    let near = SenderKeyRecord::resume(7, 0, &[8; 32], signing);
    for (own, told) in [(own, &at[0]), (own, &at[3]), (&near, &far), (&far, &near)] {
        let told = told.distribution_message().unwrap();
        let after = own.process_distribution(&told).unwrap();
        assert_eq!(*after.to_bytes(), *own.to_bytes());
    }
}

/// The messages between where the chain was and where it is told anew were never read.
#[test]
fn a_key_told_from_far_ahead_makes_no_duplicates_of_what_lies_between() {
    let signing = wa_crypto::KeyPair::random(&mut rng(15));
    let at = |iteration: u32| {
        let chain =
            (0..iteration).fold([7; 32], |chain, _| wa_crypto::hmac_sha256(&chain, &[&[2]]));
        SenderKeyRecord::resume(1, iteration, &chain, signing.clone())
    };
    let message = |iteration| at(iteration).encrypt(b"text", &mut rng(16)).unwrap().1;
    let mut near = told(&[&at(0), &at(25_000)]);
    assert_eq!(take(&mut near, &message(24_999)).unwrap(), b"text");
    // As far from where the chain is by then, and not from its beginning.
    let mut later = told(&[&at(10), &at(25_010)]);
    assert_eq!(take(&mut later, &message(25_009)).unwrap(), b"text");
    let mut far = told(&[&at(0), &at(25_001)]);
    assert_eq!(take(&mut far, &message(24_999)), Err(SenderKeyError::KeyDiscarded));
    assert_eq!(take(&mut far, &message(0)), Err(SenderKeyError::KeyDiscarded));
    assert_eq!(take(&mut far, &message(25_001)).unwrap(), b"text");
    assert_eq!(take(&mut far, &message(25_001)), Err(SenderKeyError::DuplicateMessage));
}

#[test]
fn ones_own_key_is_stored_with_what_it_signs_with() {
    let (at, sent) = sender(17, 1);
    let mut receiver = told(&[&at[0]]);
    take(&mut receiver, &sent[0]).unwrap();
    let stored = SenderKeyRecord::from_bytes(&at[1].to_bytes()).unwrap();
    let (_, message) = stored.encrypt(b"after a restart", &mut rng(18)).unwrap();
    assert_eq!(take(&mut receiver, &message).unwrap(), b"after a restart");
}

#[test]
fn a_stored_record_has_five_keys_at_most() {
    let stored = |keys: u64| {
        let record = |seed| sender(20 + seed, 0).0.remove(0).to_bytes().to_vec();
        // A record of several is the records of each, one behind the other, with one version byte.
        (1..keys).fold(record(0), |all, seed| [&all[..], &record(seed)[1..]].concat())
    };
    assert!(SenderKeyRecord::from_bytes(&stored(5)).is_ok());
    let refused = SenderKeyRecord::from_bytes(&stored(6));
    assert!(matches!(refused, Err(RecordError::Field("sender keys"))), "{refused:?}");
}

#[test]
fn only_the_owner_writes_with_a_key() {
    let (at, _) = sender(9, 0);
    let no_own_key = SenderKeyEncryptError::NoOwnKey;
    let receiver = told(&[&at[0]]);
    assert_eq!(receiver.encrypt(b"", &mut rng(1)).unwrap_err(), no_own_key);
    assert_eq!(receiver.distribution_message(), Err(no_own_key));
    assert_eq!(SenderKeyRecord::new().distribution_message(), Err(no_own_key));
}

#[test]
fn the_last_iteration_ends_the_key() {
    let signing = wa_crypto::KeyPair::random(&mut rng(10));
    let last = SenderKeyRecord::resume(1, u32::MAX - 1, &[7; 32], signing);
    let (after, message) = last.encrypt(b"last", &mut rng(11)).unwrap();
    let exhausted = SenderKeyEncryptError::ChainExhausted;
    assert_eq!(after.encrypt(b"", &mut rng(12)).unwrap_err(), exhausted);
    assert_eq!(take(&mut told(&[&last]), &message).unwrap(), b"last");
}

#[test]
fn a_stored_record_of_another_version_is_refused() {
    let (at, _) = sender(13, 0);
    let mut bytes = at[0].to_bytes().to_vec();
    for version in [0, 3, 0xff] {
        bytes[0] = version;
        let refused = SenderKeyRecord::from_bytes(&bytes).unwrap_err();
        assert_eq!(refused, RecordError::UnknownVersion(version));
    }
    assert!(SenderKeyRecord::from_bytes(&at[0].to_bytes()[..20]).is_err());
}
