//! How sessions begin, meet, age and fail.

use wa_crypto::{InvalidPublicKey, KeyPair, PublicKey};
use wa_signal::{
    BundleError, CiphertextMessage, DecryptError, EncryptError, PreKeyBundle, PreKeyId,
    PreKeyMessageHeader, RecordError, SessionRecord,
};

use crate::party::{Party, RecordedRng, acquainted, rng};

#[test]
fn a_session_starts_without_a_one_time_prekey() {
    let rng = &mut rng(1);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    alice.start(&bob.bare_bundle(), rng);
    let first = alice.send(b"first");
    assert_eq!(PreKeyMessageHeader::parse(first.bytes()).unwrap().prekey_id, None);
    assert_eq!(bob.receive(&first, rng).unwrap(), b"first");
    assert_eq!(alice.receive(&bob.send(b"answer"), rng).unwrap(), b"answer");
    assert_eq!(bob.session.remote_identity(), Some(alice.identity.public));
    assert_eq!(bob.session.remote_registration_id(), Some(alice.registration_id));
    assert_eq!(bob.session.base_key(), alice.session.base_key());
}

#[test]
fn a_bundle_is_refused_whose_signed_prekey_is_not_the_identitys_or_whose_keys_are_none() {
    let rng = &mut rng(2);
    let (alice, mut bob) = (Party::new(rng), Party::new(rng));
    let good = bob.bundle(rng);
    let start = |bundle: &PreKeyBundle| {
        SessionRecord::new()
            .process_bundle(&alice.local(), bundle, &mut RecordedRng::new([vec![8; 64]]))
            .map(|record| record.has_session())
    };
    assert_eq!(start(&good), Ok(true));
    let other = PreKeyBundle { identity: alice.identity.public, ..good.clone() };
    assert_eq!(start(&other), Err(BundleError::BadSignature));
    let mut small = good;
    small.prekey.as_mut().unwrap().key = PublicKey::from_bytes([0; 32]);
    let small_order = BundleError::InvalidKey(InvalidPublicKey::SmallOrderPart);
    assert_eq!(start(&small), Err(small_order));
}

#[test]
fn prekey_messages_are_sent_until_the_first_answer_is_decrypted() {
    let rng = &mut rng(3);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let bundle = bob.bundle(rng);
    alice.start(&bundle, rng);
    assert_eq!(alice.send(b"1").kind_str(), "pkmsg");
    let second = alice.send(b"2");
    assert_eq!(second.kind_str(), "pkmsg");
    bob.receive(&second, rng).unwrap();
    let answer = bob.send(b"answer");
    assert_eq!(answer.kind_str(), "msg");
    alice.receive(&answer, rng).unwrap();
    assert_eq!(alice.send(b"3").kind_str(), "msg");
}

#[test]
fn a_second_prekey_message_with_the_same_base_key_is_the_same_session_and_needs_no_prekey() {
    let rng = &mut rng(4);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let bundle = bob.bundle(rng);
    alice.start(&bundle, rng);
    let (first, second) = (alice.send(b"first"), alice.send(b"second"));
    let opened = bob.open(&first, rng).unwrap();
    assert_eq!(opened.used_prekey, Some(PreKeyId::FIRST));
    bob.receive(&first, rng).unwrap();
    assert!(bob.prekeys.is_empty());

    let again = bob
        .session
        .decrypt_prekey(&bob.local(), None, None, second.bytes(), &mut RecordedRng::default())
        .unwrap();
    assert_eq!(again.plaintext, b"second");
    assert_eq!(again.used_prekey, None);
    assert_eq!(again.session.archived_count(), 0);
    assert_eq!(bob.receive(&first, rng), Err(DecryptError::DuplicateMessage));
}

