//! A backlog: many messages share a transaction, and whatever breaks, none is lost, kept twice or
//! spoilt by another.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod hooked_store;
mod late_line;
mod parties;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use handmade::{all_said, device, enc, message};
use hooked_store::{HookedStore, Hooks};
use late_line::LateLine;
use parties::{Party, settle, simulation};
use wa_client::{DisconnectReason, Event, LossReason};
use wa_proto::Jid;
use wa_sim::Sim;
use wa_store::{
    Change, Changes, Committed, MemoryStore, MessageKey, Prefetch, Result, Seq, Store, StoreError,
};

/// What happens at a commit that keeps messages.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Break {
    /// The disk is full, for so many commits.
    Fail(u32),
    /// The process is killed before it.
    HangBefore,
    /// The process is killed after it.
    HangAfter,
}

/// Notes what each commit keeps, and breaks at one of them.
#[derive(Clone, Default)]
struct Watching(Arc<Mutex<Watch>>);

/// A text that the store does not take.
const REFUSED: &str = "no store takes this";

#[derive(Default)]
struct Watch {
    /// How often it was read ahead.
    read_ahead: usize,
    /// The messages of each commit that kept some.
    kept: Vec<Vec<MessageKey>>,
    /// After how many more such commits what happens.
    breaks: Option<(u32, Break)>,
}

impl Watching {
    /// What happens at this commit.
    fn next(&self, changes: &Changes) -> Option<Break> {
        let keys = changes.iter().filter_map(|change| match change {
            Change::Archive(message) => Some(message.key.clone()),
            _ => None,
        });
        let keys: Vec<MessageKey> = keys.collect();
        let mut watch = self.0.lock().unwrap();
        if keys.is_empty() {
            return None;
        }
        watch.kept.push(keys);
        let (after, what) = watch.breaks?;
        if after > 0 {
            watch.breaks = Some((after - 1, what));
            return None;
        }
        watch.breaks = match what {
            Break::Fail(times @ 2..) => Some((0, Break::Fail(times - 1))),
            _ => None,
        };
        Some(what)
    }
}

/// Whoever asks for the LID of this number meets a defect.
const POISONED: &str = "15550666";

#[async_trait]
impl Hooks for Watching {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let is_refused = |change: &Change| match change {
            Change::Archive(message) => message.text.as_deref() == Some(REFUSED),
            _ => false,
        };
        if changes.iter().any(is_refused) {
            // SQLite's word for a constraint that is not held.
            return Err(StoreError::Engine { code: 19 });
        }
        match self.next(&changes) {
            None => under.commit(changes).await,
            Some(Break::Fail(_)) => Err(StoreError::DiskFull),
            Some(Break::HangBefore) => std::future::pending().await,
            Some(Break::HangAfter) => {
                under.commit(changes).await?;
                std::future::pending().await
            }
        }
    }

    fn before_prefetch(&self, _: &Prefetch) {
        self.0.lock().unwrap().read_ahead += 1;
    }

    fn before_lid_of(&self, phone: &Jid) {
        assert_ne!(phone.user, POISONED, "a defect on purpose");
    }
}

type Watched = HookedStore<Watching>;

/// Ada, and Bob who is away, with a group of both.
async fn bob_is_away(seed: u64) -> (Sim, Party, Party, Jid, Watched) {
    let sim = simulation(seed);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let store = Watched { under: Arc::new(MemoryStore::new()), hooks: Watching::default() };
    let bob = Party::join_with(&sim, "15550200", "Bob", Arc::new(store.clone())).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    settle().await;
    bob.client.disconnect().await;
    (sim, ada, bob, group, store)
}

/// Ada's phone writes, every third time to the group.
fn write(ada: &Party, bob: &Party, group: &Jid, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let to = if number % 3 == 0 { group } else { &bob.phone.jid() };
        ada.phone.send_text(to, text(number)).unwrap();
    }
}

fn text(number: usize) -> String {
    format!("message {number}")
}

/// What a store holds, in the order in which it came.
async fn texts(store: &dyn Store) -> Vec<String> {
    let all = store.messages_after(Seq(0), 1000).await.unwrap();
    all.into_iter().filter_map(|message| message.text).collect()
}

