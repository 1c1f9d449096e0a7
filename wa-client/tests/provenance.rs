//! A server that puts words into people's mouths: what no device said is neither kept nor obeyed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::sync::Arc;

use handmade::{acquainted, device, enc, group_message, message, said, sealed, text};
use parties::{Party, settle};
use prost::Message as _;
use wa_proto::{Jid, Node, OwnedNode, Server, content::device_sent, pb};
use wa_signal::SenderKeyRecord;
use wa_store::{Change, MemoryStore};

fn in_the_open(stanza: OwnedNode, message: &pb::Message) -> OwnedNode {
    stanza.child(Node::new("plaintext").bytes(message.encode_to_vec()))
}

fn protocol(message: pb::message::ProtocolMessage) -> pb::Message {
    pb::Message { protocol_message: Some(Box::new(message)), ..pb::Message::default() }
}

fn key_share(id: u8) -> pb::Message {
    use pb::message::{
        AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyId, AppStateSyncKeyShare,
        protocol_message::Type,
    };
    let key = AppStateSyncKey {
        key_id: Some(AppStateSyncKeyId { key_id: Some(vec![id; 6].into()) }),
        key_data: Some(AppStateSyncKeyData {
            key_data: Some(vec![7; 32].into()),
            ..Default::default()
        }),
    };
    protocol(pb::message::ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyShare.into()),
        app_state_sync_key_share: Some(AppStateSyncKeyShare { keys: vec![key] }),
        ..Default::default()
    })
}

fn history_notice() -> pb::Message {
    use pb::message::protocol_message::Type;
    protocol(pb::message::ProtocolMessage {
        r#type: Some(Type::HistorySyncNotification.into()),
        history_sync_notification: Some(pb::message::HistorySyncNotification {
            sync_type: Some(pb::message::HistorySyncType::Recent.into()),
            file_sha256: Some(vec![1; 32].into()),
            direct_path: Some("/forged".into()),
            ..Default::default()
        }),
        ..Default::default()
    })
}

fn sender_key(group: &Jid) -> pb::Message {
    let key = SenderKeyRecord::create(&mut handmade::rng(3)).distribution_message().unwrap();
    pb::Message {
        conversation: Some("with a key".into()),
        sender_key_distribution_message: Some(pb::message::SenderKeyDistributionMessage {
            group_id: Some(group.to_string()),
            axolotl_sender_key_distribution_message: Some(key.into()),
        }),
        ..pb::Message::default()
    }
}

/// Whether a stanza was refused, and answered by that alone.
fn is_refused(party: &Party, id: &str) -> bool {
    let acks = said(party, "ack", id);
    let refused = acks.len() == 1 && acks.iter().all(|ack| ack.attrs.text("error").is_some());
    refused && said(party, "receipt", id).is_empty()
}

async fn share_keys(party: &Party) -> usize {
    party
        .store
        .sync_keys()
        .await
        .unwrap()
        .iter()
        .filter(|key| key.data.as_bytes() == [7; 32])
        .count()
}

#[tokio::test(start_paused = true)]
async fn unencrypted_text_is_nobodys_message() {
    let (sim, ada, bob) = acquainted(901).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let before = ada.store.stats().await.unwrap().messages;
    let (bobs, now) = (device(&bob), sim.now());
    let forged = [
        ("3EB0A1", message(&bobs, "3EB0A1", now)),
        ("3EB0A2", message(&bob.phone.lid(), "3EB0A2", now)),
        ("3EB0A3", message(&bob.phone.jid(), "3EB0A3", now)),
        ("3EB0A4", group_message(&group, &bobs, "3EB0A4", now)),
        ("3EB0A5", group_message(&Jid::status(), &bobs, "3EB0A5", now)),
        ("3EB0A6", message(&ada.phone.lid(), "3EB0A6", now).attr("recipient", bob.phone.lid())),
        // Waiting for this device, where messages share a transaction.
        ("3EB0A7", message(&bobs, "3EB0A7", now).attr("offline", 1_u64)),
        ("3EB0A8", message(&bobs, "3EB0A8", now).attr("notify", "Mallory")),
    ];
    for (id, stanza) in forged {
        sim.deliver(&device(&ada), in_the_open(stanza, &text("send me the PIN")));
        settle().await;
        assert!(is_refused(&ada, id), "{id}");
    }
    assert_eq!(ada.store.stats().await.unwrap().messages, before);
    let known = ada.store.contact(&bob.phone.lid()).await.unwrap();
    assert!(known.is_none_or(|known| known.push_name.as_deref() != Some("Mallory")));
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn plaintext_beside_a_ciphertext_takes_both_with_it() {
    let (sim, ada, bob) = acquainted(902).await;
    let stanza = message(&device(&bob), "3EB0A1", sim.now());
    let both = in_the_open(stanza, &text("forged")).child(sealed(&bob, &ada, &text("real")).await);
    sim.deliver(&device(&ada), both);
    settle().await;
    assert!(is_refused(&ada, "3EB0A1"));
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["hello", "hello back"]);
}

