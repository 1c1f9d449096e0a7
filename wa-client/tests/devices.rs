//! Which devices a message reaches, and what a change of devices changes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use std::sync::Arc;

use parties::{Party, ada_and_bob, settle};
use wa_signal::SessionRecord;
use wa_store::MemoryStore;

#[tokio::test(start_paused = true)]
async fn a_message_reaches_every_device_of_both_sides_and_not_the_sending_one() {
    let (sim, ada, mut bob) = ada_and_bob(31).await;
    let mut second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    let sent = ada.client.send(bob.phone.jid(), "to all of us").await.unwrap();
    assert_eq!(bob.message().await.id, sent.id.as_str());
    let copy = second.message().await;
    assert!(copy.from_me);
    assert_eq!((copy.chat, copy.text.as_deref()), (bob.phone.lid(), Some("to all of us")));
    settle().await;
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["to all of us"]);
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_device_linked_later_gets_the_next_message() {
    let (sim, ada, mut bob) = ada_and_bob(32).await;
    ada.client.send(bob.phone.jid(), "before").await.unwrap();
    bob.message().await;
    let mut second = Party::link(&sim, bob.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    ada.client.send(bob.phone.jid(), "after").await.unwrap();
    assert_eq!(second.message().await.text.as_deref(), Some("after"));
    assert_eq!(bob.message().await.text.as_deref(), Some("after"));
}

#[tokio::test(start_paused = true)]
async fn an_unlinked_device_is_no_longer_written_to() {
    let (_sim, ada, mut bob) = ada_and_bob(33).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    let device = bob.client.jid().unwrap().device;
    bob.phone.unlink(device).unwrap();
    settle().await;
    ada.client.send(bob.phone.jid(), "goodbye").await.unwrap();
    settle().await;
    // The record stays, for what it recognises; its sessions are gone.
    let record = ada.store.session(&bob.phone.lid().with_device(device)).await.unwrap().unwrap();
    assert!(!SessionRecord::from_bytes(record.as_bytes()).unwrap().has_session());
}
