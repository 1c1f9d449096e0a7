//! Sessions and sender keys: what each message costs.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

use divan::{Bencher, black_box};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use wa_crypto::KeyPair;
use wa_signal::{
    LocalIdentity, PreKeyBundle, RegistrationId, SenderKeyRecord, SessionRecord, SignedPreKey,
    SignedPreKeyId,
};

const TEXT: &[u8] = &[7; 160];

fn main() {
    divan::main();
}

struct Pair {
    rng: ChaCha12Rng,
    alice_keys: KeyPair,
    bob_keys: KeyPair,
    signed_prekey: SignedPreKey,
    alice: SessionRecord,
    bob: SessionRecord,
}

impl Pair {
    /// Alice has written, Bob has answered.
    fn acquainted() -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let (alice_keys, bob_keys) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &bob_keys, &mut rng);
        let (alice, bob) = (SessionRecord::new(), SessionRecord::new());
        let mut pair = Self { rng, alice_keys, bob_keys, signed_prekey, alice, bob };
        let (alice, first) = pair.first_message();
        pair.bob = pair.open_first(&first);
        pair.alice = alice;
        let (bob, answer) = pair.bob.encrypt(&local(&pair.bob_keys), TEXT).unwrap();
        let local = LocalIdentity::new(&pair.alice_keys, RegistrationId::new(1));
        let opened = pair.alice.decrypt_signal(&local, answer.bytes(), &mut pair.rng).unwrap();
        pair.alice = opened.session;
        pair.bob = bob;
        pair
    }

    fn first_message(&mut self) -> (SessionRecord, Vec<u8>) {
        let bundle = PreKeyBundle {
            registration_id: RegistrationId::new(1),
            identity: self.bob_keys.public,
            signed_prekey: self.signed_prekey.public(),
            prekey: None,
        };
        let local = local(&self.alice_keys);
        let session = SessionRecord::new().process_bundle(&local, &bundle, &mut self.rng).unwrap();
        let (session, message) = session.encrypt(&local, TEXT).unwrap();
        (session, message.into_bytes())
    }

    fn open_first(&mut self, message: &[u8]) -> SessionRecord {
        let signed = Some(&self.signed_prekey);
        SessionRecord::new()
            .decrypt_prekey(&local(&self.bob_keys), None, signed, message, &mut self.rng)
            .unwrap()
            .session
    }
}

fn local(keys: &KeyPair) -> LocalIdentity<'_> {
    LocalIdentity::new(keys, RegistrationId::new(1))
}

#[divan::bench]
fn session_encrypt(bencher: Bencher<'_, '_>) {
    let pair = Pair::acquainted();
    bencher.bench_local(|| pair.alice.encrypt(&local(&pair.alice_keys), black_box(TEXT)).unwrap());
}

#[divan::bench]
fn session_decrypt_ratchet_step(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::acquainted();
    let (_, message) = pair.alice.encrypt(&local(&pair.alice_keys), TEXT).unwrap();
    bencher.bench_local(|| {
        pair.bob
            .decrypt_signal(&local(&pair.bob_keys), black_box(message.bytes()), &mut pair.rng)
            .unwrap()
    });
}

#[divan::bench]
fn session_decrypt_same_chain(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::acquainted();
    let (alice, message) = pair.alice.encrypt(&local(&pair.alice_keys), TEXT).unwrap();
    let bob = local(&pair.bob_keys);
    let stepped = pair.bob.decrypt_signal(&bob, message.bytes(), &mut pair.rng).unwrap().session;
    let (_, message) = alice.encrypt(&local(&pair.alice_keys), TEXT).unwrap();
    bencher.bench_local(|| {
        stepped.decrypt_signal(&bob, black_box(message.bytes()), &mut pair.rng).unwrap()
    });
}

#[divan::bench]
fn first_message_encrypt(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::acquainted();
    bencher.bench_local(|| pair.first_message());
}

#[divan::bench]
fn first_message_decrypt(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::acquainted();
    let (_, message) = pair.first_message();
    bencher.bench_local(|| pair.open_first(black_box(&message)));
}

/// What any use of another party's key costs on top of the agreement.
#[divan::bench]
fn public_key_check(bencher: Bencher<'_, '_>) {
    let key = Pair::acquainted().bob_keys.public;
    bencher.bench_local(|| black_box(key).check().unwrap());
}