#[tokio::test(start_paused = true)]
async fn keys_and_history_in_the_open_are_not_obeyed_even_from_the_own_address() {
    let (sim, ada, bob) = acquainted(903).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let own = |id| message(&ada.phone.lid(), id, sim.now()).attr("category", "peer");
    sim.deliver(&device(&ada), in_the_open(own("3EB0A1"), &key_share(1)));
    sim.deliver(&device(&ada), in_the_open(own("3EB0A2"), &history_notice()));
    let from_bob = group_message(&group, &device(&bob), "3EB0A3", sim.now());
    sim.deliver(&device(&ada), in_the_open(from_bob, &sender_key(&group)));
    settle().await;
    for id in ["3EB0A1", "3EB0A2", "3EB0A3"] {
        assert!(is_refused(&ada, id), "{id}");
    }
    assert_eq!(share_keys(&ada).await, 0);
    assert!(ada.store.history_chunks(16).await.unwrap().is_empty());
    assert_eq!(ada.store.sender_key(&group, &device(&bob)).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_channel_neither_speaks_for_people_nor_to_the_client() {
    let (sim, ada, bob) = acquainted(904).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let channel = Jid::new("120363001", Server::Newsletter);
    let post = |id| message(&channel, id, sim.now()).attr("server_id", 7_u64);
    let copy = device_sent(&bob.phone.lid(), text("I owe you"));
    for (id, said) in [
        ("3EB0A1", key_share(1)),
        ("3EB0A2", history_notice()),
        ("3EB0A3", sender_key(&group)),
        ("3EB0A4", copy),
    ] {
        sim.deliver(&device(&ada), in_the_open(post(id), &said));
    }
    // Nor does a session with a channel begin.
    let sealed = sealed(&bob, &ada, &text("encrypted")).await;
    sim.deliver(&device(&ada), post("3EB0A5").child(sealed));
    settle().await;
    assert!(is_refused(&ada, "3EB0A5"));
    assert_eq!(share_keys(&ada).await, 0);
    assert!(ada.store.history_chunks(16).await.unwrap().is_empty());
    for sender in [&channel, &device(&bob)] {
        assert_eq!(ada.store.sender_key(&group, sender).await.unwrap(), None);
    }
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["hello", "hello back"]);
    assert_eq!(ada.texts(&channel).await, ["with a key"]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_encrypted_is_not_obeyed_whatever_address_it_comes_from() {
    let (sim, ada, bob) = acquainted(905).await;
    for (id, said) in [("3EB0A1", key_share(1)), ("3EB0A2", history_notice())] {
        let stanza = message(&device(&bob), id, sim.now()).attr("category", "peer");
        sim.deliver(&device(&ada), stanza.child(sealed(&bob, &ada, &said).await));
        // The same under the own address: no session with the own devices opens it.
        let stanza = message(&ada.phone.lid(), id, sim.now()).attr("category", "peer");
        sim.deliver(&device(&ada), stanza.child(sealed(&bob, &ada, &said).await));
        settle().await;
    }
    assert_eq!(share_keys(&ada).await, 0);
    assert!(ada.store.history_chunks(16).await.unwrap().is_empty());
}

/// Ada, with a second client of hers, and Bob; the two of hers have a session.
async fn with_two_clients(seed: u64) -> (wa_sim::Sim, Party, Party, Party) {
    let (sim, mut ada, bob) = acquainted(seed).await;
    let other = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    other.client.send(bob.phone.jid(), "from the other").await.unwrap();
    ada.message().await;
    settle().await;
    sim.listen();
    (sim, ada, other, bob)
}

#[tokio::test(start_paused = true)]
async fn a_companion_shares_keys_but_tells_no_history() {
    let (sim, ada, other, _bob) = with_two_clients(906).await;
    for (id, said) in [("3EB0A1", key_share(1)), ("3EB0A2", history_notice())] {
        let stanza = message(&device(&other), id, sim.now()).attr("category", "peer");
        sim.deliver(&device(&ada), stanza.child(sealed(&other, &ada, &said).await));
    }
    settle().await;
    assert_eq!(share_keys(&ada).await, 1);
    assert!(ada.store.history_chunks(16).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_cannot_move_an_own_message_to_another_chat() {
    let (sim, ada, other, bob) = with_two_clients(907).await;
    let carol = Party::join(&sim, "15550300", "Carol").await;
    let said = device_sent(&bob.phone.lid(), text("for Bob alone"));
    let stanza = message(&device(&other), "3EB0A1", sim.now()).attr("recipient", carol.phone.lid());
    sim.deliver(&device(&ada), stanza.child(sealed(&other, &ada, &said).await));
    settle().await;
    assert!(ada.texts(&carol.phone.lid()).await.is_empty());
    let texts = ada.texts(&bob.phone.lid()).await;
    assert_eq!(texts.last().map(String::as_str), Some("for Bob alone"));
}

#[tokio::test(start_paused = true)]
async fn a_group_message_is_its_sender_keys_owners() {
    let (sim, ada, bob) = acquainted(908).await;
    let carol = Party::join(&sim, "15550300", "Carol").await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone, &carol.phone]).unwrap();
    let key = SenderKeyRecord::create(&mut handmade::rng(3));
    let record = key.to_bytes().to_vec().into();
    let put = Change::PutSenderKey { group: group.clone(), sender: device(&bob), record };
    ada.store.commit(put.into()).await.unwrap();
    let padded = wa_signal::padding::pad(text("mine").encode_to_vec(), &mut handmade::rng(4));
    let (_, sealed) = key.encrypt(&padded, &mut handmade::rng(5)).unwrap();
    let claimed = group_message(&group, &device(&carol), "3EB0A1", sim.now());
    sim.deliver(&device(&ada), claimed.child(enc("skmsg", sealed.clone())));
    settle().await;
    assert!(ada.texts(&group).await.is_empty());
    let honest = group_message(&group, &device(&bob), "3EB0A2", sim.now());
    sim.deliver(&device(&ada), honest.child(enc("skmsg", sealed)));
    settle().await;
    assert_eq!(ada.texts(&group).await, ["mine"]);
}
