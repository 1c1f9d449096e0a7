//! Rules of receiving, each told by stanzas made by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::sync::Arc;

use handmade::{acquainted, all_said, device, enc, group_message, message, said, sealed, text};
use parties::{Party, settle};
use prost::Message as _;
use wa_proto::{Jid, Node, content::device_sent, pb};
use wa_signal::{SenderKeyRecord, padding};
use wa_store::{Change, MemoryStore, MessageKey, MessageKind, Placeholder, Timestamp};

const DAY: u64 = 24 * 60 * 60;

fn key(chat: &Jid, id: &str) -> MessageKey {
    MessageKey { chat: chat.clone(), sender: chat.clone(), id: id.into(), from_me: false }
}

#[tokio::test(start_paused = true)]
async fn the_same_stanza_three_times_is_one_message_and_three_receipts() {
    let (sim, ada, bob) = acquainted(101).await;
    let sealed = sealed(&bob, &ada, &text("once")).await;
    let stanza = message(&device(&bob), "3EB0AA", sim.now()).child(sealed.clone());
    for _ in 0..3 {
        assert!(sim.deliver(&device(&ada), stanza.clone()));
        settle().await;
    }
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["hello", "hello back", "once"]);
    let receipts = said(&ada, "receipt", "3EB0AA");
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|receipt| receipt.attrs.is("type", "inactive")), "{receipts:?}");
    // Nor is it the id that makes the same ciphertext another message.
    let again = message(&device(&bob), "3EB0AB", sim.now()).child(sealed);
    sim.deliver(&device(&ada), again);
    settle().await;
    assert_eq!(ada.texts(&bob.phone.jid()).await.len(), 3);
    assert_eq!(said(&ada, "receipt", "3EB0AB").len(), 1);
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_handled_is_known_by_its_ratchet_and_by_its_hash_alike() {
    let (sim, ada, bob) = acquainted(105).await;
    let stanza = message(&device(&bob), "3EB0AA", sim.now());
    let stanza = stanza.child(sealed(&bob, &ada, &text("once")).await);
    sim.deliver(&device(&ada), stanza.clone());
    settle().await;
    // The session is gone: only the hash is left to tell.
    let before = ada.store.session(&device(&bob)).await.unwrap().unwrap();
    ada.store.commit(Change::DeleteSession(device(&bob)).into()).await.unwrap();
    sim.deliver(&device(&ada), stanza.clone());
    settle().await;
    // The hashes are past their time: only the ratchet is left.
    let put = Change::PutSession { device: device(&bob), record: before };
    ada.store.commit(put.into()).await.unwrap();
    let now = Timestamp::from_secs(i64::try_from(sim.now() + 15 * DAY).unwrap());
    ada.store.commit(Change::Upkeep { now }.into()).await.unwrap();
    sim.deliver(&device(&ada), stanza);
    settle().await;
    let receipts = said(&ada, "receipt", "3EB0AA");
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|receipt| receipt.attrs.is("type", "inactive")), "{receipts:?}");
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["hello", "hello back", "once"]);
}

