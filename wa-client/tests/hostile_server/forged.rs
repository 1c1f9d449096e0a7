//! Stanzas in which nothing was encrypted, with a content that somebody is said to have written.

use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wa_proto::{
    Jid, Node, OwnedNode, Server,
    pb::{
        self,
        message::{
            AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyId, AppStateSyncKeyShare,
            HistorySyncNotification, PeerDataOperationRequestResponseMessage, ProtocolMessage,
            SenderKeyDistributionMessage, protocol_message::Type,
        },
    },
};
use wa_signal::{SenderKeyRecord, padding};
use wa_store::MessageKey;

use crate::{Scene, text, watch::archive};

fn plain(message: &pb::Message) -> OwnedNode {
    Node::new("plaintext").bytes(message.encode_to_vec())
}

fn protocol(kind: Type, set: impl FnOnce(&mut ProtocolMessage)) -> pb::Message {
    let mut protocol = ProtocolMessage { r#type: Some(kind.into()), ..Default::default() };
    set(&mut protocol);
    pb::Message { protocol_message: Some(Box::new(protocol)), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn a_text_in_the_clear_is_nobodys_message() {
    let scene = Scene::new(1001).await;
    let (bob, own) = (scene.bob.lid(), scene.ada.phone.lid());
    let in_group = |id, from: &Jid| scene.message(id, from).attr("participant", &bob);
    scene
        .say([
            scene.message("F1", &bob).child(plain(&text("send me the PIN"))),
            scene.message("F2", &scene.bob.jid()).child(plain(&text("by number"))),
            in_group("F3", &scene.group).child(plain(&text("in the group"))),
            in_group("F4", &Jid::status()).child(plain(&text("as a status"))),
            in_group("F5", &Jid::new("1", Server::Broadcast)).child(plain(&text("by list"))),
            scene.message("F6", &own).child(plain(&text("to myself"))),
            scene.message("F7", &own).attr("recipient", &bob).child(plain(&text("to Bob"))),
            scene
                .message("F8", &Jid::new("867051314767696", Server::Bot))
                .child(plain(&text("bot"))),
            // Behind a ciphertext that cannot be read.
            scene
                .message("F9", &bob)
                .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![0x33; 60]))
                .child(plain(&text("beside a ciphertext"))),
        ])
        .await;
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn what_adds_to_a_message_is_nobodys_in_the_clear() {
    let scene = Scene::new(1002).await;
    let id = scene.bob.send_text(&scene.ada.phone.jid(), "meet at five").unwrap();
    crate::settle().await;
    let bob = scene.bob.lid();
    let key = || {
        Some(pb::MessageKey {
            remote_jid: Some(bob.to_string()),
            from_me: Some(true),
            id: Some(id.clone()),
            participant: None,
        })
    };
    let edit = protocol(Type::MessageEdit, |edit| {
        edit.key = key();
        edit.edited_message = Some(Box::new(text("meet at six")));
        edit.timestamp_ms = Some(1_780_000_100_000);
    });
    let revoke = protocol(Type::Revoke, |revoke| revoke.key = key());
    let reaction = pb::Message {
        reaction_message: Some(pb::message::ReactionMessage {
            key: key(),
            text: Some("\u{1f44d}".into()),
            ..Default::default()
        }),
        ..Default::default()
    };
    scene
        .say([
            scene.message("F1", &bob).attr("edit", "1").child(plain(&edit)),
            scene.message("F2", &bob).attr("edit", "7").child(plain(&revoke)),
            scene.message("F3", &bob).child(plain(&reaction)),
        ])
        .await;
    let target = MessageKey::received(bob.clone(), bob.clone(), id.as_str());
    let kept = scene.ada.store.message(&target).await.unwrap().unwrap();
    assert_eq!(kept.text.as_deref(), Some("meet at five"));
    assert!(kept.revoked.is_none() && kept.edited_at.is_none());
    assert!(scene.ada.store.reactions(&target).await.unwrap().is_empty());
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn the_own_phone_shares_no_keys_and_no_history_in_the_clear() {
    let scene = Scene::new(1003).await;
    let before = scene.ada.store.sync_keys().await.unwrap().len();
    let chats = scene.ada.store.chats(&wa_store::ChatQuery::default()).await.unwrap().len();
    let share = protocol(Type::AppStateSyncKeyShare, |share| {
        share.app_state_sync_key_share = Some(AppStateSyncKeyShare {
            keys: vec![AppStateSyncKey {
                key_id: Some(AppStateSyncKeyId { key_id: Some(vec![0, 0, 0, 0, 9, 9].into()) }),
                key_data: Some(AppStateSyncKeyData {
                    key_data: Some(vec![7; 32].into()),
                    ..Default::default()
                }),
            }],
        });
    });
    let history = protocol(Type::HistorySyncNotification, |notice| {
        notice.history_sync_notification = Some(HistorySyncNotification {
            sync_type: Some(pb::message::HistorySyncType::Recent.into()),
            chunk_order: Some(1),
            initial_hist_bootstrap_inline_payload: Some(forged_history().into()),
            ..Default::default()
        });
    });
    let resend = protocol(Type::PeerDataOperationRequestResponseMessage, |answer| {
        answer.peer_data_operation_request_response_message =
            Some(PeerDataOperationRequestResponseMessage::default());
    });
    for (at, message) in [share, history, resend].iter().enumerate() {
        for from in [scene.ada.phone.lid(), scene.ada.phone.jid()] {
            let id = ["F1", "F2", "F3"][at];
            let stanza = scene.message(id, &from).attr("category", "peer");
            scene.say([stanza.child(plain(message))]).await;
        }
    }
    assert_eq!(scene.ada.store.sync_keys().await.unwrap().len(), before);
    assert!(scene.ada.store.history_chunks(10).await.unwrap().is_empty());
    let after = scene.ada.store.chats(&wa_store::ChatQuery::default()).await.unwrap().len();
    assert_eq!(after, chats, "no history was made up");
    scene.holds().await;
}

/// A history in which somebody says something.
fn forged_history() -> Vec<u8> {
    use std::io::Write as _;
    let message = pb::WebMessageInfo {
        key: pb::MessageKey {
            remote_jid: Some("15550200@s.whatsapp.net".into()),
            from_me: Some(false),
            id: Some("F0".into()),
            participant: None,
        },
        message: Some(text("long ago")),
        message_timestamp: Some(1_779_000_000),
        ..Default::default()
    };
    let conversation = pb::Conversation {
        id: "15550999@s.whatsapp.net".into(),
        messages: vec![pb::HistorySyncMsg { message: Some(message), ..Default::default() }],
        ..Default::default()
    };
    let history = pb::HistorySync { conversations: vec![conversation], ..Default::default() };
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&history.encode_to_vec()).unwrap();
    zlib.finish().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_sender_key_in_the_clear_opens_no_group_message() {
    let scene = Scene::new(1004).await;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let record = SenderKeyRecord::create(&mut rng);
    let told = pb::Message {
        sender_key_distribution_message: Some(SenderKeyDistributionMessage {
            group_id: Some(scene.group.to_string()),
            axolotl_sender_key_distribution_message: Some(
                record.distribution_message().unwrap().into(),
            ),
        }),
        ..Default::default()
    };
    let padded = padding::pad(text("from Bob, really").encode_to_vec(), &mut rng);
    let sealed = record.encrypt(&padded, &mut rng).unwrap().1;
    let enc = Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(sealed);
    let in_group = |id| scene.message(id, &scene.group).attr("participant", scene.bob.lid());
    scene.say([in_group("F1").child(plain(&told)), in_group("F2").child(enc)]).await;
    let texts: Vec<_> =
        archive(&scene.ada).await.into_iter().filter_map(|kept| kept.text).collect();
    assert!(!texts.contains(&"from Bob, really".to_owned()));
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_may_speak_in_the_clear_and_only_as_itself() {
    let mut scene = Scene::new(1005).await;
    let channel = Jid::new("120363000000000009", Server::Newsletter);
    let post = scene.message("F1", &channel).attr("server_id", "1");
    let by_bob = scene.message("F2", &channel).attr("server_id", "2");
    scene
        .say([
            post.child(plain(&text("news"))),
            by_bob.attr("participant", scene.bob.lid()).child(plain(&text("more news"))),
        ])
        .await;
    let kept = scene.ada.archive(&channel).await;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|post| post.key.sender == channel));
    // A key, a deletion or an edit of somebody else's message does not come from a channel.
    let before = scene.ada.store.sync_keys().await.unwrap().len();
    let share = protocol(Type::AppStateSyncKeyShare, |share| {
        share.app_state_sync_key_share = Some(AppStateSyncKeyShare::default());
    });
    scene.say([scene.message("F3", &channel).attr("server_id", "3").child(plain(&share))]).await;
    assert_eq!(scene.ada.store.sync_keys().await.unwrap().len(), before);
    scene.watch.connected_meanwhile(&scene.sim);
    scene.holds().await;
}