#[divan::bench]
fn agreement_with_a_checked_key(bencher: Bencher<'_, '_>) {
    let pair = Pair::acquainted();
    let key = pair.bob_keys.public.check().unwrap();
    bencher.bench_local(|| pair.alice_keys.private.agree_checked(black_box(&key)));
}

/// Bob's record after the worst that Alice can do to it: messages behind gaps in every chain of
/// forty-one sessions.
fn full_record() -> Pair {
    let mut pair = Pair::acquainted();
    let alice_keys = pair.alice_keys.clone();
    for _ in 0..41 {
        let (mut alice, first) = pair.first_message();
        let mut message = first;
        for _ in 0..5 {
            let signed = Some(&pair.signed_prekey);
            let bob = local(&pair.bob_keys);
            let opened = match alice.encrypt(&local(&alice_keys), TEXT).unwrap().1.kind_str() {
                "pkmsg" => pair.bob.decrypt_prekey(&bob, None, signed, &message, &mut pair.rng),
                _ => pair.bob.decrypt_signal(&bob, &message, &mut pair.rng),
            };
            let (answering, answer) = opened.unwrap().session.encrypt(&bob, TEXT).unwrap();
            pair.bob = answering;
            let opened = alice.decrypt_signal(&local(&alice_keys), answer.bytes(), &mut pair.rng);
            alice = opened.unwrap().session;
            for _ in 0..200 {
                let (next, sent) = alice.encrypt(&local(&alice_keys), TEXT).unwrap();
                (alice, message) = (next, sent.into_bytes());
            }
        }
        pair.alice = alice;
    }
    assert_eq!((pair.bob.archived_count(), pair.bob.skipped_key_count()), (40, 2_000));
    pair
}

#[divan::bench]
fn full_record_read_and_written(bencher: Bencher<'_, '_>) {
    let stored = full_record().bob.to_bytes();
    bencher.bench_local(|| SessionRecord::from_bytes(black_box(&stored)).unwrap().to_bytes());
}

#[divan::bench]
fn full_record_decrypt_same_chain(bencher: Bencher<'_, '_>) {
    let mut pair = full_record();
    let (alice, message) = pair.alice.encrypt(&local(&pair.alice_keys), TEXT).unwrap();
    let bob = local(&pair.bob_keys);
    let stepped = pair.bob.decrypt_signal(&bob, message.bytes(), &mut pair.rng).unwrap().session;
    let (_, message) = alice.encrypt(&local(&pair.alice_keys), TEXT).unwrap();
    bencher.bench_local(|| {
        stepped.decrypt_signal(&bob, black_box(message.bytes()), &mut pair.rng).unwrap()
    });
}

/// A message with a ratchet key that nobody has seen, so that each session is tried.
#[divan::bench(args = [0, 50, 2_000])]
fn full_record_garbage(bencher: Bencher<'_, '_>, counter: u64) {
    let mut pair = full_record();
    let stranger = KeyPair::random(&mut pair.rng).public;
    let mut message = vec![0x33, 0x0a, 33];
    message.extend(stranger.to_wire());
    message.push(0x10);
    message.extend(varint(counter));
    message.extend([0x22, 16]);
    message.extend([7; 16 + 8]);
    let bob = local(&pair.bob_keys);
    bencher.bench_local(|| {
        pair.bob.decrypt_signal(&bob, black_box(&message), &mut pair.rng).unwrap_err()
    });
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[divan::bench]
fn sender_key_encrypt(bencher: Bencher<'_, '_>) {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let sender = SenderKeyRecord::create(&mut rng);
    bencher.bench_local(|| sender.encrypt(black_box(TEXT), &mut rng).unwrap());
}

#[divan::bench]
fn sender_key_decrypt(bencher: Bencher<'_, '_>) {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let sender = SenderKeyRecord::create(&mut rng);
    let told = sender.distribution_message().unwrap();
    let receiver = SenderKeyRecord::new().process_distribution(&told).unwrap();
    let (_, message) = sender.encrypt(TEXT, &mut rng).unwrap();
    bencher.bench_local(|| receiver.decrypt(black_box(&message)).unwrap());
}