#[test]
fn missing_prekeys_are_told_by_their_ids() {
    let rng = &mut rng(5);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let bundle = bob.bundle(rng);
    alice.start(&bundle, rng);
    let first = alice.send(b"first");
    let open = |prekey, signed_prekey| {
        bob.session
            .decrypt_prekey(
                &bob.local(),
                prekey,
                signed_prekey,
                first.bytes(),
                &mut RecordedRng::default(),
            )
            .map(|opened| opened.plaintext)
    };
    let signed = Some(&bob.signed_prekey);
    assert_eq!(open(None, signed), Err(DecryptError::MissingPreKey(PreKeyId::FIRST)));
    let id = bob.signed_prekey.id;
    assert_eq!(open(bob.prekeys.first(), None), Err(DecryptError::MissingSignedPreKey(id)));
    bob.prekeys[0].pair = KeyPair::random(rng);
    assert_eq!(bob.receive(&first, rng), Err(DecryptError::BadMac));
}

#[test]
fn messages_decrypt_in_any_order_and_once() {
    let rng = &mut rng(6);
    let (mut alice, mut bob) = acquainted(rng);
    let mut sent: Vec<_> = (0..20_u8).map(|n| (n, alice.send(&[n]))).collect();
    sent.reverse();
    sent.swap(3, 15);
    for (n, message) in &sent {
        assert_eq!(bob.receive(message, rng).unwrap(), [*n]);
        assert_eq!(bob.receive(message, rng), Err(DecryptError::DuplicateMessage));
    }
}

#[test]
fn two_who_start_at_the_same_time_end_up_in_one_session() {
    let rng = &mut rng(7);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let (for_alice, for_bob) = (bob.bundle(rng), alice.bundle(rng));
    alice.start(&for_alice, rng);
    bob.start(&for_bob, rng);
    let (from_alice, late) = (alice.send(b"a"), alice.send(b"late"));
    let from_bob = bob.send(b"b");
    assert_eq!(bob.receive(&from_alice, rng).unwrap(), b"a");
    assert_eq!(alice.receive(&from_bob, rng).unwrap(), b"b");
    assert_ne!(alice.session.base_key(), bob.session.base_key());

    for round in 0..3 {
        assert_eq!(bob.receive(&alice.send(&[round]), rng).unwrap(), [round]);
        assert_eq!(alice.receive(&bob.send(&[round]), rng).unwrap(), [round]);
        assert_eq!(alice.session.base_key(), bob.session.base_key());
    }
    assert_eq!(bob.receive(&late, rng).unwrap(), b"late");
    assert_eq!(alice.receive(&bob.send(b"end"), rng).unwrap(), b"end");
    assert_eq!(alice.session.base_key(), bob.session.base_key());
}

#[test]
fn an_archived_session_decrypts_late_messages_and_becomes_current() {
    let rng = &mut rng(8);
    let (mut alice, mut bob) = acquainted(rng);
    let late = alice.send(b"late");
    let old = bob.session.base_key();
    bob.session = bob.session.archive_current();
    assert!(!bob.session.has_session());
    assert_eq!(bob.session.encrypt(&bob.local(), b"").unwrap_err(), EncryptError::NoSession);
    bob.start(&alice.bare_bundle(), rng);
    assert_ne!(bob.session.base_key(), old);
    assert_eq!(bob.receive(&late, rng).unwrap(), b"late");
    assert_eq!(bob.session.base_key(), old);
    assert_eq!(bob.receive(&late, rng), Err(DecryptError::DuplicateMessage));
}

#[test]
fn a_duplicate_of_an_archived_session_is_told_as_such() {
    let rng = &mut rng(9);
    let (mut alice, mut bob) = acquainted(rng);
    let old = alice.send(b"old");
    bob.receive(&old, rng).unwrap();
    bob.start(&alice.bare_bundle(), rng);
    assert_eq!(bob.receive(&old, rng), Err(DecryptError::DuplicateMessage));
}

#[test]
fn a_message_without_any_session_is_told_as_such() {
    let rng = &mut rng(10);
    let (mut alice, mut bob) = acquainted(rng);
    let message = alice.send(b"text");
    bob.session = SessionRecord::new();
    assert_eq!(bob.receive(&message, rng), Err(DecryptError::NoSession));
}

