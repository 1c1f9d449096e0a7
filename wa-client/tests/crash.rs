//! Killed at the worst moment: a message is neither lost nor archived twice, and nothing is sent
//! twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod hooked_store;
mod parties;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hooked_store::{HookedStore, Hooks};
use parties::{Party, settle, simulation};
use wa_client::Event;
use wa_store::{Alteration, Change, Changes, Committed, MemoryStore, Result, Store, StoreError};

/// What happens at the next commit that archives a message.
const AS_USUAL: u32 = 0;
/// The disk is full.
const FAIL: u32 = 1;
/// The process is killed before the commit.
const HANG_BEFORE: u32 = 2;
/// The process is killed after the commit.
const HANG_AFTER: u32 = 3;
/// The commit lands, and whoever asked for it learns it late.
const ANSWER_LATE: u32 = 4;
/// How late.
const LATE: Duration = Duration::from_secs(60);

/// Breaks at the commit of a message.
#[derive(Clone, Default)]
struct Breaking {
    mode: Arc<AtomicU32>,
}

type Fragile = HookedStore<Breaking>;

impl Fragile {
    fn new() -> Self {
        Self { under: Arc::new(MemoryStore::new()), hooks: Breaking::default() }
    }

    /// What the next process finds.
    fn after_restart(&self) -> Self {
        Self { under: Arc::clone(&self.under), hooks: Breaking::default() }
    }

    fn breaks(&self, mode: u32) {
        self.hooks.mode.store(mode, Ordering::SeqCst);
    }
}

#[async_trait]
impl Hooks for Breaking {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let archives =
            changes.iter().any(|change| matches!(change, Change::Archive(_) | Change::React(_)));
        match self.mode.load(Ordering::SeqCst) {
            FAIL if archives => {
                self.mode.store(AS_USUAL, Ordering::SeqCst);
                Err(StoreError::DiskFull)
            }
            ANSWER_LATE if archives => {
                self.mode.store(AS_USUAL, Ordering::SeqCst);
                let committed = under.commit(changes).await?;
                tokio::time::sleep(LATE).await;
                Ok(committed)
            }
            HANG_BEFORE if archives => std::future::pending().await,
            HANG_AFTER if archives => {
                under.commit(changes).await?;
                std::future::pending().await
            }
            _ => under.commit(changes).await,
        }
    }
}

async fn ada_and_fragile_bob(seed: u64) -> (Party, Party, Fragile) {
    let sim = simulation(seed);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let store = Fragile::new();
    let bob = Party::join_with(&sim, "15550200", "Bob", Arc::new(store.clone())).await;
    (ada, bob, store)
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_kept_is_not_answered_and_comes_again() {
    let (ada, mut bob, store) = ada_and_fragile_bob(41).await;
    store.breaks(FAIL);
    ada.client.send(bob.phone.jid(), "keep me").await.unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("keep me"));
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["keep me"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn killed_before_the_commit_the_message_is_read_at_the_next_start() {
    let (ada, bob, store) = ada_and_fragile_bob(42).await;
    store.breaks(HANG_BEFORE);
    ada.client.send(bob.phone.jid(), "read me once").await.unwrap();
    settle().await;
    assert!(bob.texts(&ada.phone.jid()).await.is_empty());
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("read me once"));
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["read me once"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn killed_after_the_commit_the_message_is_answered_and_not_archived_again() {
    let (ada, bob, store) = ada_and_fragile_bob(43).await;
    // What the phone tells a new device is not to wait behind the commit that hangs.
    settle().await;
    store.breaks(HANG_AFTER);
    ada.client.send(bob.phone.jid(), "answer me").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me"]);
    // The message, and Ada's token that came under her other name and waits behind it.
    assert_eq!(bob.stats().acks_owed, 2);
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
    assert!(bob.store.pending_receipts().await.unwrap().len() <= 1);
    // The session goes on where it was.
    ada.client.send(bob.phone.jid(), "and on").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me", "and on"]);
}

#[tokio::test(start_paused = true)]
async fn killed_with_a_message_queued_the_next_start_sends_it_once() {
    let (mut ada, bob, store) = ada_and_fragile_bob(44).await;
    let queued = bob.client.send(ada.phone.jid(), "send me once").queue().await.unwrap();
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    assert_eq!(ada.message().await.id, queued.id.as_str());
    settle().await;
    let seen = ada.archive(&bob.phone.jid()).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].text.as_deref(), Some("send me once"));
    assert!(bob.store.outbox_pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_client_goes_on_from_its_encrypted_database() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        let key = wa_store::DatabaseKey::from_bytes([7; 32]);
        let store = wa_store::SqliteStore::open(folder.path().join("wa.db"), key).await.unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    let sim = simulation(45);
    let mut ada = Party::join(&sim, "15550100", "Ada").await;
    let store = open().await;
    let mut bob = Party::join_with(&sim, "15550200", "Bob", Arc::clone(&store)).await;
    ada.client.send(bob.phone.jid(), "before").await.unwrap();
    bob.message().await;
    bob.client.send(ada.phone.jid(), "answer").await.unwrap();
    ada.message().await;
    bob.client.disconnect().await;
    ada.client.send(bob.phone.jid(), "meanwhile").await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let mut bob = bob.restart(Some(open().await)).await;
    bob.client.connect().unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("meanwhile"));
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["before", "answer", "meanwhile"]);
    assert_eq!(bob.stats().counters.retries, 0);
}

