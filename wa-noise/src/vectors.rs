//! The Noise vectors, which look inside: at keys, hashes and counters that the API does not show.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use wa_crypto::{KeyPair, PrivateKey, PublicKey};

use crate::{
    CertificateError, CertificatePolicy, ClientHandshake, ConnectionHeader, FrameDecoder,
    HandshakeError, HeaderDecoder, OpenError, Prologue, ServerAwaitingFinish, ServerHandshake,
    ServerReply, encode_frame,
    transport::{Opener, Sealer, Transport},
};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Case {
    Handshake(Box<Handshake>),
    HandshakeInvalid { name: String, of: usize, server_hello: Hex },
    FrameInvalid { name: String, of: usize, counter: u32, frame: Hex },
    Cert(Certificate),
}

#[derive(Deserialize)]
struct Handshake {
    name: String,
    header: Hex,
    routing_info: Option<Hex>,
    client_ephemeral: Keys,
    client_static: Keys,
    server_ephemeral: Keys,
    server_static: Keys,
    root_public: Hex,
    cert_chain: Hex,
    client_payload: Hex,
    client_hello: Hex,
    server_hello: Hex,
    client_finish: Hex,
    wire_client_hello: Hex,
    wire_client_finish: Hex,
    client_to_server_key: Hex,
    server_to_client_key: Hex,
    steps: Vec<Step>,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Keys {
    private: Hex,
    public: Hex,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    chaining_key: Hex,
    hash: Hex,
}

#[derive(Deserialize)]
struct Frame {
    direction: String,
    counter: u32,
    plaintext: Hex,
    frame: Hex,
}

#[derive(Deserialize)]
struct Certificate {
    name: String,
    root_public: Hex,
    server_static: Hex,
    cert_chain: Hex,
    now: u64,
    valid: bool,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

impl Hex {
    fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().unwrap()
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.array())
    }
}

impl Keys {
    fn pair(&self) -> KeyPair {
        let pair = KeyPair::from_private(PrivateKey::from_bytes(self.private.array()));
        assert_eq!(pair.public, self.public.key());
        pair
    }
}

#[test]
fn vectors_noise() {
    let folder = std::env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join("noise.json")).unwrap();
    let File { cases } = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    let handshake = |index: usize| match &cases[index] {
        Case::Handshake(case) => case,
        _ => panic!("case {index} is no handshake"),
    };
    for case in &cases {
        match case {
            Case::Handshake(case) => check_handshake(case),
            Case::HandshakeInvalid { name, of, server_hello } => {
                check_refused_hello(name, handshake(*of), &server_hello.0);
            }
            Case::FrameInvalid { name, of, counter, frame } => {
                check_refused_frame(name, handshake(*of), *counter, &frame.0);
            }
            Case::Cert(case) => check_certificate(case),
        }
    }
}

/// A moment at which the chains of the handshake cases are valid.
const NOW: u64 = 1_782_864_000;

impl Handshake {
    fn policy(&self) -> CertificatePolicy {
        CertificatePolicy { root: self.root_public.key(), now: NOW }
    }

    fn prologue(&self) -> Prologue {
        Prologue::from_bytes(self.header.array())
    }

    fn client(&self) -> (ClientHandshake, Vec<u8>) {
        let (keys, ephemeral) = (self.client_static.pair(), self.client_ephemeral.pair());
        ClientHandshake::start_with(keys, ephemeral, self.prologue())
    }

