//! The phone's past: how it comes to the archive, and what becomes of it where something is wrong.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod handmade_history;
mod hooked_store;
mod parties;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handmade_history::{ADA_LID, ADA_PHONE, bootstrap, chat, text, web_text};
use hooked_store::{HookedStore, Hooks};
use parties::{Party, settle, simulation};
use prost::Message as _;
use rand_core::SeedableRng as _;
use wa_addon::{SecretContext, SecretUse, poll_option_hash};
use wa_client::{
    ChunkFailure, Error, Event, HistoryDepth, HistoryEvent, HistoryKind, OlderOnPhone, Repair,
};
use wa_proto::{
    Content, Jid,
    content::{MessageContext, MessageSecret, Poll},
    pb,
};
use wa_sim::{Chance, Damage, FaultPlan, HistoryPlan, HistoryUpload, Phone, Sim};
use wa_store::{
    Change, Changes, Committed, GapPlace, GapReason, MemoryStore, MessageKey, MessageStatus,
    Placeholder, Result, SearchQuery, Store, Timestamp,
};

/// A phone that has a past.
fn phone_with(sim: &Sim, plan: HistoryPlan) -> Phone {
    let phone = sim.add_account("15550100", "Ada").unwrap();
    phone.fill_history(plan).unwrap();
    phone
}

fn faults(sim: &Sim, set: impl FnOnce(&mut FaultPlan)) {
    let mut plan = FaultPlan::default();
    set(&mut plan);
    sim.set_faults(plan);
}

async fn joined(sim: &Sim) -> Party {
    Party::join(sim, "15550100", "Ada").await
}

impl Party {
    fn device(&self) -> u16 {
        self.client.jid().unwrap().device
    }

    /// Has the phone tell of a part, and answers what was told of it in the end.
    async fn given(&mut self, upload: HistoryUpload) -> HistoryEvent {
        self.phone.upload_history(self.device(), upload).unwrap();
        self.history(|event| {
            matches!(event, HistoryEvent::ChunkStored { .. } | HistoryEvent::ChunkFailed { .. })
        })
        .await
    }

    /// The next event of the history that `pick` takes.
    async fn history(&mut self, pick: impl Fn(&HistoryEvent) -> bool) -> HistoryEvent {
        self.until(|event| match event {
            Event::History(event) if pick(event) => Some(event.clone()),
            _ => None,
        })
        .await
    }
}

/// Links a client with a phone that has a past, and waits until all of that is read.
async fn with_past(sim: &Sim, plan: HistoryPlan, depth: HistoryDepth) -> (Party, HistoryEvent) {
    let phone = phone_with(sim, plan);
    let store = Arc::new(MemoryStore::new());
    let mut ada = Party::link_with(sim, phone, store, |builder| builder.history(depth)).await;
    let over = ada.history(|event| matches!(event, HistoryEvent::Completed { .. })).await;
    settle().await;
    (ada, over)
}