async fn drained(party: &mut Party) {
    party.until(|event| matches!(event, Event::OfflineSyncCompleted { .. }).then_some(())).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_backlog_share_commits_and_each_sees_what_those_before_it_changed() {
    let (_sim, ada, mut bob, group, store) = bob_is_away(61).await;
    write(&ada, &bob, &group, 0..300);
    store.hooks.0.lock().unwrap().kept.clear();
    let receipts = bob.stats().counters.receipts;
    bob.client.connect().unwrap();
    drained(&mut bob).await;
    assert_eq!(texts(&*bob.store).await, (0..300).map(text).collect::<Vec<_>>());
    let stats = bob.stats();
    assert_eq!((stats.acks_owed, stats.counters.retries), (0, 0));
    let watch = store.hooks.0.lock().unwrap();
    let sizes: Vec<usize> = watch.kept.iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 300, "each is kept once");
    assert!(sizes.len() <= 60, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 128), "{sizes:?}");
    // One receipt names all messages of a chat that came in one batch.
    let receipts = stats.counters.receipts - receipts;
    assert!(receipts <= 2 * sizes.len() as u64, "{receipts} for {sizes:?}");
    // Within one commit, the session and the sender key of one device went on several times.
    let most = watch.kept.iter().max_by_key(|keys| keys.len()).unwrap();
    for chat in [&group, &ada.phone.lid()] {
        assert!(most.iter().filter(|key| key.chat == *chat).count() >= 2, "{sizes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whenever_it_is_killed_or_the_disk_is_full_nothing_is_lost_or_kept_twice() {
    let all: Vec<String> = (0..300).map(text).collect();
    for (place, what) in [
        (0, Break::HangBefore),
        (1, Break::HangBefore),
        (2, Break::HangBefore),
        (0, Break::HangAfter),
        (1, Break::HangAfter),
        (2, Break::HangAfter),
        (1, Break::Fail(1)),
        (1, Break::Fail(2)),
        (2, Break::Fail(3)),
    ] {
        let (_sim, ada, mut bob, group, store) = bob_is_away(62).await;
        write(&ada, &bob, &group, 0..300);
        store.hooks.0.lock().unwrap().breaks = Some((place, what));
        bob.client.connect().unwrap();
        if !matches!(what, Break::Fail(_)) {
            settle().await;
            assert!(bob.stats().acks_owed > 0, "{what:?} at {place}: it hangs");
            let rest = Watched { under: Arc::clone(&store.under), hooks: Watching::default() };
            bob = bob.restart(Some(Arc::new(rest))).await;
            bob.client.connect().unwrap();
        }
        drained(&mut bob).await;
        assert_eq!(texts(&*bob.store).await, all, "{what:?} at {place}");
        let stats = bob.stats();
        assert_eq!((stats.acks_owed, stats.counters.retries), (0, 0), "{what:?} at {place}");
        assert!(store.hooks.0.lock().unwrap().breaks.is_none(), "{what:?} at {place}: it broke");
        // The session goes on where it was.
        ada.phone.send_text(&bob.phone.jid(), "and on").unwrap();
        settle().await;
        assert_eq!(texts(&*bob.store).await.len(), 301);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_read_or_meets_a_defect_spoils_no_other() {
    let (sim, ada, mut bob, group, store) = bob_is_away(63).await;
    sim.listen();
    let (to, now) = (device(&bob), sim.now());
    write(&ada, &bob, &group, 0..40);
    let unreadable = message(&device(&ada), "3EB0BAD0", now).child(enc("msg", vec![1; 40]));
    assert!(sim.deliver(&to, unreadable));
    write(&ada, &bob, &group, 40..80);
    let poisoned = message(&Jid::phone(POISONED), "3EB0BAD1", now).child(enc("msg", vec![1; 40]));
    assert!(sim.deliver(&to, poisoned));
    write(&ada, &bob, &group, 80..120);
    store.hooks.0.lock().unwrap().kept.clear();
    bob.client.connect().unwrap();
    drained(&mut bob).await;
    assert_eq!(texts(&*bob.store).await, (0..120).map(text).collect::<Vec<_>>());
    // What cannot be read stands in its place and was asked for; the other is refused.
    let gaps = bob.store.placeholders(10).await.unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].key.id.as_str(), "3EB0BAD0");
    let retries: Vec<_> = all_said(&bob, "receipt")
        .into_iter()
        .filter(|receipt| receipt.attrs.is("type", "retry"))
        .map(|receipt| receipt.attrs.text("id").unwrap().into_owned())
        .collect();
    assert_eq!(retries, ["3EB0BAD0"]);
    let refused = all_said(&bob, "ack").into_iter().filter(|ack| ack.attrs.is("error", "500"));
    assert_eq!(refused.map(|ack| ack.attrs.is("id", "3EB0BAD1")).collect::<Vec<_>>(), [true]);
    assert_eq!(bob.stats().acks_owed, 0);
    // And it was a backlog that shared commits.
    assert!(store.hooks.0.lock().unwrap().kept.iter().any(|keys| keys.len() >= 8));
}

#[tokio::test(start_paused = true)]
async fn the_next_batch_is_read_while_one_lands_and_nothing_of_it_is_kept_or_answered_before() {
    let (_sim, ada, mut bob, group, store) = bob_is_away(64).await;
    write(&ada, &bob, &group, 0..390);
    store.hooks.0.lock().unwrap().breaks = Some((0, Break::HangBefore));
    let read_before = store.hooks.0.lock().unwrap().read_ahead;
    bob.client.connect().unwrap();
    settle().await;
    // 390 messages are more than three batches. The second was read, and the third was not.
    let (read, kept) = {
        let watch = store.hooks.0.lock().unwrap();
        (watch.read_ahead - read_before, watch.kept.len())
    };
    assert_eq!((read, kept), (2, 1));
    assert!(texts(&*bob.store).await.is_empty());
    assert_eq!(bob.stats().acks_owed, 390, "none is answered");
    let rest = Watched { under: Arc::clone(&store.under), hooks: Watching::default() };
    bob = bob.restart(Some(Arc::new(rest))).await;
    bob.client.connect().unwrap();
    drained(&mut bob).await;
    assert_eq!(texts(&*bob.store).await, (0..390).map(text).collect::<Vec<_>>());
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn first_messages_of_strangers_share_commits_too() {
    let (sim, _ada, mut bob, _group, store) = bob_is_away(65).await;
    let strangers: Vec<_> = (0..40)
        .map(|number| sim.add_account(&format!("1555070{number:02}"), "Stranger").unwrap())
        .collect();
    for (number, stranger) in strangers.iter().enumerate() {
        stranger.send_text(&bob.phone.jid(), text(number)).unwrap();
    }
    store.hooks.0.lock().unwrap().kept.clear();
    bob.client.connect().unwrap();
    drained(&mut bob).await;
    assert_eq!(texts(&*bob.store).await, (0..40).map(text).collect::<Vec<_>>());
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
    // Their LIDs were learnt on the way.
    for stranger in &strangers {
        assert_eq!(bob.store.lid_of(&stranger.jid()).await.unwrap(), Some(stranger.lid()));
    }
    let watch = store.hooks.0.lock().unwrap();
    let sizes: Vec<usize> = watch.kept.iter().map(Vec::len).collect();
    assert!(sizes.len() <= 12, "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_store_refuses_is_refused_and_keeps_no_other_from_coming() {
    for live in [false, true] {
        let (_sim, ada, mut bob, group, _store) = bob_is_away(66).await;
        if live {
            bob.client.connect().unwrap();
            drained(&mut bob).await;
        }
        write(&ada, &bob, &group, 0..10);
        let refused = ada.phone.send_text(&bob.phone.jid(), REFUSED).unwrap();
        write(&ada, &bob, &group, 10..20);
        if !live {
            bob.client.connect().unwrap();
        }
        let lost = bob
            .until(|event| match event {
                Event::MessageLost { id, reason, .. } => Some((id.clone(), *reason)),
                Event::Disconnected { reason: DisconnectReason::Storage } => {
                    panic!("the connection ends with it")
                }
                _ => None,
            })
            .await;
        assert_eq!(lost, (refused.clone(), LossReason::NotKept));
        settle().await;
        let kept = texts(&*bob.store).await;
        let expected: Vec<String> = (0..20).map(text).collect();
        assert_eq!(sorted(kept), sorted(expected), "live: {live}");
        // It is refused once, and shows as a gap.
        let gaps = bob.store.placeholders(10).await.unwrap();
        assert_eq!(gaps.iter().map(|gap| gap.key.id.as_str()).collect::<Vec<_>>(), [&refused]);
        let stats = bob.stats();
        assert_eq!((stats.acks_owed, stats.counters.nacks), (0, 1), "live: {live}");
        ada.phone.send_text(&bob.phone.jid(), "and on").unwrap();
        settle().await;
        assert_eq!(texts(&*bob.store).await.len(), 21);
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

#[tokio::test(start_paused = true)]
async fn a_far_server_always_has_some_of_the_backlog_to_send() {
    let sim = simulation(67);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let phone = sim.add_account("15550200", "Bob").unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    // 80 ms there and back.
    let line = LateLine::new(&sim, Duration::from_millis(40));
    let mut bob = Party::link_with(&sim, phone, Arc::clone(&store), |builder| {
        builder.connector(Arc::new(line))
    })
    .await;
    settle().await;
    bob.client.disconnect().await;
    for number in 0..2000 {
        ada.phone.send_text(&bob.phone.jid(), text(number)).unwrap();
    }
    bob.client.connect().unwrap();
    bob.until(|event| matches!(event, Event::OfflineSyncPreview(_)).then_some(())).await;
    let began = tokio::time::Instant::now();
    bob.until(|event| matches!(event, Event::OfflineSyncCompleted { .. }).then_some(())).await;
    // Ten batches of 200, each asked for at the first of the one before: ten times 80 ms, and a
    // little for the login. Asked for when 100 are done, it would be twenty times.
    assert!(began.elapsed() <= Duration::from_millis(1300), "{:?}", began.elapsed());
    assert_eq!(store.stats().await.unwrap().messages, 2000);
}