    fn server(&self) -> (Vec<u8>, ServerAwaitingFinish) {
        let chain = self.cert_chain.0.clone();
        let reply = ServerHandshake::new(self.server_static.pair(), chain, self.prologue())
            .receive_with(&self.client_hello.0, self.server_ephemeral.pair());
        match reply {
            Ok(ServerReply::AwaitFinish { message, state }) => (message, state),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    fn check_steps(&self, trace: &[([u8; 32], [u8; 32])]) {
        assert_eq!(trace.len(), self.steps.len(), "{}", self.name);
        for (step, (chaining_key, hash)) in self.steps.iter().zip(trace) {
            let which = format!("{}: {}", self.name, step.step);
            assert_eq!(step.chaining_key.0, chaining_key, "{which}, chaining key");
            assert_eq!(step.hash.0, hash, "{which}, hash");
        }
    }
}

fn check_handshake(case: &Handshake) {
    let name = &case.name;
    let (client, hello) = case.client();
    assert_eq!(hello, case.client_hello.0, "{name}: client hello");
    check_opening(case, &hello);

    let (message, mut server) = case.server();
    assert_eq!(message, case.server_hello.0, "{name}: server hello");

    let mut client = client.receive(&message, &case.policy()).unwrap();
    assert_eq!(client.server().server_static, case.server_static.public.key(), "{name}");
    let finish = client.write_finish(&case.client_payload.0);
    assert_eq!(finish, case.client_finish.0, "{name}: client finish");
    assert_eq!(encode_frame(&finish).unwrap(), case.wire_client_finish.0, "{name}: wire finish");

    let identity = server.read_finish(&finish).unwrap();
    assert_eq!(identity.static_key, case.client_static.public.key(), "{name}");
    assert_eq!(identity.payload, case.client_payload.0, "{name}");

    case.check_steps(&client.symmetric.trace);
    case.check_steps(&server.symmetric.trace);
    for symmetric in [&client.symmetric, &server.symmetric] {
        let (to_server, to_client) = symmetric.split();
        assert_eq!(*to_server, case.client_to_server_key.array(), "{name}");
        assert_eq!(*to_client, case.server_to_client_key.array(), "{name}");
    }
    check_frames(case);
}

fn check_opening(case: &Handshake, hello: &[u8]) {
    let routing_info = case.routing_info.as_ref().map(|info| Bytes::copy_from_slice(&info.0));
    let header = ConnectionHeader { routing_info };
    let mut wire = header.encode().unwrap();
    wire.extend(encode_frame(hello).unwrap());
    assert_eq!(wire, case.wire_client_hello.0, "{}: opening", case.name);

    let (read, mut frames) = HeaderDecoder::new().push(&wire).unwrap().unwrap();
    assert_eq!(read, header);
    assert_eq!(frames.next_frame().unwrap().unwrap(), hello);
}

impl Handshake {
    /// The server's sealer and the client's opener, or the other way round, at a counter.
    fn direction(&self, direction: &str, counter: u32) -> (Sealer, Opener) {
        let to_server = self.client_to_server_key.array();
        let to_client = self.server_to_client_key.array();
        let (client, server) =
            (Transport::new(&to_server, &to_client), Transport::new(&to_client, &to_server));
        let ((client_seals, client_opens), (server_seals, server_opens)) =
            (client.split(), server.split());
        let (mut sealer, mut opener) = match direction {
            "client-to-server" => (client_seals, server_opens),
            "server-to-client" => (server_seals, client_opens),
            other => panic!("direction {other}"),
        };
        sealer.0.next = Some(counter);
        opener.0.next = Some(counter);
        (sealer, opener)
    }
}

fn check_frames(case: &Handshake) {
    for frame in &case.frames {
        let which = format!("{}: {} {}", case.name, frame.direction, frame.counter);
        let (mut sealer, mut opener) = case.direction(&frame.direction, frame.counter);
        let sealed = sealer.seal(&frame.plaintext.0).unwrap();
        assert_eq!(encode_frame(&sealed).unwrap(), frame.frame.0, "{which}");
        assert_eq!(opener.open(&unframe(&frame.frame.0)).unwrap(), frame.plaintext.0, "{which}");
    }
}

fn check_refused_hello(name: &str, of: &Handshake, server_hello: &[u8]) {
    let (client, _) = of.client();
    let refusal = client.receive(server_hello, &of.policy()).unwrap_err();
    assert!(!matches!(refusal, HandshakeError::Certificate(_)), "{name}: {refusal}");
}

/// Each of these frames is offered to the client, which expects the server's of that counter.
fn check_refused_frame(name: &str, of: &Handshake, counter: u32, frame: &[u8]) {
    let (_, mut opener) = of.direction("server-to-client", counter);
    assert_eq!(opener.open(&unframe(frame)), Err(OpenError::Decrypt), "{name}");
    // The frame is refused for what it is: the case's own frame of that counter is welcome.
    let own =
        of.frames.iter().find(|own| own.counter == counter && own.direction == "server-to-client");
    if let Some(own) = own {
        assert_eq!(opener.open(&unframe(&own.frame.0)).unwrap(), own.plaintext.0, "{name}");
    }
}

fn unframe(wire: &[u8]) -> Bytes {
    let mut frames = FrameDecoder::new();
    frames.push(wire);
    let frame = frames.next_frame().unwrap().unwrap();
    assert_eq!(frames.buffered(), 0);
    frame
}

fn check_certificate(case: &Certificate) {
    let server_static = case.server_static.key();
    let policy = CertificatePolicy { root: case.root_public.key(), now: case.now };
    let verdict = policy.verify(&case.cert_chain.0, &server_static);
    match (&verdict, &case.reason) {
        (Ok(verified), _) => {
            assert!(case.valid, "{}: accepted", case.name);
            assert_eq!(verified.server_static, server_static, "{}", case.name);
        }
        (Err(error), Some(reason)) => {
            assert!(!case.valid, "{}: {error}", case.name);
            assert_eq!(reason_of(*error), reason, "{}: {error}", case.name);
        }
        (Err(error), None) => assert!(!case.valid, "{}: {error}", case.name),
    }
}

/// The vectors' word for an error.
fn reason_of(error: CertificateError) -> &'static str {
    use crate::CertificateLink::{Intermediate, Leaf};
    use CertificateError as E;
    match error {
        E::MalformedChain | E::MalformedDetails(_) => "protobuf",
        E::MissingCertificate(_)
        | E::MissingDetails(_)
        | E::MissingSignature(_)
        | E::MissingKey(_)
        | E::MissingValidity(_) => "missing",
        E::SignatureLength(..) | E::KeyLength(..) => "length",
        E::Signature(Intermediate) => "intermediate signature",
        E::Signature(Leaf) => "leaf signature",
        E::IntermediateIssuer(_) => "intermediate issuer serial",
        E::LeafIssuer { .. } => "leaf issuer serial",
        E::LeafKey => "leaf key",
        E::NotYetValid { .. } | E::Expired { .. } => "validity",
    }
}