fn stored(messages: u64) -> impl Fn(&HistoryEvent) -> bool {
    move |event| matches!(event, HistoryEvent::ChunkStored { messages: m, .. } if *m == messages)
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_part_holds_is_in_the_archive() {
    let sim = simulation(1);
    let mut ada = joined(&sim).await;
    let (sender, group) = (Jid::lid(ADA_LID), Jid::group("120363000000000009"));
    let mut seen = text("A", "seen and liked", 1_700_000_000);
    let info = seen.message.as_mut().unwrap();
    info.key.from_me = Some(true);
    info.status = Some(pb::web_message_info::Status::Played.into());
    info.starred = Some(true);
    info.message_secret = Some(vec![9; 32].into());
    info.reactions.push(pb::Reaction {
        key: Some(pb::MessageKey { from_me: Some(false), ..Default::default() }),
        text: Some("🎉".into()),
        sender_timestamp_ms: Some(1_700_000_005_000),
        ..Default::default()
    });
    let mut joined = text("J", "", 1_700_000_001);
    let info = joined.message.as_mut().unwrap();
    info.message = None;
    info.key.participant = Some(sender.to_string());
    info.message_stub_type = Some(27);
    info.message_stub_parameters = vec!["77@lid".into()];
    let mut gone = text("R", "", 1_700_000_002);
    gone.message.as_mut().unwrap().message = None;
    gone.message.as_mut().unwrap().message_stub_type = Some(1);
    let mut sync = bootstrap(vec![
        pb::Conversation {
            archived: Some(true),
            pinned: Some(1_700_000_000),
            mute_end_time: Some(1_900_000_000_000),
            unread_count: Some(4),
            ephemeral_expiration: Some(604_800),
            tc_token: Some(vec![3; 8].into()),
            tc_token_timestamp: Some(1_700_000_000),
            name: Some("Ada of the address book".into()),
            ..chat(&sender, vec![seen, gone])
        },
        pb::Conversation { name: Some("Sailing".into()), ..chat(&group, vec![joined]) },
        chat(&Jid::lid("4242"), Vec::new()),
    ]);
    sync.pushnames =
        vec![pb::Pushname { id: Some(sender.to_string()), pushname: Some("ada ⛵".into()) }];
    sync.nct_salt = Some(vec![5; 16].into());
    let mut status = web_text("S", "a status post", sim.now() - 600);
    status.key.participant = Some(sender.to_string());
    status.key.remote_jid = Some(Jid::status().to_string());
    sync.status_v3_messages = vec![status];
    let event = ada.given(HistoryUpload::new(sync).inline()).await;
    assert!(stored(4)(&event), "{event:?}");

    let own = ada.phone.lid();
    let sent = MessageKey::sent(sender.clone(), own, "A");
    let kept = ada.store.message(&sent).await.unwrap().unwrap();
    assert_eq!(
        (kept.text.as_deref(), kept.status),
        (Some("seen and liked"), MessageStatus::Played)
    );
    assert!(kept.starred);
    let secret = ada.store.message_secret(&sent).await.unwrap().unwrap();
    assert_eq!(secret.secret.as_bytes(), [9; 32]);
    let reactions = ada.store.reactions(&sent).await.unwrap();
    assert_eq!((reactions[0].emoji.as_str(), &reactions[0].sender), ("🎉", &sender));
    let tombstone = ada.archive(&sender).await.pop().unwrap();
    assert!(tombstone.revoked.is_some() && tombstone.text.is_none());

    let chat = ada.store.chat(&sender).await.unwrap().unwrap();
    assert!(chat.archived);
    assert_eq!((chat.unread, chat.ephemeral_secs), (4, Some(604_800)));
    assert_eq!(chat.pinned_at, Some(Timestamp::from_secs(1_700_000_000)));
    assert_eq!(chat.muted_until, Some(Timestamp::from_secs(1_900_000_000)));
    let contact = ada.store.contact(&sender).await.unwrap().unwrap();
    assert_eq!(contact.name(), Some("Ada of the address book"));
    assert_eq!(contact.push_name.as_deref(), Some("ada ⛵"));
    let token = ada.store.privacy_token(&sender).await.unwrap().unwrap();
    assert_eq!(token.token.as_bytes(), [3; 8]);
    assert!(ada.store.nct_salt().await.unwrap().is_some());

    let in_group = ada.archive(&group).await;
    assert_eq!(in_group[0].kind.as_str(), "system-group-participant-add");
    let sailing = ada.store.chat(&group).await.unwrap().unwrap();
    assert_eq!((sailing.name.as_deref(), sailing.unread), (Some("Sailing"), 0));
    assert!(ada.store.chat(&Jid::lid("4242")).await.unwrap().is_some(), "also without messages");
    assert_eq!(ada.texts(&Jid::status()).await, ["a status post"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_sync_of_a_new_link_brings_the_whole_past_in_several_parts() {
    let sim = simulation(40);
    let plan = HistoryPlan::new(12, 400, 7).mixed();
    let (ada, over) = with_past(&sim, plan, HistoryDepth::Recent).await;
    let HistoryEvent::Completed { chats, messages, is_whole: true } = over else {
        panic!("{over:?}");
    };
    assert_eq!(ada.stats().history_acknowledged, [1, 2, 3, 4, 5, 6]);
    // One chat comes under two names, and what has no content is no message.
    assert_eq!(chats, 12);
    let stats = ada.store.stats().await.unwrap();
    assert_eq!(stats.messages, messages);
    assert_eq!(messages, 12 * 400 + 5, "and five status posts");
    for chat in 0..12 {
        for index in [0, 9, 10, 200, 399] {
            let past = ada.phone.history_message(chat, index).unwrap();
            let id = past.id.as_str().into();
            let found = ada.store.messages_by_id(&past.chat, &id).await.unwrap();
            assert_eq!(found.len(), 1, "message {index} of chat {chat}");
            assert_eq!(found[0].timestamp.secs(), i64::try_from(past.timestamp).unwrap());
            assert_eq!(found[0].key.from_me, past.from_me);
        }
    }
    let first = ada.phone.history_message(0, 0).unwrap();
    let split = ada.store.chat(&first.chat).await.unwrap().unwrap();
    assert_eq!((split.unread, split.name.as_deref()), (3, Some(&*first.contact)));
    assert_eq!(ada.archive(&first.chat).await.len(), 400, "one chat under two names");
    assert_eq!(sim.media_count(), 1, "only the picture is left with the media hosts");
    assert!(ada.client.history().gaps().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_of_the_past_comes_only_to_a_link_that_asks_for_it() {
    let plan = HistoryPlan::new(4, 300, 3).giving(50);
    for (seed, depth, expected) in
        [(41, HistoryDepth::Recent, 4 * 50), (42, HistoryDepth::Full, 4 * 300)]
    {
        let sim = simulation(seed);
        let (ada, over) = with_past(&sim, plan, depth).await;
        assert!(matches!(over, HistoryEvent::Completed { is_whole: true, .. }));
        assert_eq!(ada.store.stats().await.unwrap().messages, expected);
        let gaps = ada.client.history().gaps().await.unwrap();
        assert_eq!(gaps.len(), if depth == HistoryDepth::Full { 0 } else { 4 });
    }
}

#[tokio::test(start_paused = true)]
async fn older_messages_come_on_demand_until_the_phone_has_no_more() {
    let sim = simulation(43);
    let plan = HistoryPlan::new(2, 120, 3).giving(20);
    let (ada, _) = with_past(&sim, plan, HistoryDepth::Recent).await;
    let chat = ada.phone.history_message(0, 0).unwrap().chat;
    let older = ada.client.history().fetch_older(chat.clone()).count(60).await.unwrap();
    assert_eq!((older.messages, older.older), (60, OlderOnPhone::Yes));
    let (_, request) = ada.phone.history_requests().pop().unwrap();
    let oldest = ada.phone.history_message(0, 19).unwrap();
    assert_eq!(request.oldest_msg_id(), oldest.id);
    assert_eq!(request.oldest_msg_timestamp_ms(), i64::try_from(oldest.timestamp).unwrap());
    // Two at a time are answered one after the other, and the second goes on from the first.
    let history = ada.client.history();
    let (one, two) = tokio::join!(
        history.fetch_older(chat.clone()).count(30).into_future(),
        history.fetch_older(chat.clone()).count(30).into_future(),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.messages, one.older), (30, OlderOnPhone::Yes));
    assert_eq!((two.messages, two.older), (10, OlderOnPhone::No));
    assert_eq!(ada.archive(&chat).await.len(), 120);
    let gaps = ada.client.history().gaps().await.unwrap();
    assert!(gaps.iter().all(|gap| gap.place != GapPlace::Chat(chat.clone())));
    let none = ada.client.history().fetch_older(chat).await.unwrap();
    assert_eq!((none.messages, none.older), (0, OlderOnPhone::No));
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_not_what_was_sent_is_never_read() {
    let sim = simulation(44);
    let mut ada = joined(&sim).await;
    let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), vec![text("A", "whole", 1_700_000_000)])]);
    let failed = ada.given(HistoryUpload::new(sync).damaged(Damage::Corrupt)).await;
    let (kind, reason) = (HistoryKind::Bootstrap, ChunkFailure::Corrupt);
    assert_eq!(failed, HistoryEvent::ChunkFailed { kind, order: 1, reason, asked_again: true });
    ada.history(stored(1)).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_that_a_message_of_the_past_arrived() {
    let sim = simulation(2);
    let mut ada = joined(&sim).await;
    settle().await;
    let before = ada.stats().counters;
    let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), vec![text("A", "then", 1_700_000_000)])]);
    ada.given(HistoryUpload::new(sync).inline()).await;
    settle().await;
    let after = ada.stats();
    assert_eq!(after.counters.hist_sync, before.hist_sync + 1);
    assert_eq!(after.history_acknowledged, [1]);
    while let Some(event) = ada.events.try_next() {
        assert!(!matches!(event, Event::Message(_)), "no message is news");
    }
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_kept_as_far_as_it_makes_sense() {
    let sim = simulation(3);
    let mut ada = joined(&sim).await;
    let sender = Jid::lid(ADA_LID);
    let caption = "x".repeat(10 << 20);
    let image = pb::message::ImageMessage { caption: Some(caption.clone()), ..Default::default() };
    let mut long = text("LONG", "", 1_700_000_000);
    long.message.as_mut().unwrap().message =
        Some(pb::Message { image_message: Some(Box::new(image)), ..Default::default() });
    let nameless = text("", "no id", 1_700_000_000);
    let sync = bootstrap(vec![
        chat(
            &sender,
            vec![
                text("ZERO", "before the epoch", 0),
                text("LATE", "in the far future", u64::MAX),
                text("TWICE", "the first", 1_700_000_003),
                text("TWICE", "the second", 1_700_000_004),
                long,
                nameless,
            ],
        ),
        pb::Conversation { id: "no jid at all".into(), ..Default::default() },
    ]);
    let event = ada.given(HistoryUpload::new(sync).inline()).await;
    let HistoryEvent::ChunkStored { messages, unreadable, .. } = event else { panic!("{event:?}") };
    assert_eq!((messages, unreadable), (4, 2));
    let archive = ada.archive(&sender).await;
    let first = archive.first().unwrap();
    assert_eq!(first.text.as_deref(), Some("before the epoch"));
    assert!(first.timestamp > Timestamp::from_secs(1_000_000_000));
    let last = archive.last().unwrap();
    assert_eq!(last.text.as_deref(), Some("in the far future"));
    assert!(last.timestamp <= Timestamp::from_secs(i64::try_from(sim.now()).unwrap() + 600));
    assert!(archive.iter().any(|kept| kept.text.as_deref() == Some("the first")));
    let long = archive.iter().find(|kept| kept.key.id.as_str() == "LONG").unwrap();
    assert!(long.raw.as_bytes().len() > caption.len(), "all of it is kept");
    assert!(caption.starts_with(long.text.as_deref().unwrap()), "as much as can be searched");
}

