//! A phone that signs wrongly links nothing, and is told so.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_client::{Client, Event, EventStream, PairingFailure, State};
use wa_crypto::{KeyPair, PublicKey, hmac_sha256};
use wa_proto::{Jid, Node, OwnedNode, pb};
use wa_store::Store;

use crate::script::{Line, Server, scripted};

/// A client that shows a code, and what the code says.
struct Shown {
    line: Line,
    events: EventStream,
    store: Arc<dyn Store>,
    identity: PublicKey,
    adv_secret: Vec<u8>,
    /// Both go on as long as this does.
    _client: Client,
    _server: Server,
}

async fn shown() -> Shown {
    let (mut server, client, store) = scripted(false).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    let pair = Node::new("pair-device").child(Node::new("ref").bytes(b"2@abc".to_vec()));
    line.say(iq("1").child(pair)).await;
    line.hear().await;
    let Some(Event::Qr { code, .. }) = events.next().await else { panic!("no code") };
    let fields: Vec<_> = code.split_once('#').unwrap().1.split(',').collect();
    let identity = PublicKey::from_slice(&STANDARD.decode(fields[2]).unwrap()).unwrap();
    let adv_secret = STANDARD.decode(fields[3]).unwrap();
    Shown { line, events, store, identity, adv_secret, _client: client, _server: server }
}

fn iq(id: &'static str) -> OwnedNode {
    Node::new("iq").attr("type", "set").attr("id", id).attr("from", Jid::server())
}

/// What the phone signs, before the secret of the code seals it.
fn signed(identity: &PublicKey) -> pb::AdvSignedDeviceIdentity {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let account = KeyPair::random(&mut rng);
    let details = pb::AdvDeviceIdentity { key_index: Some(1), ..Default::default() };
    let details = details.encode_to_vec();
    let message = [&[6, 0][..], &details, identity.as_bytes()].concat();
    let signature = account.private.sign(&message, &mut rng);
    pb::AdvSignedDeviceIdentity {
        details: Some(details.into()),
        account_signature_key: Some(account.public.as_bytes().to_vec().into()),
        account_signature: Some(signature.as_bytes().to_vec().into()),
        device_signature: None,
    }
}

fn sealed(signed: &pb::AdvSignedDeviceIdentity, secret: &[u8]) -> pb::AdvSignedDeviceIdentityHmac {
    let signed = signed.encode_to_vec();
    let tag = hmac_sha256(secret, &[&signed]);
    pb::AdvSignedDeviceIdentityHmac {
        details: Some(signed.into()),
        hmac: Some(tag.to_vec().into()),
        account_type: None,
    }
}

fn success(identity: Vec<u8>, jid: Jid) -> OwnedNode {
    let device = Node::new("device").attr("jid", jid).attr("lid", Jid::lid("9").with_device(3));
    iq("2").child(
        Node::new("pair-success")
            .child(Node::new("device-identity").bytes(identity))
            .child(device)
            .child(Node::new("platform").attr("name", "android")),
    )
}

fn device() -> Jid {
    Jid::phone("15550100").with_device(3)
}

/// Whether the phone is told an error with this code, nothing is saved, and the user is told.
async fn is_refused(mut shown: Shown, answer: OwnedNode, code: &str, reason: PairingFailure) {
    shown.line.say(answer).await;
    let reply = shown.line.hear().await;
    assert!(reply.attrs.is("id", "2") && reply.attrs.is("type", "error"), "{reply:?}");
    assert!(reply.find("error").unwrap().attrs.is("code", code), "{reply:?}");
    assert_eq!(shown.events.next().await, Some(Event::PairingFailed { reason }));
    assert!(!shown.store.account().await.unwrap().unwrap().is_linked());
    assert_eq!(shown.store.identity(&Jid::phone("15550100")).await.unwrap(), None);
    assert_eq!(shown.line.hear_all().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_signed_rightly_is_linked() {
    let mut shown = shown().await;
    let identity = sealed(&signed(&shown.identity), &shown.adv_secret).encode_to_vec();
    shown.line.say(success(identity, device())).await;
    let reply = shown.line.hear().await;
    assert!(reply.find("pair-device-sign").is_some(), "{reply:?}");
    assert_eq!(shown.store.account().await.unwrap().unwrap().jid, Some(device()));
}

#[tokio::test(start_paused = true)]
async fn an_identity_sealed_with_another_secret_is_refused() {
    let shown = shown().await;
    let identity = sealed(&signed(&shown.identity), &[0; 32]).encode_to_vec();
    let answer = success(identity, device());
    is_refused(shown, answer, "401", PairingFailure::WrongSecret).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_the_account_signed_for_another_device_is_refused() {
    let shown = shown().await;
    let another = KeyPair::random(&mut ChaCha20Rng::seed_from_u64(6)).public;
    let identity = sealed(&signed(&another), &shown.adv_secret).encode_to_vec();
    let answer = success(identity, device());
    is_refused(shown, answer, "401", PairingFailure::WrongSignature).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_with_parts_missing_is_refused() {
    use PairingFailure::{Malformed, WrongSecret, WrongSignature};
    type Spoil = fn(&mut pb::AdvSignedDeviceIdentity);
    let spoils: [(Spoil, &str, PairingFailure); 3] = [
        (|signed| signed.account_signature_key = None, "500", Malformed),
        (|signed| signed.account_signature = None, "401", WrongSignature),
        (|signed| signed.details = None, "401", WrongSignature),
    ];
    for (spoil, code, reason) in spoils {
        let shown = shown().await;
        let mut parts = signed(&shown.identity);
        spoil(&mut parts);
        let answer = success(sealed(&parts, &shown.adv_secret).encode_to_vec(), device());
        is_refused(shown, answer, code, reason).await;
    }
    let shown = shown().await;
    let mut unsealed = sealed(&signed(&shown.identity), &shown.adv_secret);
    unsealed.hmac = None;
    let answer = success(unsealed.encode_to_vec(), device());
    is_refused(shown, answer, "401", WrongSecret).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_no_protobuf_is_refused() {
    let answer = success(vec![0xff; 40], device());
    is_refused(shown().await, answer, "500", PairingFailure::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn a_success_that_names_no_device_is_refused() {
    let shown = shown().await;
    let identity = sealed(&signed(&shown.identity), &shown.adv_secret).encode_to_vec();
    let answer = iq("2")
        .child(Node::new("pair-success").child(Node::new("device-identity").bytes(identity)));
    is_refused(shown, answer, "500", PairingFailure::Malformed).await;
}

#[tokio::test(start_paused = true)]
async fn a_linked_device_does_not_change_hands() {
    let (mut server, client, store) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let account = store.account().await.unwrap().unwrap();
    let secret = account.adv_secret.as_bytes();
    let identity = sealed(&signed(&account.identity.public), secret).encode_to_vec();
    let mut events = client.events();
    line.say(success(identity, Jid::phone("15550666").with_device(3))).await;
    let reply = line.hear().await;
    assert!(reply.attrs.is("id", "2") && reply.attrs.is("type", "error"), "{reply:?}");
    let reason = PairingFailure::Malformed;
    assert_eq!(events.next().await, Some(Event::PairingFailed { reason }));
    assert_eq!(store.account().await.unwrap().unwrap(), account);
    assert_eq!(client.state(), State::Connected);
}
