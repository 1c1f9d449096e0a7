//! Somebody between the two keeps messages and sends them again, altered where nothing covers it.

use wa_crypto::{InvalidPublicKey, KeyPair, PublicKey};
use wa_signal::{CiphertextMessage, DecryptError, PreKeyMessageHeader, RecordError, SessionRecord};

use crate::party::{Party, rng, with_small_order_parts};

/// A first message without a one-time prekey, which stands for nothing that is used up.
fn first_message(alice: &mut Party, bob: &Party, text: &[u8], seed: u64) -> CiphertextMessage {
    alice.start(&bob.bare_bundle(), &mut rng(seed));
    let message = alice.send(text);
    assert_eq!(PreKeyMessageHeader::parse(message.bytes()).unwrap().prekey_id, None);
    message
}

/// The `pkmsg` with one key in the place of another.
fn with_key(message: &CiphertextMessage, old: &PublicKey, new: &PublicKey) -> CiphertextMessage {
    let mut bytes = message.bytes().to_vec();
    let at = bytes.windows(32).position(|window| window == old.as_bytes()).unwrap();
    bytes[at..at + 32].copy_from_slice(new.as_bytes());
    CiphertextMessage::PreKey(bytes)
}

fn base_key(message: &CiphertextMessage) -> PublicKey {
    PreKeyMessageHeader::parse(message.bytes()).unwrap().base_key
}

#[test]
fn a_first_message_with_a_small_order_part_in_its_base_key_opens_nothing() {
    let rng = &mut rng(1);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let message = first_message(&mut alice, &bob, b"pay 100", 11);
    let fresh = bob.clone();
    assert_eq!(bob.receive(&message, rng).unwrap(), b"pay 100");
    let mut count = 0;
    for altered in with_small_order_parts(base_key(&message)) {
        let altered = with_key(&message, &base_key(&message), &altered);
        assert_eq!(bob.receive(&altered, rng), Err(DecryptError::DuplicateMessage));
        let refused = DecryptError::InvalidKey(InvalidPublicKey::SmallOrderPart);
        assert_eq!(fresh.open(&altered, rng).map(|opened| opened.plaintext), Err(refused));
        count += 1;
    }
    assert_eq!(count, 7);
    assert_eq!(bob.session.archived_count(), 0);
}

#[test]
fn a_first_message_with_another_spelling_of_its_base_key_opens_nothing() {
    let rng = &mut rng(2);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let message = first_message(&mut alice, &bob, b"pay 100", 12);
    let fresh = bob.clone();
    bob.receive(&message, rng).unwrap();
    let mut spelling = *base_key(&message).as_bytes();
    spelling[31] |= 0x80;
    let mut twist = [0; 32];
    twist[0] = 2;
    for (key, why) in
        [(spelling, InvalidPublicKey::NotReduced), (twist, InvalidPublicKey::NotOnCurve)]
    {
        let altered = with_key(&message, &base_key(&message), &PublicKey::from_bytes(key));
        assert_eq!(bob.receive(&altered, rng), Err(DecryptError::DuplicateMessage));
        let refused = Err(DecryptError::InvalidKey(why));
        assert_eq!(fresh.open(&altered, rng).map(|opened| opened.plaintext), refused);
    }
    assert_eq!(bob.session.archived_count(), 0);
}

#[test]
fn keys_of_a_message_with_a_small_order_part_are_refused_whichever_they_are() {
    let rng = &mut rng(3);
    let (mut alice, bob) = (Party::new(rng), Party::new(rng));
    let message = first_message(&mut alice, &bob, b"text", 13);
    let ratchet_key = ratchet_key(&message);
    let refused = Err(DecryptError::InvalidKey(InvalidPublicKey::SmallOrderPart));
    for key in [alice.identity.public, ratchet_key] {
        for altered in with_small_order_parts(key) {
            let opened = bob.open(&with_key(&message, &key, &altered), rng);
            assert_eq!(opened.map(|opened| opened.plaintext), refused);
        }
    }
}

