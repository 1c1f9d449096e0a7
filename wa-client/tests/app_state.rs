//! What the devices of an account keep in common: followed, changed, repaired.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use std::{sync::Arc, time::Duration};

use parties::{Party, ada_and_bob, settle, simulation};
use prost::Message as _;
use wa_client::{
    AccountSetting, AddressBookEvent, AppStateEvent, ChatChange, Event, MuteFor, SyncFailure,
    Synced, UnlinksAllDevices,
};
use wa_proto::{
    Jid,
    app_state::{Collection, ContactNames, LabelEdit, MuteEnd, QuickReply, SyncAction, SyncIndex},
    pb::message::{AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyId},
};
use wa_sim::{Chance, FaultPlan, Sim};
use wa_store::{
    Change, Changes, Chat, CollectionUpdate, CollectionVersion, Labelled, MemoryStore, MessageKey,
    Store, SyncChange, Timestamp,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody with two linked clients, and whom they write to.
async fn two_clients(seed: u64) -> (Sim, Party, Party, Party) {
    let (sim, ada, bob) = ada_and_bob(seed).await;
    let second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    (sim, ada, second, bob)
}

async fn chat(party: &Party, jid: &Jid) -> Chat {
    party.store.chat(jid).await.unwrap().unwrap_or_else(|| panic!("there is no such chat"))
}

async fn version(party: &Party, collection: Collection) -> u64 {
    party.store.collection(collection).await.unwrap().map_or(0, |held| held.version)
}

/// The next event about the app state that `pick` takes.
async fn app_state<T>(party: &mut Party, pick: impl Fn(&AppStateEvent) -> Option<T>) -> T {
    party
        .until(|event| match event {
            Event::AppState(event) => pick(event),
            _ => None,
        })
        .await
}

async fn failure(party: &mut Party) -> SyncFailure {
    app_state(party, |event| match event {
        AppStateEvent::SyncFailed { reason, .. } => Some(*reason),
        _ => None,
    })
    .await
}

/// A text from Bob to Ada that both of Ada's clients have.
async fn received(ada: &Party, bob: &Party, text: &str) -> MessageKey {
    bob.phone.send_text(&ada.phone.jid(), text).unwrap();
    settle().await;
    let archive = ada.archive(&bob.phone.lid()).await;
    archive.into_iter().find(|kept| kept.text.as_deref() == Some(text)).unwrap().key
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_sets_shows_on_its_companion() {
    let (_, mut ada, bob) = ada_and_bob(401).await;
    let key = received(&ada, &bob, "hello").await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    phone.mute_chat(&with, Some(MuteEnd::At(1_900_000_000_000)));
    phone.pin_chat(&with, true);
    phone.mark_chat(&with, false);
    assert!(phone.star_message(&with, key.id.as_str(), true));
    settle().await;
    let seen = chat(&ada, &with).await;
    assert_eq!(seen.muted_until, Some(Timestamp::from_secs(1_900_000_000)));
    assert!(seen.pinned_at.is_some() && seen.marked_unread);
    assert!(ada.store.message(&key).await.unwrap().unwrap().starred);
    let change = ada.until(|event| match event {
        Event::Chat(event) if event.change == ChatChange::Pinned(true) => Some(event.clone()),
        _ => None,
    });
    assert_eq!(change.await.chat, with);

    phone.archive_chat(&with, true);
    phone.mute_chat(&with, None);
    phone.mark_chat(&with, true);
    assert!(phone.star_message(&with, key.id.as_str(), false));
    settle().await;
    let seen = chat(&ada, &with).await;
    assert!(seen.archived && seen.pinned_at.is_none() && seen.muted_until.is_none());
    assert!(!seen.marked_unread && seen.unread == 0);
    assert!(!ada.store.message(&key).await.unwrap().unwrap().starred);
    phone.archive_chat(&with, false);
    settle().await;
    assert!(!chat(&ada, &with).await.archived);
}

#[tokio::test(start_paused = true)]
async fn what_the_companion_sets_shows_on_the_phone() {
    let (_, ada, bob) = ada_and_bob(402).await;
    let key = received(&ada, &bob, "hello").await;
    let (phone, with, chats) = (ada.phone.clone(), bob.phone.lid(), ada.client.chats());
    assert_eq!(chats.mute(&with, MuteFor::Ever).await.unwrap(), Synced::Done);
    assert_eq!(chats.pin(&with).await.unwrap(), Synced::Done);
    assert_eq!(chats.mark_unread(&with).await.unwrap(), Synced::Done);
    assert_eq!(chats.star(&key).await.unwrap(), Synced::Done);
    let shown = phone.chat_settings(&with);
    assert_eq!((shown.muted_until, shown.pinned, shown.marked_unread), (Some(-1), true, true));
    assert!(phone.is_starred(key.id.as_str()));
    // It took effect here in the same commit.
    let seen = chat(&ada, &with).await;
    assert!(seen.pinned_at.is_some() && seen.marked_unread);
    assert_eq!(seen.muted_until, Some(Timestamp::MAX));

    chats.archive(&with).await.unwrap();
    assert!(phone.chat_settings(&with).archived && !phone.chat_settings(&with).pinned);
    chats.unarchive(&with).await.unwrap();
    chats.unmute(&with).await.unwrap();
    chats.mark_read(&with).await.unwrap();
    chats.unstar(&key).await.unwrap();
    let shown = phone.chat_settings(&with);
    assert_eq!((shown.archived, shown.muted_until, shown.marked_unread), (false, None, false));
    assert!(!phone.is_starred(key.id.as_str()));
    let timed = chats.mute(&with, MuteFor::Time(Duration::from_secs(3600))).await;
    assert_eq!(timed.unwrap(), Synced::Done);
    assert!(phone.chat_settings(&with).muted_until.unwrap() > 1_700_000_000_000);
    // The phone ignores what does not name the last message.
    assert_eq!(phone.app_state_counts().ignored, 0);
    assert_eq!(phone.app_state_counts().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn archiving_names_the_last_message_and_takes_the_pin_away() {
    let (sim, ada, bob) = ada_and_bob(403).await;
    received(&ada, &bob, "one").await;
    let with = bob.phone.lid();
    ada.client.chats().pin(&with).await.unwrap();
    let second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    ada.client.chats().archive(&with).await.unwrap();
    settle().await;
    let shown = ada.phone.chat_settings(&with);
    assert!(shown.archived && !shown.pinned);
    let seen = chat(&second, &with).await;
    assert!(seen.archived && seen.pinned_at.is_none());
    // A client that has none of the messages cannot name one, and the phone ignores it.
    second.client.chats().unarchive(&with).await.unwrap();
    assert!(ada.phone.chat_settings(&with).archived);
    assert_eq!(ada.phone.app_state_counts().ignored, 1);
}

#[tokio::test(start_paused = true)]
async fn an_archived_chat_comes_back_with_a_message_if_that_is_wanted_and_it_is_not_silent() {
    let (_, ada, bob) = ada_and_bob(424).await;
    let (with, chats) = (bob.phone.lid(), ada.client.chats());
    received(&ada, &bob, "one").await;
    chats.archive(&with).await.unwrap();
    received(&ada, &bob, "two").await;
    assert!(chat(&ada, &with).await.archived, "nobody asked for it to come back");
    ada.client.shared_settings().set_unarchive_chats(true).await.unwrap();
    received(&ada, &bob, "three").await;
    assert!(!chat(&ada, &with).await.archived);

    chats.archive(&with).await.unwrap();
    assert!(chat(&ada, &with).await.archived);
    chats.mute(&with, MuteFor::Ever).await.unwrap();
    received(&ada, &bob, "four").await;
    assert!(chat(&ada, &with).await.archived, "a silent chat stays where it is");
    chats.unmute(&with).await.unwrap();
    received(&ada, &bob, "five").await;
    assert!(!chat(&ada, &with).await.archived);
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_came_back_is_not_archived_by_what_was_done_before() {
    let (_, ada, second, bob) = two_clients(425).await;
    let with = bob.phone.lid();
    received(&ada, &bob, "one").await;
    ada.client.shared_settings().set_unarchive_chats(true).await.unwrap();
    settle().await;
    // The second client is away while the chat is archived and comes back.
    second.client.disconnect().await;
    ada.client.chats().archive(&with).await.unwrap();
    received(&ada, &bob, "two").await;
    second.client.connect().unwrap();
    settle().await;
    settle().await;
    for party in [&ada, &second] {
        assert!(!chat(party, &with).await.archived);
        assert_eq!(party.texts(&with).await, ["one", "two"]);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_and_chats_are_deleted_on_all_own_devices() {
    let (_, ada, second, bob) = two_clients(404).await;
    let with = bob.phone.lid();
    let first = received(&ada, &bob, "first").await;
    let starred = received(&ada, &bob, "starred").await;
    received(&ada, &bob, "third").await;
    ada.client.chats().star(&starred).await.unwrap();
    ada.client.chats().delete_for_me(&first, true).await.unwrap();
    settle().await;
    assert!(ada.phone.is_deleted_for_me(first.id.as_str()));
    assert_eq!(second.texts(&with).await, ["starred", "third"]);

    second.client.chats().clear(&with, true).await.unwrap();
    settle().await;
    assert_eq!(ada.texts(&with).await, ["starred"]);
    assert_eq!(second.texts(&with).await, ["starred"]);
    assert_eq!(ada.phone.chat_settings(&with).cleared, 1);

    second.client.chats().delete(&with).await.unwrap();
    settle().await;
    assert_eq!(ada.store.chat(&with).await.unwrap(), None);
    assert_eq!(ada.phone.chat_settings(&with).deleted, 1);
    // A chat that is gone comes back with the next message.
    received(&ada, &bob, "anew").await;
    assert_eq!(ada.texts(&with).await, ["anew"]);
}

#[tokio::test(start_paused = true)]
async fn what_came_after_a_chat_was_read_or_deleted_elsewhere_stays() {
    let (sim, ada, bob) = ada_and_bob(405).await;
    let with = bob.phone.lid();
    received(&ada, &bob, "old").await;
    // The phone acts on what it knows; the action arrives after a newer message.
    let end = ada.archive(&with).await.last().unwrap().clone();
    tokio::time::sleep(Duration::from_secs(5)).await;
    received(&ada, &bob, "new").await;
    let key = wa_proto::MessageKey {
        chat: Some(with.clone()),
        from_me: false,
        id: end.key.id.as_str().parse().unwrap(),
        sender: None,
    };
    let range = Some(wa_proto::app_state::MessageRange::up_to(key, end.timestamp.secs()));
    let read = SyncAction::MarkRead { chat: with.clone(), read: true, range: range.clone() };
    ada.phone.sync_action(read);
    settle().await;
    assert_eq!(chat(&ada, &with).await.unread, 1);
    ada.phone.sync_action(SyncAction::DeleteChat { chat: with.clone(), media_too: true, range });
    settle().await;
    assert_eq!(ada.texts(&with).await, ["new"]);
    drop(sim);
}

#[tokio::test(start_paused = true)]
async fn an_old_deletion_that_is_read_anew_leaves_what_came_since() {
    let (_, mut ada, bob) = ada_and_bob(423).await;
    let with = bob.phone.lid();
    received(&ada, &bob, "old").await;
    let delete = SyncAction::DeleteChat { chat: with.clone(), media_too: true, range: None };
    ada.phone.sync_action(delete);
    settle().await;
    assert_eq!(ada.store.chat(&with).await.unwrap(), None);
    tokio::time::sleep(Duration::from_secs(5)).await;
    received(&ada, &bob, "since").await;
    diverge(&*ada.store, Collection::RegularHigh).await;
    while ada.events.try_next().is_some() {}
    ada.phone.mute_chat(&with, Some(MuteEnd::Never));
    app_state(&mut ada, |event| {
        matches!(event, AppStateEvent::SyncCompleted { full: true, .. }).then_some(())
    })
    .await;
    settle().await;
    assert_eq!(ada.texts(&with).await, ["since"]);
    assert!(chat(&ada, &with).await.muted_until.is_some());
}

#[tokio::test(start_paused = true)]
async fn people_names_labels_and_answers_go_both_ways() {
    let (_, ada, mut second, bob) = two_clients(406).await;
    let with = bob.phone.lid();
    let key = received(&ada, &bob, "hello").await;
    let (phone, store) = (ada.phone.clone(), Arc::clone(&ada.store));
    phone.set_contact(&with, Some("Bob Babbage"));
    phone.edit_label("5", Some("Urgent"));
    phone.label_chat(&with, "5", true);
    phone.set_quick_reply("1", Some(("hi", "Hello there")));
    phone.sync_action(SyncAction::StatusMute { person: with.clone(), muted: true });
    phone.sync_action(SyncAction::UnarchiveChats(true));
    phone.sync_action(SyncAction::Locale("de_DE".to_owned()));
    phone.set_push_name("Ada L.");
    settle().await;
    let contact = store.contact(&with).await.unwrap().unwrap();
    assert_eq!((contact.name(), contact.first_name.as_deref()), (Some("Bob Babbage"), Some("Bob")));
    assert_eq!(store.labels().await.unwrap()[0].name, "Urgent");
    assert_eq!(store.labels_on(&Labelled::Chat(with.clone())).await.unwrap(), ["5"]);
    assert_eq!(store.quick_replies().await.unwrap()[0].message, "Hello there");
    assert!(store.is_status_muted(&with).await.unwrap());
    assert_eq!(store.setting("app-state/unarchive-chats").await.unwrap(), Some(vec![1]));
    assert_eq!(store.account().await.unwrap().unwrap().push_name.as_deref(), Some("Ada L."));
    let told = app_state(&mut second, |event| match event {
        AppStateEvent::Setting(AccountSetting::PushName(name)) => Some(name.clone()),
        _ => None,
    });
    assert_eq!(told.await, "Ada L.");

    let (contacts, chats) = (ada.client.contacts(), ada.client.chats());
    contacts.set(&with, ContactNames::new("Robert", None)).await.unwrap();
    chats.edit_label("6", Some(LabelEdit::new("Later", 3))).await.unwrap();
    chats.label(&with, "6").await.unwrap();
    chats.unlabel(&with, "5").await.unwrap();
    chats.label_message(&key, "6", true).await.unwrap();
    contacts.mute_status(&with, false).await.unwrap();
    let settings = ada.client.shared_settings();
    settings.set_quick_reply("2", Some(QuickReply::new("bye", "Good bye"))).await.unwrap();
    settings.set_push_name("Countess").await.unwrap();
    settle().await;
    assert_eq!(phone.contact_name(&with).as_deref(), Some("Robert"));
    assert_eq!(phone.label_name("6").as_deref(), Some("Later"));
    assert_eq!(phone.chat_settings(&with).labels, ["6"]);
    assert_eq!(phone.quick_reply("2").as_deref(), Some("Good bye"));
    assert!(!phone.is_status_muted(&with));
    assert_eq!(phone.push_name().as_deref(), Some("Countess"));
    for party in [&ada, &second] {
        let contact = party.store.contact(&with).await.unwrap().unwrap();
        assert_eq!((contact.name(), contact.first_name.as_deref()), (Some("Robert"), None));
        assert_eq!(party.store.labelled("6").await.unwrap()[0], Labelled::Chat(with.clone()));
        let account = party.store.account().await.unwrap().unwrap();
        assert_eq!(account.push_name.as_deref(), Some("Countess"));
    }
    assert_eq!(store.labels_on(&Labelled::Message(key)).await.unwrap(), ["6"]);

    chats.edit_label("6", None).await.unwrap();
    settings.set_quick_reply("2", None).await.unwrap();
    settle().await;
    assert_eq!((phone.label_name("6"), phone.quick_reply("2")), (None, None));
    assert_eq!(second.store.labels().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_taken_out_of_the_address_book_is_out_of_it_and_a_void_salt_is_void() {
    let (_, mut ada, bob) = ada_and_bob(407).await;
    let with = bob.phone.lid();
    ada.phone.set_contact(&with, Some("Bob"));
    let salt = bytes::Bytes::from_static(&[7; 32]);
    ada.phone.sync_action(SyncAction::NctSalt(Some(salt)));
    settle().await;
    assert_eq!(ada.store.nct_salt().await.unwrap(), Some([7; 32].into()));
    ada.phone.set_contact(&with, None);
    ada.phone.sync_action(SyncAction::NctSalt(None));
    settle().await;
    let contact = ada.store.contact(&with).await.unwrap().unwrap();
    assert_eq!(contact.full_name, None);
    assert_eq!(ada.store.nct_salt().await.unwrap(), None);
    let gone = ada.until(|event| match event {
        Event::AddressBook(AddressBookEvent::Changed { in_address_book: false, person }) => {
            Some(person.clone())
        }
        _ => None,
    });
    assert_eq!(gone.await, with);

    ada.client.contacts().set(&with, ContactNames::new("Bob", None)).await.unwrap();
    ada.client.contacts().remove(&with).await.unwrap();
    assert_eq!(ada.phone.contact_name(&with), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_set_before_the_link_comes_with_a_snapshot_and_thousands_of_people_at_once() {
    let sim = simulation(408);
    let phone = sim.add_account("15550100", "Ada").unwrap();
    let people: Vec<_> = (0..3_000)
        .map(|number| SyncAction::Contact {
            person: Jid::phone(format!("1666{number:07}")),
            names: Some(ContactNames::new(format!("Person {number}"), None)),
        })
        .collect();
    phone.sync_actions(&people);
    phone.set_push_name("Ada L.");
    let mut ada = Party::link(&sim, phone, Arc::new(MemoryStore::new())).await;
    let count = ada
        .until(|event| match event {
            Event::AddressBook(AddressBookEvent::Synced { count }) => Some(*count),
            Event::AddressBook(_) => panic!("people of a full sync are told together"),
            _ => None,
        })
        .await;
    assert_eq!(count, 3_000);
    let full = app_state(&mut ada, |event| match event {
        AppStateEvent::SyncCompleted {
            collection: Collection::CriticalUnblockLow, full, ..
        } => Some(*full),
        _ => None,
    });
    assert!(full.await);
    let contact = ada.store.contact(&Jid::phone("16660000007")).await.unwrap().unwrap();
    assert_eq!(contact.name(), Some("Person 7"));
    // What comes after a snapshot is built on it.
    ada.phone.set_contact(&Jid::phone("16660000007"), Some("Number Seven"));
    settle().await;
    let contact = ada.store.contact(&Jid::phone("16660000007")).await.unwrap().unwrap();
    assert_eq!(contact.name(), Some("Number Seven"));
}

#[tokio::test(start_paused = true)]
async fn a_patch_too_large_for_a_stanza_is_fetched_from_the_media_host() {
    let (sim, ada, _) = ada_and_bob(425).await;
    let name = |number: u32| Jid::phone(format!("1777{number:07}"));
    let people: Vec<_> = (0..200)
        .map(|number| SyncAction::Contact {
            person: name(number),
            names: Some(ContactNames::new(format!("Person {number}"), None)),
        })
        .collect();
    let blobs = sim.media_count();
    ada.phone.sync_actions(&people);
    settle().await;
    assert_eq!(sim.media_count(), blobs + 1);
    for number in [0, 199] {
        let contact = ada.store.contact(&name(number)).await.unwrap().unwrap();
        assert_eq!(contact.name(), Some(format!("Person {number}").as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_comes_second_is_built_anew_on_the_first() {
    let (sim, ada, bob) = ada_and_bob(409).await;
    let with = bob.phone.lid();
    ada.client.chats().pin(&with).await.unwrap();
    settle().await;
    // The notice of the phone's patch is lost, so that the client does not know of it.
    let mut lossy = FaultPlan::default();
    lossy.drop = Chance::times(1);
    sim.set_faults(lossy);
    ada.phone.mute_chat(&bob.phone.lid(), Some(MuteEnd::Never));
    settle().await;
    sim.set_faults(FaultPlan::default());
    assert!(chat(&ada, &with).await.muted_until.is_none());
    let key = received(&ada, &bob, "hello").await;
    assert_eq!(ada.client.chats().delete_for_me(&key, false).await.unwrap(), Synced::Done);
    assert!(chat(&ada, &with).await.muted_until.is_some());
    assert!(ada.phone.is_deleted_for_me(key.id.as_str()));
    assert_eq!(version(&ada, Collection::RegularHigh).await, 2);
}

#[tokio::test(start_paused = true)]
async fn two_companions_that_change_the_same_at_once_end_alike() {
    let (_, ada, second, bob) = two_clients(410).await;
    let with = bob.phone.lid();
    received(&ada, &bob, "hello").await;
    for round in 0..4_u64 {
        let (one, other) = (ada.client.chats(), second.client.chats());
        let (one, other) = tokio::join!(
            async {
                one.pin(&with).await.unwrap();
                one.mute(&with, MuteFor::Time(Duration::from_secs(60 + round))).await.unwrap();
            },
            async {
                other.unpin(&with).await.unwrap();
                other.mute(&with, MuteFor::Ever).await.unwrap();
            }
        );
        let ((), ()) = (one, other);
        settle().await;
        let (a, b) = (chat(&ada, &with).await, chat(&second, &with).await);
        assert_eq!((a.pinned_at, a.muted_until), (b.pinned_at, b.muted_until));
        assert_eq!(ada.phone.chat_settings(&with).pinned, a.pinned_at.is_some());
        for collection in Collection::ALL {
            let held = ada.store.collection(collection).await.unwrap();
            assert_eq!(held, second.store.collection(collection).await.unwrap());
            let version = held.map_or(0, |held| held.version);
            assert_eq!(version, ada.phone.collection_version(collection));
        }
    }
    assert_eq!(ada.phone.app_state_counts().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_late_are_waited_for_and_what_waited_is_read_then() {
    let sim = simulation(411);
    let phone = sim.add_account("15550100", "Ada").unwrap();
    let bob = sim.add_account("15550200", "Bob").unwrap();
    phone.withhold_sync_keys(true);
    phone.ignore_app_state_requests(true);
    phone.pin_chat(&bob.lid(), true);
    let mut ada = Party::link(&sim, phone.clone(), Arc::new(MemoryStore::new())).await;
    app_state(&mut ada, |event| matches!(event, AppStateEvent::KeyMissing { .. }).then_some(()))
        .await;
    settle().await;
    // One request for one key, however many collections wait for it.
    assert_eq!(phone.app_state_counts().key_requests, 1);
    assert_eq!(ada.store.collection(Collection::RegularLow).await.unwrap(), None);
    // What the user does meanwhile is kept.
    let queued = ada.client.chats().mute(&bob.lid(), MuteFor::Ever).await.unwrap();
    assert_eq!(queued, Synced::Queued);
    for _ in 0..3 {
        phone.pin_chat(&bob.lid(), true);
        settle().await;
    }
    assert_eq!(phone.app_state_counts().key_requests, 1, "asked again within a day");
    phone.share_sync_keys();
    settle().await;
    assert!(chat(&ada, &bob.lid()).await.pinned_at.is_some());
    assert_eq!(phone.chat_settings(&bob.lid()).muted_until, Some(-1));
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_blocks_its_collection_alone_and_is_asked_for_daily() {
    let (_, mut ada, bob) = ada_and_bob(412).await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    phone.pin_chat(&with, true);
    settle().await;
    phone.ignore_app_state_requests(true);
    phone.rotate_sync_key();
    phone.mute_chat(&with, Some(MuteEnd::Never));
    let blocked = app_state(&mut ada, |event| match event {
        AppStateEvent::KeyMissing { collection } => Some(*collection),
        _ => None,
    });
    assert_eq!(blocked.await, Collection::RegularHigh);
    settle().await;
    assert!(chat(&ada, &with).await.muted_until.is_none());
    assert_eq!(ada.client.chats().unpin(&with).await.unwrap(), Synced::Done);
    assert_eq!(phone.app_state_counts().key_requests, 1);
    tokio::time::sleep(DAY).await;
    phone.mute_chat(&with, Some(MuteEnd::Never));
    settle().await;
    assert_eq!(phone.app_state_counts().key_requests, 2);
    phone.ignore_app_state_requests(false);
    tokio::time::sleep(DAY).await;
    phone.mute_chat(&with, Some(MuteEnd::Never));
    settle().await;
    assert!(chat(&ada, &with).await.muted_until.is_some(), "the phone answered");
}

#[tokio::test(start_paused = true)]
async fn a_companion_gives_another_the_key_it_lacks() {
    let (sim, ada, bob) = ada_and_bob(413).await;
    ada.phone.pin_chat(&bob.phone.lid(), true);
    settle().await;
    ada.phone.withhold_sync_keys(true);
    ada.phone.ignore_app_state_requests(true);
    let mut second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    // Sending something makes it look up the account's devices.
    second.client.send(bob.phone.jid(), "hi").await.unwrap();
    app_state(&mut second, |event| matches!(event, AppStateEvent::KeyMissing { .. }).then_some(()))
        .await;
    settle().await;
    assert!(chat(&second, &bob.phone.lid()).await.pinned_at.is_some());
    assert_eq!(second.store.sync_keys().await.unwrap(), ada.store.sync_keys().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn keys_that_an_earlier_version_kept_as_settings_are_taken_over() {
    let (sim, ada, bob) = ada_and_bob(424).await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    phone.pin_chat(&with, true);
    settle().await;
    let kept = ada.store.sync_keys().await.unwrap().remove(0);
    let old = AppStateSyncKey {
        key_id: Some(AppStateSyncKeyId { key_id: Some(kept.id.clone().into()) }),
        key_data: Some(AppStateSyncKeyData {
            key_data: Some(kept.data.as_bytes().to_vec().into()),
            fingerprint: None,
            timestamp: Some(kept.timestamp),
        }),
    };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let name = "app-state-key/000000000001".to_owned();
    let setting = Change::PutSetting { name: name.clone(), value: Some(old.encode_to_vec()) };
    store.commit(setting.into()).await.unwrap();
    phone.withhold_sync_keys(true);
    phone.ignore_app_state_requests(true);
    let second = Party::link(&sim, phone, store).await;
    settle().await;
    assert!(chat(&second, &with).await.pinned_at.is_some());
    assert_eq!(second.store.setting(&name).await.unwrap(), None);
}

/// The same collection as another device would never have it.
async fn diverge(store: &dyn Store, collection: Collection) {
    let held = store.collection(collection).await.unwrap().unwrap();
    let update = CollectionUpdate {
        collection,
        version: CollectionVersion { hash: [9; 128], ..held },
        anew: false,
        macs: Vec::new(),
    };
    store.commit(Change::Sync(SyncChange::Advance(Box::new(update))).into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hash_that_does_not_match_is_healed_by_fetching_everything_anew() {
    let (_, mut ada, bob) = ada_and_bob(414).await;
    let with = bob.phone.lid();
    ada.phone.pin_chat(&with, true);
    settle().await;
    diverge(&*ada.store, Collection::RegularLow).await;
    while ada.events.try_next().is_some() {}
    ada.phone.pin_chat(&with, false);
    let full = app_state(&mut ada, |event| match event {
        AppStateEvent::SyncFailed { .. } => panic!("it can be healed"),
        AppStateEvent::SyncCompleted { collection: Collection::RegularLow, full: true, .. } => {
            Some(())
        }
        _ => None,
    });
    full.await;
    settle().await;
    full_state_matches(&ada, Collection::RegularLow).await;
    assert!(chat(&ada, &with).await.pinned_at.is_none());
    assert_eq!(ada.phone.app_state_counts().recoveries, 0);
}

async fn full_state_matches(party: &Party, collection: Collection) {
    assert_eq!(version(party, collection).await, party.phone.collection_version(collection));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_add_up_for_anybody_is_taken_from_the_phone() {
    let (_, mut ada, bob) = ada_and_bob(415).await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    phone.pin_chat(&with, true);
    settle().await;
    phone.spoil_app_state_hash(Collection::RegularLow);
    phone.sync_action(SyncAction::UnarchiveChats(true));
    let asked = app_state(&mut ada, |event| match event {
        AppStateEvent::RecoveryRequested { collection } => Some(*collection),
        _ => None,
    });
    assert_eq!(asked.await, Collection::RegularLow);
    settle().await;
    assert_eq!(phone.app_state_counts().recoveries, 1);
    let setting = ada.store.setting("app-state/unarchive-chats").await.unwrap();
    assert_eq!(setting, Some(vec![1]));
    // What follows is built on the phone's hash.
    phone.pin_chat(&with, false);
    settle().await;
    assert!(chat(&ada, &with).await.pinned_at.is_none());
    assert_eq!(ada.client.chats().pin(&with).await.unwrap(), Synced::Done);
    assert!(phone.chat_settings(&with).pinned);
    assert_eq!(phone.app_state_counts().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn patches_with_wrong_macs_do_nothing_are_reported_and_the_phone_is_asked_once() {
    let (sim, mut ada, bob) = ada_and_bob(416).await;
    let with = bob.phone.lid();
    ada.phone.ignore_app_state_requests(true);
    ada.phone.pin_chat(&with, true);
    settle().await;
    let held = ada.store.collection(Collection::RegularLow).await.unwrap();
    let mut corrupting = FaultPlan::default();
    corrupting.corrupt_patches = Chance::with_probability(1.0);
    sim.set_faults(corrupting);
    sim.snapshot_app_state_after(1_000);
    for _ in 0..3 {
        ada.phone.pin_chat(&with, false);
        assert_eq!(failure(&mut ada).await, SyncFailure::NotAuthentic);
    }
    assert!(chat(&ada, &with).await.pinned_at.is_some());
    assert_eq!(ada.store.collection(Collection::RegularLow).await.unwrap(), held);
    assert_eq!(ada.phone.app_state_counts().recoveries, 1, "at most once a day");
    // No client gives everything up by itself.
    assert_eq!(ada.phone.devices().len(), 2);
    sim.set_faults(FaultPlan::default());
    ada.client.shared_settings().resync();
    settle().await;
    assert!(chat(&ada, &with).await.pinned_at.is_none());
}

#[tokio::test(start_paused = true)]
async fn giving_up_takes_the_users_word_and_unlinks_every_device() {
    let (_, ada, _) = ada_and_bob(417).await;
    let settings = ada.client.shared_settings();
    settings.give_up(&[Collection::RegularLow], UnlinksAllDevices).await.unwrap();
    settle().await;
    assert_eq!(ada.phone.devices().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_older_version_than_is_known_is_refused() {
    let (sim, mut ada, bob) = ada_and_bob(418).await;
    let with = bob.phone.lid();
    ada.phone.pin_chat(&with, true);
    settle().await;
    let held = ada.store.collection(Collection::RegularLow).await.unwrap();
    let mut replaying = FaultPlan::default();
    replaying.replay_patches = Chance::with_probability(1.0);
    sim.set_faults(replaying);
    ada.phone.pin_chat(&with, false);
    assert_eq!(failure(&mut ada).await, SyncFailure::Rollback);
    assert_eq!(ada.store.collection(Collection::RegularLow).await.unwrap(), held);
    assert!(chat(&ada, &with).await.pinned_at.is_some());
    assert_eq!(ada.phone.app_state_counts().recoveries, 0);
}

#[tokio::test(start_paused = true)]
async fn a_change_made_without_a_connection_is_told_after_a_restart() {
    let (_, ada, bob) = ada_and_bob(419).await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    received(&ada, &bob, "hello").await;
    ada.client.disconnect().await;
    assert_eq!(ada.client.chats().pin(&with).await.unwrap(), Synced::Queued);
    assert!(chat(&ada, &with).await.pinned_at.is_none());
    assert!(!phone.chat_settings(&with).pinned);
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert!(phone.chat_settings(&with).pinned);
    assert!(chat(&ada, &with).await.pinned_at.is_some());
    assert!(ada.store.pending_sync().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_was_lost_is_not_made_twice() {
    let (_, ada, bob) = ada_and_bob(420).await;
    let (phone, with) = (ada.phone.clone(), bob.phone.lid());
    received(&ada, &bob, "hello").await;
    // What a process leaves behind that was killed between the server's taking and its own commit.
    ada.client.chats().pin(&with).await.unwrap();
    let low = Collection::RegularLow;
    let before = phone.collection_version(low);
    let waiting = wa_store::PendingSync {
        id: "lost".to_owned(),
        collection: low,
        removes: false,
        index: SyncIndex::new(["pin_v1".to_owned(), with.to_string()]).to_json(),
        value: Vec::new().into(),
        action_version: 5,
        made_at: 0,
    };
    ada.store
        .commit(Changes::from(Change::Sync(SyncChange::PutPending(Box::new(waiting)))))
        .await
        .unwrap();
    // The phone's later word overtakes it.
    phone.pin_chat(&with, false);
    settle().await;
    assert!(ada.store.pending_sync().await.unwrap().is_empty());
    assert_eq!(phone.collection_version(low), before + 1);
    assert!(chat(&ada, &with).await.pinned_at.is_none());
}

#[tokio::test(start_paused = true)]
async fn changes_of_others_while_away_are_there_after_the_backlog() {
    let (_, ada, bob) = ada_and_bob(421).await;
    let with = bob.phone.lid();
    received(&ada, &bob, "hello").await;
    ada.client.disconnect().await;
    for pinned in [true, false, true] {
        ada.phone.pin_chat(&with, pinned);
    }
    ada.phone.set_contact(&with, Some("Bob"));
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert!(chat(&ada, &with).await.pinned_at.is_some());
    full_state_matches(&ada, Collection::RegularLow).await;
    full_state_matches(&ada, Collection::CriticalUnblockLow).await;
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_entry_by_phone_number_is_replaced_and_not_doubled() {
    let (_, ada, bob) = ada_and_bob(422).await;
    received(&ada, &bob, "hello").await;
    let by_phone = bob.phone.jid();
    let mute = |until| SyncAction::Mute { chat: by_phone.clone(), until };
    ada.phone.sync_action(mute(Some(MuteEnd::Never)));
    settle().await;
    assert!(chat(&ada, &by_phone).await.muted_until.is_some());
    ada.client.chats().unmute(&bob.phone.lid()).await.unwrap();
    let index = SyncIndex::new(["mute".to_owned(), by_phone.to_string()]);
    assert!(ada.phone.chat_settings(&by_phone).muted_until.is_none());
    // One value stands in the collection: a removal of it leaves the hash empty.
    ada.phone.remove_entry(Collection::RegularHigh, &index);
    settle().await;
    let held = ada.store.collection(Collection::RegularHigh).await.unwrap().unwrap();
    assert_eq!(held.hash, [0; 128]);
}
