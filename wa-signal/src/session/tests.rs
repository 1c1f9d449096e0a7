//! An answer in the chain of the signed prekey, which no peer of this crate's own makes.

use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use super::*;
use crate::{SignedPreKey, message::PreKeyMessage};

#[test]
fn whoever_is_answered_in_the_first_chain_names_the_prekeys_no_more() {
    let mut rng = ChaCha12Rng::seed_from_u64(5);
    let (ada, bob) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
    let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, &bob, &mut rng);
    let bundle = PreKeyBundle {
        registration_id: RegistrationId::new(2),
        identity: bob.public,
        signed_prekey: signed.public(),
        prekey: None,
    };
    let (local_ada, local_bob) = (
        LocalIdentity::new(&ada, RegistrationId::new(1)),
        LocalIdentity::new(&bob, RegistrationId::new(2)),
    );
    let (asking, first) = Session::initiate(&local_ada, &bundle, &mut rng)
        .unwrap()
        .encrypt(&local_ada, b"?")
        .unwrap();
    let CiphertextMessage::PreKey(first) = first else { panic!("no prekeys are named") };
    let header = PreKeyMessage::parse(&first).unwrap().header;
    let keys = Responder { identity: &bob, signed_prekey: &signed.pair, prekey: None };
    let (ada_key, base_key) = (ada.public.check().unwrap(), header.base_key.check().unwrap());
    // Bob's own first ratchet key is his signed prekey until he makes another.
    let answering = Session::respond(&header, &ada_key, &base_key, &keys);
    let (_, answer) = answering.encrypt(&local_bob, b"!").unwrap();
    let answer = answer.into_bytes();
    let answer = SignalMessage::parse(&answer).unwrap();
    assert_eq!(answer.ratchet_key, signed.pair.public);
    let (answered, plaintext) = asking.decrypt(&local_ada, &answer, &mut rng).unwrap();
    assert_eq!(plaintext, b"!");
    let (_, next) = answered.encrypt(&local_ada, b"thanks").unwrap();
    assert!(matches!(next, CiphertextMessage::Signal(_)), "the prekeys are named again");
}
