//! What a device is sent: kept until confirmed, in order, in batches; prekeys, receipts, retries.

#![expect(clippy::unwrap_used, reason = "for tests")]

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use support::{Companion, Link, id};
use wa_proto::{Jid, Node, OwnedNode};
use wa_sim::{Chance, FaultPlan, MessageStatus, Phone, Sim, SimConfig};

struct Stage {
    sim: Sim,
    alice: Phone,
    bob: Phone,
    companion: Companion,
}

/// Alice has a companion; Bob writes.
async fn stage() -> Stage {
    let sim = Sim::new(SimConfig::seeded(1));
    let alice = sim.add_account("15550001", "Alice").unwrap();
    let bob = sim.add_account("15550002", "Bob").unwrap();
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    let mut link = companion.online(&sim).await;
    let upload = companion.prekey_upload(20);
    assert!(link.request(upload).await.attrs.is("type", "result"));
    Stage { sim, alice, bob, companion }
}

fn ids(nodes: &[OwnedNode]) -> Vec<String> {
    nodes.iter().map(id).collect()
}

async fn messages(link: &mut Link, count: usize) -> Vec<OwnedNode> {
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(link.expect_message().await);
    }
    messages
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_again_after_each_reconnect_until_it_is_confirmed() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let sent = bob.send_text(&alice.jid(), "hello").unwrap();
    for _ in 0..2 {
        let mut link = companion.online(&sim).await;
        let message = link.expect_message().await;
        assert_eq!(id(&message), sent);
        assert!(message.attrs.value("offline").is_some());
    }
    let mut link = companion.online(&sim).await;
    let message = link.expect_message().await;
    link.confirm(&message).await;
    let mut link = companion.online(&sim).await;
    let end = link.expect(|node| node.find("offline").is_some()).await;
    assert!(end.find("offline").unwrap().attrs.is("count", "0"));
}

#[tokio::test(start_paused = true)]
async fn a_message_decrypts_and_names_its_sender_both_ways() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    bob.send_text(&alice.jid(), "hello").unwrap();
    let message = link.expect_message().await;
    assert_eq!(message.attrs.jid("from"), Some(bob.lid()));
    assert_eq!(message.attrs.jid("sender_pn"), Some(bob.jid()));
    assert!(message.attrs.is("notify", "Bob"));
    assert!(message.attrs.value("offline").is_none(), "it comes as it is sent");
    assert_eq!(companion.decrypt(&message).unwrap().conversation.as_deref(), Some("hello"));
}

#[tokio::test(start_paused = true)]
async fn what_the_own_phone_sends_says_whose_chat_it_is() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let mut link = companion.online(&sim).await;
    alice.send_text(&bob.jid(), "hello").unwrap();
    let message = link.expect_message().await;
    assert_eq!(message.attrs.jid("from"), Some(alice.lid()));
    assert_eq!(message.attrs.jid("recipient"), Some(bob.lid()));
    assert_eq!(message.attrs.jid("peer_recipient_pn"), Some(bob.jid()));
    let sent = companion.decrypt(&message).unwrap().device_sent_message.unwrap();
    assert_eq!(sent.message.unwrap().conversation.as_deref(), Some("hello"));
}

#[tokio::test(start_paused = true)]
async fn the_backlog_comes_in_order_and_in_the_batches_asked_for() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let sent: Vec<_> =
        (0..7).map(|n| bob.send_text(&alice.jid(), format!("{n}")).unwrap()).collect();
    let mut link = companion.log_in(&sim).await;
    let preview = link.expect(|node| node.find("offline_preview").is_some()).await;
    assert!(preview.find("offline_preview").unwrap().attrs.is("message", "7"));
    let ask = Node::new("ib").child(Node::new("offline_batch").attr("count", "3"));
    link.send(&ask).await;
    link.activate().await;
    let first = messages(&mut link, 3).await;
    assert!(link.is_quiet().await, "a batch has three");
    link.send(&ask).await;
    let second = messages(&mut link, 3).await;
    // The last one comes without asking, once the batches before it are confirmed.
    for message in first.iter().chain(&second) {
        let receipt = Node::new("receipt")
            .attr("id", id(message))
            .attr("to", message.attrs.jid("from").unwrap());
        link.send(&receipt).await;
    }
    let third = messages(&mut link, 1).await;
    link.expect(|node| node.find("offline").is_some()).await;
    assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_no_batch_gets_the_whole_backlog() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let sent: Vec<_> =
        (0..5).map(|n| bob.send_text(&alice.jid(), format!("{n}")).unwrap()).collect();
    let mut link = companion.online(&sim).await;
    assert_eq!(ids(&messages(&mut link, 5).await), sent);
    let end = link.expect(|node| node.find("offline").is_some()).await;
    assert!(end.find("offline").unwrap().attrs.is("count", "5"));
}

