//! One person under phone number and LID.

use wa_proto::{Jid, Server};
use wa_store::{
    Change, ChatUpdate, ContactUpdate, DeviceList, DeviceVoucher, MessageKey, MessageQuery,
    NewMessage, Placeholder, Reaction, SearchQuery, SecretBytes, Store,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, pair, text};

fn learn() -> Change {
    Change::LearnLid { phone: ada(), lid: ada_lid() }
}

pub(crate) async fn a_mapping_is_found_both_ways_and_replaces_old_ones(store: &dyn Store) {
    commit(store, [learn()]).await;
    assert_eq!(store.lid_of(&ada().with_device(5)).await.unwrap(), Some(ada_lid()));
    assert_eq!(store.phone_of(&ada_lid().with_device(5)).await.unwrap(), Some(ada()));
    let other = Jid::phone("15550177");
    commit(store, [Change::LearnLid { phone: other.clone(), lid: ada_lid() }]).await;
    assert_eq!(store.lid_of(&ada()).await.unwrap(), None);
    assert_eq!(store.phone_of(&ada_lid()).await.unwrap(), Some(other.clone()));
    commit(store, [Change::LearnLid { phone: other.clone(), lid: bob() }]).await;
    assert_eq!(store.phone_of(&ada_lid()).await.unwrap(), None);
    assert_eq!(
        store.lids_of(&[ada(), other.clone()]).await.unwrap(),
        [(other.clone(), bob())].into()
    );
    assert_eq!(store.phones_of(&[ada_lid(), bob()]).await.unwrap(), [(bob(), other)].into());
    commit(store, [Change::LearnLid { phone: group(), lid: ada_lid() }]).await;
    assert_eq!(store.phone_of(&ada_lid()).await.unwrap(), None);
}

pub(crate) async fn sessions_move_to_the_lid_whose_own_win(store: &dyn Store) {
    let hosted = Jid { server: Server::Hosted, ..ada().with_device(99) };
    let session = |device: Jid, byte: u8| Change::PutSession { device, record: [byte; 2].into() };
    let (identity, account_key) = (pair(2).public, pair(1).public);
    let voucher = DeviceVoucher { identity, account_key, key_index: 2, hosted: false };
    commit(
        store,
        [
            session(ada(), 1),
            session(ada().with_device(2), 2),
            session(hosted.clone(), 3),
            session(ada_lid(), 9),
            Change::PutIdentity { device: ada(), key: pair(1).public },
            Change::PutSenderKey { group: group(), sender: ada(), record: [4; 2].into() },
            Change::MarkSenderKeyHolders { group: group(), devices: vec![ada()], has_key: true },
            Change::PutDeviceList { user: ada(), list: DeviceList::default() },
            Change::PutKeyIndexList { user: ada(), list: vec![5] },
            Change::PutDeviceVoucher { device: ada().with_device(2), voucher },
            Change::MigrateToLid { phone: ada(), lid: ada_lid() },
        ],
    )
    .await;
    let record = |byte: u8| Some(SecretBytes::from([byte; 2]));
    assert_eq!(store.session(&ada_lid()).await.unwrap(), record(9));
    assert_eq!(store.session(&ada_lid().with_device(2)).await.unwrap(), record(2));
    let hosted_lid = Jid { server: Server::HostedLid, ..ada_lid().with_device(99) };
    assert_eq!(store.session(&hosted_lid).await.unwrap(), record(3));
    for device in [ada(), ada().with_device(2), hosted] {
        assert_eq!(store.session(&device).await.unwrap(), None);
    }
    assert_eq!(store.identity(&ada_lid()).await.unwrap(), Some(pair(1).public));
    assert_eq!(store.identity(&ada()).await.unwrap(), None);
    assert_eq!(store.sender_key(&group(), &ada_lid()).await.unwrap(), record(4));
    assert_eq!(store.sender_key_holders(&group()).await.unwrap(), [(ada_lid(), true)].into());
    assert!(store.device_list(&ada_lid()).await.unwrap().is_some());
    assert!(store.device_list(&ada()).await.unwrap().is_none());
    let lists = store.key_index_lists(&[ada(), ada_lid()]).await.unwrap();
    assert_eq!(lists, [(ada_lid(), vec![5])].into());
    let companions = [ada().with_device(2), ada_lid().with_device(2)];
    let vouchers = store.device_vouchers(&companions).await.unwrap();
    assert_eq!(vouchers, [(ada_lid().with_device(2), voucher)].into());
}

