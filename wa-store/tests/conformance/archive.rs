//! Messages and what hangs on them.

use wa_store::{
    Change, Edit, MessageKey, MessageKind, MessageQuery, MessageStatus, NewMessage, Order,
    Placeholder, Reaction, Seq, Store, Timestamp,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, me, text};

pub(crate) async fn a_message_is_kept_whole(store: &dyn Store) {
    let key = MessageKey::sent(group(), me(), "A");
    let mut new = NewMessage::new(key.clone(), at(4), MessageKind::new("image"));
    new.text = Some("a caption".to_owned());
    new.push_name = Some("me".to_owned());
    new.raw = [9; 40].into();
    new.reply_to = Some("Q".into());
    new.media = Some("{\"bytes\":7}".to_owned());
    let committed = commit(store, [archive(new)]).await;
    assert_eq!(committed.archived[0].message.key, key);
    assert_eq!((committed.archived[0].message.seq, committed.archived[0].filled), (Seq(1), false));
    let message = store.message(&key).await.unwrap().unwrap();
    assert_eq!((message.seq, &message.key, message.timestamp), (Seq(1), &key, at(4)));
    assert_eq!(message.kind.as_str(), "image");
    assert_eq!(message.text.as_deref(), Some("a caption"));
    assert_eq!(message.push_name.as_deref(), Some("me"));
    assert_eq!(message.raw, [9; 40].into());
    assert_eq!(message.reply_to, Some("Q".into()));
    assert_eq!(message.media.as_deref(), Some("{\"bytes\":7}"));
    assert_eq!(message.status, MessageStatus::Pending);
    assert_eq!(store.messages_by_id(&group(), &"A".into()).await.unwrap(), [message]);
    assert_eq!(store.chat(&group()).await.unwrap().unwrap().unread, 0);
}

pub(crate) async fn a_message_is_never_archived_twice(store: &dyn Store) {
    let first = text(&bob(), "A", 1, "once");
    let twice = commit(store, [archive(first.clone()), archive(first.clone())]).await;
    assert_eq!((twice.archived.len(), &twice.duplicates[..]), (1, &[first.key.clone()][..]));
    let device = MessageKey { sender: bob().with_device(3), ..first.key.clone() };
    let other = NewMessage::text(device, at(2), "again from another device");
    let again = commit(store, [archive(other)]).await;
    assert_eq!((again.archived.len(), again.duplicates.len()), (0, 1));
    let message = store.message(&first.key).await.unwrap().unwrap();
    assert_eq!((message.text.as_deref(), message.timestamp), (Some("once"), at(1)));
    assert_eq!(store.chat(&bob()).await.unwrap().unwrap().unread, 1);
    // The same id from somebody else in the same chat is another message.
    let mine = NewMessage::text(MessageKey::sent(bob(), me(), "A"), at(3), "mine");
    assert_eq!(commit(store, [archive(mine)]).await.archived.len(), 1);
    assert_eq!(store.messages_by_id(&bob(), &"A".into()).await.unwrap().len(), 2);
    // One id in two chats is found in both.
    assert!(store.messages_with_id(&"A".into()).await.unwrap().len() >= 2);
    assert!(store.messages_with_id(&"B-nowhere".into()).await.unwrap().is_empty());
}

pub(crate) async fn sequence_numbers_grow_and_are_never_used_again(store: &dyn Store) {
    let first = commit(store, ["A", "B", "C"].map(|id| archive(text(&bob(), id, 1, id)))).await;
    let seqs: Vec<_> = first.archived.iter().map(|archived| archived.message.seq.0).collect();
    assert_eq!(seqs, [1, 2, 3]);
    commit(store, [Change::DeleteChat(bob())]).await;
    let next = commit(store, [archive(text(&bob(), "D", 0, "older by time"))]).await;
    assert_eq!(next.archived[0].message.seq, Seq(4));
    commit(store, [archive(text(&bob(), "E", 0, "e"))]).await;
    let after = store.messages_after(Seq(3), 1).await.unwrap();
    assert_eq!(after.iter().map(|message| message.seq.0).collect::<Vec<_>>(), [4]);
    assert_eq!(store.messages_after(Seq(4), 10).await.unwrap().len(), 1);
    assert!(store.messages_after(Seq(u64::MAX), 10).await.unwrap().is_empty());
    assert_eq!(store.stats().await.unwrap().last_seq, Seq(5));
    assert_eq!(store.last_seq().await.unwrap(), Seq(5));
    let found = store.messages_at(&[Seq(5), Seq(99), Seq(1), Seq(4)]).await.unwrap();
    assert_eq!(found.iter().map(|m| m.seq).collect::<Vec<_>>(), [Seq(5), Seq(4)]);
}

