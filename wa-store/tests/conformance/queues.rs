//! What is to be sent, retried, and remembered for a while.

use wa_proto::Jid;
use wa_store::{
    AuditEntry, AuditProof, AuditQuery, Change, Changes, Edit, MessageKey, News, OutboxEntry,
    OutboxState, PendingReceipt, Seen, SendFailure, SentMessage, Store, StoreError, verify_audit,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, pair, text};

const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn what_was_seen_is_forgotten_after_14_days(store: &dyn Store) {
    let (old, new) = (Seen([1; 32]), Seen([2; 32]));
    commit(
        store,
        [Change::MarkSeen { seen: old, at: at(0) }, Change::MarkSeen { seen: new, at: at(10) }],
    )
    .await;
    assert!(store.is_seen(&old).await.unwrap());
    commit(store, [Change::Upkeep { now: at(14 * DAY + 5) }]).await;
    assert!(!store.is_seen(&old).await.unwrap());
    assert!(store.is_seen(&new).await.unwrap());
}

pub(crate) async fn retry_counts_survive_and_expire(store: &dyn Store) {
    let key = MessageKey::received(group(), bob().with_device(3), "A");
    let (device, id) = (bob().with_device(3), key.id.clone());
    let answer = || Change::CountRetryAnswer { device: device.clone(), id: id.clone(), at: at(0) };
    commit(
        store,
        [
            Change::SetRetriesSent { key: key.clone(), count: 3, at: at(0) },
            answer(),
            answer(),
            Change::NoteSessionRecreated { device: device.clone(), at: at(7) },
            Change::RememberBaseKey {
                device: device.clone(),
                id: id.clone(),
                base_key: pair(4).public,
                at: at(0),
            },
        ],
    )
    .await;
    assert_eq!(store.retries_sent(&key).await.unwrap(), 3);
    assert_eq!(store.retries_answered(&device, &id).await.unwrap(), 2);
    assert_eq!(store.retries_answered(&bob(), &id).await.unwrap(), 0);
    assert_eq!(store.session_recreated_at(&device).await.unwrap(), Some(at(7)));
    assert_eq!(store.base_key(&device, &id).await.unwrap(), Some(pair(4).public));
    commit(store, [Change::Upkeep { now: at(14 * DAY + 1) }]).await;
    assert_eq!(store.retries_sent(&key).await.unwrap(), 0);
    assert_eq!(store.retries_answered(&device, &id).await.unwrap(), 0);
    assert_eq!(store.base_key(&device, &id).await.unwrap(), None);
    assert_eq!(store.session_recreated_at(&device).await.unwrap(), Some(at(7)));
}

pub(crate) async fn a_sent_message_is_found_under_both_names_for_7_days(store: &dyn Store) {
    let sent = |chat: Jid, id: &str| SentMessage {
        chat,
        id: id.into(),
        plaintext: [1; 4].into(),
        envelope: vec![2],
        sent_at: at(0),
    };
    let put = |message| Change::PutSentMessage(Box::new(message));
    commit(store, [put(sent(ada(), "A")), put(sent(group(), "B"))]).await;
    assert_eq!(store.sent_message(&ada(), &"A".into()).await.unwrap(), Some(sent(ada(), "A")));
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    commit(store, [put(sent(ada(), "C"))]).await;
    for id in ["A", "C"] {
        for chat in [ada(), ada_lid(), ada_lid().with_device(3)] {
            let found = store.sent_message(&chat, &id.into()).await.unwrap();
            assert_eq!(found, Some(sent(ada_lid(), id)));
        }
    }
    commit(store, [Change::Upkeep { now: at(7 * DAY) }]).await;
    assert!(store.sent_message(&group(), &"B".into()).await.unwrap().is_some());
    commit(store, [Change::Upkeep { now: at(7 * DAY + 1) }]).await;
    assert!(store.sent_message(&group(), &"B".into()).await.unwrap().is_none());
}

