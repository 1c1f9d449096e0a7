//! Messages that do not decrypt, on both sides of the retry, and the phone as the last to ask.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use std::time::Duration;

use parties::{ada_and_bob, settle};
use wa_client::{Event, LossReason, Repair, UndecryptableReason};
use wa_sim::{Chance, FaultPlan};
use wa_store::{Change, MessageKind};

fn faults(set: impl FnOnce(&mut FaultPlan)) -> FaultPlan {
    let mut plan = FaultPlan::default();
    set(&mut plan);
    plan
}

fn undecryptable(event: &Event) -> Option<UndecryptableReason> {
    match event {
        Event::UndecryptableMessage { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_message_is_asked_for_and_fills_its_placeholder() {
    let (sim, ada, mut bob) = ada_and_bob(21).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    sim.set_faults(faults(|plan| plan.corrupt = Chance::times(1)));
    let sent = ada.client.send(bob.phone.jid(), "damaged on its way").await.unwrap();
    bob.until(undecryptable).await;
    let (message, by) = bob.repaired().await;
    assert_eq!(message.id, sent.id.as_str());
    assert_eq!(message.text.as_deref(), Some("damaged on its way"));
    assert_eq!(by, Repair::Retry);
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["hello", "damaged on its way"]);
    let stats = bob.stats();
    assert_eq!((stats.counters.retries, stats.acks_owed), (1, 0));
    assert!(bob.store.placeholders(10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_lost_its_session_gets_the_message_in_a_new_one() {
    let (_sim, ada, mut bob) = ada_and_bob(22).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    bob.client.send(ada.phone.jid(), "hello back").await.unwrap();
    settle().await;
    let forget = Change::DeleteSessionsOfUser(ada.phone.lid());
    bob.store.commit(forget.into()).await.unwrap();
    ada.client.send(bob.phone.jid(), "do you still know me?").await.unwrap();
    assert_eq!(bob.until(undecryptable).await, UndecryptableReason::NoSession);
    let (message, by) = bob.repaired().await;
    assert_eq!(message.text.as_deref(), Some("do you still know me?"));
    assert_eq!(by, Repair::Retry);
    ada.client.send(bob.phone.jid(), "good").await.unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("good"));
    assert_eq!(bob.stats().counters.retries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_withheld_message_is_asked_of_the_phone() {
    let (sim, ada, mut bob) = ada_and_bob(23).await;
    sim.set_faults(faults(|plan| plan.unavailable = Chance::times(1)));
    ada.client.send(bob.phone.jid(), "only for phones").await.unwrap();
    assert_eq!(bob.until(undecryptable).await, UndecryptableReason::Unavailable);
    let (message, by) = bob.repaired().await;
    assert_eq!(message.text.as_deref(), Some("only for phones"));
    assert_eq!(by, Repair::Phone);
    settle().await;
    let kept = bob.archive(&ada.phone.jid()).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].push_name.as_deref(), Some("Ada"));
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_stays_unreadable_is_asked_for_four_times_at_most() {
    let (sim, ada, mut bob) = ada_and_bob(24).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    sim.set_faults(faults(|plan| plan.corrupt = Chance::with_probability(1.0)));
    let sent = ada.client.send(bob.phone.jid(), "never to be read").await.unwrap();
    let reason = bob
        .until(|event| match event {
            Event::MessageLost { id, reason, .. } if id == sent.id.as_str() => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, LossReason::NoAnswer);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let kept = bob.archive(&ada.phone.jid()).await;
    assert_eq!(kept[1].kind, MessageKind::UNREADABLE);
    assert_eq!(bob.store.retries_sent(&kept[1].key).await.unwrap(), 4);
    // The phone's answer does not decrypt either, and that must not begin another round.
    assert!(bob.stats().counters.retries <= 8);
}

#[tokio::test(start_paused = true)]
async fn a_count_of_retries_survives_a_restart() {
    let (sim, ada, mut bob) = ada_and_bob(25).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    sim.set_faults(faults(|plan| plan.corrupt = Chance::with_probability(1.0)));
    ada.client.send(bob.phone.jid(), "broken").await.unwrap();
    bob.until(undecryptable).await;
    settle().await;
    let kept = bob.archive(&ada.phone.jid()).await;
    let key = &kept.last().unwrap().key;
    let counted = bob.store.retries_sent(key).await.unwrap();
    assert!(counted > 0);
    let bob = bob.restart(None).await;
    assert_eq!(bob.store.retries_sent(key).await.unwrap(), counted);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_known_is_not_answered_with_a_blank() {
    let (sim, mut ada, mut bob) = ada_and_bob(26).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    sim.set_faults(faults(|plan| plan.corrupt = Chance::times(1)));
    // The memory for retries is past its time.
    let later = wa_store::Timestamp::from_secs(i64::try_from(sim.now()).unwrap());
    ada.client.send(bob.phone.jid(), "forgotten").await.unwrap();
    let purge = Change::Upkeep { now: later.plus_secs(8 * 24 * 3600) };
    ada.store.commit(purge.into()).await.unwrap();
    settle().await;
    let texts = bob.texts(&ada.phone.jid()).await;
    assert!(texts.iter().all(|text| !text.is_empty()));
    drop(ada.events.try_next());
}