fn placeholder(key: MessageKey) -> Placeholder {
    Placeholder {
        key,
        timestamp: at(2),
        push_name: Some("Bob".to_owned()),
        reason: "no session".to_owned(),
        requested_at: None,
        attempts: 0,
    }
}

pub(crate) async fn a_placeholder_is_filled_in_its_place_with_a_new_number(store: &dyn Store) {
    let key = text(&bob(), "B", 2, "").key;
    let put = Change::PutPlaceholder(Box::new(placeholder(key.clone())));
    let committed = commit(
        store,
        [
            archive(text(&bob(), "A", 1, "before")),
            put.clone(),
            archive(text(&bob(), "C", 3, "after")),
        ],
    )
    .await;
    assert_eq!(committed.archived.len(), 3);
    let waiting = store.message(&key).await.unwrap().unwrap();
    assert_eq!((waiting.kind, waiting.text), (MessageKind::UNREADABLE, None));
    commit(
        store,
        [
            Change::NotePlaceholderRequested { key: key.clone(), at: at(9) },
            put,
            Change::NotePlaceholderRequested { key: key.clone(), at: at(10) },
            Change::SetStarred { key: key.clone(), starred: true },
        ],
    )
    .await;
    let noted = store.placeholder(&key).await.unwrap().unwrap();
    assert_eq!((noted.attempts, noted.requested_at), (1, Some(at(10))));
    assert_eq!(store.placeholders(5).await.unwrap(), [noted]);
    assert_eq!(store.stats().await.unwrap().placeholders, 1);

    let filled = commit(store, [archive(text(&bob(), "B", 77, "at last"))]).await;
    assert_eq!((filled.archived[0].message.seq, filled.archived[0].filled), (Seq(4), true));
    assert!(filled.duplicates.is_empty());
    assert_eq!(store.placeholder(&key).await.unwrap(), None);
    let message = store.message(&key).await.unwrap().unwrap();
    assert_eq!((message.text.as_deref(), message.timestamp), (Some("at last"), at(2)));
    assert_eq!((message.push_name.as_deref(), message.starred), (Some("Bob"), true));
    let messages = store.messages(&MessageQuery::chat(bob())).await.unwrap();
    let order: Vec<_> = messages.iter().map(|message| message.key.id.as_str()).collect();
    assert_eq!(order, ["C", "B", "A"]);
    assert_eq!(store.messages_after(Seq(3), 9).await.unwrap(), [message]);
    assert_eq!(store.chat(&bob()).await.unwrap().unwrap().unread, 3);
}

pub(crate) async fn a_placeholder_for_a_message_that_is_there_is_nothing(store: &dyn Store) {
    let message = text(&bob(), "A", 1, "there");
    let put = Change::PutPlaceholder(Box::new(placeholder(message.key.clone())));
    let committed = commit(store, [archive(message), put]).await;
    assert_eq!((committed.archived.len(), committed.duplicates.len()), (1, 1));
    assert!(store.placeholders(5).await.unwrap().is_empty());
}

pub(crate) async fn status_only_moves_forward(store: &dyn Store) {
    let key = MessageKey::sent(bob(), me(), "A");
    commit(store, [archive(NewMessage::text(key.clone(), at(1), "sent"))]).await;
    let get = async |status, server| {
        let server_timestamp: Option<Timestamp> = server;
        commit(store, [Change::SetStatus { key: key.clone(), status, server_timestamp }]).await;
        let message = store.message(&key).await.unwrap().unwrap();
        (message.status, message.server_timestamp)
    };
    use MessageStatus::{Delivered, Failed, Pending, Played, Read, Sent};
    assert_eq!(get(Failed, None).await, (Failed, None));
    assert_eq!(get(Sent, Some(at(2))).await, (Sent, Some(at(2))));
    assert_eq!(get(Read, None).await, (Read, Some(at(2))));
    for earlier in [Pending, Failed, Sent, Delivered] {
        assert_eq!(get(earlier, None).await.0, Read);
    }
    assert_eq!(get(Played, None).await.0, Played);
    let nobody = MessageKey::sent(bob(), me(), "none");
    commit(store, [Change::SetStatus { key: nobody, status: Read, server_timestamp: None }]).await;
}

