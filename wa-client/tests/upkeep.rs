//! What a client looks after by itself: what is past its time, gaps, what the user lets others see.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::{sync::Arc, time::Duration};

use handmade::{all_said, said};
use parties::{Party, ada_and_bob, settle, simulation};
use wa_client::{Error, Repair};
use wa_proto::{MessageId, request::SetPrivacy};
use wa_sim::Sim;
use wa_store::{Change, MemoryStore, MessageKey, Placeholder, SentMessage, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now(sim: &Sim) -> Timestamp {
    Timestamp::from_secs(i64::try_from(sim.now()).unwrap())
}

/// Keeps a message for retries as if it had been sent so many days ago.
async fn keep_sent(party: &Party, id: &str, days: i64) {
    let sent = SentMessage {
        chat: party.phone.lid(),
        id: id.into(),
        plaintext: vec![1].into(),
        envelope: vec![1],
        sent_at: now(&party.sim).plus_secs(-days * 24 * 60 * 60),
    };
    party.store.commit(Change::PutSentMessage(Box::new(sent)).into()).await.unwrap();
}

async fn is_kept(party: &Party, id: &str) -> bool {
    party.store.sent_message(&party.phone.lid(), &id.into()).await.unwrap().is_some()
}

#[tokio::test(start_paused = true)]
async fn what_is_past_its_time_is_forgotten_at_login_and_while_connected() {
    let sim = simulation(201);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    keep_sent(&ada, "A", 8).await;
    let mut ada = ada.restart(None).await;
    assert!(is_kept(&ada, "A").await);
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert!(!is_kept(&ada, "A").await);
    keep_sent(&ada, "B", 6).await;
    tokio::time::sleep(DAY / 2).await;
    assert!(is_kept(&ada, "B").await);
    tokio::time::sleep(DAY).await;
    assert!(!is_kept(&ada, "B").await);
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_asked_for_again_after_a_restart_but_not_for_ever() {
    let sim = simulation(202);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let phone = sim.add_account("15550200", "Bob").unwrap();
    for text in ["old", "older"] {
        ada.client.send(phone.jid(), text).await.unwrap();
    }
    let ids: Vec<_> = ada.archive(&phone.jid()).await.into_iter().map(|kept| kept.key.id).collect();
    let bob = Party::link(&sim, phone, Arc::new(MemoryStore::new())).await;
    for (id, attempts) in ids.iter().zip([1, 3]) {
        let gap = Placeholder {
            key: MessageKey {
                chat: ada.phone.lid(),
                sender: ada.phone.lid(),
                id: id.clone(),
                from_me: false,
            },
            timestamp: now(&sim),
            push_name: None,
            reason: "bad-mac".to_owned(),
            requested_at: None,
            attempts,
        };
        bob.store.commit(Change::PutPlaceholder(Box::new(gap)).into()).await.unwrap();
    }
    let mut bob = bob.restart(None).await;
    sim.listen();
    bob.client.connect().unwrap();
    let (message, by) = bob.repaired().await;
    assert_eq!((message.text.as_deref(), by), (Some("old"), Repair::Phone));
    settle().await;
    assert_eq!(bob.texts(&ada.phone.lid()).await, ["old"]);
    let sent = all_said(&bob, "message");
    assert_eq!(sent.iter().filter(|sent| sent.attrs.is("category", "peer")).count(), 1);
    assert!(bob.store.placeholders(10).await.unwrap().is_empty());
}

/// The client in a new process, whose account has this name.
async fn renamed(party: Party, name: Option<&str>) -> Party {
    let mut account = party.store.account().await.unwrap().unwrap();
    account.push_name = name.map(str::to_owned);
    let stopped = party.restart(None).await;
    stopped.store.commit(Change::PutAccount(Box::new(account)).into()).await.unwrap();
    stopped.restart(None).await
}

#[tokio::test(start_paused = true)]
async fn deliveries_count_as_such_while_the_account_is_available() {
    let (sim, ada, bob) = ada_and_bob(203).await;
    let mut bob = renamed(bob, Some("Bob")).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    settle().await;
    sim.listen();
    let first = ada.client.send(bob.phone.jid(), "nobody there?").await.unwrap().id;
    bob.message().await;
    assert!(all_said(&bob, "presence").is_empty(), "a client begins as unavailable");
    bob.client.set_available(true).await.unwrap();
    let second = ada.client.send(bob.phone.jid(), "now?").await.unwrap().id;
    bob.message().await;
    settle().await;
    assert!(said(&bob, "receipt", first.as_str()).iter().all(|it| it.attrs.is("type", "inactive")));
    let receipts = said(&bob, "receipt", second.as_str());
    assert!(receipts.len() == 1 && receipts.iter().all(|it| it.attrs.value("type").is_none()));
    bob.line.cut();
    bob.connected().await;
    settle().await;
    bob.client.set_available(false).await.unwrap();
    settle().await;
    let told: Vec<_> = all_said(&bob, "presence")
        .iter()
        .map(|node| node.attrs.text("type").unwrap().into_owned())
        .collect();
    assert_eq!(told, ["available", "available", "unavailable"], "also after a reconnect");
    let third = ada.client.send(bob.phone.jid(), "gone again?").await.unwrap().id;
    bob.message().await;
    settle().await;
    assert!(said(&bob, "receipt", third.as_str()).iter().all(|it| it.attrs.is("type", "inactive")));
}

#[tokio::test(start_paused = true)]
async fn an_account_without_a_name_cannot_be_available() {
    let sim = simulation(204);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let ada = renamed(ada, None).await;
    let refused = ada.client.set_available(true).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_learns_what_was_read_by_somebody_who_does_not_tell() {
    let (sim, ada, bob) = ada_and_bob(205).await;
    let off = SetPrivacy { category: "readreceipts".into(), value: "none".into() };
    bob.client.request(&off).await.unwrap();
    let mut bob = bob.restart(None).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    settle().await;
    sim.listen();
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        ids.push(ada.client.send(bob.phone.jid(), text).await.unwrap().id);
        bob.message().await;
    }
    let read = |id: &MessageId| {
        said(&bob, "receipt", id.as_str())
            .iter()
            .filter_map(|node| node.attrs.text("type").map(|kind| kind.into_owned()))
            .filter(|kind| kind.starts_with("read"))
            .collect::<Vec<_>>()
    };
    bob.client.mark_read(&ada.phone.jid(), &ids[..1]).await.unwrap();
    settle().await;
    assert_eq!(read(&ids[0]), ["read-self"]);
    // Known from the disk, before the next login asks.
    let bob = bob.restart(None).await;
    bob.client.mark_read(&ada.phone.jid(), &ids[1..]).await.unwrap();
    let pending = bob.store.pending_receipts().await.unwrap();
    assert!(pending.iter().any(|owed| owed.name.starts_with("read-self/")));
    assert!(!pending.iter().any(|owed| owed.name.starts_with("read/")));
}