#[tokio::test(start_paused = true)]
async fn a_chat_under_phone_number_and_lid_is_one_chat() {
    let sim = simulation(4);
    let mut ada = joined(&sim).await;
    let (phone, lid) = (Jid::phone(ADA_PHONE), Jid::lid(ADA_LID));
    let by_phone =
        chat(&phone, vec![text("A", "one", 1_700_000_001), text("B", "two", 1_700_000_002)]);
    let by_lid =
        chat(&lid, vec![text("B", "two", 1_700_000_002), text("C", "three", 1_700_000_003)]);
    let mut sync = bootstrap(vec![by_phone, by_lid]);
    sync.phone_number_to_lid_mappings = vec![pb::PhoneNumberToLidMapping {
        pn_jid: Some(phone.to_string()),
        lid_jid: Some(lid.to_string()),
    }];
    ada.given(HistoryUpload::new(sync).inline()).await;
    for name in [&phone, &lid] {
        assert_eq!(ada.texts(name).await, ["one", "two", "three"]);
    }
    assert_eq!(ada.store.stats().await.unwrap().messages, 3);
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), Some(lid));
}

#[tokio::test(start_paused = true)]
async fn a_placeholder_is_filled_by_the_history() {
    let sim = simulation(5);
    let mut ada = joined(&sim).await;
    let sender = Jid::lid(ADA_LID);
    let key = MessageKey::received(sender.clone(), sender.clone(), "GAP");
    let gap = Placeholder {
        key: key.clone(),
        timestamp: Timestamp::from_secs(1_700_000_010),
        push_name: None,
        reason: "no-session".into(),
        requested_at: None,
        attempts: 0,
    };
    ada.store.commit(Change::PutPlaceholder(Box::new(gap)).into()).await.unwrap();
    let sync = bootstrap(vec![chat(&sender, vec![text("GAP", "at last", 1_700_000_000)])]);
    ada.phone.upload_history(ada.device(), HistoryUpload::new(sync).inline()).unwrap();
    let (message, by) = ada.repaired().await;
    assert_eq!((message.text.as_deref(), by), (Some("at last"), Repair::History));
    assert_eq!(ada.store.placeholder(&key).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn search_finds_what_was_said_before_the_link() {
    let sim = simulation(6);
    let mut ada = joined(&sim).await;
    let said = text("A", "The lighthouse keeper sends greetings", 1_600_000_000);
    let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), vec![said])]);
    ada.given(HistoryUpload::new(sync).inline()).await;
    let page = ada.store.search(&SearchQuery::new("lighthouse")).await.unwrap();
    assert_eq!(page.hits.len(), 1);
}

