//! What the user sets of the account, what people show, whom the user blocks; and what the server
//! restricts and marks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use handmade::{acquainted, all_said, content, device, notification, said};
use parties::{Party, ada_and_bob, settle};
use wa_client::{
    AccountEvent, ContactEvent, Error, Event, PrivacyKind, PrivacyValue, ProfilePicture,
    StatusAudience,
};
use wa_proto::{Jid, Node, OwnedNode};
use wa_store::{Change, PrivacyToken};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

fn account_event(event: &Event) -> Option<AccountEvent> {
    match event {
        Event::Account(told) => Some(told.clone()),
        _ => None,
    }
}

fn contact_event(event: &Event) -> Option<ContactEvent> {
    match event {
        Event::Contact(told) => Some(told.clone()),
        _ => None,
    }
}

fn asked(party: &Party, xmlns: &str) -> Vec<OwnedNode> {
    all_said(party, "iq").into_iter().filter(|iq| iq.attrs.is("xmlns", xmlns)).collect()
}

// Privacy.

#[tokio::test(start_paused = true)]
async fn every_privacy_setting_is_known_after_the_login_and_kept_by_notices() {
    let (_sim, mut ada, _bob) = ada_and_bob(401).await;
    settle().await;
    let settings = ada.client.privacy().settings().await.unwrap();
    assert_eq!(settings.iter().count(), 10);
    assert_eq!(settings.of(PrivacyKind::LastSeen), Some(&PrivacyValue::All));
    assert!(ada.phone.set_privacy("last", "none"));
    let (kind, value) = (PrivacyKind::LastSeen, PrivacyValue::Nobody);
    assert_eq!(
        ada.until(account_event).await,
        AccountEvent::PrivacyChanged { kind, value: value.clone() }
    );
    let settings = ada.client.privacy().settings().await.unwrap();
    assert_eq!(settings.of(kind), Some(&value));
}

