//! Messages on their way: how often the server is asked, what it does not answer, and what is on
//! disk when.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod hooked_store;
mod parties;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use handmade::{ack, acquainted, all_said, device, said};
use hooked_store::{HookedStore, Hooks};
use parties::{Party, settle, simulation};
use tokio::time::{Instant, sleep};
use wa_client::{DisconnectReason, Error, Event, SendState};
use wa_proto::{Jid, Node, OwnedNode};
use wa_sim::{Chance, FaultPlan, Phone, Sim};
use wa_store::{Change, Changes, Committed, MemoryStore, OutboxState, Result, SendFailure, Store};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Ada, whom the server tells no devices from now on, and some people whom she never wrote to.
async fn without_devices(seed: u64, code: u32, backoff: Option<u32>) -> (Sim, Party, Vec<Phone>) {
    let sim = simulation(seed);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let numbers = [("15550200", "Bob"), ("15550300", "Cid"), ("15550400", "Dan")];
    let people = numbers.map(|(number, name)| sim.add_account(number, name).unwrap());
    settle().await;
    sim.listen();
    sim.hostile().answer(&device(&ada), move |question, honest| {
        if !question.attrs.is("xmlns", "usync") {
            return Some(honest);
        }
        let error = Node::new("error").attr("code", code).attr("text", "refused");
        Some(
            Node::new("iq")
                .attr("from", Jid::server())
                .attr("id", question.attrs.text("id").unwrap().into_owned())
                .attr("type", "error")
                .child(error.attr_opt("backoff", backoff)),
        )
    });
    (sim, ada, people.to_vec())
}

fn usyncs(party: &Party) -> usize {
    all_said(party, "iq").iter().filter(|iq| iq.attrs.is("xmlns", "usync")).count()
}