pub(crate) async fn whom_a_message_was_sent_to_is_kept_as_long_as_the_message(store: &dyn Store) {
    let sent = |id: &str| {
        Change::PutSentMessage(Box::new(SentMessage {
            chat: group(),
            id: id.into(),
            plaintext: [1; 4].into(),
            envelope: vec![2],
            sent_at: at(0),
        }))
    };
    let to = |id: &str, people: Vec<Jid>| Change::SetSentAudience {
        chat: group(),
        id: id.into(),
        people,
    };
    commit(store, [sent("A"), sent("B"), sent("C")]).await;
    let both = || vec![bob(), ada().with_device(3), ada()];
    commit(store, [to("A", both()), to("B", both()), to("none", both())]).await;
    let mut expected = vec![ada(), bob()];
    expected.sort();
    for id in ["A", "B"] {
        assert_eq!(store.sent_audience(&group(), &id.into()).await.unwrap(), expected);
    }
    for id in ["C", "none"] {
        assert!(store.sent_audience(&group(), &id.into()).await.unwrap().is_empty());
    }
    commit(store, [to("B", vec![bob()])]).await;
    assert_eq!(store.sent_audience(&group(), &"A".into()).await.unwrap(), expected);
    assert_eq!(store.sent_audience(&group(), &"B".into()).await.unwrap(), [bob()]);
    commit(store, [Change::Upkeep { now: at(7 * DAY + 1) }]).await;
    assert!(store.sent_audience(&group(), &"A".into()).await.unwrap().is_empty());
}

fn entry(id: &str, key: Option<&str>) -> OutboxEntry {
    OutboxEntry {
        id: id.into(),
        chat: bob(),
        payload: [5; 5].into(),
        created_at: at(0),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key: key.map(str::to_owned),
        origin: None,
    }
}

pub(crate) async fn the_outbox_keeps_its_order_and_its_states(store: &dyn Store) {
    let put = |entry| Change::PutOutbox(Box::new(entry));
    commit(store, ["Z", "M", "A", "F"].map(|id| put(entry(id, None)))).await;
    commit(
        store,
        [
            Change::CountOutboxAttempt("M".into()),
            Change::SetOutboxState { id: "Z".into(), state: OutboxState::Acked },
            Change::SetOutboxState {
                id: "F".into(),
                state: OutboxState::Failed(SendFailure::Refused { code: 406 }),
            },
            Change::SetOutboxState { id: "none".into(), state: OutboxState::Acked },
            put(OutboxEntry { attempts: 1, state: OutboxState::Transmitted, ..entry("M", None) }),
        ],
    )
    .await;
    let pending = store.outbox_pending().await.unwrap();
    let transmitted =
        OutboxEntry { attempts: 1, state: OutboxState::Transmitted, ..entry("M", None) };
    assert_eq!(pending, [transmitted, entry("A", None)]);
    let failed = store.outbox_entry(&"F".into()).await.unwrap().unwrap();
    assert_eq!(failed.state, OutboxState::Failed(SendFailure::Refused { code: 406 }));
    commit(store, [Change::RemoveOutbox("M".into())]).await;
    assert_eq!(store.outbox_pending().await.unwrap().len(), 1);
    commit(store, [Change::Upkeep { now: at(8 * DAY) }]).await;
    assert_eq!(store.outbox_entry(&"Z".into()).await.unwrap(), None);
    assert!(store.outbox_entry(&"A".into()).await.unwrap().is_some());
}

pub(crate) async fn an_idempotency_key_is_taken_only_once(store: &dyn Store) {
    let put = |entry| Change::PutOutbox(Box::new(entry));
    commit(store, [put(entry("A", Some("order 7"))), put(entry("B", None))]).await;
    let again = Changes::new()
        .with(Change::PutSetting { name: "x".to_owned(), value: Some(vec![]) })
        .with(put(entry("C", Some("order 7"))));
    match store.commit(again).await {
        Err(StoreError::IdempotencyKeyTaken { id }) => assert_eq!(id.as_str(), "A"),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.setting("x").await.unwrap(), None);
    let found = store.outbox_by_idempotency_key("order 7").await.unwrap().unwrap();
    assert_eq!(found.id.as_str(), "A");
    commit(store, [Change::RemoveOutbox("A".into()), put(entry("C", Some("order 7")))]).await;
}

