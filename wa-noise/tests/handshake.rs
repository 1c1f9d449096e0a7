//! Client and server shake hands over the public API, in every pattern, and refuse what they must.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_crypto::{InvalidPublicKey, KeyPair, PublicKey};
use wa_noise::{
    Accepted, CertificateAuthority, CertificateError, CertificateLink, CertificatePolicy,
    ClientHandshake, ClientResumption, ClientVerified, HandshakeError, HandshakeField,
    HandshakeMessageKind, Prologue, Resumed, ServerAwaitingFinish, ServerHandshake, ServerReply,
    Transport, Validity,
};

const NOW: u64 = 1_750_000_000;
const PAYLOAD: &[u8] = b"client payload";

struct World {
    rng: ChaCha20Rng,
    authority: CertificateAuthority,
    client: KeyPair,
    server: KeyPair,
}

impl World {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let authority = CertificateAuthority::new(KeyPair::random(&mut rng), VALIDITY, &mut rng);
        let [client, server] = [(); 2].map(|()| KeyPair::random(&mut rng));
        Self { rng, authority, client, server }
    }

    fn policy(&self) -> CertificatePolicy {
        CertificatePolicy { root: self.authority.root(), now: NOW }
    }

    fn server(&mut self) -> ServerHandshake {
        let chain = self.authority.issue(&self.server.public, VALIDITY, &mut self.rng);
        ServerHandshake::new(self.server.clone(), chain, Prologue::CURRENT)
    }

    fn start(&mut self) -> (ClientHandshake, Vec<u8>) {
        ClientHandshake::start(self.client.clone(), Prologue::CURRENT, &mut self.rng)
    }

    fn resume(&mut self, server: PublicKey) -> (ClientResumption, Vec<u8>) {
        let client = self.client.clone();
        ClientHandshake::resume(client, server, PAYLOAD, Prologue::CURRENT, &mut self.rng).unwrap()
    }

    fn answer(&mut self, hello: &[u8]) -> (Vec<u8>, ServerAwaitingFinish) {
        match self.server().receive(hello, &mut self.rng).unwrap() {
            ServerReply::AwaitFinish { message, state } => (message, state),
            ServerReply::Established { .. } => panic!("resumed"),
        }
    }

    fn answer_resumption(&mut self, hello: &[u8]) -> (Vec<u8>, Accepted) {
        match self.server().receive(hello, &mut self.rng).unwrap() {
            ServerReply::Established { message, accepted } => (message, accepted),
            ServerReply::AwaitFinish { .. } => panic!("fell back"),
        }
    }
}

const VALIDITY: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };

fn assert_connected(world: &World, client: Transport, accepted: Accepted) {
    assert_eq!(accepted.client.static_key, world.client.public);
    assert_eq!(accepted.client.payload, PAYLOAD);
    let (mut client_seals, mut client_opens) = client.split();
    let (mut server_seals, mut server_opens) = accepted.transport.split();
    for round in 0..3u8 {
        let there = client_seals.seal(&[round; 40]).unwrap();
        assert_eq!(server_opens.open(&there).unwrap(), [round; 40]);
        let back = server_seals.seal(&[round; 20]).unwrap();
        assert_eq!(client_opens.open(&back).unwrap(), [round; 20]);
    }
}

fn finish(verified: ClientVerified, server: ServerAwaitingFinish) -> (Transport, Accepted) {
    let (finish, transport) = verified.finish(PAYLOAD);
    (transport, server.receive(&finish).unwrap())
}

#[test]
fn strangers_shake_hands_in_full() {
    let mut world = World::new();
    let (client, hello) = world.start();
    let (message, server) = world.answer(&hello);
    let verified = client.receive(&message, &world.policy()).unwrap();
    assert_eq!(verified.server().server_static, world.server.public);
    assert_eq!(verified.server().valid_until, VALIDITY.not_after);
    let (transport, accepted) = finish(verified, server);
    assert_connected(&world, transport, accepted);
}