fn edit(target: &MessageKey, id: &str, seconds: i64, text: &str) -> Change {
    let edit = Edit::new(target.clone(), id, Some(text.to_owned()), at(seconds));
    Change::Edit(Box::new(edit))
}

async fn versions(store: &dyn Store, key: &MessageKey) -> Vec<(Timestamp, String)> {
    let versions = store.text_versions(key).await.unwrap();
    versions.into_iter().map(|one| (one.since, one.text.unwrap_or_default())).collect()
}

pub(crate) async fn edits_keep_what_was_said_before(store: &dyn Store) {
    let first = text(&bob(), "A", 1, "helo");
    let key = first.key.clone();
    commit(store, [archive(first)]).await;
    assert_eq!(versions(store, &key).await, [(at(1), "helo".to_owned())]);
    commit(store, [edit(&key, "E2", 9, "hello!"), edit(&key, "E1", 5, "hello")]).await;
    commit(store, [edit(&key, "E2", 9, "hello!")]).await;
    let message = store.message(&key).await.unwrap().unwrap();
    assert_eq!((message.text.as_deref(), message.edited_at), (Some("hello!"), Some(at(9))));
    let said = versions(store, &key).await;
    assert_eq!(
        said,
        [(1, "helo"), (5, "hello"), (9, "hello!")].map(|(s, t)| (at(s), t.to_owned()))
    );
    assert!(store.text_versions(&text(&bob(), "none", 1, "").key).await.unwrap().is_empty());
}

pub(crate) async fn an_edit_may_come_before_its_message(store: &dyn Store) {
    let first = text(&bob(), "A", 1, "helo");
    let key = first.key.clone();
    commit(store, [edit(&key, "E", 5, "hello")]).await;
    assert_eq!(store.message(&key).await.unwrap(), None);
    commit(store, [archive(first)]).await;
    let message = store.message(&key).await.unwrap().unwrap();
    assert_eq!((message.text.as_deref(), message.edited_at), (Some("hello"), Some(at(5))));
    assert_eq!(versions(store, &key).await.len(), 2);
}

pub(crate) async fn a_revoked_message_leaves_a_tombstone(store: &dyn Store) {
    let mut first = text(&bob(), "A", 1, "regret");
    first.raw = [1; 9].into();
    let key = first.key.clone();
    commit(
        store,
        [
            archive(first.clone()),
            edit(&key, "E", 2, "regrets"),
            Change::PutMessageSecret { key: key.clone(), secret: [1; 32].into() },
            Change::Revoke { key: key.clone(), by: bob().with_device(2), at: at(3) },
            edit(&key, "F", 4, "back again"),
            Change::Revoke { key: key.clone(), by: ada(), at: at(9) },
        ],
    )
    .await;
    let message = store.message(&key).await.unwrap().unwrap();
    assert_eq!(message.revoked, Some((at(3), bob())));
    assert_eq!((message.text, message.edited_at, message.media), (None, None, None));
    assert!(message.raw.is_empty());
    assert_eq!((message.kind, message.timestamp), (MessageKind::TEXT, at(1)));
    assert_eq!(store.message_secret(&key).await.unwrap(), None);
    let again = commit(store, [archive(first)]).await;
    assert_eq!((again.archived.len(), again.duplicates.len()), (0, 1));
    assert_eq!(store.message(&key).await.unwrap().unwrap().text, None);
}

pub(crate) async fn a_revocation_may_come_before_its_message(store: &dyn Store) {
    let message = text(&bob(), "A", 1, "too late");
    let key = message.key.clone();
    commit(store, [Change::Revoke { key: key.clone(), by: bob(), at: at(3) }]).await;
    assert_eq!(store.chat(&bob()).await.unwrap().unwrap().unread, 0);
    let late = commit(store, [archive(message)]).await;
    assert_eq!(late.archived.len(), 0);
    let tombstone = store.message(&key).await.unwrap().unwrap();
    assert_eq!((&tombstone.kind, tombstone.timestamp), (&MessageKind::TEXT, at(1)));
    assert_eq!((tombstone.text, tombstone.revoked), (None, Some((at(3), bob()))));
    assert!(tombstone.raw.is_empty());
}