pub(crate) async fn two_chats_of_one_person_become_one(store: &dyn Store) {
    let mut contact = ContactUpdate::new(ada());
    contact.full_name = Some("Ada".to_owned());
    let mut push = ContactUpdate::new(ada_lid());
    push.push_name = Some("ada!".to_owned());
    let mut pinned = ChatUpdate::new(ada());
    pinned.pinned_at = Some(Some(at(3)));
    commit(
        store,
        [
            archive(text(&ada(), "A", 1, "by number")),
            archive(text(&ada_lid(), "B", 2, "by lid")),
            Change::PutContact(Box::new(contact)),
            Change::PutContact(Box::new(push)),
            Change::PutChat(Box::new(pinned)),
        ],
    )
    .await;
    assert_eq!(store.stats().await.unwrap().chats, 2);
    commit(store, [learn()]).await;
    commit(store, [archive(text(&ada(), "C", 3, "by number again"))]).await;
    assert_eq!(store.stats().await.unwrap().chats, 1);
    for jid in [ada(), ada_lid()] {
        let chat = store.chat(&jid).await.unwrap().unwrap();
        assert_eq!((&chat.jid, chat.phone.as_ref()), (&ada_lid(), Some(&ada())));
        assert_eq!((chat.unread, chat.pinned_at), (3, Some(at(3))));
        assert_eq!(chat.name.as_deref(), Some("Ada"));
        let messages = store.messages(&MessageQuery::chat(jid.clone())).await.unwrap();
        let ids: Vec<_> = messages.iter().map(|message| message.key.id.as_str()).collect();
        assert_eq!(ids, ["C", "B", "A"]);
        assert!(messages.iter().all(|message| message.key.sender == ada_lid()));
        let contact = store.contact(&jid).await.unwrap().unwrap();
        assert_eq!((contact.name(), contact.push_name.as_deref()), (Some("Ada"), Some("ada!")));
        assert_eq!((contact.phone, contact.lid), (Some(ada()), Some(ada_lid())));
    }
}

pub(crate) async fn a_message_that_came_under_both_names_stands_once(store: &dyn Store) {
    let unread = Placeholder {
        key: text(&ada(), "B", 2, "").key,
        timestamp: at(2),
        push_name: None,
        reason: "no session".to_owned(),
        requested_at: None,
        attempts: 0,
    };
    commit(
        store,
        [
            archive(text(&ada(), "A", 1, "twice")),
            archive(text(&ada_lid(), "A", 1, "twice")),
            Change::PutPlaceholder(Box::new(unread)),
            archive(text(&ada_lid(), "B", 2, "readable")),
            learn(),
        ],
    )
    .await;
    let messages = store.messages(&MessageQuery::chat(ada())).await.unwrap();
    let found: Vec<_> =
        messages.iter().map(|message| (message.seq.0, message.text.as_deref())).collect();
    assert_eq!(found, [(4, Some("readable")), (1, Some("twice"))]);
    assert!(store.placeholders(9).await.unwrap().is_empty());
    let again = commit(store, [archive(text(&ada(), "A", 1, "twice"))]).await;
    assert_eq!((again.archived.len(), again.duplicates.len()), (0, 1));
    assert_eq!(store.stats().await.unwrap().messages, 2);
}

pub(crate) async fn copies_under_any_mix_of_names_become_one(store: &dyn Store) {
    let names = [(ada(), ada_lid()), (ada(), ada()), (ada_lid(), ada())];
    let copies = names.map(|(chat, sender)| {
        archive(NewMessage::text(MessageKey::received(chat, sender, "A"), at(1), "thrice"))
    });
    commit(store, copies).await;
    commit(store, [archive(text(&ada(), "B", 2, "once")), learn()]).await;
    let messages = store.messages(&MessageQuery::chat(ada())).await.unwrap();
    let ids: Vec<_> = messages.iter().map(|message| message.key.id.as_str()).collect();
    assert_eq!(ids, ["B", "A"]);
    assert_eq!(store.stats().await.unwrap().messages, 2);
    assert_eq!(store.search(&SearchQuery::new("thrice")).await.unwrap().hits.len(), 1);
}

pub(crate) async fn everything_that_hangs_on_a_message_moves_along(store: &dyn Store) {
    let key = MessageKey::received(group(), ada().with_device(2), "A");
    let react =
        |sender: Jid| Change::React(Box::new(Reaction::new(key.clone(), sender, "👍", at(5))));
    commit(
        store,
        [
            archive(NewMessage::text(key.clone(), at(1), "in a group")),
            Change::PutMessageSecret { key: key.clone(), secret: [6; 32].into() },
            Change::SetRetriesSent { key: key.clone(), count: 2, at: at(1) },
            react(bob()),
            react(ada()),
            learn(),
        ],
    )
    .await;
    for sender in [ada(), ada_lid()] {
        let key = MessageKey { sender, ..key.clone() };
        assert_eq!(store.message(&key).await.unwrap().unwrap().key.sender, ada_lid());
        let secret = store.message_secret(&key).await.unwrap().unwrap();
        assert_eq!((secret.sender, secret.secret), (ada(), [6; 32].into()));
        assert_eq!(store.retries_sent(&key).await.unwrap(), 2);
        let senders: Vec<_> =
            store.reactions(&key).await.unwrap().into_iter().map(|one| one.sender).collect();
        assert_eq!(senders, [ada_lid(), bob()]);
    }
}