pub(crate) async fn receipts_wait_in_order(store: &dyn Store) {
    let receipt = |name: &str, stanza| PendingReceipt {
        name: name.to_owned(),
        stanza: vec![stanza],
        created_at: at(0),
    };
    let put = Change::PutReceipt;
    commit(store, [put(receipt("z", 1)), put(receipt("a", 2)), put(receipt("z", 3))]).await;
    assert_eq!(store.pending_receipts().await.unwrap(), [receipt("z", 3), receipt("a", 2)]);
    commit(store, [Change::RemoveReceipt("z".to_owned())]).await;
    assert_eq!(store.pending_receipts().await.unwrap(), [receipt("a", 2)]);
}

pub(crate) async fn settings_are_kept_and_removed(store: &dyn Store) {
    let put = |value| Change::PutSetting { name: "cursor".to_owned(), value };
    commit(store, [put(Some(vec![1])), put(Some(vec![2, 3]))]).await;
    assert_eq!(store.setting("cursor").await.unwrap(), Some(vec![2, 3]));
    commit(store, [put(None)]).await;
    assert_eq!(store.setting("cursor").await.unwrap(), None);
}

pub(crate) async fn the_next_entry_of_a_chat_is_found_behind_a_place_and_under_both_names(
    store: &dyn Store,
) {
    let entry = |id: &str, chat: Jid| OutboxEntry {
        id: id.into(),
        chat,
        payload: vec![1].into(),
        created_at: at(0),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key: None,
        origin: None,
    };
    let puts = [("A", ada()), ("B", bob()), ("C", ada())]
        .map(|(id, chat)| Change::PutOutbox(Box::new(entry(id, chat))));
    commit(store, puts).await;
    assert_eq!(store.outbox_chats().await.unwrap(), [ada(), bob()]);
    let (first, found) = store.outbox_next(&ada(), 0).await.unwrap().unwrap();
    assert!(first > 0 && found.id.as_str() == "A");
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    let (second, found) = store.outbox_next(&ada_lid(), first).await.unwrap().unwrap();
    assert!(second > first && found.id.as_str() == "C");
    assert_eq!(store.outbox_next(&ada(), second).await.unwrap(), None);
    let again = Change::PutOutbox(Box::new(entry("A", ada_lid())));
    commit(store, [again, Change::RemoveOutbox("C".into())]).await;
    let (place, _) = store.outbox_next(&ada(), 0).await.unwrap().unwrap();
    assert_eq!(place, first, "one that is put again keeps its place");
    let acked = Change::SetOutboxState { id: "A".into(), state: OutboxState::Acked };
    commit(store, [acked]).await;
    assert_eq!(store.outbox_next(&ada(), 0).await.unwrap(), None);
    assert_eq!(store.outbox_chats().await.unwrap(), [bob()]);
}

pub(crate) async fn the_audit_is_given_newest_first_and_by_time(store: &dyn Store) {
    let entry = |at_ms, outcome: &str| {
        let mut entry = AuditEntry::new(at_ms, "assistant", "messages/send", outcome);
        entry.chat = Some(bob());
        entry.detail = Some("3EB0".into());
        entry.to_stranger = true;
        Change::Audit(Box::new(entry))
    };
    commit(store, [entry(1_000, "done"), entry(2_000, "paced")]).await;
    commit(store, [entry(3_000, "done")]).await;

    let all = store.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(), [3_000, 2_000, 1_000]);
    assert!(all[0].seq > all[1].seq && all[2].seq > 0);
    assert_eq!(
        (&all[1].outcome[..], &all[1].chat, all[1].to_stranger),
        ("paced", &Some(bob()), true)
    );

    let mut query = AuditQuery::default();
    query.since_ms = Some(2_000);
    assert_eq!(store.audit(&query).await.unwrap(), all[..2]);
    query.before = Some(all[0].seq);
    assert_eq!(store.audit(&query).await.unwrap(), all[1..2]);
}