/// The first key of the message within, which is the second-last of the whole.
fn ratchet_key(message: &CiphertextMessage) -> PublicKey {
    let header = PreKeyMessageHeader::parse(message.bytes()).unwrap();
    let is_other =
        |key: &[u8]| key != header.base_key.as_bytes() && key != header.identity.as_bytes();
    // Tag 1 with 33 bytes, of the key type 5.
    let bytes = message.bytes();
    let at = bytes.windows(3).enumerate().filter(|(_, begin)| *begin == [0x0a, 33, 5]);
    let mut keys = at.map(|(at, _)| &bytes[at + 3..at + 35]).filter(|key| is_other(key));
    PublicKey::from_slice(keys.next().unwrap()).unwrap()
}

/// The code covers the ratchet key of the message within, and both identities; not the base key.
#[test]
fn a_session_is_recognised_by_what_the_code_covers() {
    let rng = &mut rng(4);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let first = first_message(&mut alice, &bob, b"first", 14);
    let second = alice.send(b"second");
    bob.receive(&first, rng).unwrap();
    let another = KeyPair::random(rng).public;
    let altered = |message| with_key(message, &base_key(message), &another);
    assert_eq!(bob.receive(&altered(&first), rng), Err(DecryptError::DuplicateMessage));
    assert_eq!(bob.receive(&altered(&second), rng).unwrap(), b"second");
    bob.session = bob.session.archive_current();
    assert_eq!(bob.receive(&altered(&first), rng), Err(DecryptError::DuplicateMessage));
}

/// Mallory puts his own identity beside Alice's message, to have it pass for his.
#[test]
fn a_message_of_anothers_session_under_ones_own_identity_is_refused() {
    let rng = &mut rng(5);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let first = first_message(&mut alice, &bob, b"first", 15);
    let second = alice.send(b"second");
    bob.receive(&first, rng).unwrap();
    let mallory = KeyPair::random(rng).public;
    let altered = with_key(&second, &alice.identity.public, &mallory);
    assert_eq!(bob.receive(&altered, rng), Err(DecryptError::BadMac));
    assert_eq!(bob.receive(&second, rng).unwrap(), b"second");
}

#[test]
fn a_first_message_does_not_decrypt_again_after_its_session_left_the_archive() {
    let rng = &mut rng(6);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let kept = first_message(&mut alice, &bob, b"pay 100", 16);
    assert_eq!(bob.receive(&kept, rng).unwrap(), b"pay 100");
    for seed in 100..140 {
        let message = first_message(&mut alice, &bob, b"text", seed);
        bob.receive(&message, rng).unwrap();
    }
    assert_eq!(bob.session.archived_count(), 40);
    assert_eq!(bob.receive(&kept, rng), Err(DecryptError::DuplicateMessage));
    bob.receive(&first_message(&mut alice, &bob, b"text", 140), rng).unwrap();
    assert_eq!(bob.receive(&kept, rng), Err(DecryptError::EndedSession));
    assert_eq!(bob.session.archived_count(), 40);
}

#[test]
fn a_first_message_does_not_decrypt_again_after_all_sessions_were_ended() {
    let rng = &mut rng(7);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let [one, two] = [17, 18].map(|seed| first_message(&mut alice, &bob, b"text", seed));
    bob.receive(&one, rng).unwrap();
    bob.receive(&two, rng).unwrap();
    bob.session = SessionRecord::from_bytes(&bob.session.end_sessions().to_bytes()).unwrap();
    assert!(!bob.session.has_session() && bob.session.archived_count() == 0);
    assert_eq!(bob.receive(&one, rng), Err(DecryptError::EndedSession));
    assert_eq!(bob.receive(&two, rng), Err(DecryptError::EndedSession));
    // The same person goes on all the same.
    let three = first_message(&mut alice, &bob, b"three", 19);
    assert_eq!(bob.receive(&three, rng).unwrap(), b"three");
}

