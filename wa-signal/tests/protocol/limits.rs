//! Each limit at its last allowed and its first refused value, in numbers: a test against the
//! constant would not notice that it changed.

use wa_crypto::KeyPair;
use wa_signal::{CiphertextMessage, DecryptError, SenderKeyError, SenderKeyRecord};

use crate::party::{Party, acquainted, rng};

#[test]
fn two_thousand_messages_may_be_skipped_and_not_one_more() {
    let rng = &mut rng(1);
    let (mut alice, mut bob) = acquainted(rng);
    let skipped: Vec<_> = (0..2_000).map(|_| alice.send(b"skipped")).collect();
    let last_allowed = alice.send(b"allowed");
    let too_far = alice.send(b"too far");

    assert_eq!(bob.receive(&too_far, rng), Err(DecryptError::FutureMessage));
    assert_eq!(bob.receive(&last_allowed, rng).unwrap(), b"allowed");
    assert_eq!(bob.receive(&skipped[0], rng).unwrap(), b"skipped");
    assert_eq!(bob.receive(&skipped[0], rng), Err(DecryptError::DuplicateMessage));
    assert_eq!(bob.receive(&too_far, rng).unwrap(), b"too far");
}

#[test]
fn two_thousand_skipped_keys_are_kept_and_one_more_drops_the_oldest() {
    let rng = &mut rng(2);
    let (mut alice, mut bob) = acquainted(rng);
    let skipped: Vec<_> = (0..2_000).map(|_| alice.send(b"skipped")).collect();
    bob.receive(&alice.send(b"one"), rng).unwrap();
    let one_more = alice.send(b"one more skipped");
    let used = alice.send(b"two");
    bob.receive(&used, rng).unwrap();

    assert_eq!(bob.receive(&skipped[0], rng), Err(DecryptError::KeyDiscarded));
    assert_eq!(bob.receive(&skipped[1], rng).unwrap(), b"skipped");
    assert_eq!(bob.receive(&one_more, rng).unwrap(), b"one more skipped");
    assert_eq!(bob.receive(&used, rng), Err(DecryptError::DuplicateMessage));
}

#[test]
fn the_sixth_receiver_chain_drops_the_first() {
    let rng = &mut rng(3);
    let (mut alice, mut bob) = acquainted(rng);
    // Each round Alice leaves a message behind on the chain of that round.
    let late: Vec<_> = (0..=5)
        .map(|_| {
            let left_behind = alice.send(b"late");
            bob.receive(&alice.send(b"ping"), rng).unwrap();
            alice.receive(&bob.send(b"pong"), rng).unwrap();
            left_behind
        })
        .collect();
    assert_eq!(bob.receive(&late[0], rng), Err(DecryptError::BadMac));
    for message in &late[1..] {
        assert_eq!(bob.receive(message, rng).unwrap(), b"late");
    }
}

#[test]
fn the_forty_first_archived_session_drops_the_first() {
    let rng = &mut rng(4);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let mut late = Vec::new();
    for _ in 0..42 {
        let bundle = bob.bare_bundle();
        alice.start(&bundle, rng);
        bob.receive(&alice.send(b"first"), rng).unwrap();
        alice.receive(&bob.send(b"answer"), rng).unwrap();
        late.push(alice.send(b"late"));
    }
    assert_eq!(bob.session.archived_count(), 40);
    assert!(matches!(late[0], CiphertextMessage::Signal(_)));
    assert_eq!(bob.receive(&late[0], rng), Err(DecryptError::BadMac));
    assert_eq!(bob.receive(&late[1], rng).unwrap(), b"late");
    assert_eq!(bob.session.archived_count(), 40);
}