/// A poll of somebody and, sealed, their own vote in it.
fn poll_with_vote(author: &Jid) -> [pb::HistorySyncMsg; 2] {
    let (secret, options) = ([4; 32], ["noon", "one"]);
    let mut poll = text("P", "", 1_700_000_000);
    let info = poll.message.as_mut().unwrap();
    let asked = Poll::new("Lunch?", options.map(str::to_owned).to_vec(), 1);
    let mut context = MessageContext::default();
    context.message_secret = Some(MessageSecret::new(secret.to_vec()));
    info.message = Some(Content::Poll(asked).to_message(&context).unwrap());
    info.message_secret = Some(secret.to_vec().into());

    let chosen = pb::message::PollVoteMessage {
        selected_options: vec![poll_option_hash("one").to_vec().into()],
    };
    let seal = SecretContext {
        secret: &secret,
        message_id: "P",
        original_sender: author,
        modification_sender: author,
        secret_use: SecretUse::PollVote,
    };
    let (iv, sealed) =
        seal.seal(&chosen.encode_to_vec(), &mut rand_chacha::ChaCha8Rng::seed_from_u64(1));
    let mut vote = text("V", "", 1_700_000_001);
    vote.message.as_mut().unwrap().message = Some(pb::Message {
        poll_update_message: Some(pb::message::PollUpdateMessage {
            poll_creation_message_key: Some(pb::MessageKey {
                remote_jid: Some(author.to_string()),
                from_me: Some(true),
                id: Some("P".into()),
                ..Default::default()
            }),
            vote: Some(pb::message::PollEncValue {
                enc_payload: Some(sealed.into()),
                enc_iv: Some(iv.to_vec().into()),
            }),
            sender_timestamp_ms: Some(1_700_000_001_000),
            ..Default::default()
        }),
        ..Default::default()
    });
    [vote, poll]
}

