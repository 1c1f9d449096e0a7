//! How long what is kept, and how what was deleted goes.

use wa_store::{
    Added, Addition, AuditEntry, AuditQuery, Change, ChatQuery, DeviceList, Edit, MessageKey,
    MessageQuery, MessageStatus, Moment, NewMessage, OutboxEntry, OutboxState, Placeholder,
    Reaction, SearchQuery, Seen, SentMessage, Store, SyncChange, Timestamp, verify_audit,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, me, pair, text};

const DAY: i64 = 24 * 60 * 60;

/// More than a store takes out at once.
const MANY: i64 = 200;

/// Steps until nothing is left to do, and how many.
async fn finish(store: &dyn Store, now: Timestamp) -> usize {
    let mut steps = 1;
    while commit(store, [Change::Upkeep { now }]).await.upkeep_left {
        steps += 1;
        assert!(steps < 1_000, "upkeep does not come to an end");
    }
    steps
}

async fn fill(store: &dyn Store, chat: &wa_proto::Jid) {
    let messages = (1..=MANY).map(|n| archive(text(chat, &format!("M{n}"), n, "a secret word")));
    commit(store, messages.collect::<Vec<_>>()).await;
}

fn key(chat: &wa_proto::Jid, id: &str) -> MessageKey {
    MessageKey::received(chat.clone(), chat.clone(), id)
}

async fn ids(store: &dyn Store, chat: &wa_proto::Jid) -> Vec<String> {
    let mut query = MessageQuery::chat(chat.clone());
    query.limit = 1_000;
    let messages = store.messages(&query).await.unwrap();
    messages.into_iter().map(|message| message.key.id.to_string()).collect()
}