#[tokio::test(start_paused = true)]
async fn what_no_companion_ever_gets_is_not_asked_of_the_phone() {
    let (sim, ada, bob) = acquainted(121).await;
    for (id, kind) in [("3EB0AA", Some("view_once_unavailable_fanout")), ("3EB0AB", None)] {
        let withheld = Node::new("unavailable").attr_opt("type", kind);
        sim.deliver(&device(&ada), message(&device(&bob), id, sim.now()).child(withheld));
        settle().await;
        let asked = all_said(&ada, "message");
        let asked = asked.iter().filter(|sent| sent.attrs.is("category", "peer")).count();
        assert_eq!(asked, usize::from(kind.is_none()));
        assert_eq!(said(&ada, "ack", id).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_half_of_a_stanza_does_not_take_the_other_with_it() {
    let (sim, ada, bob) = acquainted(102).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let (key, mut rng) = (SenderKeyRecord::create(&mut handmade::rng(3)), handmade::rng(4));
    let distribution = pb::message::SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(key.distribution_message().unwrap().into()),
    };
    let carrier = pb::Message {
        sender_key_distribution_message: Some(distribution),
        ..pb::Message::default()
    };
    let direct = sealed(&bob, &ada, &carrier).await;
    let mut padded = |what: &str| padding::pad(text(what).encode_to_vec(), &mut rng);
    let (first, second) = (padded("first"), padded("second"));
    let (key, first) = key.encrypt(&first, &mut handmade::rng(5)).unwrap();
    let (_, second) = key.encrypt(&second, &mut handmade::rng(6)).unwrap();
    let mut damaged = first.clone();
    *damaged.last_mut().unwrap() ^= 1;

    // The group half is broken: the key in the other is kept, and the message is asked for.
    let stanza = group_message(&group, &device(&bob), "3EB0AA", sim.now());
    sim.deliver(&device(&ada), stanza.child(direct).child(enc("skmsg", damaged)));
    settle().await;
    assert!(ada.store.sender_key(&group, &device(&bob)).await.unwrap().is_some());
    assert!(said(&ada, "receipt", "3EB0AA")[0].attrs.is("type", "retry"));

    // The direct half is broken: the message is read with the key that was kept.
    let stanza = group_message(&group, &device(&bob), "3EB0AB", sim.now());
    sim.deliver(
        &device(&ada),
        stanza.child(enc("msg", vec![0x33; 60])).child(enc("skmsg", second)),
    );
    settle().await;
    assert_eq!(ada.texts(&group).await, ["second"]);
    let receipts = said(&ada, "receipt", "3EB0AB");
    assert!(receipts.len() == 1 && !receipts[0].attrs.is("type", "retry"), "{receipts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_status_post_older_than_a_day_is_not_asked_for() {
    let (sim, ada, bob) = acquainted(103).await;
    for (id, at) in [("3EB0AA", sim.now() - DAY - 3600), ("3EB0AB", sim.now() - 3600)] {
        let stanza = group_message(&Jid::status(), &device(&bob), id, at);
        sim.deliver(&device(&ada), stanza.child(enc("skmsg", vec![0x33; 90])));
    }
    settle().await;
    assert!(said(&ada, "receipt", "3EB0AA").is_empty());
    assert_eq!(said(&ada, "ack", "3EB0AA").len(), 1);
    assert!(said(&ada, "receipt", "3EB0AB")[0].attrs.is("type", "retry"));
}

#[tokio::test(start_paused = true)]
async fn what_only_own_devices_may_say_is_not_believed_from_others() {
    let (sim, ada, bob) = acquainted(104).await;
    let second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    ada.client.send(ada.phone.jid(), "hello, other device").await.unwrap();
    settle().await;
    sim.listen();

    let wrapped = device_sent(&bob.phone.lid(), text("as if from ada"));
    bob.phone.send(&ada.phone.jid(), wrapped).unwrap();

    let share = |id: u8| pb::Message {
        protocol_message: Some(Box::new(pb::message::ProtocolMessage {
            r#type: Some(pb::message::protocol_message::Type::AppStateSyncKeyShare.into()),
            app_state_sync_key_share: Some(pb::message::AppStateSyncKeyShare {
                keys: vec![pb::message::AppStateSyncKey {
                    key_id: Some(pb::message::AppStateSyncKeyId { key_id: Some(vec![id].into()) }),
                    key_data: Some(pb::message::AppStateSyncKeyData {
                        key_data: Some(vec![id; 32].into()),
                        ..Default::default()
                    }),
                }],
            }),
            ..Default::default()
        })),
        ..pb::Message::default()
    };
    bob.phone.send(&ada.phone.jid(), share(0xbb)).unwrap();
    let own = message(&device(&second), "3EB0AA", sim.now()).attr("recipient", ada.phone.lid());
    sim.deliver(&device(&ada), own.child(sealed(&second, &ada, &share(0xaa)).await));

    let gap = Placeholder {
        key: key(&bob.phone.lid(), "3EB0CC"),
        timestamp: Timestamp::from_secs(i64::try_from(sim.now()).unwrap()),
        push_name: None,
        reason: "no-session".to_owned(),
        requested_at: None,
        attempts: 0,
    };
    ada.store.commit(Change::PutPlaceholder(Box::new(gap)).into()).await.unwrap();
    let poison = phone_copy(&bob.phone.lid(), "3EB0CC", "poison");
    bob.phone.send(&ada.phone.jid(), poison.clone()).unwrap();
    let own = message(&device(&second), "3EB0AB", sim.now()).attr("recipient", ada.phone.lid());
    sim.deliver(&device(&ada), own.child(sealed(&second, &ada, &poison).await));
    settle().await;

    let kept = ada.archive(&bob.phone.lid()).await;
    assert_eq!(ada.texts(&bob.phone.lid()).await, ["hello", "hello back"]);
    assert_eq!(kept.last().unwrap().kind, MessageKind::UNREADABLE, "nobody but the phone fills it");
    let keys = ada.store.sync_keys().await.unwrap();
    assert!(keys.iter().any(|key| key.id == [0xaa]) && keys.iter().all(|key| key.id != [0xbb]));
    assert_eq!((ada.stats().acks_owed, ada.stats().counters.retries), (0, 0));
}

/// What a phone answers when it is asked for a message.
fn phone_copy(chat: &Jid, id: &str, what: &str) -> pb::Message {
    use pb::message::{
        PeerDataOperationRequestResponseMessage as Response,
        peer_data_operation_request_response_message::{
            PeerDataOperationResult, peer_data_operation_result::PlaceholderMessageResendResponse,
        },
    };
    let copy = pb::WebMessageInfo {
        key: pb::MessageKey {
            remote_jid: Some(chat.to_string()),
            from_me: Some(false),
            id: Some(id.to_owned()),
            participant: None,
        },
        message: Some(text(what)),
        ..Default::default()
    };
    let result = PeerDataOperationResult {
        placeholder_message_resend_response: Some(PlaceholderMessageResendResponse {
            web_message_info_bytes: Some(copy.encode_to_vec().into()),
        }),
        ..Default::default()
    };
    pb::Message {
        protocol_message: Some(Box::new(pb::message::ProtocolMessage {
            r#type: Some(
                pb::message::protocol_message::Type::PeerDataOperationRequestResponseMessage.into(),
            ),
            peer_data_operation_request_response_message: Some(Response {
                peer_data_operation_result: vec![result],
                ..Default::default()
            }),
            ..Default::default()
        })),
        ..pb::Message::default()
    }
}
