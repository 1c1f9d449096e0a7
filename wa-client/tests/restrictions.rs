//! Tokens that let people write, and what keeps an account from writing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use handmade::{ack, acquainted, all_said, content, device, said, send_without_ack};
use parties::{Party, ada_and_bob, settle};
use wa_client::{AccountEvent, Error, Event, Restriction, SendState};
use wa_crypto::hmac_sha256;
use wa_store::{Change, OutboxState, SendFailure};

const WEEK: u64 = 7 * 24 * 60 * 60;

fn restricted(event: &Event) -> Option<(Restriction, Option<u64>)> {
    match event {
        Event::AccountRestricted { code: 463, restriction, until } => {
            Some((restriction.clone(), *until))
        }
        _ => None,
    }
}

fn given(party: &Party) -> usize {
    all_said(party, "iq").iter().filter(|iq| iq.find("tokens").is_some()).count()
}

#[tokio::test(start_paused = true)]
async fn a_time_lock_is_explained_with_its_end_and_the_message_is_not_sent_again() {
    let (sim, mut ada, bob) = ada_and_bob(501).await;
    settle().await;
    sim.listen();
    let until = sim.now() + 3600;
    ada.phone.set_timelock(Some(until));
    assert_eq!(ada.until(restricted).await.1, Some(until), "the server tells by itself");
    let refused = ada.client.send(bob.phone.jid(), "hello, stranger").await;
    let Err(error @ Error::AccountRestricted { .. }) = refused else { panic!("{refused:?}") };
    let Error::AccountRestricted { restriction } = &error else { panic!() };
    let kind = "BIZ_QUALITY".to_owned();
    assert_eq!(*restriction, Restriction::Timelock { kind, until: Some(until) });
    assert!(error.to_string().contains(&until.to_string()), "{error}");
    assert_eq!(ada.until(restricted).await.1, Some(until));
    assert_eq!(ada.client.restriction().await.unwrap().as_ref(), Some(restriction));
    ada.line.cut();
    ada.connected().await;
    settle().await;
    assert_eq!(all_said(&ada, "message").len(), 1);
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    // It ends by itself, and is not told any more.
    tokio::time::sleep(std::time::Duration::from_secs(3601)).await;
    assert_eq!(ada.client.restriction().await.unwrap(), None);
    ada.client.send(bob.phone.jid(), "hello at last").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_restriction_that_is_lifted_is_told() {
    let (sim, mut ada, _bob) = ada_and_bob(502).await;
    settle().await;
    ada.phone.set_timelock(Some(sim.now() + 3600));
    ada.until(restricted).await;
    ada.phone.set_timelock(None);
    let lifted = |event: &Event| match event {
        Event::Account(AccountEvent::RestrictionLifted) => Some(()),
        _ => None,
    };
    ada.until(lifted).await;
    assert_eq!(ada.client.restriction().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn the_cap_on_new_chats_is_explained_with_its_numbers() {
    let (sim, ada, bob) = ada_and_bob(503).await;
    settle().await;
    let ends = sim.now() + 86_400;
    ada.phone.set_message_cap(0, ends);
    let refused = ada.client.send(bob.phone.jid(), "one too many").await;
    let Err(Error::AccountRestricted { restriction }) = refused else { panic!("{refused:?}") };
    assert_eq!(restriction, Restriction::MessageCap { used: 0, total: 0, until: Some(ends) });
    assert_eq!(ada.client.check_restriction().await.unwrap(), Some(restriction));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_restriction_means_that_the_person_did_not_permit_it() {
    let (_sim, ada, bob) = ada_and_bob(504).await;
    settle().await;
    bob.phone.demand_tokens(true);
    let refused = ada.client.send(bob.phone.jid(), "may I?").await;
    let Err(Error::AccountRestricted { restriction }) = refused else { panic!("{refused:?}") };
    assert_eq!(restriction, Restriction::NotPermitted);
    assert_eq!(ada.client.check_restriction().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_explains_is_still_told() {
    let (sim, mut ada, bob) = ada_and_bob(505).await;
    ada.client.send(bob.phone.jid(), "first").await.unwrap();
    settle().await;
    let id = send_without_ack(&ada, &bob.phone.jid(), "second").await;
    let waiting = ada.client.clone();
    let (to, same) = (bob.phone.jid(), wa_proto::MessageId::new(id.as_str()).unwrap());
    let waiting = tokio::spawn(async move { waiting.send(to, "second").with_id(same).await });
    settle().await;
    let mut plan = wa_sim::FaultPlan::default();
    plan.drop_incoming = wa_sim::Chance::with_probability(1.0);
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id).attr("error", "463"));
    sim.set_faults(plan);
    let failed = |event: &Event| match event {
        Event::SendStatus { state: SendState::Failed { reason }, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(ada.until(failed).await, SendFailure::Restricted);
    let entry = ada.store.outbox_entry(&id.as_str().into()).await.unwrap().unwrap();
    assert_eq!(entry.state, OutboxState::Failed(SendFailure::Restricted), "before it is explained");
    assert_eq!(ada.until(restricted).await.0, Restriction::Unknown);
    let refused = waiting.await.unwrap();
    assert!(matches!(refused, Err(Error::AccountRestricted { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stanza_that_is_refused_for_its_form_forgets_what_was_stale_and_is_not_sent_again() {
    let (sim, ada, bob) = acquainted(506).await;
    let id = send_without_ack(&ada, &bob.phone.jid(), "odd").await;
    assert!(ada.store.device_list(&bob.phone.lid()).await.unwrap().is_some());
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id).attr("error", "479"));
    settle().await;
    assert!(ada.store.device_list(&bob.phone.lid()).await.unwrap().is_none());
    let same = wa_proto::MessageId::new(id.as_str()).unwrap();
    let refused = ada.client.send(bob.phone.jid(), "odd").with_id(same).await;
    assert!(matches!(refused, Err(Error::StanzaRefused)), "{refused:?}");
    assert_eq!(said(&ada, "message", &id).len(), 1);
    ada.client.send(bob.phone.jid(), "even").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_that_somebody_gave_lets_this_account_write_to_them() {
    let (sim, ada, bob) = ada_and_bob(507).await;
    settle().await;
    bob.phone.demand_tokens(true);
    let give =
        wa_proto::request::IssuePrivacyTokens { to: vec![ada.phone.lid()], timestamp: sim.now() };
    bob.client.request(&give).await.unwrap();
    settle().await;
    ada.client.send(bob.phone.jid(), "with your leave").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_salted_lid_stands_in_for_it_and_never_beside_one() {
    let (sim, ada, bob) = ada_and_bob(508).await;
    settle().await;
    sim.listen();
    bob.phone.demand_tokens(true);
    let salt = vec![7; 32];
    ada.phone.set_nct_salt(salt.clone());
    ada.store.commit(Change::PutNctSalt(Some(salt.clone().into())).into()).await.unwrap();
    let id = ada.client.send(bob.phone.jid(), "we never met").await.unwrap().id;
    let sent = said(&ada, "message", id.as_str()).remove(0);
    let expected = hmac_sha256(&salt, &[bob.phone.lid().to_string().as_bytes()]);
    assert_eq!(content(sent.find("cstoken").unwrap()), expected);
    bob.client.send(ada.phone.jid(), "now we did").await.unwrap();
    settle().await;
    let id = ada.client.send(bob.phone.jid(), "indeed").await.unwrap().id;
    let sent = said(&ada, "message", id.as_str()).remove(0);
    assert!(sent.find("cstoken").is_none() && sent.find("tctoken").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_token_past_its_four_weeks_is_not_shown_and_is_forgotten() {
    let (sim, ada, bob) = acquainted(509).await;
    let put = |weeks: u64| {
        let at = sim.now() - weeks * WEEK;
        let at = wa_store::Timestamp::from_secs(i64::try_from(at).unwrap());
        let token = wa_store::PrivacyToken {
            token: b"given".to_vec().into(),
            timestamp: at,
            issued_at: Some(at),
        };
        Change::PutPrivacyToken { jid: bob.phone.lid(), token }
    };
    let shown =
        |id: &wa_proto::MessageId| said(&ada, "message", id.as_str())[0].find("tctoken").is_some();
    ada.store.commit(put(3).into()).await.unwrap();
    assert!(shown(&ada.client.send(bob.phone.jid(), "in time").await.unwrap().id));
    settle().await;
    ada.store.commit(put(4).into()).await.unwrap();
    assert!(!shown(&ada.client.send(bob.phone.jid(), "too late").await.unwrap().id));
    settle().await;
    ada.store.commit(put(4).into()).await.unwrap();
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert!(ada.store.privacy_token(&bob.phone.lid()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_given_again_after_a_restart_to_people_who_gave_none() {
    let (sim, ada, bob) = ada_and_bob(510).await;
    settle().await;
    sim.listen();
    ada.client.send(bob.phone.jid(), "one").await.unwrap();
    settle().await;
    assert_eq!(given(&ada), 1);
    let kept = ada.store.privacy_token(&bob.phone.lid()).await.unwrap().unwrap();
    assert!(kept.token.is_empty() && kept.issued_at.is_some());
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    ada.client.send(bob.phone.jid(), "two").await.unwrap();
    settle().await;
    assert_eq!(given(&ada), 1);
}

#[tokio::test(start_paused = true)]
async fn two_first_messages_at_once_give_one_token() {
    let (sim, ada, bob) = ada_and_bob(511).await;
    settle().await;
    sim.listen();
    let (one, two) =
        (ada.client.send(bob.phone.jid(), "one"), ada.client.send(bob.phone.jid(), "two"));
    let (one, two) = tokio::join!(one.into_future(), two.into_future());
    one.unwrap();
    two.unwrap();
    settle().await;
    assert_eq!(given(&ada), 1);
}