pub(crate) async fn a_deleted_chat_is_gone_at_once_for_whoever_asks(store: &dyn Store) {
    fill(store, &bob()).await;
    commit(store, [archive(text(&ada_lid(), "other", 9, "a secret word"))]).await;
    let last = key(&bob(), "M200");
    let unread = Placeholder {
        key: key(&bob(), "U"),
        timestamp: at(300),
        push_name: None,
        reason: "no session".to_owned(),
        requested_at: None,
        attempts: 0,
    };
    let pin = Added::Pin { until: Some(at(9_999)) };
    let moment = Moment::new(at(400), "P");
    commit(
        store,
        [
            Change::PutPlaceholder(Box::new(unread)),
            Change::React(Box::new(Reaction::new(last.clone(), ada(), "👍", at(300)))),
            Change::PutMessageSecret { key: last.clone(), secret: [6; 32].into() },
            Change::Add(Box::new(Addition {
                target: last.clone(),
                author: bob(),
                moment,
                what: pin,
            })),
        ],
    )
    .await;
    assert_eq!(store.pins(&bob(), at(500)).await.unwrap().len(), 1);
    let last_seq = store.message(&last).await.unwrap().unwrap().seq;
    commit(store, [Change::DeleteChat(bob())]).await;

    let there = store.stats().await.unwrap();
    assert_eq!((there.messages, there.chats), (1, 1));
    assert_eq!(ids(store, &bob()).await, Vec::<String>::new());
    let found = store.search(&SearchQuery::new("secret")).await.unwrap().hits;
    assert_eq!(found.iter().map(|hit| hit.message.key.id.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(store.messages(&MessageQuery::default()).await.unwrap().len(), 1);
    assert_eq!(store.messages_after(wa_store::Seq(0), 999).await.unwrap().len(), 1);
    assert!(store.messages_at(&[last_seq]).await.unwrap().is_empty());
    assert!(store.message(&last).await.unwrap().is_none());
    assert!(store.messages_by_id(&bob(), &last.id).await.unwrap().is_empty());
    assert!(store.messages_with_id(&last.id).await.unwrap().is_empty());
    assert!(store.text_versions(&last).await.unwrap().is_empty());
    assert!(store.reactions(&last).await.unwrap().is_empty());
    assert!(store.additions(&last).await.unwrap().is_empty());
    assert!(store.message_secret(&last).await.unwrap().is_none());
    assert!(store.pins(&bob(), at(500)).await.unwrap().is_empty());
    assert!(store.placeholder(&key(&bob(), "U")).await.unwrap().is_none());
    assert!(store.placeholders(9).await.unwrap().is_empty());
    assert_eq!(store.chats(&ChatQuery::default()).await.unwrap().len(), 1);
    finish(store, at(1_000)).await;
    assert_eq!(store.stats().await.unwrap().messages, 1);
}

pub(crate) async fn what_comes_into_a_chat_that_is_being_removed_stays(store: &dyn Store) {
    fill(store, &bob()).await;
    commit(store, [Change::DeleteChat(bob())]).await;
    // One of those that are gone is told again, by the history for instance; it is what it was then.
    let again = commit(store, [archive(text(&bob(), "M200", MANY, "told again"))]).await;
    assert_eq!((again.archived.len(), again.duplicates.len()), (1, 0));
    let reaction = Reaction::new(key(&bob(), "M200"), ada(), "👍", at(300));
    commit(store, [Change::React(Box::new(reaction))]).await;
    commit(store, [archive(text(&bob(), "new", 5, "an old one that is new here"))]).await;
    // A star that comes too late saves nothing.
    commit(store, [Change::SetStarred { key: key(&bob(), "M199"), starred: true }]).await;
    for _ in 0..2 {
        assert_eq!(ids(store, &bob()).await, ["M200", "new"]);
        assert_eq!(store.stats().await.unwrap().messages, 2);
        assert_eq!(store.reactions(&key(&bob(), "M200")).await.unwrap().len(), 1);
        finish(store, at(1_000)).await;
    }
    let found = store.search(&SearchQuery::new("told")).await.unwrap();
    assert_eq!(found.hits.len(), 1);
}

pub(crate) async fn a_cleared_chat_keeps_its_stars_and_what_came_later(store: &dyn Store) {
    fill(store, &bob()).await;
    commit(store, [Change::SetStarred { key: key(&bob(), "M7"), starred: true }]).await;
    let clear = SyncChange::ClearChat { chat: bob(), until: Some(at(198)), keep_starred: true };
    commit(store, [Change::Sync(clear)]).await;
    for _ in 0..2 {
        assert_eq!(ids(store, &bob()).await, ["M200", "M199", "M7"]);
        assert_eq!(store.stats().await.unwrap().messages, 3);
        finish(store, at(1_000)).await;
    }
}

pub(crate) async fn everything_before_a_time_is_gone_at_once(store: &dyn Store) {
    fill(store, &bob()).await;
    commit(
        store,
        [archive(text(&ada_lid(), "A", 3, "old")), archive(text(&ada_lid(), "B", 500, ""))],
    )
    .await;
    commit(store, [Change::DeleteMessagesBefore(at(199))]).await;
    for _ in 0..2 {
        assert_eq!(ids(store, &bob()).await, ["M200", "M199"]);
        assert_eq!(ids(store, &ada_lid()).await, ["B"]);
        finish(store, at(1_000)).await;
    }
}

pub(crate) async fn two_chats_become_one_while_either_is_being_removed(store: &dyn Store) {
    fill(store, &ada_lid()).await;
    commit(store, [archive(text(&ada(), "by number", 5, "stays"))]).await;
    commit(store, [Change::DeleteChat(ada_lid())]).await;
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    for _ in 0..2 {
        assert_eq!(ids(store, &ada()).await, ["by number"]);
        finish(store, at(1_000)).await;
    }
}

fn waiting(id: &str) -> OutboxEntry {
    OutboxEntry {
        id: id.into(),
        chat: bob(),
        payload: [5; 5].into(),
        created_at: at(0),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key: Some(format!("order {id}")),
        origin: None,
    }
}

fn copy(id: &str) -> SentMessage {
    SentMessage {
        chat: bob(),
        id: id.into(),
        plaintext: [1; 4].into(),
        envelope: vec![2],
        sent_at: at(0),
    }
}

pub(crate) async fn a_copy_for_retries_lives_as_long_as_its_entry_waits(store: &dyn Store) {
    let put = [
        Change::PutOutbox(Box::new(waiting("A"))),
        Change::PutSentMessage(Box::new(copy("A"))),
        Change::PutSentMessage(Box::new(copy("B"))),
    ];
    commit(store, put).await;
    for day in 1..=20 {
        finish(store, at(day * DAY)).await;
    }
    let has = async |id: &str| store.sent_message(&bob(), &id.into()).await.unwrap().is_some();
    assert!(has("A").await, "its entry waits");
    assert!(!has("B").await, "nothing waits for it");
    // It leaves on the twentieth day, and its seven days begin.
    commit(store, [Change::SetOutboxState { id: "A".into(), state: OutboxState::Acked }]).await;
    finish(store, at(26 * DAY)).await;
    assert!(has("A").await);
    assert!(store.outbox_by_idempotency_key("order A").await.unwrap().is_some());
    finish(store, at(27 * DAY + 1)).await;
    assert!(!has("A").await);
    assert!(store.outbox_entry(&"A".into()).await.unwrap().is_none());
}

pub(crate) async fn what_waits_for_a_month_is_given_up(store: &dyn Store) {
    let message = NewMessage::text(MessageKey::sent(bob(), me(), "A"), at(0), "happy new year");
    commit(store, [archive(message), Change::PutOutbox(Box::new(waiting("A")))]).await;
    finish(store, at(30 * DAY)).await;
    assert_eq!(store.outbox_pending().await.unwrap().len(), 1);
    finish(store, at(30 * DAY + 1)).await;
    assert!(store.outbox_pending().await.unwrap().is_empty());
    let entry = store.outbox_entry(&"A".into()).await.unwrap().unwrap();
    let OutboxState::Failed(why) = entry.state else { panic!("{:?}", entry.state) };
    assert!(why.to_string().contains("thirty days"), "{why}");
    let message = store.message(&MessageKey::sent(bob(), me(), "A")).await.unwrap().unwrap();
    assert_eq!(message.status, MessageStatus::Failed);
    finish(store, at(38 * DAY)).await;
    assert!(store.outbox_entry(&"A".into()).await.unwrap().is_none());
}

pub(crate) async fn what_was_added_to_a_message_that_never_came_is_forgotten(store: &dyn Store) {
    commit(store, [archive(text(&bob(), "there", 1, "it came"))]).await;
    let edit = |id: &str| Edit::new(key(&bob(), id), "E", Some("edited".to_owned()), at(2));
    let pin = |id: &str| Addition {
        target: key(&bob(), id),
        author: bob(),
        moment: Moment::new(at(3), "P"),
        what: Added::Pin { until: Some(at(900 * DAY)) },
    };
    for id in ["there", "never"] {
        let put = [
            Change::Edit(Box::new(edit(id))),
            Change::React(Box::new(Reaction::new(key(&bob(), id), ada(), "👍", at(2)))),
            Change::Add(Box::new(pin(id))),
        ];
        commit(store, put).await;
    }
    // A month and a day: every table was gone through meanwhile, whichever day it began.
    for day in [1, 29] {
        finish(store, at(day * DAY)).await;
    }
    assert_eq!(store.reactions(&key(&bob(), "never")).await.unwrap().len(), 1);
    finish(store, at(38 * DAY)).await;
    assert!(store.reactions(&key(&bob(), "never")).await.unwrap().is_empty());
    assert!(store.additions(&key(&bob(), "never")).await.unwrap().is_empty());
    assert_eq!(store.reactions(&key(&bob(), "there")).await.unwrap().len(), 1);
    assert_eq!(store.additions(&key(&bob(), "there")).await.unwrap().len(), 1);
    commit(store, [archive(text(&bob(), "never", 4, "late"))]).await;
    let late = store.message(&key(&bob(), "never")).await.unwrap().unwrap();
    assert_eq!(late.text.as_deref(), Some("late"), "its edit is forgotten");
    let there = store.message(&key(&bob(), "there")).await.unwrap().unwrap();
    assert_eq!(there.text.as_deref(), Some("edited"));
}

pub(crate) async fn the_sender_keys_of_a_left_group_are_forgotten_and_sessions_are_not(
    store: &dyn Store,
) {
    use wa_proto::stanza::{AddressingMode, GroupInfo};
    let member = bob().with_device(2);
    let info = GroupInfo::new(group(), AddressingMode::Lid, "Tea");
    let put = [
        Change::PutGroup(Box::new(info)),
        Change::PutSession { device: member.clone(), record: [5; 2].into() },
        Change::AcceptIdentity { device: member.clone(), key: pair(3).public },
        Change::AcceptIdentity { device: member.clone(), key: pair(4).public },
        Change::PutSenderKey { group: group(), sender: member.clone(), record: [4; 2].into() },
        Change::MarkSenderKeyHolders {
            group: group(),
            devices: vec![member.clone()],
            has_key: true,
        },
    ];
    commit(store, put).await;
    let has_key = async || store.sender_key(&group(), &member).await.unwrap().is_some();
    finish(store, at(100 * DAY)).await;
    assert!(has_key().await, "a group that is known keeps its keys");
    commit(store, [Change::DeleteGroup(group())]).await;
    finish(store, at(110 * DAY)).await;
    finish(store, at(139 * DAY)).await;
    assert!(has_key().await, "what was sent before may still come");
    finish(store, at(148 * DAY)).await;
    assert!(!has_key().await);
    assert!(store.sender_key_holders(&group()).await.unwrap().is_empty());
    // Whoever was silent for years is still read, recognised, and known to have had another key.
    finish(store, at(4_000 * DAY)).await;
    assert!(store.session(&member).await.unwrap().is_some());
    assert_eq!(store.identity(&member).await.unwrap(), Some(pair(4).public));
    assert!(store.former_identity(&bob(), &pair(3).public).await.unwrap().is_some());
}

pub(crate) async fn a_year_leaves_what_the_rules_keep(store: &dyn Store) {
    let hash = |day: i64| Seen([u8::try_from(day % 250).unwrap(); 32]);
    let mut of_five_days = Vec::new();
    for day in 0..=450_i64 {
        let now = at(day * DAY);
        let id = format!("D{day}");
        let audit = AuditEntry::new(now.secs() * 1_000, "client: robot", "messages/send", "done");
        let list = DeviceList { fetched_at: now, ..DeviceList::default() };
        let person = wa_proto::Jid::lid(format!("{}", 800_000 + day));
        let unread = Placeholder {
            key: key(&bob(), &format!("U{day}")),
            timestamp: now,
            push_name: None,
            reason: "no session".to_owned(),
            requested_at: None,
            attempts: 0,
        };
        let message = NewMessage::text(key(&bob(), &id), now, "daily");
        let put = [
            archive(message),
            Change::PutPlaceholder(Box::new(unread)),
            Change::MarkSeen { seen: hash(day), at: now },
            Change::Audit(Box::new(audit)),
            Change::PutDeviceList { user: person.clone(), list },
            Change::PutSession { device: person, record: [5; 2].into() },
            Change::PutSentMessage(Box::new(SentMessage { sent_at: now, ..copy(&id) })),
            Change::React(Box::new(Reaction::new(
                key(&bob(), &format!("X{day}")),
                ada(),
                "👍",
                now,
            ))),
        ];
        of_five_days.extend(put);
        if day % 5 == 0 {
            commit(store, std::mem::take(&mut of_five_days)).await;
            finish(store, now).await;
        }
    }
    finish(store, at(450 * DAY)).await;
    let days = |from: i64| (from..=450).collect::<Vec<_>>();
    let mut audit = AuditQuery::default();
    audit.limit = 1_000;
    assert_eq!(store.audit(&audit).await.unwrap().len(), days(50).len());
    assert_eq!(verify_audit(store, None).await.unwrap().broken, None);
    assert_eq!(store.placeholders(999).await.unwrap().len(), days(420).len());
    assert!(store.is_seen(&hash(436)).await.unwrap() && !store.is_seen(&hash(435)).await.unwrap());
    let has_copy = async |day: i64| {
        let id = format!("D{day}").as_str().into();
        store.sent_message(&bob(), &id).await.unwrap().is_some()
    };
    assert!(has_copy(443).await && !has_copy(442).await);
    let person = |day: i64| wa_proto::Jid::lid(format!("{}", 800_000 + day));
    assert!(store.device_list(&person(420)).await.unwrap().is_some());
    assert!(store.device_list(&person(419)).await.unwrap().is_none());
    let there = store.stats().await.unwrap();
    assert_eq!((there.messages, there.sessions), (902, 451), "the archive and sessions stay");
    let orphan = async |day: i64| {
        !store.reactions(&key(&bob(), &format!("X{day}"))).await.unwrap().is_empty()
    };
    assert!(orphan(421).await && !orphan(400).await);
}

pub(crate) async fn a_kept_message_outlives_its_time_until_it_is_let_go(store: &dyn Store) {
    let brief = |id: &str| {
        let mut message = text(&bob(), id, 0, "briefly");
        message.expires_at = Some(at(10));
        archive(message)
    };
    let keep = |id: &str, kept, seconds| {
        Change::Add(Box::new(Addition {
            target: key(&bob(), id),
            author: bob(),
            moment: Moment::new(at(seconds), format!("K{seconds}")),
            what: Added::Keep { kept },
        }))
    };
    // Kept before it came, kept after, and not.
    commit(store, [keep("A", true, 1), brief("A"), brief("B"), keep("B", true, 2), brief("C")])
        .await;
    commit(store, [Change::ExpireMessages { now: at(11) }]).await;
    assert_eq!(ids(store, &bob()).await, ["B", "A"]);
    assert_eq!(store.next_expiry().await.unwrap(), None);
    commit(store, [keep("A", false, 3)]).await;
    assert_eq!(store.next_expiry().await.unwrap(), Some(at(10)));
    commit(store, [Change::ExpireMessages { now: at(12) }]).await;
    assert_eq!(ids(store, &bob()).await, ["B"]);
}
