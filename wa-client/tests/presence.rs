//! Presence and typing, both ways.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::time::Duration;

use handmade::{acquainted, all_said, content, device, notification};
use parties::{Party, ada_and_bob, settle};
use wa_client::{Error, Event, PresenceEvent, Typing};
use wa_proto::{Jid, Node, stanza::Activity};
use wa_store::Change;

/// The client in a new process, whose account has a name: one without cannot be available.
async fn named(party: Party) -> Party {
    let mut account = party.store.account().await.unwrap().unwrap();
    account.push_name = Some("Ada".to_owned());
    let stopped = party.restart(None).await;
    stopped.store.commit(Change::PutAccount(Box::new(account)).into()).await.unwrap();
    let mut party = stopped.restart(None).await;
    party.client.connect().unwrap();
    party.connected().await;
    party
}

async fn presence(party: &mut Party) -> PresenceEvent {
    party
        .until(|event| match event {
            Event::Presence(presence) => Some(presence.clone()),
            _ => None,
        })
        .await
}

fn subscriptions(party: &Party) -> Vec<wa_proto::OwnedNode> {
    let said = all_said(party, "presence");
    said.into_iter().filter(|node| node.attrs.is("type", "subscribe")).collect()
}

#[tokio::test(start_paused = true)]
async fn whoever_is_watched_is_told_of_under_the_lid_with_the_time_they_left() {
    let (sim, ada, bob) = ada_and_bob(301).await;
    let mut ada = named(ada).await;
    ada.client.set_available(true).await.unwrap();
    ada.client.subscribe_presence(&bob.phone.jid()).await.unwrap();
    assert!(!presence(&mut ada).await.is_available);
    bob.phone.set_available(true);
    let there = presence(&mut ada).await;
    assert!(there.is_available && there.last_seen.is_none());
    bob.phone.set_available(false);
    let gone = presence(&mut ada).await;
    assert_eq!((gone.is_available, gone.last_seen), (false, Some(sim.now())));
}

#[tokio::test(start_paused = true)]
async fn watching_goes_on_after_a_reconnect() {
    let (_sim, ada, bob) = ada_and_bob(302).await;
    let mut ada = named(ada).await;
    ada.client.set_available(true).await.unwrap();
    ada.client.subscribe_presence(&bob.phone.jid()).await.unwrap();
    presence(&mut ada).await;
    ada.line.cut();
    ada.connected().await;
    assert!(!presence(&mut ada).await.is_available);
    bob.phone.set_available(true);
    assert!(presence(&mut ada).await.is_available);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_shows_the_token_that_the_person_gave() {
    let (sim, ada, bob) = acquainted(303).await;
    let token = Node::new("token").attr("type", "trusted_contact").attr("t", sim.now() + 1);
    let tokens = Node::new("tokens").child(token.bytes(b"watch me".to_vec()));
    let given = notification(&bob.phone.jid(), "privacy_token", "1").child(tokens);
    sim.deliver(&device(&ada), given);
    settle().await;
    ada.client.subscribe_presence(&bob.phone.jid()).await.unwrap();
    settle().await;
    let asked = subscriptions(&ada).remove(0);
    assert_eq!(asked.attrs.jid("to"), Some(bob.phone.lid()));
    assert_eq!(content(asked.find("tctoken").unwrap()), b"watch me");
}

#[tokio::test(start_paused = true)]
async fn only_people_are_watched_and_only_so_many() {
    let (_sim, ada, _bob) = ada_and_bob(304).await;
    let group = ada.client.subscribe_presence(&Jid::group("1")).await;
    assert!(matches!(group, Err(Error::InvalidInput(_))));
    for user in 0..1000 {
        ada.client.subscribe_presence(&Jid::lid(user.to_string())).await.unwrap();
    }
    let one_more = ada.client.subscribe_presence(&Jid::lid("1000")).await;
    assert!(matches!(one_more, Err(Error::InvalidInput(_))));
    ada.client.subscribe_presence(&Jid::lid("7")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn typing_and_recording_are_seen_both_ways() {
    let (_sim, mut ada, bob) = ada_and_bob(305).await;
    let told = |event: &Event| match event {
        Event::ChatPresence(told) => Some(told.clone()),
        _ => None,
    };
    for (activity, typing) in [
        (Activity::Composing, Typing::Composing),
        (Activity::Recording, Typing::Recording),
        (Activity::Paused, Typing::Paused),
    ] {
        bob.phone.set_typing(&ada.phone.lid(), activity);
        let seen = ada.until(told).await;
        assert_eq!((seen.chat, seen.by), (bob.phone.lid(), bob.phone.lid()));
        assert_eq!(seen.typing, typing);
        ada.client.set_typing(&bob.phone.jid(), typing).await.unwrap();
        settle().await;
        let seen = bob.phone.activities().pop().unwrap();
        assert_eq!((seen.chat, seen.activity), (ada.phone.jid(), activity));
    }
}

#[tokio::test(start_paused = true)]
async fn typing_in_a_group_says_who_writes() {
    let (sim, mut ada, bob) = ada_and_bob(306).await;
    let group = sim.create_group("two", &[&ada.phone, &bob.phone]).unwrap();
    bob.phone.set_typing(&group, Activity::Composing);
    let seen = ada
        .until(|event| match event {
            Event::ChatPresence(told) => Some(told.clone()),
            _ => None,
        })
        .await;
    assert_eq!((seen.chat, seen.by), (group.clone(), bob.phone.lid()));
    ada.client.set_typing(&group, Typing::Recording).await.unwrap();
    settle().await;
    let seen = bob.phone.activities().pop().unwrap();
    assert_eq!((seen.chat, seen.by), (group, ada.phone.jid()));
}

#[tokio::test(start_paused = true)]
async fn typing_needs_a_connection_and_a_chat_where_it_shows() {
    let (_sim, ada, bob) = ada_and_bob(307).await;
    let status: Jid = "status@broadcast".parse().unwrap();
    let refused = ada.client.set_typing(&status, Typing::Composing).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
    ada.client.disconnect().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = ada.client.set_typing(&bob.phone.jid(), Typing::Composing).await;
    assert!(matches!(refused, Err(Error::NotConnected)));
}
