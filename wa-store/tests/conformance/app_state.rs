//! Sync keys, collections, pending changes, labels and answers.

use wa_proto::app_state::Collection;
use wa_store::{
    Change, ChatQuery, CollectionUpdate, CollectionVersion, ContactUpdate, Label, Labelled,
    MessageKey, PendingSync, QuickReply, Store, SyncChange, SyncKey, SyncMac,
};

use super::samples::{account, ada, ada_lid, archive, at, bob, commit, text};

fn key(id: u8, timestamp: i64) -> SyncKey {
    SyncKey { id: vec![0, id], data: [id; 32].into(), timestamp, fingerprint: vec![8, 1] }
}

fn advance(version: u64, anew: bool, macs: impl IntoIterator<Item = (u8, Option<u8>)>) -> Change {
    let mac = |byte: u8| -> SyncMac { [byte; 32] };
    let macs = macs.into_iter().map(|(index, value)| (mac(index), value.map(mac)));
    Change::Sync(SyncChange::Advance(Box::new(CollectionUpdate {
        collection: Collection::RegularLow,
        version: CollectionVersion { version, hash: [version.to_le_bytes()[0]; 128] },
        anew,
        macs: macs.collect(),
    })))
}

fn pending(id: &str, made_at: i64) -> Change {
    Change::Sync(SyncChange::PutPending(Box::new(PendingSync {
        id: id.to_owned(),
        collection: Collection::Regular,
        removes: false,
        index: b"[\"x\"]".to_vec(),
        value: [1, 2].into(),
        action_version: 3,
        made_at,
    })))
}

fn set_label(label: &str, on: Labelled, labelled: bool) -> Change {
    Change::Sync(SyncChange::SetLabel { label: label.to_owned(), on: Box::new(on), labelled })
}

pub(crate) async fn sync_keys_are_kept_and_never_replaced(store: &dyn Store) {
    let put = |key| Change::Sync(SyncChange::PutKeys(vec![key]));
    let forged = SyncKey { data: [9; 32].into(), ..key(1, 7) };
    commit(store, [put(key(2, 6)), put(key(1, 5)), put(forged)]).await;
    assert_eq!(store.sync_keys().await.unwrap(), [key(1, 5), key(2, 6)]);
    let asked = SyncChange::NoteKeysRequested { ids: vec![vec![7]], at: at(3) };
    commit(store, [Change::Sync(asked)]).await;
    assert_eq!(store.sync_key_requested_at(&[7]).await.unwrap(), Some(at(3)));
    assert_eq!(store.sync_key_requested_at(&[8]).await.unwrap(), None);
}

pub(crate) async fn a_collection_advances_with_its_macs(store: &dyn Store) {
    let low = Collection::RegularLow;
    assert_eq!(store.collection(low).await.unwrap(), None);
    commit(store, [advance(4, true, [(1, Some(11)), (2, Some(12))])]).await;
    commit(store, [advance(5, false, [(1, Some(13)), (2, None), (3, Some(14))])]).await;
    let held = store.collection(low).await.unwrap().unwrap();
    assert_eq!((held.version, held.hash), (5, [5; 128]));
    let asked = [[1; 32], [2; 32], [3; 32]];
    let macs = store.collection_macs(low, &asked).await.unwrap();
    assert_eq!((macs.len(), macs[&[1; 32]], macs[&[3; 32]]), (2, [13; 32], [14; 32]));
    assert!(store.collection_macs(Collection::Regular, &asked).await.unwrap().is_empty());
    commit(store, [advance(9, true, [(2, Some(15))])]).await;
    let macs = store.collection_macs(low, &asked).await.unwrap();
    assert_eq!((macs.len(), macs[&[2; 32]]), (1, [15; 32]));
}

pub(crate) async fn pending_changes_wait_in_order(store: &dyn Store) {
    commit(store, [pending("B", 1), pending("A", 2), pending("B", 3)]).await;
    let waiting = store.pending_sync().await.unwrap();
    let order: Vec<_> = waiting.iter().map(|one| (one.id.as_str(), one.made_at)).collect();
    assert_eq!(order, [("B", 3), ("A", 2)]);
    assert_eq!((waiting[0].value.as_bytes(), waiting[0].action_version), ([1, 2].as_slice(), 3));
    commit(store, [Change::Sync(SyncChange::RemovePending("B".to_owned()))]).await;
    assert_eq!(store.pending_sync().await.unwrap().len(), 1);
}

pub(crate) async fn labels_are_found_by_what_they_are_on_and_the_other_way_round(
    store: &dyn Store,
) {
    let label = |id: &str, position| Label {
        id: id.to_owned(),
        name: format!("label {id}"),
        color: Some(2),
        predefined_id: None,
        position,
    };
    let put = |label| Change::Sync(SyncChange::PutLabel(Box::new(label)));
    let message = MessageKey::received(ada(), ada(), "M");
    commit(
        store,
        [
            put(label("1", None)),
            put(label("2", Some(1))),
            set_label("1", Labelled::Chat(ada()), true),
            set_label("2", Labelled::Chat(ada()), true),
            set_label("2", Labelled::Chat(ada()), false),
            set_label("1", Labelled::Message(message.clone()), true),
            Change::LearnLid { phone: ada(), lid: ada_lid() },
        ],
    )
    .await;
    let order: Vec<_> = store.labels().await.unwrap().into_iter().map(|label| label.id).collect();
    assert_eq!(order, ["2", "1"]);
    assert_eq!(store.labels_on(&Labelled::Chat(ada_lid())).await.unwrap(), ["1"]);
    assert_eq!(store.labels_on(&Labelled::Message(message)).await.unwrap(), ["1"]);
    let moved = MessageKey::received(ada_lid(), ada_lid(), "M");
    let expected = [Labelled::Chat(ada_lid()), Labelled::Message(moved)];
    assert_eq!(store.labelled("1").await.unwrap(), expected);
    commit(store, [Change::Sync(SyncChange::DeleteLabel("1".to_owned()))]).await;
    assert!(store.labels_on(&Labelled::Chat(ada())).await.unwrap().is_empty());
    assert!(store.labelled("1").await.unwrap().is_empty());
}