#[test]
fn a_known_server_key_saves_a_round_trip() {
    let mut world = World::new();
    let (client, hello) = world.resume(world.server.public);
    let (message, accepted) = world.answer_resumption(&hello);
    let Resumed::Established { server, transport } =
        client.receive(&message, &world.policy()).unwrap()
    else {
        panic!("fell back");
    };
    assert_eq!(server.server_static, world.server.public);
    assert_connected(&world, transport, accepted);
}

#[test]
fn an_outdated_server_key_falls_back_to_the_full_handshake() {
    let mut world = World::new();
    let outdated = KeyPair::random(&mut world.rng).public;
    let (client, hello) = world.resume(outdated);
    let (message, server) = world.answer(&hello);
    let Resumed::FellBack(verified) = client.receive(&message, &world.policy()).unwrap() else {
        panic!("resumed");
    };
    assert_eq!(verified.server().server_static, world.server.public);
    let (transport, accepted) = finish(verified, server);
    assert_connected(&world, transport, accepted);
}

#[test]
fn a_fallback_is_no_answer_to_a_full_handshake() {
    let mut world = World::new();
    let outdated = KeyPair::random(&mut world.rng).public;
    let (_, resuming) = world.resume(outdated);
    let (message, _) = world.answer(&resuming);
    let (client, _) = world.start();
    assert_eq!(
        client.receive(&message, &world.policy()).unwrap_err(),
        HandshakeError::Decrypt(HandshakeField::Static)
    );
}

#[test]
fn a_certificate_is_judged_in_every_pattern() {
    let mut world = World::new();
    let expired = CertificatePolicy { now: VALIDITY.not_after + 1, ..world.policy() };
    let refusal = HandshakeError::Certificate(CertificateError::Expired {
        link: CertificateLink::Intermediate,
        not_after: VALIDITY.not_after,
        now: VALIDITY.not_after + 1,
    });

    let (client, hello) = world.start();
    let (message, _) = world.answer(&hello);
    assert_eq!(client.receive(&message, &expired).unwrap_err(), refusal);

    let (client, hello) = world.resume(world.server.public);
    let (message, _) = world.answer_resumption(&hello);
    assert_eq!(client.receive(&message, &expired).unwrap_err(), refusal);

    let outdated = KeyPair::random(&mut world.rng).public;
    let (client, hello) = world.resume(outdated);
    let (message, _) = world.answer(&hello);
    assert_eq!(client.receive(&message, &expired).unwrap_err(), refusal);
}

#[test]
fn a_message_out_of_turn_is_named_as_such() {
    let mut world = World::new();
    let (client, hello) = world.start();
    let (message, server) = world.answer(&hello);
    assert_eq!(
        client.receive(&hello, &world.policy()).unwrap_err(),
        HandshakeError::UnexpectedMessage(HandshakeMessageKind::ServerHello)
    );
    assert_eq!(
        server.receive(&message).unwrap_err(),
        HandshakeError::UnexpectedMessage(HandshakeMessageKind::ClientFinish)
    );
    let server = world.server();
    assert_eq!(
        server.receive(&message, &mut world.rng).unwrap_err(),
        HandshakeError::UnexpectedMessage(HandshakeMessageKind::ClientHello)
    );
    let server = world.server();
    assert_eq!(server.receive(&[0xff], &mut world.rng).unwrap_err(), HandshakeError::Malformed);
}

#[test]
fn a_client_hello_of_wrong_form_is_refused() {
    let mut world = World::new();
    let ephemeral = [vec![0x0a, 32], world.client.public.as_bytes().to_vec()].concat();
    let cases = [
        (vec![], HandshakeError::MissingField(HandshakeField::Ephemeral)),
        (vec![0x0a, 1, 7], HandshakeError::KeyLength { field: HandshakeField::Ephemeral, len: 1 }),
        (
            [vec![0x0a, 32], vec![0; 32]].concat(),
            HandshakeError::InvalidKey(InvalidPublicKey::SmallOrderPart),
        ),
        (
            [ephemeral, vec![0x12, 1, 7]].concat(),
            HandshakeError::MissingField(HandshakeField::Payload),
        ),
    ];
    for (fields, error) in cases {
        let hello = [vec![0x12, u8::try_from(fields.len()).unwrap()], fields].concat();
        let server = world.server();
        assert_eq!(server.receive(&hello, &mut world.rng).unwrap_err(), error);
    }
}

