//! How sender keys are told, used, lost and found.

use wa_signal::{RecordError, SenderKeyEncryptError, SenderKeyError, SenderKeyRecord};

use crate::party::rng;

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
    bytes[0] = 2;
    assert_eq!(SenderKeyRecord::from_bytes(&bytes).unwrap_err(), RecordError::UnknownVersion(2));
    assert!(SenderKeyRecord::from_bytes(&at[0].to_bytes()[..20]).is_err());
}