#[tokio::test(start_paused = true)]
async fn a_vote_of_the_past_counts_in_its_poll_at_once() {
    let sim = simulation(11);
    let mut ada = joined(&sim).await;
    let author = Jid::lid(ADA_LID);
    let sync = bootstrap(vec![chat(&author, poll_with_vote(&author).to_vec())]);
    ada.given(HistoryUpload::new(sync).inline()).await;
    let key = MessageKey::received(author.clone(), author.clone(), "P");
    let tally = ada.store.poll(&key).await.unwrap().unwrap();
    let votes: Vec<_> =
        tally.options.iter().map(|option| (option.name.as_str(), option.voters.len())).collect();
    assert_eq!(votes, [("noon", 0), ("one", 1)]);
}

#[tokio::test(start_paused = true)]
async fn without_history_names_tokens_secrets_and_who_is_who_are_read_all_the_same() {
    let sim = simulation(7);
    let phone = sim.add_account("15550100", "Ada").unwrap();
    let store = Arc::new(MemoryStore::new());
    let none = |builder: wa_client::ClientBuilder| builder.history(HistoryDepth::None);
    let mut ada = Party::link_with(&sim, phone, store, none).await;
    let (by_phone, lid) = (Jid::phone(ADA_PHONE), Jid::lid(ADA_LID));
    let mut poll = text("P", "a question", 1_700_000_000);
    poll.message.as_mut().unwrap().message.as_mut().unwrap().message_context_info =
        Some(pb::MessageContextInfo {
            message_secret: Some(vec![8; 32].into()),
            ..Default::default()
        });
    let mut sync = bootstrap(vec![pb::Conversation {
        tc_token: Some(vec![3; 8].into()),
        tc_token_timestamp: Some(1_700_000_000),
        pn_jid: Some(by_phone.to_string()),
        ..chat(&lid, vec![poll])
    }]);
    sync.pushnames = vec![pb::Pushname { id: Some(lid.to_string()), pushname: Some("ada".into()) }];
    assert!(stored(0)(&ada.given(HistoryUpload::new(sync).inline()).await));
    assert_eq!(ada.store.stats().await.unwrap().messages, 0);
    assert_eq!(ada.store.lid_of(&by_phone).await.unwrap(), Some(lid.clone()));
    assert!(ada.store.privacy_token(&lid).await.unwrap().is_some());
    let key = MessageKey::received(lid.clone(), lid.clone(), "P");
    assert!(ada.store.message_secret(&key).await.unwrap().is_some());
    let contact = ada.store.contact(&lid).await.unwrap().unwrap();
    assert_eq!(contact.push_name.as_deref(), Some("ada"));
}