#[test]
fn an_altered_message_never_passes() {
    let mut world = World::new();
    let policy = world.policy();
    let (_, hello) = world.start();
    let len = world.answer(&hello).0.len();
    // Every byte of the server hello is the ephemeral key, under a tag, or says what is which.
    for index in 0..len {
        let (client, hello) = world.start();
        let (mut message, _) = world.answer(&hello);
        message[index] ^= 1;
        assert!(client.receive(&message, &policy).is_err(), "byte {index}");
    }
    let (client, hello) = world.start();
    let (message, _) = world.answer(&hello);
    let len = client.receive(&message, &policy).unwrap().finish(PAYLOAD).0.len();
    for index in 0..len {
        let (client, hello) = world.start();
        let (message, server) = world.answer(&hello);
        let (mut finish, _) = client.receive(&message, &policy).unwrap().finish(PAYLOAD);
        finish[index] ^= 1;
        assert!(server.receive(&finish).is_err(), "byte {index}");
    }
}

#[test]
fn a_resumption_with_an_altered_payload_is_refused_and_does_not_fall_back() {
    let mut world = World::new();
    let (_, mut hello) = world.resume(world.server.public);
    *hello.last_mut().unwrap() ^= 1;
    let server = world.server();
    assert_eq!(
        server.receive(&hello, &mut world.rng).unwrap_err(),
        HandshakeError::Decrypt(HandshakeField::Payload)
    );
}

#[test]
fn a_server_without_the_cached_key_cannot_grant_a_resumption() {
    let mut world = World::new();
    let (client, _) = world.resume(world.server.public);
    let impostor_keys = KeyPair::random(&mut world.rng);
    let chain = world.authority.issue(&world.server.public, VALIDITY, &mut world.rng);
    let impostor = ServerHandshake::new(impostor_keys.clone(), chain, Prologue::CURRENT);
    let (_, hello) = world.resume(impostor_keys.public);
    let ServerReply::Established { message, .. } =
        impostor.receive(&hello, &mut world.rng).unwrap()
    else {
        panic!("fell back");
    };
    assert_eq!(
        client.receive(&message, &world.policy()).unwrap_err(),
        HandshakeError::Decrypt(HandshakeField::Payload)
    );
}

#[test]
fn a_server_key_of_small_order_cannot_be_resumed_with() {
    let mut world = World::new();
    let refused = ClientHandshake::resume(
        world.client.clone(),
        PublicKey::from_bytes([0; 32]),
        PAYLOAD,
        Prologue::CURRENT,
        &mut world.rng,
    );
    assert_eq!(refused.unwrap_err(), HandshakeError::InvalidKey(InvalidPublicKey::SmallOrderPart));
}

#[test]
fn debug_of_every_state_shows_no_secret() {
    let mut world = World::new();
    let (client, hello) = world.start();
    let (message, server) = world.answer(&hello);
    let mut shown = format!("{client:?} {server:?} {:?}", world.server());
    let (resumption, _) = world.resume(world.server.public);
    shown += &format!("{resumption:?}");
    let verified = client.receive(&message, &world.policy()).unwrap();
    shown += &format!("{verified:?}");
    let (transport, accepted) = finish(verified, server);
    shown += &format!("{transport:?} {accepted:?}");
    let secret = |bytes: &[u8]| format!("{:?}", &bytes[..4]).replace(['[', ']'], "");
    for secret in [
        secret(world.client.private.as_bytes()),
        secret(world.server.private.as_bytes()),
        secret(PAYLOAD),
    ] {
        assert!(!shown.contains(&secret), "{shown}");
    }
}