#[tokio::test(start_paused = true)]
async fn a_privacy_setting_that_is_changed_here_counts_at_once_and_for_all_devices() {
    let (_sim, ada, _bob) = ada_and_bob(402).await;
    settle().await;
    ada.client.privacy().set(PrivacyKind::ReadReceipts, PrivacyValue::Nobody).await.unwrap();
    assert_eq!(ada.phone.privacy("readreceipts").as_deref(), Some("none"));
    let settings = ada.client.privacy().settings().await.unwrap();
    assert_eq!(settings.of(PrivacyKind::ReadReceipts), Some(&PrivacyValue::Nobody));
    let wrong = ada.client.privacy().set(PrivacyKind::Online, PrivacyValue::Nobody).await;
    assert!(matches!(wrong, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn what_was_played_is_told_unless_the_user_does_not_tell() {
    let (sim, mut ada, bob) = ada_and_bob(403).await;
    settle().await;
    sim.listen();
    let mut kinds = Vec::new();
    for value in [PrivacyValue::All, PrivacyValue::Nobody] {
        ada.client.privacy().set(PrivacyKind::ReadReceipts, value).await.unwrap();
        bob.client.send(ada.phone.jid(), "listen").await.unwrap();
        let id = ada.message().await.id;
        let id = wa_proto::MessageId::new(id).unwrap();
        let id = std::slice::from_ref(&id);
        ada.client.mark_played(&bob.phone.jid(), id).await.unwrap();
        settle().await;
        let receipts = said(&ada, "receipt", id[0].as_str());
        let kind = receipts.last().unwrap().attrs.text("type").unwrap().into_owned();
        kinds.push(kind);
    }
    assert_eq!(kinds, ["played", "played-self"]);
}

#[tokio::test(start_paused = true)]
async fn the_audience_of_status_posts_is_asked_for() {
    let (_sim, ada, bob) = ada_and_bob(404).await;
    let audience = || async { ada.client.privacy().status_audience().await.unwrap() };
    assert_eq!(audience().await, StatusAudience::Contacts);
    ada.phone.set_status_audience(wa_sim::StatusAudience::Only(vec![bob.phone.jid()]));
    assert_eq!(audience().await, StatusAudience::Only(vec![bob.phone.lid()]));
    ada.phone.set_status_audience(wa_sim::StatusAudience::Except(vec![bob.phone.jid()]));
    assert_eq!(audience().await, StatusAudience::ContactsExcept(vec![bob.phone.lid()]));
}

// Profile.

#[tokio::test(start_paused = true)]
async fn the_about_text_is_set_read_and_told_to_others() {
    let (_sim, mut ada, bob) = acquainted(405).await;
    bob.client.profile().set_about("at the harbour").await.unwrap();
    assert_eq!(bob.phone.about(), "at the harbour");
    let told = ada.until(contact_event).await;
    let ContactEvent::AboutChanged { user, about, .. } = told else { panic!("{told:?}") };
    assert_eq!((user, about.as_str()), (bob.phone.lid(), "at the harbour"));
    assert_eq!(bob.client.profile().about().await.unwrap().unwrap().text, "at the harbour");
    let long = "x".repeat(140);
    let refused = bob.client.profile().set_about(long).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_set_found_known_and_taken_away() {
    let (_sim, mut ada, bob) = acquainted(406).await;
    let (ada_sees, bobs) = (ada.client.profile(), bob.client.profile());
    let of = bob.phone.jid();
    assert_eq!(ada_sees.picture(&of).await.unwrap(), ProfilePicture::NotSet);
    let id = bobs.set_picture(JPEG).await.unwrap().unwrap();
    assert_eq!(bob.phone.picture().as_deref(), Some(JPEG));
    let told = ada.until(contact_event).await;
    let ContactEvent::PictureChanged { of: whose, id: told, .. } = told else { panic!() };
    assert_eq!((whose, told.as_ref()), (bob.phone.lid(), Some(&id)));
    let ProfilePicture::Set(found) = ada_sees.picture(&of).preview().await.unwrap() else {
        panic!()
    };
    assert_eq!(found.id.as_str(), id);
    assert!(found.url.contains(&id));
    let known = ada_sees.picture(&of).unless(id.clone()).await.unwrap();
    assert_eq!(known, ProfilePicture::Unchanged);
    bobs.remove_picture().await.unwrap();
    assert_eq!(bob.phone.picture(), None);
    let told = ada.until(contact_event).await;
    assert!(matches!(told, ContactEvent::PictureChanged { id: None, .. }));
    let refused = bobs.set_picture(b"a gif".to_vec()).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

async fn keep_token(party: &Party, of: &Jid, bytes: &[u8]) {
    let now = wa_store::Timestamp::from_secs(i64::try_from(party.sim.now()).unwrap());
    let token = PrivacyToken { token: bytes.to_vec().into(), timestamp: now, issued_at: None };
    let put = Change::PutPrivacyToken { jid: of.clone(), token };
    party.store.commit(put.into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn others_pictures_are_asked_for_with_their_token_and_ones_own_never() {
    let (_sim, ada, bob) = acquainted(407).await;
    bob.phone.set_picture(Some(JPEG.to_vec()));
    ada.phone.set_picture(Some(JPEG.to_vec()));
    keep_token(&ada, &bob.phone.lid(), b"theirs").await;
    keep_token(&ada, &ada.phone.lid(), b"never").await;
    for of in [bob.phone.jid(), ada.phone.jid(), ada.phone.lid()] {
        let found = ada.client.profile().picture(&of).await.unwrap();
        assert!(matches!(found, ProfilePicture::Set(_)), "{found:?}");
    }
    let asked = asked(&ada, "w:profile:picture");
    let token = |iq: &OwnedNode| iq.find("picture")?.find("tctoken").map(content);
    assert_eq!(token(&asked[0]), Some(b"theirs".to_vec()));
    assert_eq!((token(&asked[1]), token(&asked[2])), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_not_shown_is_hidden_and_not_an_error() {
    let (_sim, ada, bob) = acquainted(408).await;
    bob.phone.set_picture(Some(JPEG.to_vec()));
    bob.phone.set_privacy("profile", "none");
    let found = ada.client.profile().picture(&bob.phone.jid()).await.unwrap();
    assert_eq!(found, ProfilePicture::Hidden);
}

#[tokio::test(start_paused = true)]
async fn a_business_says_what_it_is() {
    let (_sim, mut ada, bob) = acquainted(409).await;
    assert!(ada.client.profile().business(&bob.phone.jid()).await.unwrap().is_none());
    bob.phone.set_business("Boats and ropes");
    let told = ada.until(contact_event).await;
    assert_eq!(told, ContactEvent::BusinessChanged { user: bob.phone.lid() });
    let business = ada.client.profile().business(&bob.phone.jid()).await.unwrap().unwrap();
    assert_eq!(business.description.as_deref(), Some("Boats and ropes"));
    assert_eq!((business.categories.len(), business.websites.len()), (1, 1));
    assert_eq!(business.hours[0].opens, Some(540));
}

#[tokio::test(start_paused = true)]
async fn the_timer_of_new_chats_is_asked_for_once_and_kept_by_notices() {
    let (sim, mut ada, _bob) = ada_and_bob(410).await;
    let profile = ada.client.profile();
    assert_eq!(profile.disappearing_timer().await.unwrap(), 0);
    ada.phone.set_disappearing_timer(86_400);
    let told = ada.until(account_event).await;
    assert_eq!(told, AccountEvent::DisappearingTimerChanged { seconds: 86_400 });
    sim.listen();
    assert_eq!(profile.disappearing_timer().await.unwrap(), 86_400);
    assert!(asked(&ada, "usync").is_empty());
    profile.set_disappearing_timer(604_800).await.unwrap();
    assert_eq!(profile.disappearing_timer().await.unwrap(), 604_800);
    let odd = profile.set_disappearing_timer(5).await;
    assert!(matches!(odd, Err(Error::InvalidInput(_))));
}

// People.

#[tokio::test(start_paused = true)]
async fn numbers_in_any_notation_are_looked_up_in_the_order_they_were_asked() {
    let (_sim, ada, bob) = ada_and_bob(411).await;
    let numbers = ["+1 (555) 0200", "001 555 9999", "1-555-0100"];
    let found = ada.client.people().on_whatsapp(numbers).await.unwrap();
    let jids: Vec<_> = found.iter().map(|found| found.jid.clone()).collect();
    assert_eq!(jids, [Some(bob.phone.jid()), None, Some(ada.phone.jid())]);
    assert_eq!(found[0].lid, Some(bob.phone.lid()));
    assert_eq!(found[1].asked, "001 555 9999");
    let refused = ada.client.people().on_whatsapp(["0555 0200"]).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn many_numbers_are_asked_about_in_parts() {
    let (sim, ada, _bob) = ada_and_bob(412).await;
    settle().await;
    sim.listen();
    let numbers = (0..600).map(|number| format!("1555{number:07}"));
    let found = ada.client.people().on_whatsapp(numbers).await.unwrap();
    assert_eq!(found.len(), 600);
    assert_eq!(asked(&ada, "usync").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_people_show_is_told_with_both_of_their_names() {
    let (_sim, ada, bob) = ada_and_bob(413).await;
    bob.phone.set_about("at sea");
    bob.phone.set_business("Boats");
    bob.phone.set_username("bob.at.sea");
    let picture = bob.phone.set_picture(Some(JPEG.to_vec()));
    let infos = ada.client.people().info(&[bob.phone.jid()]).await.unwrap();
    let info = &infos[0];
    assert_eq!(
        (info.phone.clone(), info.lid.clone()),
        (Some(bob.phone.jid()), Some(bob.phone.lid()))
    );
    assert_eq!(info.jid, bob.phone.lid());
    assert_eq!(info.devices.len(), 2);
    assert_eq!(info.about.as_ref().unwrap().text, "at sea");
    assert_eq!(info.picture_id, picture);
    assert_eq!(info.verified_name.as_deref(), Some("Bob"));
    assert_eq!(info.username.as_deref(), Some("bob.at.sea"));
    let contact = ada.store.contact(&bob.phone.jid()).await.unwrap().unwrap();
    assert_eq!(contact.username.as_deref(), Some("bob.at.sea"), "it is kept");
    assert_eq!(info.disappearing_timer, Some(0));
    let refused = ada.client.people().info(&[Jid::group("1")]).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn somebody_is_blocked_by_lid_with_their_number_beside_it() {
    let (_sim, ada, bob) = acquainted(414).await;
    let people = ada.client.people();
    people.block(&bob.phone.jid()).await.unwrap();
    assert_eq!(ada.phone.blocked(), [bob.phone.jid()]);
    assert_eq!(people.blocked().await.unwrap(), [bob.phone.lid()]);
    let asked = asked(&ada, "blocklist");
    let item = asked.last().unwrap().find("item").unwrap();
    assert_eq!(item.attrs.jid("jid"), Some(bob.phone.lid()));
    assert_eq!(item.attrs.jid("pn_jid"), Some(bob.phone.jid()));
    people.unblock(&bob.phone.lid()).await.unwrap();
    assert!(ada.phone.blocked().is_empty());
    assert!(people.blocked().await.unwrap().is_empty());
    let refused = people.block(&Jid::group("1")).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn whom_another_device_blocks_is_told_and_a_list_that_disagrees_is_asked_for_again() {
    let (sim, mut ada, bob) = acquainted(415).await;
    ada.phone.set_blocked(&bob.phone.jid(), true);
    let person = bob.phone.lid();
    let told = AccountEvent::Blocked { person: person.clone(), is_blocked: true };
    assert_eq!(ada.until(account_event).await, told);
    assert_eq!(ada.client.people().blocked().await.unwrap(), vec![person.clone()]);
    assert!(asked(&ada, "blocklist").is_empty(), "the notice says it all");
    let item = Node::new("item").attr("jid", Jid::lid("99")).attr("action", "block");
    let list = Node::new("blocklist").attr("dhash", "b").attr("prev_dhash", "a").child(item);
    let odd = notification(&ada.phone.jid(), "account_sync", "77").child(list);
    sim.deliver(&device(&ada), odd);
    settle().await;
    assert_eq!(asked(&ada, "blocklist").len(), 1);
    assert_eq!(ada.client.people().blocked().await.unwrap(), [person]);
}

#[tokio::test(start_paused = true)]
async fn ones_own_picture_changed_elsewhere_is_told() {
    let (_sim, mut ada, _bob) = ada_and_bob(416).await;
    let companion = ada.client.jid().unwrap();
    ada.sim.deliver(
        &companion,
        notification(&ada.phone.jid(), "account_sync", "5").child(Node::new("picture")),
    );
    assert_eq!(ada.until(account_event).await, AccountEvent::PictureChanged);
    settle().await;
    assert_eq!(ada.stats().acks_owed, 0);
}

// Login duties.

#[tokio::test(start_paused = true)]
async fn the_servers_settings_are_kept_and_only_what_changed_is_asked_for() {
    let (sim, ada, _bob) = ada_and_bob(417).await;
    settle().await;
    let setting = |party: &Party| {
        let client = party.client.clone();
        async move { client.server_setting("9666").await.unwrap() }
    };
    assert_eq!(setting(&ada).await.as_deref(), Some("0"));
    sim.set_server_setting("9666", "1");
    sim.listen();
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert_eq!(setting(&ada).await.as_deref(), Some("1"));
    assert_eq!(ada.client.server_setting("10518").await.unwrap().as_deref(), Some("0"));
    let question = asked(&ada, "abt").remove(0);
    assert!(question.find("props").unwrap().attrs.value("hash").is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_marked_as_changed_is_asked_for_and_only_then_cleaned() {
    let (sim, ada, _bob) = ada_and_bob(418).await;
    settle().await;
    ada.client.disconnect().await;
    ada.phone.mark_dirty("account_sync");
    ada.phone.mark_dirty("groups");
    ada.phone.mark_dirty("novelty");
    let number = ada.client.jid().unwrap().device;
    assert_eq!(ada.phone.dirty(number), ["account_sync", "groups", "novelty"]);
    sim.listen();
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert_eq!(ada.phone.dirty(number), ["novelty"], "of what is not kept the mark stays");
    let said = all_said(&ada, "iq");
    let clean = said.iter().position(|iq| iq.attrs.is("xmlns", "urn:xmpp:whatsapp:dirty"));
    let asked = said.iter().position(|iq| iq.attrs.is("xmlns", "privacy"));
    assert!(asked.unwrap() < clean.unwrap());
    assert!(all_said(&ada, "ib").iter().any(|ib| ib.find("unified_session").is_some()));
}