#[tokio::test(start_paused = true)]
async fn prekeys_are_consumed_one_by_one_and_a_low_shelf_is_told() {
    let Stage { sim, alice, mut companion, .. } = stage().await;
    let mut link = companion.online(&sim).await;
    let device = companion.lid.clone();
    let ask = || {
        let user = Node::new("user").attr("jid", device.clone());
        let iq = Node::new("iq").attr("xmlns", "encrypt").attr("type", "get");
        iq.attr("to", Jid::server()).child(Node::new("key").child(user))
    };
    let mut taken = Vec::new();
    for _ in 0..10 {
        let answer = link.request(ask()).await;
        let user = &answer.find("list").unwrap().nodes()[0];
        let key = user.find("key").unwrap().find("id").unwrap();
        taken.push(key.content_bytes().unwrap().to_vec());
        assert!(user.find("device-identity").is_some());
    }
    taken.dedup();
    assert_eq!(taken.len(), 10);
    let mut link = companion.online(&sim).await;
    let low = link.expect(|node| node.attrs.is("type", "encrypt")).await;
    assert!(low.find("count").unwrap().attrs.is("value", "10"));
    for _ in 0..10 {
        link.request(ask()).await;
    }
    let answer = link.request(ask()).await;
    let user = &answer.find("list").unwrap().nodes()[0];
    assert!(user.find("key").is_none(), "an empty shelf gives no one-time prekey");
    assert!(user.find("skey").is_some());
    assert_eq!(sim.stats().devices["15550001:1"].prekeys_left, 0);
    assert_eq!(alice.devices().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn receipts_move_the_status_of_a_message_forward() {
    let Stage { sim, alice, bob, .. } = stage().await;
    let sent = bob.send_text(&alice.jid(), "hello").unwrap();
    let status = || bob.messages().iter().find(|message| message.id == sent).unwrap().status;
    assert_eq!(status(), MessageStatus::Delivered, "Alice's phone has it");
    alice.mark_read(&bob.jid());
    assert_eq!(status(), MessageStatus::Read);
    assert_eq!(sim.stats().devices["15550001:0"].counters.receipts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_phone_sends_again_to_the_device_that_asks() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let mut link = companion.online(&sim).await;
    let mut plan = FaultPlan::default();
    plan.corrupt = Chance::times(1);
    sim.set_faults(plan);
    let sent = bob.send_text(&alice.jid(), "hello").unwrap();
    let damaged = link.expect_message().await;
    assert!(companion.decrypt(&damaged).is_none());
    let retry = Node::new("receipt")
        .attr("id", sent.clone())
        .attr("type", "retry")
        .attr("to", damaged.attrs.jid("from").unwrap())
        .child(Node::new("retry").attr("count", "1").attr("id", sent.clone()).attr("v", "1"))
        .child(
            Node::new("registration")
                .bytes(companion.registration_id.as_u32().to_be_bytes().to_vec()),
        );
    link.send(&retry).await;
    let again = link.expect_message().await;
    assert_eq!(id(&again), sent);
    assert!(again.find("enc").unwrap().attrs.is("count", "1"));
    assert_eq!(again.attrs.text("t"), damaged.attrs.text("t"), "with its first time");
    assert_eq!(companion.decrypt(&again).unwrap().conversation.as_deref(), Some("hello"));
    assert_eq!(bob.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn usync_lists_every_device_with_the_signed_key_index_list() {
    use prost::Message as _;
    let Stage { sim, alice, mut companion, .. } = stage().await;
    let mut link = companion.online(&sim).await;
    let query =
        Node::new("query").child(Node::new("devices").attr("version", "2")).child(Node::new("lid"));
    let list = Node::new("list").child(Node::new("user").attr("jid", alice.jid()));
    let usync = Node::new("usync").attr("sid", "s").attr("mode", "query").child(query).child(list);
    let iq = Node::new("iq").attr("xmlns", "usync").attr("type", "get").attr("to", Jid::server());
    let answer = link.request(iq.child(usync)).await;
    let user = &answer.find("usync").unwrap().find("list").unwrap().nodes()[0];
    assert_eq!(user.find("lid").unwrap().attrs.jid("val"), Some(alice.lid()));
    let devices = user.find("devices").unwrap();
    let listed: Vec<_> = devices
        .find("device-list")
        .unwrap()
        .nodes()
        .iter()
        .map(|device| (device.attrs.number::<u16>("id"), device.attrs.number::<u32>("key-index")))
        .collect();
    assert_eq!(listed, [(Some(0), None), (Some(1), Some(1))]);
    let signed = devices.find("key-index-list").unwrap().content_bytes().unwrap();
    let signed = wa_proto::pb::AdvSignedKeyIndexList::decode(signed).unwrap();
    let details = signed.details.unwrap();
    let key = wa_crypto::PublicKey::from_slice(&companion.account_key).unwrap();
    let signature = wa_crypto::Signature::from_slice(&signed.account_signature.unwrap()).unwrap();
    key.verify(&[&[6, 2][..], &details].concat(), &signature).unwrap();
    let list = wa_proto::pb::AdvKeyIndexList::decode(details).unwrap();
    assert_eq!(list.valid_indexes, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_group_message_reaches_every_member_and_their_companions() {
    let Stage { sim, alice, bob, mut companion } = stage().await;
    let mut link = companion.online(&sim).await;
    let group = sim.create_group("Friends", &[&bob, &alice]).unwrap();
    link.expect(|node| node.attrs.is("type", "w:gp2")).await;
    let sent = bob.send_text(&group, "hello all").unwrap();
    let seen = alice.messages();
    assert_eq!(seen[0].text.as_deref(), Some("hello all"));
    assert_eq!((&seen[0].chat, &seen[0].sender), (&group, &bob.jid()));
    let message = link.expect_message().await;
    assert_eq!(id(&message), sent);
    assert_eq!(message.attrs.jid("participant"), Some(bob.lid()));
    let kinds: Vec<_> =
        message.find_all("enc").map(|enc| enc.attrs.text("type").unwrap().into_owned()).collect();
    assert_eq!(kinds, ["pkmsg", "skmsg"], "the sender key comes before what it reads");
    bob.send_text(&group, "again").unwrap();
    let second = link.expect_message().await;
    assert_eq!(second.nodes().len(), 1, "the key is told once");
}