/// What one side could grow the other's record to 16 MB with: messages with gaps, in each chain of
/// each session that is kept.
#[test]
fn two_hundred_and_five_messages_with_gaps_keep_the_record_below_150_000_bytes() {
    let rng = &mut rng(7);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let (mut late, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..41 {
        alice.start(&bob.bare_bundle(), rng);
        for _ in 0..5 {
            late.push((0..200_u8).map(|n| alice.send(&[n])).collect::<Vec<_>>());
            bob.receive(&alice.send(b"behind a gap"), rng).unwrap();
            sizes.push((bob.session.skipped_key_count(), bob.session.to_bytes().len()));
            alice.receive(&bob.send(b"answer"), rng).unwrap();
        }
    }
    assert_eq!(sizes.len(), 205);
    assert_eq!(bob.session.archived_count(), 40);
    assert_eq!(sizes[0].0, 200);
    assert!(sizes.iter().all(|&(keys, bytes)| keys <= 2_000 && bytes < 150_000));
    assert_eq!(sizes[204].0, 2_000);
    // The last ten gaps are kept, over two sessions; the one before them went first.
    for gap in &late[195..] {
        assert_eq!(bob.receive(&gap[0], rng).unwrap(), [0]);
        assert_eq!(bob.receive(&gap[199], rng).unwrap(), [199]);
    }
    assert_eq!(bob.receive(&late[194][199], rng), Err(DecryptError::KeyDiscarded));
}

#[test]
fn of_two_thousand_skipped_keys_of_a_record_the_oldest_is_dropped_for_one_more() {
    let rng = &mut rng(8);
    let (mut alice, mut bob) = acquainted(rng);
    let first: Vec<_> = (0..1_000_u32).map(|n| alice.send(&n.to_be_bytes())).collect();
    bob.receive(&alice.send(b""), rng).unwrap();
    alice.receive(&bob.send(b""), rng).unwrap();
    let second: Vec<_> = (0..1_001_u32).map(|n| alice.send(&n.to_be_bytes())).collect();
    bob.receive(&alice.send(b""), rng).unwrap();
    assert_eq!(bob.session.skipped_key_count(), 2_000);
    assert_eq!(bob.receive(&first[0], rng), Err(DecryptError::KeyDiscarded));
    assert!(bob.receive(&first[1], rng).is_ok() && bob.receive(&first[999], rng).is_ok());
    assert!(bob.receive(&second[0], rng).is_ok() && bob.receive(&second[1_000], rng).is_ok());
    assert_eq!(bob.session.skipped_key_count(), 1_996);
}

/// A message that opens a chain in the oldest of forty archived sessions.
#[test]
fn archived_sessions_are_tried_for_messages_near_the_beginning_of_a_chain() {
    let rng = &mut rng(9);
    let (mut alice, mut bob) = acquainted(rng);
    let mut in_oldest = alice.clone();
    for _ in 0..40 {
        alice.start(&bob.bare_bundle(), rng);
        bob.receive(&alice.send(b"first"), rng).unwrap();
    }
    assert_eq!(bob.session.archived_count(), 40);
    let sent: Vec<_> = (0..52_u8).map(|n| in_oldest.send(&[n])).collect();
    assert!(matches!(sent[0], CiphertextMessage::Signal(_)));
    let open = |n: usize| bob.open(&sent[n], &mut crate::party::rng(90)).map(|o| o.plaintext);
    assert_eq!(open(0).unwrap(), [0]);
    assert_eq!(open(50).unwrap(), [50]);
    assert_eq!(open(51), Err(DecryptError::BadMac));
}

#[test]
fn two_thousand_skipped_keys_of_one_sender_are_kept_over_all_its_keys() {
    let rng = &mut rng(10);
    let signing = KeyPair::random(rng);
    let key = |id, at| SenderKeyRecord::resume(id, at, &[7; 32], signing.clone());
    let mut receiver = SenderKeyRecord::new();
    for id in [1, 2] {
        let told = key(id, 0).distribution_message().unwrap();
        receiver = receiver.process_distribution(&told).unwrap();
        let mut sender = key(id, 0);
        for _ in 0..1_500 {
            sender = step_of(&sender, id, &signing);
        }
        receiver = receiver.decrypt(&sender.encrypt(b"text", rng).unwrap().1).unwrap().0;
    }
    assert_eq!(receiver.skipped_key_count(), 2_000);
    let mut early = |id| receiver.decrypt(&key(id, 0).encrypt(b"text", rng).unwrap().1).err();
    assert_eq!(early(1), Some(SenderKeyError::KeyDiscarded));
    assert_eq!(early(2), None);
}

#[test]
fn a_sender_key_steps_25_000_iterations_and_not_one_more() {
    let rng = &mut rng(5);
    let signing = KeyPair::random(rng);
    let told = SenderKeyRecord::resume(1, 0, &[7; 32], signing.clone());
    let mut receiver =
        SenderKeyRecord::new().process_distribution(&told.distribution_message().unwrap()).unwrap();
    let mut sender = told;
    let mut sent = Vec::new();
    for _ in 0..=25_001 {
        // Signing each of them would take long; the chain alone is stepped by being told again.
        sent.push(sender.clone());
        sender = step(&sender, &signing);
    }
    let mut message = |iteration: usize| sent[iteration].encrypt(b"text", rng).unwrap().1;
    let steps = 25_000;

    let too_far = message(steps + 1);
    assert_eq!(receiver.decrypt(&too_far).unwrap_err(), SenderKeyError::FutureMessage);
    receiver = receiver.decrypt(&message(steps)).unwrap().0;
    receiver = receiver.decrypt(&too_far).unwrap().0;

    let oldest_kept = steps - 2_000;
    let dropped = message(oldest_kept - 1);
    assert_eq!(receiver.decrypt(&dropped).unwrap_err(), SenderKeyError::KeyDiscarded);
    let (after, plaintext) = receiver.decrypt(&message(oldest_kept)).unwrap();
    assert_eq!(plaintext, b"text");
    let again = after.decrypt(&message(oldest_kept)).unwrap_err();
    assert!(matches!(again, SenderKeyError::KeyDiscarded | SenderKeyError::DuplicateMessage));
    assert_eq!(after.decrypt(&too_far).unwrap_err(), SenderKeyError::DuplicateMessage);
}

/// The key with the id 1, one iteration on.
fn step(record: &SenderKeyRecord, signing: &KeyPair) -> SenderKeyRecord {
    step_of(record, 1, signing)
}

/// The same key, one iteration on.
fn step_of(record: &SenderKeyRecord, id: u32, signing: &KeyPair) -> SenderKeyRecord {
    let told = record.distribution_message().unwrap();
    // Behind the version byte: id, iteration, then the chain key's tag and length.
    let varint_end = |from: usize| from + told[from..].iter().position(|b| b & 0x80 == 0).unwrap();
    let iteration_end = varint_end(4);
    let iteration = told[4..=iteration_end]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f));
    let chain_key = &told[iteration_end + 3..iteration_end + 35];
    let next = wa_crypto::hmac_sha256(chain_key, &[&[2]]);
    SenderKeyRecord::resume(id, iteration + 1, &next, signing.clone())
}

#[test]
fn the_sixth_sender_key_drops_the_first() {
    let rng = &mut rng(6);
    let keys: Vec<_> = (0..=5).map(|_| SenderKeyRecord::create(rng)).collect();
    let receiver = keys.iter().fold(SenderKeyRecord::new(), |receiver, key| {
        receiver.process_distribution(&key.distribution_message().unwrap()).unwrap()
    });
    let mut decrypt = |key: &SenderKeyRecord| {
        receiver.decrypt(&key.encrypt(b"text", rng).unwrap().1).map(|(_, plaintext)| plaintext)
    };
    let dropped = keys[0].key_id().unwrap();
    assert_eq!(decrypt(&keys[0]), Err(SenderKeyError::NoSenderKey(dropped)));
    for key in &keys[1..] {
        assert_eq!(decrypt(key).unwrap(), b"text");
    }
}
