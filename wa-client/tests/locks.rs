//! Two who need the sessions of the same people: nobody waits for ever, and nothing fails because a
//! name was learnt meanwhile.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod hooked_store;
mod parties;

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hooked_store::{HookedStore, Hooks};
use parties::{Party, settle, simulation};
use prost::Message as _;
use tokio::{sync::Semaphore, time::timeout};
use wa_client::Event;
use wa_proto::{Content, Jid, content::Protocol, pb};
use wa_store::{Change, Changes, Committed, MemoryStore, Result, Store};

/// Holds up the commit with which a message is about to leave, and that of what is learnt.
#[derive(Clone)]
struct Slow {
    holds: Arc<AtomicBool>,
    /// Whether the process is killed before it learns anything.
    dies: Arc<AtomicBool>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Hooks for Slow {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let leaves = changes.iter().any(|change| matches!(change, Change::CountOutboxAttempt(_)));
        if leaves && self.holds.load(Ordering::SeqCst) {
            self.gate.acquire().await.unwrap().forget();
        }
        let learns = changes.iter().any(|change| matches!(change, Change::LearnLid { .. }));
        if learns && self.dies.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        under.commit(changes).await
    }
}

impl Slow {
    fn new() -> Self {
        Self { holds: Arc::default(), dies: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    fn release(&self) {
        self.holds.store(false, Ordering::SeqCst);
        self.gate.add_permits(1 << 20);
    }
}

/// The phone's table, which says that these are one person.
fn table(pairs: &[(u64, &Jid)]) -> Content {
    let mapping = |(pn, lid): &(u64, &Jid)| pb::LidMigrationMapping {
        pn: *pn,
        assigned_lid: lid.user.parse().unwrap(),
        latest_lid: None,
    };
    let table = pb::LidMigrationMappingSyncPayload {
        pn_to_lid_mappings: pairs.iter().map(mapping).collect(),
        ..Default::default()
    };
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflated.write_all(&table.encode_to_vec()).unwrap();
    Content::Protocol(Protocol::LidMapping(deflated.finish().unwrap().into()))
}

async fn sent(party: &mut Party, id: &str) {
    let is_sent = |event: &Event| match event {
        Event::SendStatus { id: told, state: wa_client::SendState::Sent { .. }, .. } => {
            (told == id).then_some(())
        }
        _ => None,
    };
    party.until(is_sent).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_of_lids_and_messages_on_their_way_do_not_wait_for_each_other() {
    let sim = simulation(951);
    let slow = Slow::new();
    let store = HookedStore { under: Arc::new(MemoryStore::new()), hooks: slow.clone() };
    // The one whose sessions are locked first joins first.
    let bob = Party::join(&sim, "15550200", "Bob").await;
    let mut ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(store)).await;
    let carol = Party::join(&sim, "15550300", "Carol").await;
    assert!(bob.phone.lid() < ada.phone.lid(), "else nobody would wait for anybody");
    for other in [&bob, &carol] {
        ada.client.send(other.phone.jid(), "hello").await.unwrap();
    }
    settle().await;

    // A message to Carol holds the own sessions; the table, and a message to Bob that has Bob's
    // already, wait for them.
    slow.holds.store(true, Ordering::SeqCst);
    let to_carol = ada.client.send(carol.phone.jid(), "one").queue().await.unwrap();
    settle().await;
    ada.phone.send_content(&ada.phone.lid(), &table(&[(15_559_999, &bob.phone.lid())])).unwrap();
    settle().await;
    let to_bob = ada.client.send(bob.phone.lid(), "two").queue().await.unwrap();
    settle().await;
    slow.release();

    let done = async {
        sent(&mut ada, to_carol.id.as_str()).await;
        sent(&mut ada, to_bob.id.as_str()).await;
    };
    assert!(timeout(Duration::from_secs(60), done).await.is_ok(), "they wait for each other");
    settle().await;
    let learnt = ada.store.lid_of(&Jid::phone("15559999")).await.unwrap();
    assert_eq!(learnt, Some(bob.phone.lid()));
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_learning_is_cut_off_is_learnt_at_the_next_start() {
    let sim = simulation(952);
    let slow = Slow::new();
    let under = Arc::new(MemoryStore::new());
    let store = HookedStore { under: Arc::clone(&under), hooks: slow.clone() };
    let ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(store)).await;
    settle().await;
    slow.dies.store(true, Ordering::SeqCst);
    let (phone, lid) = (Jid::phone("15559999"), Jid::lid("99000099"));
    ada.phone.send_content(&ada.phone.lid(), &table(&[(15_559_999, &lid)])).unwrap();
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), None);
    let mut ada = ada.restart(Some(under)).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), Some(lid));
    assert_eq!(ada.stats().acks_owed, 0);
    assert!(ada.store.settings_with_prefix("told-by-phone/").await.unwrap().is_empty());
}
