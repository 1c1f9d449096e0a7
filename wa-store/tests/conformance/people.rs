//! Contacts, chats, secrets and tokens.

use wa_proto::Jid;
use wa_store::{
    Change, ChatQuery, ChatUpdate, ContactQuery, ContactUpdate, MessageKey, PrivacyToken, Store,
    Timestamp,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, text};

fn named(jid: Jid, full: Option<&str>, push: Option<&str>) -> Change {
    let mut update = ContactUpdate::new(jid);
    update.full_name = full.map(str::to_owned);
    update.push_name = push.map(str::to_owned);
    Change::PutContact(Box::new(update))
}

pub(crate) async fn contacts_report_what_changed(store: &dyn Store) {
    let first = commit(store, [named(bob(), Some("Bob"), None)]).await;
    assert_eq!(first.contacts_changed, [bob()]);
    let same = commit(store, [named(bob(), Some("Bob"), None), named(bob(), None, None)]).await;
    assert!(same.contacts_changed.is_empty());
    let other = commit(store, [named(bob(), None, Some("bobby"))]).await;
    assert_eq!(other.contacts_changed, [bob()]);
    let contact = store.contact(&bob().with_device(2)).await.unwrap().unwrap();
    assert_eq!((contact.name(), contact.push_name.as_deref()), (Some("Bob"), Some("bobby")));
    assert_eq!(store.contact(&ada()).await.unwrap(), None);
}

pub(crate) async fn several_people_are_looked_up_by_whichever_name_was_asked(store: &dyn Store) {
    commit(
        store,
        [
            Change::LearnLid { phone: ada(), lid: ada_lid() },
            named(ada(), Some("Ada"), None),
            named(bob(), Some("Bob"), None),
        ],
    )
    .await;
    let stranger = Jid::phone("15550300");
    let asked = [ada(), ada_lid().with_device(3), stranger];
    let found = store.contacts_of(&asked).await.unwrap();
    assert_eq!(found.len(), 2, "who was not asked for or is not known is missing");
    for jid in &asked[..2] {
        assert_eq!(found[jid], store.contact(jid).await.unwrap().unwrap());
        assert_eq!((found[jid].name(), &found[jid].phone), (Some("Ada"), &Some(ada())));
    }
}

pub(crate) async fn contacts_are_found_by_any_name_or_number(store: &dyn Store) {
    commit(
        store,
        [
            Change::LearnLid { phone: ada(), lid: ada_lid() },
            named(ada(), Some("Ada Løvelace"), Some("countess")),
            named(bob(), None, Some("Bob")),
            named(Jid::phone("15550300"), None, None),
        ],
    )
    .await;
    let mut update = ContactUpdate::new(ada());
    update.username = Some("analytical.engine".to_owned());
    commit(store, [Change::PutContact(Box::new(update))]).await;
    let find = async |text: &str| {
        let mut query = ContactQuery::default();
        query.text = Some(text.to_owned());
        let found = store.contacts(&query).await.unwrap();
        found.into_iter().map(|contact| contact.jid).collect::<Vec<_>>()
    };
    assert_eq!(find("love ada").await, [ada_lid()]);
    assert_eq!(find("COUNTESS").await, [ada_lid()]);
    assert_eq!(find("5550100").await, [ada_lid()]);
    assert_eq!(find("1555").await, [ada_lid(), Jid::phone("15550300")]);
    assert_eq!(find("analytical").await, [ada_lid()]);
    let named = store.contact(&ada()).await.unwrap().unwrap();
    assert_eq!(named.username.as_deref(), Some("analytical.engine"));
    assert_eq!(named.name(), Some("Ada Løvelace"), "a name that says more comes first");
    assert_eq!(find("nobody").await, []);
    let all = store.contacts(&ContactQuery::default()).await.unwrap();
    let order: Vec<_> = all.into_iter().map(|contact| contact.jid).collect();
    assert_eq!(order, [ada_lid(), bob(), Jid::phone("15550300")]);
}

pub(crate) async fn chats_stand_pinned_first_then_by_their_last_message(store: &dyn Store) {
    let mut pin = ChatUpdate::new(group());
    pin.name = Some("Family".to_owned());
    pin.pinned_at = Some(Some(at(0)));
    commit(
        store,
        [
            archive(text(&ada(), "A", 5, "older by time")),
            archive(text(&bob(), "B", 9, "newer by time")),
            archive(text(&ada(), "C", 7, "committed last")),
            Change::PutChat(Box::new(pin)),
        ],
    )
    .await;
    let chats = store.chats(&ChatQuery::default()).await.unwrap();
    let order: Vec<_> = chats.iter().map(|chat| chat.jid.clone()).collect();
    assert_eq!(order, [group(), bob(), ada()]);
    assert_eq!(chats[2].last_message.map(|(seq, at)| (seq.0, at)), Some((3, at(7))));
    assert_eq!(chats[2].phone, Some(ada()));
    let mut second = ChatQuery::default();
    (second.offset, second.limit) = (1, 1);
    assert_eq!(store.chats(&second).await.unwrap(), chats[1..2]);
    commit(store, [Change::DeleteMessage(text(&ada(), "C", 7, "").key)]).await;
    let chat = store.chat(&ada()).await.unwrap().unwrap();
    assert_eq!(chat.last_message.map(|(seq, _)| seq.0), Some(1));
}

