//! Status posts: to whom they go, who reads them, and for how long they stay.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod parties;

use std::time::Duration;

use parties::{Party, settle, simulation};
use wa_client::{Event, Repair};
use wa_proto::Jid;
use wa_sim::{FaultPlan, Sim, StatusAudience};
use wa_store::{Change, Changes, ContactUpdate};

/// Ada, and Bob and Carol, whom she has in her address book.
async fn ada_and_her_contacts(sim: &Sim) -> (Party, Party, Party) {
    let ada = Party::join(sim, "15550100", "Ada").await;
    let bob = Party::join(sim, "15550200", "Bob").await;
    let carol = Party::join(sim, "15550300", "Carol").await;
    for (person, name) in [(&bob, "Bob"), (&carol, "Carol")] {
        let mut contact = ContactUpdate::new(person.phone.jid());
        contact.full_name = Some(name.into());
        ada.store.commit(Changes::from(Change::PutContact(Box::new(contact)))).await.unwrap();
    }
    (ada, bob, carol)
}

async fn posts(party: &Party) -> Vec<String> {
    party.texts(&Jid::status()).await
}

fn phone_posts(party: &Party) -> Vec<String> {
    let posts = party.phone.messages().into_iter().filter(|post| post.chat.is_status());
    posts.filter_map(|post| post.text).collect()
}

#[tokio::test(start_paused = true)]
async fn a_post_reaches_the_contacts_and_the_own_devices_and_nobody_else() {
    let sim = simulation(1);
    let (ada, mut bob, carol) = ada_and_her_contacts(&sim).await;
    let stranger = Party::join(&sim, "15550400", "Dan").await;
    let sent = ada.client.post_status("sailing today").await.unwrap();
    let message = bob.message().await;
    assert_eq!((message.chat, message.id.as_str()), (Jid::status(), sent.id.as_str()));
    assert_eq!(message.sender, ada.phone.lid());
    ada.client.post_status("and tomorrow").await.unwrap();
    settle().await;
    for party in [&ada, &bob, &carol] {
        assert_eq!(posts(party).await, ["sailing today", "and tomorrow"]);
        assert_eq!(phone_posts(party), ["sailing today", "and tomorrow"]);
        assert_eq!(party.stats().acks_owed, 0);
    }
    assert!(posts(&stranger).await.is_empty() && phone_posts(&stranger).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_phone_posts_is_archived_with_the_one_who_posted_it() {
    let sim = simulation(2);
    let (mut ada, bob, _carol) = ada_and_her_contacts(&sim).await;
    // They have written to each other, so that the phone knows them.
    bob.client.send(ada.phone.jid(), "hello").await.unwrap();
    ada.message().await;
    bob.phone.send_text(&Jid::status(), "from my phone").unwrap();
    let message = ada.message().await;
    assert_eq!((message.chat, message.sender), (Jid::status(), bob.phone.lid()));
    settle().await;
    assert_eq!(posts(&bob).await, ["from my phone"], "it is on the own companion as well");
}

#[tokio::test(start_paused = true)]
async fn a_post_goes_to_nobody_from_whom_the_user_hides_it() {
    let sim = simulation(3);
    let (ada, bob, carol) = ada_and_her_contacts(&sim).await;
    ada.client.post_status("for both").await.unwrap();
    ada.phone.set_status_audience(StatusAudience::Except(vec![carol.phone.jid()]));
    ada.client.post_status("for Bob").await.unwrap();
    ada.phone.set_status_audience(StatusAudience::Only(vec![carol.phone.jid()]));
    ada.client.post_status("for Carol").await.unwrap();
    settle().await;
    assert_eq!(posts(&bob).await, ["for both", "for Bob"]);
    assert_eq!(posts(&carol).await, ["for both", "for Carol"]);
    assert_eq!(posts(&ada).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_left_out_cannot_read_later_posts_with_the_key_of_earlier_ones() {
    let sim = simulation(4);
    let (ada, bob, carol) = ada_and_her_contacts(&sim).await;
    ada.client.post_status("for both").await.unwrap();
    let own = ada.client.lid().unwrap();
    let before = ada.store.sender_key(&Jid::status(), &own).await.unwrap();
    ada.phone.set_status_audience(StatusAudience::Only(vec![bob.phone.jid()]));
    ada.client.post_status("for Bob").await.unwrap();
    let after = ada.store.sender_key(&Jid::status(), &own).await.unwrap();
    let id = |record: Option<wa_store::SecretBytes>| {
        wa_signal::SenderKeyRecord::from_bytes(record.unwrap().as_bytes()).unwrap().key_id()
    };
    assert_ne!(id(before), id(after));
    settle().await;
    assert_eq!(posts(&carol).await, ["for both"]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_post_is_healed() {
    let sim = simulation(5);
    let (ada, mut bob, _carol) = ada_and_her_contacts(&sim).await;
    let mut plan = FaultPlan::default();
    plan.corrupt = wa_sim::Chance::times(6);
    sim.set_faults(plan);
    ada.client.post_status("hard to read").await.unwrap();
    let by = bob
        .until(|event| match event {
            Event::MessageRepaired { by, .. } => Some(*by),
            Event::Message(_) => Some(Repair::Retry),
            _ => None,
        })
        .await;
    assert!(matches!(by, Repair::Retry | Repair::Phone));
    settle().await;
    assert_eq!(posts(&bob).await, ["hard to read"]);
}

#[tokio::test(start_paused = true)]
async fn a_post_is_gone_after_a_day() {
    let sim = simulation(6);
    let (ada, mut bob, _carol) = ada_and_her_contacts(&sim).await;
    ada.client.post_status("only today").await.unwrap();
    bob.message().await;
    let kept = bob.archive(&Jid::status()).await;
    assert_eq!(kept[0].expires_at, Some(kept[0].timestamp.plus_secs(24 * 60 * 60)));
    tokio::time::sleep(Duration::from_secs(25 * 60 * 60)).await;
    for party in [&ada, &bob] {
        assert!(posts(party).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_names_no_devices_and_says_who_sees_it_and_a_deletion_does_not() {
    let sim = simulation(7);
    let (ada, bob, carol) = ada_and_her_contacts(&sim).await;
    sim.listen();
    let post = ada.client.post_status("for both").await.unwrap();
    ada.phone.set_status_audience(StatusAudience::Except(vec![carol.phone.jid()]));
    ada.client.post_status("for Bob").await.unwrap();
    let first = ada.archive(&Jid::status()).await.remove(0).key;
    assert_eq!(first.id.as_str(), post.id.as_str());
    ada.client.revoke(&first).await.unwrap();
    settle().await;
    let heard = sim.heard(&ada.client.jid().unwrap());
    let stanzas: Vec<_> = heard.into_iter().filter(|stanza| stanza.tag == "message").collect();
    let setting = |stanza: &wa_proto::OwnedNode| {
        let meta = stanza.find("meta")?;
        Some(meta.attrs.text("status_setting")?.into_owned())
    };
    let settings: Vec<_> = stanzas.iter().map(setting).collect();
    assert_eq!(settings, [Some("contacts".into()), Some("denylist".into()), None]);
    for stanza in &stanzas {
        assert!(stanza.attrs.value("phash").is_none());
        assert!(stanza.attrs.value("addressing_mode").is_none());
    }
    assert_eq!(posts(&bob).await, ["for Bob"]);
}
