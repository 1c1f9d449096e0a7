//! Both sides against each other, and against `snow`, which shares no code with them.
//!
//! `snow` hashes the empty payload of XX's first message, as the Noise specification has it and
//! WhatsApp has not; here and only here our transcript takes it in too.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use snow::params::{
    BaseChoice, CipherChoice, DHChoice, HandshakeChoice, HandshakeModifierList, HandshakePattern,
    HashChoice, NoiseParams,
};
use wa_crypto::KeyPair;

use super::{
    client::{ClientHandshake, Resumed},
    message::{ClientFinish, ClientHello, ServerHello},
    server::{ServerHandshake, ServerReply},
    symmetric_state::Pattern,
};
use crate::{CertificateAuthority, CertificatePolicy, Prologue, Transport, Validity};

const NOW: u64 = 1_750_000_000;

struct World {
    rng: ChaCha20Rng,
    client: KeyPair,
    server: KeyPair,
    chain: Vec<u8>,
    policy: CertificatePolicy,
}

impl World {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let validity = Validity { not_before: NOW - 1, not_after: NOW + 1 };
        let authority = CertificateAuthority::new(KeyPair::random(&mut rng), validity, &mut rng);
        let [client, server] = [(); 2].map(|()| KeyPair::random(&mut rng));
        let chain = authority.issue(&server.public, validity, &mut rng);
        let policy = CertificatePolicy { root: authority.root(), now: NOW };
        Self { rng, client, server, chain, policy }
    }

    fn server_state(&self) -> ServerHandshake {
        ServerHandshake::new(self.server.clone(), self.chain.clone(), Prologue::CURRENT)
    }

    fn snow(&self, pattern: HandshakePattern, name: &str) -> snow::Builder<'static> {
        let handshake =
            HandshakeChoice { pattern, modifiers: HandshakeModifierList { list: Vec::new() } };
        snow::Builder::new(NoiseParams::new(
            name.to_owned(),
            BaseChoice::Noise,
            handshake,
            DHChoice::Curve25519,
            CipherChoice::AESGCM,
            HashChoice::SHA256,
        ))
        .prologue(b"WA\x06\x03")
        .unwrap()
    }
}

/// Both transports carry frames both ways.
fn assert_connected(left: Transport, right: snow::TransportState) {
    let mut right = right;
    let (mut seals, mut opens) = left.split();
    let mut buffer = [0; 256];
    for round in 0..3u8 {
        let there = seals.seal(&[round; 100]).unwrap();
        let len = right.read_message(&there, &mut buffer).unwrap();
        assert_eq!(buffer[..len], [round; 100]);
        let len = right.write_message(&[round; 50], &mut buffer).unwrap();
        assert_eq!(opens.open(&buffer[..len]).unwrap(), [round; 50]);
    }
}

/// `snow`'s responder as a server hello, and what it makes of the finish.
fn answer_with_snow(world: &World, name: &str, client: ClientHandshake, ephemeral: &[u8]) {
    let mut snow = world
        .snow(HandshakePattern::XX, name)
        .local_private_key(world.server.private.as_bytes())
        .unwrap()
        .build_responder()
        .unwrap();
    let mut client = client;
    client.symmetric.mix_hash(&[]);
    let mut buffer = [0; 4096];
    assert_eq!(snow.read_message(ephemeral, &mut buffer).unwrap(), 0);
    let len = snow.write_message(&world.chain, &mut buffer).unwrap();
    let hello = ServerHello {
        ephemeral: Some(buffer[..32].to_vec().into()),
        static_key: Some(buffer[32..80].to_vec().into()),
        payload: Some(buffer[80..len].to_vec().into()),
    };
    let verified = client.receive(&hello.encode(), &world.policy).unwrap();
    assert_eq!(verified.server().server_static, world.server.public);

    let (finish, transport) = verified.finish(b"client payload");
    let finish = ClientFinish::decode(&finish).unwrap();
    let message = [finish.static_key.unwrap(), finish.payload.unwrap()].concat();
    let len = snow.read_message(&message, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"client payload");
    assert_eq!(snow.get_remote_static().unwrap(), world.client.public.as_bytes());
    assert_connected(transport, snow.into_transport_mode().unwrap());
}

#[test]
fn the_full_handshake_is_that_of_noise_but_for_the_empty_payload() {
    let mut world = World::new();
    let (client, hello) =
        ClientHandshake::start(world.client.clone(), Prologue::CURRENT, &mut world.rng);
    let ephemeral = ClientHello::decode(&hello).unwrap().ephemeral.unwrap();
    answer_with_snow(&world, "Noise_XX_25519_AESGCM_SHA256", client, &ephemeral);
}