pub(crate) async fn chats_are_filtered(store: &dyn Store) {
    let mut hide = ChatUpdate::new(bob());
    (hide.archived, hide.unread) = (Some(true), Some(0));
    hide.muted_until = Some(Some(at(99)));
    hide.ephemeral_secs = Some(Some(86_400));
    let mut mark = ChatUpdate::new(group());
    mark.marked_unread = Some(true);
    commit(
        store,
        [
            archive(text(&ada(), "A", 5, "unread")),
            archive(text(&bob(), "B", 9, "read")),
            Change::PutChat(Box::new(hide)),
            Change::PutChat(Box::new(mark)),
            named(bob(), Some("Bób"), None),
        ],
    )
    .await;
    let find = async |change: &dyn Fn(&mut ChatQuery)| {
        let mut query = ChatQuery::default();
        change(&mut query);
        let found = store.chats(&query).await.unwrap();
        found.into_iter().map(|chat| chat.jid).collect::<Vec<_>>()
    };
    assert_eq!(find(&|query| query.archived = Some(true)).await, [bob()]);
    assert_eq!(find(&|query| query.archived = Some(false)).await, [ada(), group()]);
    assert_eq!(find(&|query| query.unread_only = true).await, [ada(), group()]);
    assert_eq!(find(&|query| query.text = Some("bob".to_owned())).await, [bob()]);
    assert_eq!(find(&|query| query.text = Some("15550100".to_owned())).await, [ada()]);
    let chat = store.chat(&bob()).await.unwrap().unwrap();
    assert_eq!((chat.muted_until, chat.ephemeral_secs), (Some(at(99)), Some(86_400)));
    let mut loud = ChatUpdate::new(bob());
    loud.muted_until = Some(None);
    commit(store, [Change::PutChat(Box::new(loud))]).await;
    let chat = store.chat(&bob()).await.unwrap().unwrap();
    assert_eq!((chat.muted_until, chat.archived), (None, true));
}

pub(crate) async fn secrets_and_tokens_are_found_under_both_names(store: &dyn Store) {
    let key = MessageKey::received(ada(), ada(), "A");
    let token = PrivacyToken { token: [1; 8].into(), timestamp: at(1), issued_at: Some(at(2)) };
    commit(
        store,
        [
            Change::PutMessageSecret { key: key.clone(), secret: [2; 32].into() },
            Change::PutPrivacyToken { jid: ada(), token: token.clone() },
            Change::PutNctSalt(Some([3; 4].into())),
            Change::LearnLid { phone: ada(), lid: ada_lid() },
        ],
    )
    .await;
    let by_lid = MessageKey::received(ada_lid(), ada_lid().with_device(1), "A");
    let secret = store.message_secret(&by_lid).await.unwrap().unwrap();
    assert_eq!((secret.sender, secret.secret), (ada(), [2; 32].into()));
    assert_eq!(store.privacy_token(&ada_lid()).await.unwrap(), Some(token.clone()));
    assert_eq!(store.privacy_token(&ada()).await.unwrap(), Some(token));
    assert_eq!(store.nct_salt().await.unwrap(), Some([3; 4].into()));
    commit(store, [Change::DeletePrivacyToken(ada()), Change::PutNctSalt(None)]).await;
    assert_eq!(store.privacy_token(&ada_lid()).await.unwrap(), None);
    assert_eq!(store.nct_salt().await.unwrap(), None);
}

pub(crate) async fn the_timer_set_last_counts(store: &dyn Store) {
    let set = |chat: Jid, seconds: u32, set_at: Option<i64>| {
        let mut update = ChatUpdate::new(chat);
        update.ephemeral_secs = Some(Some(seconds).filter(|seconds| *seconds != 0));
        update.ephemeral_set_at = set_at.map(at);
        Change::PutChat(Box::new(update))
    };
    let timer = async || {
        let chat = store.chat(&bob()).await.unwrap().unwrap();
        (chat.ephemeral_secs, chat.ephemeral_set_at)
    };
    commit(store, [set(bob(), 3600, Some(5)), set(bob(), 60, Some(4))]).await;
    assert_eq!(timer().await, (Some(3600), Some(at(5))));
    commit(store, [set(bob(), 0, Some(6))]).await;
    assert_eq!(timer().await, (None, Some(at(6))));
    commit(store, [set(bob(), 60, None)]).await;
    assert_eq!(timer().await, (Some(60), Some(at(6))));
    let learn = Change::LearnLid { phone: ada(), lid: ada_lid() };
    commit(store, [set(ada(), 90, Some(9)), set(ada_lid(), 60, Some(8)), learn]).await;
    assert_eq!(store.chat(&ada()).await.unwrap().unwrap().ephemeral_secs, Some(90));
}

pub(crate) async fn tokens_are_forgotten_after_four_weeks_unless_one_was_given_since(
    store: &dyn Store,
) {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    let token = |timestamp, issued_at: Option<i64>| PrivacyToken {
        token: [1; 8].into(),
        timestamp: Timestamp::from_secs(timestamp),
        issued_at: issued_at.map(Timestamp::from_secs),
    };
    commit(
        store,
        [
            Change::PutPrivacyToken { jid: ada(), token: token(10 * WEEK + 5, None) },
            Change::PutPrivacyToken { jid: bob(), token: token(5, Some(11 * WEEK)) },
        ],
    )
    .await;
    commit(store, [Change::Upkeep { now: Timestamp::from_secs(14 * WEEK - 1) }]).await;
    assert!(store.privacy_token(&ada()).await.unwrap().is_some(), "good to the week's end");
    commit(store, [Change::Upkeep { now: Timestamp::from_secs(14 * WEEK) }]).await;
    assert!(store.privacy_token(&ada()).await.unwrap().is_none());
    assert!(store.privacy_token(&bob()).await.unwrap().is_some(), "one was given to them since");
}