pub(crate) async fn answers_mutes_and_locks_are_kept(store: &dyn Store) {
    let reply = QuickReply {
        id: "9".to_owned(),
        shortcut: "hi".to_owned(),
        message: "Hello \"there\"".to_owned(),
        keywords: vec!["a".to_owned(), "ü".to_owned()],
        count: 4,
    };
    let flag = |on: bool| {
        [
            Change::Sync(SyncChange::SetStatusMuted { person: ada(), muted: on }),
            Change::Sync(SyncChange::SetLocked { chat: ada(), locked: on }),
        ]
    };
    commit(store, [Change::Sync(SyncChange::PutQuickReply(Box::new(reply.clone())))]).await;
    commit(store, flag(true)).await;
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    assert_eq!(store.quick_replies().await.unwrap(), [reply]);
    assert!(store.is_status_muted(&ada_lid()).await.unwrap());
    assert!(store.is_locked(&ada()).await.unwrap() && !store.is_locked(&bob()).await.unwrap());
    commit(store, flag(false)).await;
    commit(store, [Change::Sync(SyncChange::DeleteQuickReply("9".to_owned()))]).await;
    assert!(!store.is_status_muted(&ada_lid()).await.unwrap());
    assert!(!store.is_locked(&ada()).await.unwrap());
    assert!(store.quick_replies().await.unwrap().is_empty());
}

pub(crate) async fn names_in_the_address_book_are_removed_and_nothing_else(store: &dyn Store) {
    let mut known = ContactUpdate::new(ada());
    (known.full_name, known.push_name) = (Some("Ada".to_owned()), Some("countess".to_owned()));
    commit(store, [Change::PutContact(Box::new(known))]).await;
    let remove = || [Change::Sync(SyncChange::RemoveContactNames(ada()))];
    assert_eq!(commit(store, remove()).await.contacts_changed, [ada()]);
    assert!(commit(store, remove()).await.contacts_changed.is_empty());
    let contact = store.contact(&ada()).await.unwrap().unwrap();
    assert_eq!((contact.full_name.as_deref(), contact.name()), (None, Some("countess")));
}

pub(crate) async fn a_chat_is_emptied_up_to_a_second_and_stays(store: &dyn Store) {
    commit(
        store,
        [
            archive(text(&ada(), "A", 1, "one")),
            archive(text(&ada(), "B", 2, "two")),
            archive(text(&ada(), "C", 3, "three")),
            archive(text(&bob(), "D", 1, "elsewhere")),
            Change::SetStarred { key: text(&ada(), "A", 1, "").key, starred: true },
        ],
    )
    .await;
    let clear = |until, keep_starred| {
        [Change::Sync(SyncChange::ClearChat { chat: ada(), until, keep_starred })]
    };
    commit(store, clear(Some(at(2)), true)).await;
    let left = |id: &'static str| async move {
        !store.messages_by_id(&ada(), &id.into()).await.unwrap().is_empty()
    };
    assert!(left("A").await && !left("B").await && left("C").await);
    commit(store, clear(None, false)).await;
    assert!(!left("A").await && !left("C").await);
    assert_eq!(store.chats(&ChatQuery::default()).await.unwrap().len(), 2);
    assert_eq!(store.stats().await.unwrap().messages, 1);
}

pub(crate) async fn an_unlinked_device_forgets_keys_and_collections(store: &dyn Store) {
    let label = Label {
        id: "1".to_owned(),
        name: "kept".to_owned(),
        color: None,
        predefined_id: None,
        position: None,
    };
    commit(
        store,
        [
            Change::PutAccount(Box::new(account())),
            Change::Sync(SyncChange::PutKeys(vec![key(1, 5)])),
            Change::Sync(SyncChange::PutLabel(Box::new(label))),
            advance(4, true, [(1, Some(11))]),
            pending("A", 1),
            Change::Unlink,
        ],
    )
    .await;
    let low = Collection::RegularLow;
    assert!(store.sync_keys().await.unwrap().is_empty());
    assert_eq!(store.collection(low).await.unwrap(), None);
    assert!(store.collection_macs(low, &[[1; 32]]).await.unwrap().is_empty());
    assert!(store.pending_sync().await.unwrap().is_empty());
    assert_eq!(store.labels().await.unwrap().len(), 1);
    assert!(store.commit(pending("B", 1).into()).await.is_err());
}

pub(crate) async fn settings_are_found_by_how_their_names_begin(store: &dyn Store) {
    let put = |name: &str| Change::PutSetting { name: name.to_owned(), value: Some(vec![1]) };
    commit(store, [put("a_b/1"), put("a_b/2"), put("aXb/3"), put("c")]).await;
    let found = store.settings_with_prefix("a_b/").await.unwrap();
    let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a_b/1", "a_b/2"]);
}
