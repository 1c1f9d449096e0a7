//! Sealing and opening of transport frames, of a stanza's size and of a media thumbnail's.

#![expect(clippy::unwrap_used, clippy::panic, reason = "benchmarks")]

use divan::{Bencher, counter::BytesCount};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_crypto::KeyPair;
use wa_noise::{
    CertificateAuthority, CertificatePolicy, ClientHandshake, Opener, Prologue, Sealer,
    ServerHandshake, ServerReply, Validity, encode_frame,
};

const SIZES: [usize; 2] = [1_500, 64 * 1024];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn seal(bencher: Bencher<'_, '_>, size: usize) {
    let (mut sealer, _) = connection();
    let plaintext = vec![7; size];
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| encode_frame(&sealer.seal(&plaintext).unwrap()).unwrap());
}

#[divan::bench(args = SIZES)]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let (mut sealer, mut opener) = connection();
    let plaintext = vec![7; size];
    bencher
        .counter(BytesCount::new(size))
        .with_inputs(|| sealer.seal(&plaintext).unwrap())
        .bench_local_refs(|frame| opener.open(frame).unwrap());
}

#[divan::bench]
fn handshake() -> (Sealer, Opener) {
    connection()
}

/// A client's sealer and the opener of the server it is connected to.
fn connection() -> (Sealer, Opener) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let validity = Validity { not_before: 0, not_after: 1 };
    let authority = CertificateAuthority::new(KeyPair::random(&mut rng), validity, &mut rng);
    let [client, server] = [(); 2].map(|()| KeyPair::random(&mut rng));
    let chain = authority.issue(&server.public, validity, &mut rng);
    let (client, hello) = ClientHandshake::start(client, Prologue::CURRENT, &mut rng);
    let reply = ServerHandshake::new(server, chain, Prologue::CURRENT).receive(&hello, &mut rng);
    let ServerReply::AwaitFinish { message, state } = reply.unwrap() else {
        panic!("resumed");
    };
    let policy = CertificatePolicy { root: authority.root(), now: 0 };
    let (finish, transport) = client.receive(&message, &policy).unwrap().finish(b"payload");
    let accepted = state.receive(&finish).unwrap();
    (transport.split().0, accepted.transport.split().1)
}
