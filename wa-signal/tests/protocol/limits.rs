//! Each limit at its last allowed and its first refused value.

use wa_crypto::KeyPair;
use wa_signal::{
    CiphertextMessage, DecryptError, SenderKeyError, SenderKeyRecord,
    limits::{
        MAX_ARCHIVED_SESSIONS, MAX_RECEIVER_CHAINS, MAX_SENDER_KEY_SKIPPED, MAX_SENDER_KEY_STATES,
        MAX_SENDER_KEY_STEPS, MAX_SKIPPED_KEYS,
    },
};

use crate::party::{Party, acquainted, rng};

#[test]
fn two_thousand_messages_may_be_skipped_and_not_one_more() {
    let rng = &mut rng(1);
    let (mut alice, mut bob) = acquainted(rng);
    let skipped: Vec<_> = (0..MAX_SKIPPED_KEYS).map(|_| alice.send(b"skipped")).collect();
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
    let skipped: Vec<_> = (0..MAX_SKIPPED_KEYS).map(|_| alice.send(b"skipped")).collect();
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
    let late: Vec<_> = (0..=MAX_RECEIVER_CHAINS)
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
    for _ in 0..MAX_ARCHIVED_SESSIONS + 2 {
        let bundle = bob.bare_bundle();
        alice.start(&bundle, rng);
        bob.receive(&alice.send(b"first"), rng).unwrap();
        alice.receive(&bob.send(b"answer"), rng).unwrap();
        late.push(alice.send(b"late"));
    }
    assert_eq!(bob.session.archived_count(), MAX_ARCHIVED_SESSIONS);
    assert!(matches!(late[0], CiphertextMessage::Signal(_)));
    assert_eq!(bob.receive(&late[0], rng), Err(DecryptError::BadMac));
    assert_eq!(bob.receive(&late[1], rng).unwrap(), b"late");
    assert_eq!(bob.session.archived_count(), MAX_ARCHIVED_SESSIONS);
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
    for _ in 0..=MAX_SENDER_KEY_STEPS + 1 {
        // Signing each of them would take long; the chain alone is stepped by being told again.
        sent.push(sender.clone());
        sender = step(&sender, &signing);
    }
    let mut message = |iteration: usize| sent[iteration].encrypt(b"text", rng).unwrap().1;
    let steps = MAX_SENDER_KEY_STEPS as usize;

    let too_far = message(steps + 1);
    assert_eq!(receiver.decrypt(&too_far).unwrap_err(), SenderKeyError::FutureMessage);
    receiver = receiver.decrypt(&message(steps)).unwrap().0;
    receiver = receiver.decrypt(&too_far).unwrap().0;

    let oldest_kept = steps - MAX_SENDER_KEY_SKIPPED;
    let dropped = message(oldest_kept - 1);
    assert_eq!(receiver.decrypt(&dropped).unwrap_err(), SenderKeyError::KeyDiscarded);
    let (after, plaintext) = receiver.decrypt(&message(oldest_kept)).unwrap();
    assert_eq!(plaintext, b"text");
    let again = after.decrypt(&message(oldest_kept)).unwrap_err();
    assert!(matches!(again, SenderKeyError::KeyDiscarded | SenderKeyError::DuplicateMessage));
    assert_eq!(after.decrypt(&too_far).unwrap_err(), SenderKeyError::DuplicateMessage);
}

/// The same key, one iteration on.
fn step(record: &SenderKeyRecord, signing: &KeyPair) -> SenderKeyRecord {
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
    SenderKeyRecord::resume(1, iteration + 1, &next, signing.clone())
}

#[test]
fn the_sixth_sender_key_drops_the_first() {
    let rng = &mut rng(6);
    let keys: Vec<_> = (0..=MAX_SENDER_KEY_STATES).map(|_| SenderKeyRecord::create(rng)).collect();
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