pub(crate) async fn reactions_replace_and_take_back(store: &dyn Store) {
    let key = text(&bob(), "A", 1, "").key;
    let react = |sender, emoji: &str, seconds| {
        Change::React(Box::new(Reaction::new(key.clone(), sender, emoji, at(seconds))))
    };
    let shown = async || {
        let reactions = store.reactions(&key).await.unwrap();
        reactions.into_iter().map(|one| (one.sender, one.emoji)).collect::<Vec<_>>()
    };
    commit(store, [react(me(), "👍", 2), react(ada(), "🎉", 1), react(me(), "❤️", 3)]).await;
    assert_eq!(shown().await, [(ada(), "🎉".to_owned()), (me(), "❤️".to_owned())]);
    commit(store, [react(me(), "", 5), react(me(), "👎", 4)]).await;
    assert_eq!(shown().await, [(ada(), "🎉".to_owned())]);
    commit(store, [react(me(), "👎", 6)]).await;
    assert_eq!(shown().await.len(), 2);
}

pub(crate) async fn reactions_to_several_messages_are_given_at_once(store: &dyn Store) {
    let keys = ["A", "B", "C"].map(|id| text(&bob(), id, 1, "").key);
    let react = |key: &MessageKey, sender, seconds| {
        Change::React(Box::new(Reaction::new(key.clone(), sender, "👍", at(seconds))))
    };
    let taken_back = Change::React(Box::new(Reaction::new(keys[1].clone(), me(), "", at(9))));
    commit(
        store,
        [
            react(&keys[0], me(), 3),
            react(&keys[0], ada(), 2),
            react(&keys[1], me(), 3),
            taken_back,
            react(&keys[2], ada(), 4),
        ],
    )
    .await;
    let found = store.reactions_to(&keys[..2]).await.unwrap();
    assert_eq!(found.len(), 1, "what was not asked for or has none is missing");
    assert_eq!(found[&keys[0]], store.reactions(&keys[0]).await.unwrap());
    assert_eq!(found[&keys[0]].iter().map(|one| &one.sender).collect::<Vec<_>>(), [&ada(), &me()]);
}

pub(crate) async fn messages_are_given_by_time_and_paged(store: &dyn Store) {
    // Committed out of order, two at the same second.
    for (id, seconds) in [("C", 30), ("A", 10), ("D", 30), ("B", 20), ("E", 50)] {
        commit(store, [archive(text(&bob(), id, seconds, id))]).await;
    }
    let ids = async |query: &MessageQuery| {
        let messages = store.messages(query).await.unwrap();
        messages.into_iter().map(|m| (m.key.id.to_string(), m.seq)).collect::<Vec<_>>()
    };
    let names = |rows: &[(String, Seq)]| rows.iter().map(|row| row.0.clone()).collect::<String>();
    let mut query = MessageQuery::chat(bob());
    assert_eq!(names(&ids(&query).await), "EDCBA");
    query.limit = 2;
    let first = ids(&query).await;
    assert_eq!(names(&first), "ED");
    query.before = Some(first[1].1);
    commit(store, [archive(text(&bob(), "F", 60, "new"))]).await;
    let second = ids(&query).await;
    assert_eq!(names(&second), "CB");
    query.order = Order::OldestFirst;
    (query.before, query.after) = (None, Some(second[0].1));
    assert_eq!(names(&ids(&query).await), "DE");
    let mut range = MessageQuery::default();
    (range.filter.since, range.filter.until) = (Some(at(20)), Some(at(50)));
    assert_eq!(names(&ids(&range).await), "DCB");
}

pub(crate) async fn filters_combine(store: &dyn Store) {
    let image = |key, seconds| NewMessage::new(key, at(seconds), MessageKind::new("image"));
    commit(
        store,
        [
            archive(text(&bob(), "A", 1, "direct")),
            archive(NewMessage::text(MessageKey::received(group(), bob(), "B"), at(2), "group")),
            archive(NewMessage::text(MessageKey::received(group(), ada(), "C"), at(3), "group")),
            archive(image(MessageKey::received(group(), bob(), "D"), 4)),
            archive(image(MessageKey::sent(group(), me(), "E"), 5)),
        ],
    )
    .await;
    let ids = async |change: &dyn Fn(&mut MessageQuery)| {
        let mut query = MessageQuery::default();
        change(&mut query);
        let messages = store.messages(&query).await.unwrap();
        messages.into_iter().map(|message| message.key.id.to_string()).collect::<String>()
    };
    assert_eq!(ids(&|query| query.filter.sender = Some(bob())).await, "DBA");
    assert_eq!(ids(&|query| query.filter.chat = Some(group())).await, "EDCB");
    assert_eq!(ids(&|query| query.filter.kind = Some(MessageKind::new("image"))).await, "ED");
    assert_eq!(ids(&|query| query.filter.from_me = Some(true)).await, "E");
    let both = ids(&|query| {
        query.filter.chat = Some(group());
        query.filter.sender = Some(bob().with_device(3));
        query.filter.from_me = Some(false);
        query.filter.until = Some(at(4));
    });
    assert_eq!(both.await, "B");
}

