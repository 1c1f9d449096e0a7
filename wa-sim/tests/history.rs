//! A phone's past: made from a seed, and uploaded for a companion that is new.

#![expect(clippy::unwrap_used, reason = "for tests")]

use std::collections::BTreeSet;

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use support::{Companion, Link, id};
use wa_proto::{OwnedNode, pb};
use wa_sim::{HistoryError, HistoryMessage, HistoryPlan, Phone, Sim, SimConfig};

const SMALL: HistoryPlan = HistoryPlan::new(7, 1_500, 5);

fn phone(plan: HistoryPlan) -> (Sim, Phone) {
    let sim = Sim::new(SimConfig::seeded(1));
    let alice = sim.add_account("15550001", "Alice").unwrap();
    alice.fill_history(plan).unwrap();
    (sim, alice)
}

fn all(phone: &Phone, plan: HistoryPlan) -> Vec<HistoryMessage> {
    let places =
        (0..plan.chats).flat_map(|chat| (0..plan.messages_per_chat).map(move |n| (chat, n)));
    places.map(|(chat, n)| phone.history_message(chat, n).unwrap()).collect()
}

/// The next notification of a chunk, and the stanza it came in.
async fn notification(
    companion: &mut Companion,
    link: &mut Link,
) -> (OwnedNode, pb::message::HistorySyncNotification) {
    let stanza = link.expect_message().await;
    assert!(stanza.attrs.is("category", "peer"));
    let message = companion.decrypt(&stanza).unwrap();
    (stanza, message.protocol_message.unwrap().history_sync_notification.unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_past_and_another_another() {
    let (_sim, first) = phone(SMALL);
    let (_sim, same) = phone(SMALL);
    let (_sim, other) = phone(HistoryPlan { seed: 6, ..SMALL });
    let past = all(&first, SMALL);
    assert_eq!(past, all(&same, SMALL));
    assert_ne!(past, all(&other, SMALL));
    let ids: BTreeSet<_> = past.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), 7 * 1_500, "no id comes twice");
    for chat in past.chunks(1_500) {
        assert!(chat.is_sorted_by(|newer, older| newer.timestamp >= older.timestamp));
        assert!(chat.iter().all(|message| message.chat == chat.first().unwrap().chat));
    }
    assert!(past.first().unwrap().timestamp < 1_780_000_000, "it is the past");
}

#[tokio::test(start_paused = true)]
async fn a_plan_beyond_a_limit_is_refused() {
    let (_sim, alice) = phone(SMALL);
    for chats in [0, 201, u32::MAX] {
        let plan = HistoryPlan { chats, ..SMALL };
        assert_eq!(alice.fill_history(plan), Err(HistoryError::Chats));
    }
    for messages_per_chat in [0, 5_001, u32::MAX] {
        let plan = HistoryPlan { messages_per_chat, ..SMALL };
        assert_eq!(alice.fill_history(plan), Err(HistoryError::Messages));
    }
    assert!(alice.history_message(6, 1_499).is_some(), "the past it had is still there");
    assert!(alice.history_message(7, 0).is_none() && alice.history_message(0, 1_500).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_new_companion_is_told_of_every_chunk_as_it_confirms_them() {
    let (sim, alice) = phone(SMALL);
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    let mut link = companion.online(&sim).await;
    let mut told = Vec::new();
    // 7 × 10 messages come first; 7 × 1,490 are left, which are six chunks of 2,000 at most.
    let mut unconfirmed = Vec::new();
    for _ in 0..4 {
        let (stanza, chunk) = notification(&mut companion, &mut link).await;
        unconfirmed.push(stanza);
        told.push(chunk);
    }
    assert!(link.is_quiet().await, "no more than four are under way");
    let mut last = String::new();
    while let Some(stanza) = unconfirmed.pop() {
        last = id(&stanza);
        confirm(&mut link, &stanza, "hist_sync").await;
        if told.len() < 8 {
            let (stanza, chunk) = notification(&mut companion, &mut link).await;
            unconfirmed.push(stanza);
            told.push(chunk);
        }
    }
    link.expect(|node| node.tag == "ack" && id(node) == last).await;
    assert!(link.is_quiet().await);
    let orders: Vec<_> = told.iter().map(|chunk| chunk.chunk_order()).collect();
    assert_eq!(orders, [1, 2, 3, 4, 5, 6, 7, 8]);
    let kinds: Vec<_> = told.iter().map(|chunk| chunk.sync_type.unwrap()).collect();
    assert_eq!(kinds, [0, 4, 3, 3, 3, 3, 3, 3], "bootstrap, push names, recent");
    let progress: Vec<_> = told.iter().skip(2).map(|chunk| chunk.progress()).collect();
    assert_eq!(progress, [16, 33, 50, 66, 83, 100]);
    let stats = sim.stats().devices.remove("15550001:1").unwrap();
    assert_eq!(stats.counters.hist_sync, 8);
    assert_eq!(stats.history_acknowledged, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// A receipt of a kind for a notification.
async fn confirm(link: &mut Link, stanza: &OwnedNode, kind: &'static str) {
    let receipt = wa_proto::Node::new("receipt")
        .attr("id", id(stanza))
        .attr("to", stanza.attrs.jid("from").unwrap())
        .attr("type", kind);
    link.send(&receipt).await;
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_is_not_confirmed_as_stored_is_told_again() {
    let (sim, alice) = phone(HistoryPlan::new(1, 1, 1));
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    let mut link = companion.online(&sim).await;
    let (first, bootstrap) = notification(&mut companion, &mut link).await;
    let (second, _) = notification(&mut companion, &mut link).await;
    confirm(&mut link, &second, "hist_sync").await;
    confirm(&mut link, &first, "server-error").await;
    let (again, told) = notification(&mut companion, &mut link).await;
    assert_ne!(id(&again), id(&first));
    assert_eq!(told.chunk_order, bootstrap.chunk_order);
    assert_ne!(told.media_key, bootstrap.media_key, "it was uploaded anew");
    confirm(&mut link, &again, "peer_msg").await;
    // It is back later, and has still not stored it.
    let mut link = companion.online(&sim).await;
    let (third, told) = notification(&mut companion, &mut link).await;
    assert_eq!(told.chunk_order, bootstrap.chunk_order);
    confirm(&mut link, &third, "hist_sync").await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    assert!(link.is_quiet().await);
    let stats = sim.stats().devices.remove("15550001:1").unwrap();
    assert_eq!(stats.history_acknowledged, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn history_comes_once_and_not_at_all_to_a_phone_without_one() {
    let (sim, alice) = phone(HistoryPlan::new(1, 1, 1));
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    let mut link = companion.online(&sim).await;
    let (first, bootstrap) = notification(&mut companion, &mut link).await;
    let (second, push_names) = notification(&mut companion, &mut link).await;
    assert_eq!((bootstrap.progress, push_names.progress), (Some(100), None));
    confirm(&mut link, &first, "hist_sync").await;
    confirm(&mut link, &second, "hist_sync").await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    assert!(link.is_quiet().await, "a second login brings nothing");
    let bob = sim.add_account("15550002", "Bob").unwrap();
    let mut companion = Companion::linked(&sim, &bob, 8).await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    assert!(link.is_quiet().await);
}
