//! Stanzas made by hand: sealed with a party's own keys, or words of the server.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "not every test file uses every helper"
)]

use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_proto::{Jid, Node, NodeContent, OwnedNode, node, pb};
use wa_signal::{
    CiphertextMessage, LocalIdentity, PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId,
    SessionRecord, SignedPreKeyId, SignedPreKeyPublic, padding,
};
use wa_store::{Change, OutboxState};

use crate::parties::{Party, ada_and_bob, settle};

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Ada and Bob, who have written to each other; the server listens from now on.
pub async fn acquainted(seed: u64) -> (wa_sim::Sim, Party, Party) {
    let (sim, mut ada, mut bob) = ada_and_bob(seed).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    bob.client.send(ada.phone.jid(), "hello back").await.unwrap();
    ada.message().await;
    settle().await;
    sim.listen();
    (sim, ada, bob)
}

pub async fn registration_id(party: &Party) -> u32 {
    party.store.account().await.unwrap().unwrap().registration_id
}

/// The keys that a party published, with this one-time prekey of theirs or without.
pub async fn bundle(of: &Party, prekey: Option<u32>) -> PreKeyBundle {
    let account = of.store.account().await.unwrap().unwrap();
    let signed = of.store.signed_prekeys().await.unwrap().remove(0);
    let prekey = match prekey {
        Some(id) => Some(PreKeyPublic {
            id: PreKeyId::new(id).unwrap(),
            key: of.store.prekey(id).await.unwrap().unwrap().pair.public,
        }),
        None => None,
    };
    PreKeyBundle {
        registration_id: RegistrationId::new(account.registration_id),
        identity: account.identity.public,
        signed_prekey: SignedPreKeyPublic {
            id: SignedPreKeyId::new(signed.id).unwrap(),
            key: signed.pair.public,
            signature: signed.signature,
        },
        prekey,
    }
}

/// A party's linked device by LID.
pub fn device(party: &Party) -> Jid {
    party.client.lid().unwrap()
}

pub fn text(text: &str) -> pb::Message {
    pb::Message { conversation: Some(text.to_owned()), ..pb::Message::default() }
}

/// `<enc>` around a ciphertext.
pub fn enc(kind: &'static str, ciphertext: Vec<u8>) -> OwnedNode {
    Node::new("enc").attr("v", "2").attr("type", kind).bytes(ciphertext)
}

/// The session that `party` has with a device.
pub async fn session(party: &Party, with: &Jid) -> SessionRecord {
    match party.store.session(with).await.unwrap() {
        Some(bytes) => SessionRecord::from_bytes(bytes.as_bytes()).unwrap(),
        None => SessionRecord::new(),
    }
}

/// Encrypts as `from`'s linked device for `to`'s, whose session goes on in `from`'s store.
pub async fn sealed(from: &Party, to: &Party, message: &pb::Message) -> OwnedNode {
    let to = device(to);
    let account = from.store.account().await.unwrap().unwrap();
    let local = LocalIdentity::new(&account.identity, RegistrationId::new(account.registration_id));
    let padded = padding::pad(message.encode_to_vec(), &mut rng(1));
    let (record, sealed) = session(from, &to).await.encrypt(&local, &padded).unwrap();
    let record = record.to_bytes().to_vec().into();
    from.store.commit(Change::PutSession { device: to, record }.into()).await.unwrap();
    match sealed {
        CiphertextMessage::PreKey(bytes) => enc("pkmsg", bytes),
        CiphertextMessage::Signal(bytes) => enc("msg", bytes),
    }
}

/// Decrypts what came for `to`'s linked device, which must not be connected.
pub async fn opened(to: &Party, from: &Jid, enc: &OwnedNode) -> pb::Message {
    let account = to.store.account().await.unwrap().unwrap();
    let local = LocalIdentity::new(&account.identity, RegistrationId::new(account.registration_id));
    let record = session(to, from).await;
    let bytes = content(enc);
    let decrypted = match enc.attrs.is("type", "pkmsg") {
        true => panic!("a session was begun anew"),
        false => record.decrypt_signal(&local, &bytes, &mut rng(2)).unwrap(),
    };
    pb::Message::decode(padding::unpad(&decrypted.plaintext).unwrap()).unwrap()
}

pub fn content(node: &OwnedNode) -> Vec<u8> {
    match &node.content {
        NodeContent::Bytes(bytes) => bytes.to_vec(),
        other => panic!("no bytes: {other:?}"),
    }
}

/// `<message>` from a device.
pub fn message(from: &Jid, id: &'static str, at: u64) -> OwnedNode {
    Node::new("message").attr("id", id).attr("from", from).attr("type", "text").attr("t", at)
}

/// The same in a group or the like.
pub fn group_message(group: &Jid, from: &Jid, id: &'static str, at: u64) -> OwnedNode {
    message(group, id, at).attr("participant", from)
}

/// `<receipt type=retry>` without keys.
pub fn retry(from: &Jid, id: &str, count: u32, registration_id: u32) -> OwnedNode {
    Node::new("receipt")
        .attr("id", id.to_owned())
        .attr("from", from)
        .attr("type", "retry")
        .attr("t", 1_780_000_000_u64)
        .child(
            Node::new("retry")
                .attr("v", "1")
                .attr("count", count)
                .attr("id", id.to_owned())
                .attr("t", 1_780_000_000_u64),
        )
        .child(Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()))
}

/// `<ack class=message>` with whatever the test adds.
pub fn ack(to: &Jid, id: &str) -> OwnedNode {
    Node::new("ack")
        .attr("class", "message")
        .attr("id", id.to_owned())
        .attr("from", to)
        .attr("t", 1_780_000_000_u64)
}

pub fn notification(from: &Jid, kind: &'static str, id: &'static str) -> OwnedNode {
    Node::new("notification")
        .attr("id", id)
        .attr("from", from)
        .attr("type", kind)
        .attr("t", 1_780_000_000_u64)
}

/// What a party's client said with this tag and id since the test listens.
pub fn said(party: &Party, tag: &str, id: &str) -> Vec<OwnedNode> {
    all_said(party, tag).into_iter().filter(|node| node.attrs.is("id", id)).collect()
}

pub fn all_said(party: &Party, tag: &str) -> Vec<OwnedNode> {
    let said = party.sim.heard(&party.client.jid().unwrap());
    said.into_iter().filter(|node| node.tag == tag).collect()
}

/// Queues a message whose ack never comes, and waits until it has left.
pub async fn send_without_ack(party: &Party, to: &Jid, text: &str) -> String {
    let mut plan = wa_sim::FaultPlan::default();
    plan.withhold_acks = wa_sim::Chance::times(1);
    party.sim.set_faults(plan);
    let sent = party.client.send(to.clone(), text.to_owned()).queue().await.unwrap();
    settle().await;
    let entry = party.store.outbox_entry(&sent.id.as_str().into()).await.unwrap().unwrap();
    assert_eq!(entry.state, OutboxState::Transmitted);
    assert!(node::read(entry.payload.as_bytes()).is_ok());
    sent.id.as_str().to_owned()
}