pub(crate) async fn messages_are_deleted_with_what_hangs_on_them(store: &dyn Store) {
    let (a, b, c) =
        (text(&bob(), "A", 1, "a"), text(&bob(), "B", 5, "b"), text(&ada(), "C", 9, "c"));
    let reaction = |target: &MessageKey| {
        Change::React(Box::new(Reaction::new(target.clone(), me(), "👍", at(9))))
    };
    let keys = [a.key.clone(), b.key.clone(), c.key.clone()];
    commit(store, [archive(a.clone()), archive(b), archive(c)]).await;
    commit(store, keys.iter().map(reaction)).await;
    commit(store, [Change::DeleteMessage(keys[1].clone())]).await;
    assert_eq!(store.message(&keys[1]).await.unwrap(), None);
    assert!(store.reactions(&keys[1]).await.unwrap().is_empty());
    commit(store, [Change::DeleteMessagesBefore(at(9))]).await;
    assert_eq!(store.message(&keys[0]).await.unwrap(), None);
    assert!(store.message(&keys[2]).await.unwrap().is_some());
    commit(store, [Change::DeleteChat(ada())]).await;
    assert_eq!(store.chat(&ada()).await.unwrap(), None);
    assert!(store.reactions(&keys[2]).await.unwrap().is_empty());
    assert_eq!(store.stats().await.unwrap().messages, 0);
    assert_eq!(commit(store, [archive(a)]).await.archived.len(), 1);
}

pub(crate) async fn stars_are_set_and_taken(store: &dyn Store) {
    let message = text(&bob(), "A", 1, "a");
    let key = message.key.clone();
    commit(store, [archive(message)]).await;
    for starred in [true, false] {
        commit(store, [Change::SetStarred { key: key.clone(), starred }]).await;
        assert_eq!(store.message(&key).await.unwrap().unwrap().starred, starred);
    }
}

pub(crate) async fn times_from_elsewhere_are_bounded(store: &dyn Store) {
    let times = [("A", i64::MIN), ("B", i64::MAX)];
    for (id, seconds) in times {
        let key = MessageKey::received(bob(), bob(), id);
        let message = NewMessage::text(key, Timestamp::from_secs(seconds), "when?");
        commit(store, [archive(message)]).await;
    }
    let messages = store.messages(&MessageQuery::default()).await.unwrap();
    let times: Vec<_> = messages.iter().map(|message| message.timestamp).collect();
    assert_eq!(times, [Timestamp::MAX, Timestamp::MIN]);
}

pub(crate) async fn a_commit_gives_the_rows_it_archived(store: &dyn Store) {
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    let mut edit = Edit::new(text(&bob(), "B", 1, "").key, "E", Some("second".to_owned()), at(3));
    edit.raw = [1; 4].into();
    let to_delete = text(&bob(), "C", 1, "gone again");
    let unreadable = placeholder(text(&bob(), "D", 1, "").key);
    let committed = commit(
        store,
        [
            archive(text(&ada(), "A", 1, "hello")),
            archive(text(&bob(), "B", 1, "first")),
            Change::Edit(Box::new(edit)),
            archive(to_delete.clone()),
            Change::DeleteMessage(to_delete.key),
            Change::PutPlaceholder(Box::new(unreadable)),
            archive(text(&bob(), "D", 1, "read at once")),
        ],
    )
    .await;
    let texts: Vec<_> = committed.archived.iter().map(|row| row.message.text.as_deref()).collect();
    assert_eq!(texts, [Some("hello"), Some("second"), Some("read at once")]);
    assert!(committed.archived.iter().all(|row| !row.filled), "none stood there before");
    for row in &committed.archived {
        let read = store.message(&row.message.key).await.unwrap();
        assert_eq!(read.as_ref(), Some(&row.message));
    }
    let names: Vec<_> = committed.archived.iter().map(|row| row.sender_alt.clone()).collect();
    assert_eq!(names, [Some(ada()), None, None]);
}