#[test]
fn a_changed_bit_anywhere_fails_and_changes_nothing() {
    let rng = &mut rng(11);
    let (mut alice, mut bob) = acquainted(rng);
    let message = alice.send(b"text");
    for bit in 0..message.bytes().len() * 8 {
        let mut changed = message.bytes().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        // `receive` compares the stored form before and after.
        let outcome = bob.receive(&CiphertextMessage::Signal(changed), &mut RecordedRng::default());
        assert!(outcome.is_err(), "bit {bit}");
    }
    for end in 0..message.bytes().len() {
        let cut = CiphertextMessage::Signal(message.bytes()[..end].to_vec());
        assert!(bob.receive(&cut, &mut RecordedRng::default()).is_err(), "cut at {end}");
    }
    assert_eq!(bob.receive(&message, rng).unwrap(), b"text");
}

/// Two things in the envelope are covered by nothing: the lower half of its version byte and the
/// registration id.
#[test]
fn a_changed_bit_of_a_prekey_message_fails_or_touches_only_what_nothing_covers() {
    let rng = &mut rng(12);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let bundle = bob.bundle(rng);
    alice.start(&bundle, rng);
    let message = alice.send(b"text");
    let header = PreKeyMessageHeader::parse(message.bytes()).unwrap();
    for bit in 0..message.bytes().len() * 8 {
        let mut changed = message.bytes().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let before = bob.session.to_bytes();
        let changed = CiphertextMessage::PreKey(changed);
        if let Ok(opened) = bob.open(&changed, rng) {
            assert_eq!(opened.plaintext, b"text");
            let read = PreKeyMessageHeader::parse(changed.bytes()).unwrap();
            assert_eq!((read.prekey_id, read.base_key), (header.prekey_id, header.base_key));
            assert!(bit < 4 || read.registration_id != header.registration_id, "bit {bit}");
        }
        assert_eq!(*bob.session.to_bytes(), *before);
    }
    assert_eq!(bob.receive(&message, rng).unwrap(), b"text");
}

#[test]
fn a_ratchet_key_of_small_order_is_refused() {
    let rng = &mut rng(13);
    let (mut alice, mut bob) = acquainted(rng);
    let mut bytes = alice.send(b"text").into_bytes();
    // Behind the version byte, the field's tag, its length and the key's type byte.
    bytes[4..36].fill(0);
    let outcome = bob.receive(&CiphertextMessage::Signal(bytes.clone()), rng);
    let small_order = DecryptError::InvalidKey(InvalidPublicKey::SmallOrderPart);
    assert_eq!(outcome, Err(small_order));
    bytes[3] = 6;
    let outcome = bob.receive(&CiphertextMessage::Signal(bytes), rng);
    assert!(matches!(outcome, Err(DecryptError::InvalidKey(_))));
}

#[test]
fn other_versions_are_refused() {
    let rng = &mut rng(14);
    let (mut alice, mut bob) = acquainted(rng);
    let mut bytes = alice.send(b"text").into_bytes();
    for (version, told) in [(0x23, 2), (0x43, 4)] {
        bytes[0] = version;
        let outcome = bob.receive(&CiphertextMessage::Signal(bytes.clone()), rng);
        assert_eq!(outcome, Err(DecryptError::UnsupportedVersion(told)));
    }
}

#[test]
fn a_stored_record_of_another_version_is_refused() {
    let (alice, _) = acquainted(&mut rng(15));
    let mut bytes = alice.session.to_bytes().to_vec();
    for version in [0, 3, 0xff] {
        bytes[0] = version;
        let refused = SessionRecord::from_bytes(&bytes).unwrap_err();
        assert_eq!(refused, RecordError::UnknownVersion(version));
    }
    assert_eq!(SessionRecord::from_bytes(&[]).unwrap_err(), RecordError::Empty);
    assert!(SessionRecord::from_bytes(&alice.session.to_bytes()[..40]).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let rng = &mut rng(16);
    let (mut alice, bob) = acquainted(rng);
    let opened = bob.open(&alice.send(b"secret text"), rng).unwrap();
    assert_eq!(format!("{:?}", alice.session), "SessionRecord { current: true, archived: 0 }");
    assert!(!format!("{opened:?}").contains("115, 101"));
    assert!(format!("{opened:?}").contains("11 bytes"));
}