pub(crate) async fn the_audit_is_a_chain_that_survives_the_taking_out_of_what_is_old(
    store: &dyn Store,
) {
    let entry = |at_ms| {
        let mut entry = AuditEntry::new(at_ms, "client: robot", "messages/send", "accepted");
        entry.digest = Some([9; 32]);
        Change::Audit(Box::new(entry))
    };
    assert_eq!(verify_audit(store, None).await.unwrap(), AuditProof::default());
    // The clock of the third was wrong: it does not open a gap.
    commit(store, [1_000, 2_000, 500, 4_000].map(entry)).await;
    let whole = verify_audit(store, None).await.unwrap();
    assert_eq!((whole.entries, whole.broken, whole.anchor.seq), (4, None, 0));
    commit(store, [Change::PruneAudit { before_ms: 2_000 }]).await;
    let seqs = |entries: Vec<AuditEntry>| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
    assert_eq!(seqs(store.audit(&AuditQuery::default()).await.unwrap()), [4, 3, 2]);
    let left = verify_audit(store, Some(whole.newest.unwrap().1)).await.unwrap();
    assert_eq!((left.entries, left.broken, left.found), (3, None, Some(true)));
    assert_eq!((left.anchor.seq, left.anchor.at_ms), (1, Some(1_000)));
    commit(store, [Change::PruneAudit { before_ms: 9_000 }]).await;
    assert!(store.audit(&AuditQuery::default()).await.unwrap().is_empty());
    // The next one follows the last that was taken out, and no number is given twice.
    commit(store, [entry(9_500)]).await;
    let next = verify_audit(store, None).await.unwrap();
    assert_eq!((next.entries, next.broken, next.newest.unwrap().0), (1, None, 5));
    assert_eq!((next.anchor.seq, next.anchor.hash), (4, whole.newest.unwrap().1));
}

pub(crate) async fn what_is_to_be_announced_stands_in_the_journal_until_it_was(store: &dyn Store) {
    let announce = |origin: &str| Change::Announce { origin: origin.to_owned(), news: News::All };
    let (a, b) = (text(&bob(), "A", 1, "first"), text(&bob(), "B", 2, "gone"));
    let key = a.key.clone();
    let quiet = commit(store, [archive(text(&bob(), "C", 3, "not announced"))]).await;
    assert_eq!(quiet.announcement, None);
    let nothing = commit(store, [announce("x")]).await;
    assert_eq!(nothing.announcement, None, "it did nothing");
    let past = Change::Announce { origin: "past".to_owned(), news: News::Repairs };
    let new = commit(store, [past, archive(text(&bob(), "P", 3, "of the past"))]).await;
    assert_eq!(new.announcement, None, "new ones are not to be announced");
    let first = commit(store, [announce("live"), archive(a), archive(b.clone())]).await;
    let edit = Edit::new(key.clone(), "E", Some("second".to_owned()), at(4));
    let second = commit(store, [Change::Edit(Box::new(edit)), announce("phone")]).await;
    commit(store, [Change::DeleteMessage(b.key)]).await;
    let journal = store.journal().await.unwrap();
    assert_eq!(
        journal.iter().map(|entry| Some(entry.id)).collect::<Vec<_>>(),
        [first.announcement, second.announcement]
    );
    assert_eq!((&*journal[0].origin, &*journal[1].origin), ("live", "phone"));
    // As it stands now; what is gone is missing.
    let texts: Vec<_> = journal[0].archived.iter().map(|row| row.message.text.as_deref()).collect();
    assert_eq!(texts, [Some("second")]);
    assert_eq!(journal[1].altered, second.altered);
    assert_eq!(journal[1].altered[0].key, key);
    // It goes with a later commit, also one that puts another there.
    let announced = Change::Announced(vec![journal[0].id, journal[1].id]);
    let third = [announced, announce("live"), archive(text(&bob(), "D", 5, "third"))];
    let third = commit(store, third).await;
    let left = store.journal().await.unwrap();
    assert_eq!(left.iter().map(|entry| Some(entry.id)).collect::<Vec<_>>(), [third.announcement]);
    assert_eq!(left[0].archived[0].message.text.as_deref(), Some("third"));
}