/// Alice lost her phone; whoever has it, or kept what it sent, does not take her place again.
#[test]
fn after_a_re_registration_no_old_message_brings_the_old_identity_back() {
    let rng = &mut rng(8);
    let (mut old_alice, mut bob) = (Party::new(rng), Party::new(rng));
    let handled = first_message(&mut old_alice, &bob, b"handled", 20);
    bob.receive(&handled, rng).unwrap();
    let withheld = first_message(&mut old_alice, &bob, b"withheld", 21);
    let mut new_alice = Party::new(rng);
    let anew = first_message(&mut new_alice, &bob, b"new phone", 22);
    assert_eq!(bob.receive(&anew, rng).unwrap(), b"new phone");
    assert_eq!(bob.session.archived_count(), 0);

    assert_eq!(bob.receive(&handled, rng), Err(DecryptError::EndedSession));
    assert_eq!(bob.receive(&withheld, rng), Err(DecryptError::ReplacedIdentity));
    assert_eq!(bob.session.remote_identity(), Some(new_alice.identity.public));

    // A bundle was asked for just now: what it says counts, and is for the caller to tell.
    bob.start(&old_alice.bare_bundle(), rng);
    assert_eq!(bob.receive(&withheld, rng).unwrap(), b"withheld");
    assert_eq!(bob.receive(&handled, rng), Err(DecryptError::EndedSession));
    let again = first_message(&mut new_alice, &bob, b"again", 23);
    assert_eq!(bob.receive(&again, rng), Err(DecryptError::ReplacedIdentity));
}

#[test]
fn after_a_notice_of_a_re_registration_no_old_message_begins_a_session() {
    let rng = &mut rng(9);
    let (mut old_alice, mut bob) = (Party::new(rng), Party::new(rng));
    bob.receive(&first_message(&mut old_alice, &bob, b"handled", 24), rng).unwrap();
    let withheld = first_message(&mut old_alice, &bob, b"withheld", 25);
    bob.session = SessionRecord::from_bytes(&bob.session.replace_identity().to_bytes()).unwrap();
    assert_eq!(bob.session.remote_identity(), None);
    assert_eq!(bob.receive(&withheld, rng), Err(DecryptError::ReplacedIdentity));
    let mut new_alice = Party::new(rng);
    let anew = first_message(&mut new_alice, &bob, b"new phone", 26);
    assert_eq!(bob.receive(&anew, rng).unwrap(), b"new phone");
}

#[test]
fn a_bundle_with_another_identity_ends_the_sessions_with_the_one_before() {
    let rng = &mut rng(10);
    let (mut old_alice, mut bob) = (Party::new(rng), Party::new(rng));
    bob.receive(&first_message(&mut old_alice, &bob, b"first", 27), rng).unwrap();
    let late = old_alice.send(b"late");
    let new_alice = Party::new(rng);
    bob.start(&new_alice.bare_bundle(), rng);
    assert_eq!(bob.session.archived_count(), 0);
    assert_eq!(bob.session.remote_identity(), Some(new_alice.identity.public));
    assert_eq!(bob.receive(&late, rng), Err(DecryptError::EndedSession));
}

#[test]
fn a_record_whose_list_of_ended_sessions_is_cut_is_refused() {
    let rng = &mut rng(11);
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    bob.receive(&first_message(&mut alice, &bob, b"first", 28), rng).unwrap();
    // Behind the version: field 4, the identity; then field 5, one digest.
    let mut bytes = bob.session.end_sessions().to_bytes().to_vec();
    assert_eq!(
        (bytes.len(), bytes[1], bytes[35..37].to_vec()),
        (1 + 34 + 18, 0x22, vec![0x2a, 16])
    );
    bytes.pop();
    bytes[36] = 15;
    let refused = SessionRecord::from_bytes(&bytes).unwrap_err();
    assert_eq!(refused, RecordError::Field("ended sessions"));
}