#[tokio::test(start_paused = true)]
async fn three_chats_that_wait_for_a_server_under_load_ask_it_seldom_and_leave_in_the_end() {
    let (sim, ada, people) = without_devices(601, 429, None).await;
    for person in &people {
        ada.client.send(person.jid(), "hello").queue().await.unwrap();
    }
    sleep(HOUR).await;
    let asked = usyncs(&ada);
    assert!((9..=24).contains(&asked), "{asked} questions in an hour");
    sim.hostile().relent(&device(&ada));
    sleep(2 * HOUR).await;
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    for person in &people {
        assert!(person.messages().iter().any(|message| message.text.as_deref() == Some("hello")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_that_the_server_names_is_waited_for_and_a_new_connection_changes_nothing() {
    let (_sim, mut ada, people) = without_devices(602, 429, Some(1_200)).await;
    ada.client.send(people[0].jid(), "hello").queue().await.unwrap();
    settle().await;
    ada.line.cut();
    ada.connected().await;
    sleep(Duration::from_secs(1_100)).await;
    assert_eq!(usyncs(&ada), 1);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(usyncs(&ada), 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_devices_the_server_refuses_to_tell_fails_with_its_reason() {
    let (_sim, mut ada, people) = without_devices(603, 400, None).await;
    let refused = ada.client.send(people[0].jid(), "hello").await;
    assert!(matches!(refused, Err(Error::Server { code: 400 })), "{refused:?}");
    let failed = |event: &Event| match event {
        Event::SendStatus { id, state: SendState::Failed { reason }, .. } => {
            Some((id.clone(), *reason))
        }
        _ => None,
    };
    let (id, reason) = ada.until(failed).await;
    assert_eq!(reason, SendFailure::RequestRefused { code: 400 });
    let entry = ada.store.outbox_entry(&id.as_str().into()).await.unwrap().unwrap();
    assert_eq!(entry.state, OutboxState::Failed(reason));
    sleep(24 * HOUR).await;
    assert_eq!(usyncs(&ada), 3, "and never again");
}

#[tokio::test(start_paused = true)]
async fn a_chat_whose_keys_do_not_come_keeps_no_other_waiting() {
    let (sim, ada, bob) = acquainted(604).await;
    let stranger = sim.add_account("15550900", "Eve").unwrap();
    sim.hostile().answer(&device(&ada), |question, honest| {
        (!question.attrs.is("xmlns", "usync")).then_some(honest)
    });
    ada.client.send(stranger.jid(), "are you there?").queue().await.unwrap();
    let started = Instant::now();
    ada.client.send(bob.phone.jid(), "at once").await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_server_lost_leaves_again_on_the_same_connection() {
    let (sim, mut ada, bob) = acquainted(605).await;
    let mut plan = FaultPlan::default();
    plan.drop_incoming = Chance::times(1);
    sim.set_faults(plan);
    let started = Instant::now();
    ada.client.send(bob.phone.jid(), "lost once").await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 30);
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await.last().unwrap(), "lost once");
    assert_eq!(bob.stats().counters.retries, 0);
    while let Some(event) = ada.events.try_next() {
        assert!(!matches!(event, Event::Disconnected { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_gets_no_answer_twice_takes_another_connection_as_it_was() {
    let (sim, mut ada, bob) = acquainted(606).await;
    let mut plan = FaultPlan::default();
    plan.withhold_acks = Chance::times(2);
    sim.set_faults(plan);
    let client = ada.client.clone();
    let to = bob.phone.jid();
    let sent = tokio::spawn(async move {
        client.send(to, "no answer").timeout(Duration::from_secs(600)).await
    });
    let ended = |event: &Event| match event {
        Event::Disconnected { reason } => Some(reason.clone()),
        _ => None,
    };
    let started = Instant::now();
    assert_eq!(ada.until(ended).await, DisconnectReason::Silence);
    assert_eq!(started.elapsed().as_secs(), 90);
    let id = sent.await.unwrap().unwrap().id;
    settle().await;
    let stanzas = said(&ada, "message", id.as_str());
    assert_eq!(stanzas.len(), 3);
    assert!(stanzas.iter().all(|stanza| *stanza == stanzas[0]), "the same bytes each time");
    let texts = bob.texts(&ada.phone.jid()).await;
    assert_eq!(texts.iter().filter(|text| *text == "no answer").count(), 1);
    assert_eq!(bob.stats().counters.retries, 0);
}

#[tokio::test(start_paused = true)]
async fn one_message_without_an_answer_ends_one_connection_an_hour() {
    let (sim, mut ada, bob) = acquainted(607).await;
    let mut plan = FaultPlan::default();
    plan.withhold_acks = Chance::with_probability(1.0);
    sim.set_faults(plan);
    ada.client.send(bob.phone.jid(), "never answered").queue().await.unwrap();
    while ada.events.try_next().is_some() {}
    sleep(Duration::from_secs(3_500)).await;
    let mut ended = 0;
    while let Some(event) = ada.events.try_next() {
        ended += usize::from(matches!(event, Event::Disconnected { .. }));
    }
    assert_eq!(ended, 1);
    let left = all_said(&ada, "message").len();
    assert!((5..=10).contains(&left), "{left} times in an hour");
}

/// Remembers what was committed.
#[derive(Clone, Default)]
struct Recording {
    commits: Arc<Mutex<Vec<Vec<Change>>>>,
}

#[async_trait]
impl Hooks for Recording {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        self.commits.lock().unwrap().push(changes.iter().cloned().collect());
        under.commit(changes).await
    }
}

impl Recording {
    /// The commits since last time that are about messages on their way, or keys.
    fn take(&self) -> Vec<Vec<Change>> {
        let concerns = |change: &Change| {
            matches!(
                change,
                Change::PutOutbox(_)
                    | Change::SetOutboxState { .. }
                    | Change::CountOutboxAttempt(_)
                    | Change::RemoveOutbox(_)
                    | Change::PutSession { .. }
                    | Change::PutSenderKey { .. }
                    | Change::SetStatus { .. }
                    | Change::Archive(_)
            )
        };
        let commits = std::mem::take(&mut *self.commits.lock().unwrap());
        commits.into_iter().filter(|commit| commit.iter().any(concerns)).collect()
    }
}

/// Ada on a store that remembers, and Bob; both know each other and are in a group.
async fn recorded(seed: u64) -> (Sim, Party, Party, Jid, Recording) {
    let sim = simulation(seed);
    let hooks = Recording::default();
    let store = HookedStore { under: Arc::new(MemoryStore::new()), hooks: hooks.clone() };
    let mut ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(store)).await;
    let bob = Party::join(&sim, "15550200", "Bob").await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    settle().await;
    for chat in [bob.phone.jid(), group.clone()] {
        ada.client.send(chat.clone(), "one").await.unwrap();
        settle().await;
        let back = if chat.is_group() { chat } else { ada.phone.jid() };
        bob.client.send(back, "two").await.unwrap();
        ada.message().await;
        settle().await;
    }
    sim.listen();
    (sim, ada, bob, group, hooks)
}

#[tokio::test(start_paused = true)]
async fn a_message_takes_one_commit_before_it_leaves_and_one_after_the_ack() {
    for (seed, to_group) in [(608, false), (609, true)] {
        let (sim, ada, bob, group, hooks) = recorded(seed).await;
        let to = if to_group { group.clone() } else { bob.phone.jid() };
        let mut plan = FaultPlan::default();
        plan.withhold_acks = Chance::times(1);
        // Nobody else hears of it, and so nobody answers.
        plan.drop = Chance::with_probability(1.0);
        sim.set_faults(plan);
        hooks.take();
        let id = ada.client.send(to, "counted").queue().await.unwrap().id;
        settle().await;
        assert_eq!(said(&ada, "message", id.as_str()).len(), 1, "its bytes left");
        let before = hooks.take();
        assert_eq!(before.len(), 1, "{before:?}");
        let holds = |has: fn(&Change) -> bool| before[0].iter().any(has);
        assert!(holds(|change| matches!(change, Change::Archive(_))));
        assert!(holds(|change| matches!(change, Change::PutSentMessage(_))));
        assert!(holds(|change| matches!(change, Change::PutOutbox(entry)
            if entry.state == OutboxState::Transmitted && entry.attempts == 1)));
        assert!(match to_group {
            true => holds(|change| matches!(change, Change::PutSenderKey { .. })),
            false => holds(|change| matches!(change, Change::PutSession { .. })),
        });
        let from = if to_group { group } else { bob.phone.lid() };
        sim.set_faults(FaultPlan::default());
        sim.deliver(&device(&ada), ack(&from, id.as_str()));
        settle().await;
        let after = hooks.take();
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_in_order_leaves_in_order_also_while_the_first_waits_for_keys() {
    let sim = simulation(610);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let bob = sim.add_account("15550200", "Bob").unwrap();
    settle().await;
    sim.listen();
    let texts: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    for text in &texts {
        ada.client.send(bob.jid(), text.clone()).queue().await.unwrap();
    }
    settle().await;
    let read: Vec<String> = bob.messages().into_iter().filter_map(|message| message.text).collect();
    assert_eq!(read, texts);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_takes_nothing_back() {
    let (_sim, ada, bob) = acquainted(611).await;
    let send = ada.client.send(bob.phone.jid(), "on its way").into_future();
    // Dropped as soon as it would wait.
    let _ = tokio::time::timeout(Duration::ZERO, send).await;
    settle().await;
    let outbox = ada.store.outbox_pending().await.unwrap();
    assert!(outbox.is_empty(), "{outbox:?}");
    let texts = bob.texts(&ada.phone.jid()).await;
    assert!(texts.iter().filter(|text| *text == "on its way").count() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_server_cannot_take_now_is_sent_again_and_given_up_in_the_end() {
    let (sim, mut ada, bob) = acquainted(612).await;
    let busy = |id: &str| ack(&bob.phone.lid(), id).attr("error", "500");
    let id = handmade::send_without_ack(&ada, &bob.phone.jid(), "try again").await;
    sim.deliver(&device(&ada), busy(&id));
    settle().await;
    sleep(Duration::from_secs(20)).await;
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    assert_eq!(said(&ada, "message", &id).len(), 2);

    // A server that says so each time.
    let acks = |stanza: OwnedNode| match stanza.tag == "ack" && stanza.attrs.is("class", "message")
    {
        true => vec![stanza.attr("error", "500")],
        false => vec![stanza],
    };
    sim.hostile().tamper(&device(&ada), acks);
    sim.listen();
    let sent = ada.client.send(bob.phone.jid(), "never").queue().await.unwrap();
    let failed = |event: &Event| match event {
        Event::SendStatus { state: SendState::Failed { reason }, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(ada.until(failed).await, SendFailure::Refused { code: 500 });
    assert_eq!(said(&ada, "message", sent.id.as_str()).len(), 6);
}