#[test]
fn the_fallback_is_the_full_handshake_under_its_own_name() {
    let mut world = World::new();
    let stale = KeyPair::random(&mut world.rng).public;
    let (resumption, hello) = ClientHandshake::resume(
        world.client.clone(),
        stale,
        b"unreadable",
        Prologue::CURRENT,
        &mut world.rng,
    )
    .unwrap();
    let ephemeral = ClientHello::decode(&hello).unwrap().ephemeral.unwrap();
    let client = resumption.fall_back();
    answer_with_snow(&world, "Noise_XXfallback_25519_AESGCM_SHA256", client, &ephemeral);
}

#[test]
fn resumption_as_client_is_that_of_noise() {
    let mut world = World::new();
    let mut snow = world
        .snow(HandshakePattern::IK, "Noise_IK_25519_AESGCM_SHA256")
        .local_private_key(world.server.private.as_bytes())
        .unwrap()
        .build_responder()
        .unwrap();
    let (client, hello) = ClientHandshake::resume(
        world.client.clone(),
        world.server.public,
        b"client payload",
        Prologue::CURRENT,
        &mut world.rng,
    )
    .unwrap();
    let hello = ClientHello::decode(&hello).unwrap();
    let message =
        [hello.ephemeral.unwrap(), hello.static_key.unwrap(), hello.payload.unwrap()].concat();
    let mut buffer = [0; 4096];
    let len = snow.read_message(&message, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"client payload");
    assert_eq!(snow.get_remote_static().unwrap(), world.client.public.as_bytes());

    let len = snow.write_message(&world.chain, &mut buffer).unwrap();
    let hello = ServerHello {
        ephemeral: Some(buffer[..32].to_vec().into()),
        static_key: None,
        payload: Some(buffer[32..len].to_vec().into()),
    };
    let Resumed::Established { server, transport } =
        client.receive(&hello.encode(), &world.policy).unwrap()
    else {
        panic!("fell back");
    };
    assert_eq!(server.server_static, world.server.public);
    assert_connected(transport, snow.into_transport_mode().unwrap());
}

#[test]
fn resumption_as_server_is_that_of_noise() {
    let mut world = World::new();
    let mut snow = world
        .snow(HandshakePattern::IK, "Noise_IK_25519_AESGCM_SHA256")
        .local_private_key(world.client.private.as_bytes())
        .unwrap()
        .remote_public_key(world.server.public.as_bytes())
        .unwrap()
        .build_initiator()
        .unwrap();
    let mut buffer = [0; 4096];
    let len = snow.write_message(b"client payload", &mut buffer).unwrap();
    let hello = ClientHello {
        ephemeral: Some(buffer[..32].to_vec().into()),
        static_key: Some(buffer[32..80].to_vec().into()),
        payload: Some(buffer[80..len].to_vec().into()),
    };
    let server = world.server_state();
    let ServerReply::Established { message, accepted } =
        server.receive(&hello.encode(), &mut world.rng).unwrap()
    else {
        panic!("fell back");
    };
    assert_eq!(accepted.client.static_key, world.client.public);
    assert_eq!(accepted.client.payload, b"client payload");

    let hello = ServerHello::decode(&message).unwrap();
    assert_eq!(hello.static_key, None);
    let message = [hello.ephemeral.unwrap(), hello.payload.unwrap()].concat();
    let len = snow.read_message(&message, &mut buffer).unwrap();
    assert_eq!(buffer[..len], world.chain);
    assert_connected(accepted.transport, snow.into_transport_mode().unwrap());
}

#[test]
fn each_pattern_has_a_transcript_of_its_own() {
    let hashes = [Pattern::Xx, Pattern::Ik, Pattern::XxFallback].map(|pattern| {
        super::symmetric_state::SymmetricState::new(pattern, Prologue::CURRENT).trace[0].1
    });
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
}

#[test]
fn the_prologue_stands_in_the_transcript() {
    let mut world = World::new();
    let prologue = Prologue::from_bytes(*b"WA\x06\x02");
    let (client, hello) = ClientHandshake::start(world.client.clone(), prologue, &mut world.rng);
    let ServerReply::AwaitFinish { message, .. } =
        world.server_state().receive(&hello, &mut world.rng).unwrap()
    else {
        panic!("resumed");
    };
    assert_eq!(
        client.receive(&message, &world.policy).unwrap_err(),
        super::HandshakeError::Decrypt(super::HandshakeField::Static)
    );
}