/// Refuses commits that archive a message, while it is told to.
#[derive(Clone, Default)]
struct Full(Arc<AtomicBool>);

#[async_trait]
impl Hooks for Full {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let archives = changes.iter().any(|change| matches!(change, Change::Archive(_)));
        if archives && self.0.load(Ordering::Relaxed) {
            return Err(wa_store::StoreError::DiskFull);
        }
        under.commit(changes).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_stored_is_not_acknowledged_and_is_read_again_after_a_restart() {
    let sim = simulation(8);
    let full = Full::default();
    let store = HookedStore { under: Arc::new(MemoryStore::new()), hooks: full.clone() };
    let ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(store)).await;
    full.0.store(true, Ordering::Relaxed);
    let messages: Vec<_> =
        (0..1200).map(|n| text(&format!("M{n}"), "kept once", 1_700_000_000 + n)).collect();
    let sender = Jid::lid(ADA_LID);
    let sync = bootstrap(vec![chat(&sender, messages)]);
    ada.phone.upload_history(ada.device(), HistoryUpload::new(sync).inline()).unwrap();
    settle().await;
    assert_eq!(ada.stats().counters.hist_sync, 0, "nothing is acknowledged");
    assert_eq!(ada.store.history_chunks(9).await.unwrap().len(), 1);
    full.0.store(false, Ordering::Relaxed);
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.history(|event| matches!(event, HistoryEvent::ChunkStored { .. })).await;
    settle().await;
    assert_eq!(ada.stats().history_acknowledged, [1]);
    assert_eq!(ada.store.stats().await.unwrap().messages, 1200);
    assert!(ada.store.history_chunks(9).await.unwrap().is_empty());
}

/// Dies with the commit of this number that archives anything.
#[derive(Clone)]
struct Dies {
    after: Arc<std::sync::atomic::AtomicI64>,
}

#[async_trait]
impl Hooks for Dies {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let archives = changes.iter().any(|change| matches!(change, Change::Archive(_)));
        if archives && self.after.fetch_sub(1, Ordering::Relaxed) <= 0 {
            // The process is gone before the disk has anything.
            std::future::pending::<()>().await;
        }
        under.commit(changes).await
    }
}