/// The messages and the alterations that were told so far, and not looked at.
fn told(party: &mut Party) -> (Vec<String>, Vec<Alteration>) {
    let (mut texts, mut altered) = (Vec::new(), Vec::new());
    while let Some(event) = party.events.try_next() {
        match event {
            Event::Message(message) => texts.extend(message.text),
            Event::MessageChanged(change) => altered.push(change.what),
            _ => {}
        }
    }
    (texts, altered)
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_when_the_connection_was_cut_is_told_once() {
    let (mut ada, mut bob, store) = ada_and_fragile_bob(46).await;
    let sent = bob.client.send(ada.phone.jid(), "tea?").await.unwrap();
    ada.message().await;
    let on = ada.store.messages_with_id(&sent.id.as_str().into()).await.unwrap();
    settle().await;
    told(&mut bob);
    // Cut right between the commit and the telling, once for a message, once for a reaction.
    store.breaks(ANSWER_LATE);
    ada.client.send(bob.phone.jid(), "tell me").await.unwrap();
    settle().await;
    assert_eq!(told(&mut bob), (vec![], vec![]), "it is on disk and not told");
    bob.line.cut();
    tokio::time::sleep(2 * LATE).await;
    assert_eq!(told(&mut bob), (vec!["tell me".to_owned()], vec![]));
    store.breaks(ANSWER_LATE);
    ada.client.react(&on[0].key, "👍").await.unwrap();
    settle().await;
    bob.line.cut();
    tokio::time::sleep(2 * LATE).await;
    assert_eq!(told(&mut bob), (vec![], vec![Alteration::Reacted]));
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_when_the_process_was_killed_is_told_by_the_next() {
    let (mut ada, mut bob, store) = ada_and_fragile_bob(47).await;
    let sent = bob.client.send(ada.phone.jid(), "tea?").await.unwrap();
    ada.message().await;
    let on = ada.store.messages_with_id(&sent.id.as_str().into()).await.unwrap();
    ada.client.send(bob.phone.jid(), "told before").await.unwrap();
    settle().await;
    told(&mut bob);
    // With a goodbye, what was told is not told again.
    bob.client.disconnect().await;
    bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    settle().await;
    assert_eq!(told(&mut bob), (vec![], vec![]));
    // Killed right after the commit, once with a message, once with a reaction.
    let killed = store.after_restart();
    killed.breaks(HANG_AFTER);
    bob = bob.restart(Some(Arc::new(killed.clone()))).await;
    bob.client.connect().unwrap();
    settle().await;
    ada.client.send(bob.phone.jid(), "tell me").await.unwrap();
    settle().await;
    assert_eq!(told(&mut bob), (vec![], vec![]));
    bob = bob.restart(Some(Arc::new(killed.clone()))).await;
    bob.client.connect().unwrap();
    settle().await;
    ada.client.react(&on[0].key, "👍").await.unwrap();
    settle().await;
    assert_eq!(told(&mut bob), (vec!["tell me".to_owned()], vec![]));
    bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    settle().await;
    // What was told right before the kill may be told again; what was not is told now.
    let (texts, altered) = told(&mut bob);
    assert_eq!(altered, [Alteration::Reacted]);
    assert!(texts.iter().all(|text| text == "tell me"), "{texts:?}");
    assert_eq!(bob.stats().acks_owed, 0);
}