#[tokio::test(start_paused = true)]
async fn killed_between_two_commits_of_a_part_nothing_is_lost_and_nothing_is_there_twice() {
    for commits in 0..3 {
        let sim = simulation(9 + u64::try_from(commits).unwrap());
        let after = Arc::new(std::sync::atomic::AtomicI64::new(commits));
        let store = HookedStore {
            under: Arc::new(MemoryStore::new()),
            hooks: Dies { after: after.clone() },
        };
        let ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(store)).await;
        let messages: Vec<_> =
            (0..1200).map(|n| text(&format!("M{n}"), "once", 1_700_000_000 + n)).collect();
        let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), messages)]);
        ada.phone.upload_history(ada.device(), HistoryUpload::new(sync).inline()).unwrap();
        settle().await;
        assert_eq!(ada.stats().counters.hist_sync, 0);
        let mut ada = ada.restart(None).await;
        after.store(i64::MAX, Ordering::Relaxed);
        ada.client.connect().unwrap();
        let left = 1200 - 500 * u64::try_from(commits).unwrap();
        ada.history(stored(left)).await;
        settle().await;
        assert_eq!(ada.store.stats().await.unwrap().messages, 1200);
        assert_eq!(ada.stats().history_acknowledged, [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bomb_or_a_damaged_part_is_refused_asked_for_again_and_read_then() {
    for (seed, damage, reason) in [
        (20, Damage::Bomb, ChunkFailure::TooLarge),
        (21, Damage::Truncated, ChunkFailure::Truncated),
    ] {
        let sim = simulation(seed);
        let mut ada = joined(&sim).await;
        let sender = Jid::lid(ADA_LID);
        let sync = bootstrap(vec![chat(&sender, vec![text("A", "whole", 1_700_000_000)])]);
        let upload = HistoryUpload::new(sync).inline().damaged(damage);
        let failed = ada.given(upload).await;
        let kind = HistoryKind::Bootstrap;
        assert_eq!(failed, HistoryEvent::ChunkFailed { kind, order: 1, reason, asked_again: true });
        let gap = ada.history(|event| matches!(event, HistoryEvent::GapFound(_))).await;
        let HistoryEvent::GapFound(gap) = gap else { panic!("a gap") };
        assert_eq!(gap.reason, GapReason::Unreadable);
        // The phone tells it again, whole this time.
        ada.history(stored(1)).await;
        assert!(ada.client.history().gaps().await.unwrap().is_empty(), "the gap is closed");
        settle().await;
        assert_eq!(ada.stats().history_acknowledged, [1]);
        let bob = Party::join(&sim, "15550200", "Bob").await;
        bob.client.send(ada.phone.lid(), "still there?").await.unwrap();
        assert_eq!(ada.message().await.text.as_deref(), Some("still there?"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_stays_unreadable_is_asked_for_only_so_often() {
    let sim = simulation(22);
    let mut ada = joined(&sim).await;
    faults(&sim, |plan| plan.truncate_history = Chance::with_probability(1.0));
    let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), vec![text("A", "never", 1_700_000_000)])]);
    let upload = HistoryUpload::new(sync).inline().damaged(Damage::Truncated);
    ada.given(upload).await;
    for _ in 0..2 {
        let failed = ada.history(|event| matches!(event, HistoryEvent::ChunkFailed { .. })).await;
        assert!(matches!(failed, HistoryEvent::ChunkFailed { asked_again: true, .. }));
    }
    let failed = ada.history(|event| matches!(event, HistoryEvent::ChunkFailed { .. })).await;
    assert!(matches!(failed, HistoryEvent::ChunkFailed { asked_again: false, .. }));
    settle().await;
    let gaps = ada.client.history().gaps().await.unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].place, GapPlace::Chunk { kind: 0, order: 1 });
    assert!(ada.stats().history_acknowledged.is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_the_phone_has_more_there_is_a_gap_until_it_gives_the_rest() {
    use pb::conversation::EndOfHistoryTransferType as End;
    let sim = simulation(23);
    let mut ada = joined(&sim).await;
    let sender = Jid::lid(ADA_LID);
    let part = |id: &str, at: u64, end: End| {
        let mut part = chat(&sender, vec![text(id, "said", at)]);
        part.end_of_history_transfer_type = Some(end.into());
        HistoryUpload::new(bootstrap(vec![part])).inline()
    };
    ada.given(part("B", 1_700_000_000, End::CompleteButMoreMessagesRemainOnPrimary)).await;
    let gap = ada.history(|event| matches!(event, HistoryEvent::GapFound(_))).await;
    let gaps = ada.client.history().gaps().await.unwrap();
    assert_eq!(gap, HistoryEvent::GapFound(gaps[0].clone()));
    assert_eq!(gaps[0].place, GapPlace::Chat(sender.clone()));
    assert_eq!(gaps[0].to, Some(Timestamp::from_secs(1_700_000_000)));
    assert_eq!(gaps[0].reason, GapReason::MoreOnPhone);
    ada.given(part("A", 1_600_000_000, End::CompleteAndNoMoreMessageRemainOnPrimary)).await;
    assert!(ada.client.history().gaps().await.unwrap().is_empty());
    // A part that comes once more and late opens nothing.
    ada.given(part("B", 1_700_000_000, End::CompleteButMoreMessagesRemainOnPrimary)).await;
    assert!(ada.client.history().gaps().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn history_is_believed_from_the_own_account_alone() {
    let sim = simulation(24);
    let ada = joined(&sim).await;
    let bob = sim.add_account("15550200", "Bob").unwrap();
    let sync = bootstrap(vec![chat(&Jid::lid(ADA_LID), vec![text("A", "a lie", 1_700_000_000)])]);
    let notice = pb::message::HistorySyncNotification {
        sync_type: Some(0),
        chunk_order: Some(1),
        initial_hist_bootstrap_inline_payload: Some(handmade_history::compressed(&sync).into()),
        ..Default::default()
    };
    let forged = pb::Message {
        protocol_message: Some(Box::new(pb::message::ProtocolMessage {
            r#type: Some(pb::message::protocol_message::Type::HistorySyncNotification.into()),
            history_sync_notification: Some(notice),
            ..Default::default()
        })),
        ..Default::default()
    };
    bob.send(&ada.phone.jid(), forged).unwrap();
    settle().await;
    assert_eq!(ada.store.stats().await.unwrap().messages, 0);
    assert!(ada.store.history_chunks(9).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_does_not_answer_is_waited_for_only_so_long() {
    let sim = simulation(25);
    let mut ada = joined(&sim).await;
    let sender = Jid::lid(ADA_LID);
    let nothing = ada.client.history().fetch_older(sender.clone()).await;
    assert!(matches!(nothing, Err(Error::InvalidInput(_))), "nothing to go on from");
    let sync = bootstrap(vec![chat(&sender, vec![text("A", "newest", 1_700_000_000)])]);
    ada.given(HistoryUpload::new(sync).inline()).await;
    faults(&sim, |plan| plan.silent_phone = Chance::times(1));
    let limit = Duration::from_secs(20);
    let asked = tokio::time::Instant::now();
    let answer = ada.client.history().fetch_older(sender).timeout(limit).await;
    assert!(matches!(answer, Err(Error::PhoneSilent(waited)) if waited == limit));
    assert_eq!(asked.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_to_whoever_asked_for_it() {
    let sim = simulation(26);
    let mut ada = joined(&sim).await;
    let people = [Jid::lid(ADA_LID), Jid::lid("5151")];
    let newest = people.each_ref().map(|who| chat(who, vec![text("N", "newest", 1_700_000_000)]));
    ada.given(HistoryUpload::new(bootstrap(newest.to_vec())).inline()).await;
    faults(&sim, |plan| plan.silent_phone = Chance::times(2));
    let history = ada.client.history();
    let questions = people.clone().map(|who| {
        let question = history.fetch_older(who).count(7);
        tokio::spawn(async move { question.await })
    });
    settle().await;
    let asked = ada.phone_requests();
    assert_eq!(asked.len(), 2);
    // The answers come in the other order, and one that nobody asked for comes first.
    for (id, who, count) in
        [("NOBODY", &people[0], 9), (&*asked[1].0, &asked[1].1, 3), (&*asked[0].0, &asked[0].1, 2)]
    {
        let older: Vec<_> =
            (0..count).map(|n| text(&format!("{id}{n}"), "older", 1_600_000_000 + n)).collect();
        let mut sync = bootstrap(vec![chat(who, older)]);
        sync.sync_type = pb::history_sync::HistorySyncType::OnDemand.into();
        ada.given(HistoryUpload::new(sync).inline().answering(id)).await;
    }
    let mut counts = Vec::new();
    for question in questions {
        counts.push(question.await.unwrap().unwrap().messages);
    }
    counts.sort_unstable();
    assert_eq!(counts, [2, 3]);
}

impl Party {
    /// The ids and chats of what the phone was asked for, by decrypting nothing: from the phone.
    fn phone_requests(&self) -> Vec<(String, Jid)> {
        self.phone
            .history_requests()
            .into_iter()
            .map(|(id, request)| (id, request.chat_jid().parse().unwrap()))
            .collect()
    }
}
