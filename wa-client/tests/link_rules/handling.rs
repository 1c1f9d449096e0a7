//! One answer for each stanza, in order, and none for what was not dealt with.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use wa_client::{Event, State};
use wa_proto::{Jid, Node, OwnedNode, request::Ping};

use crate::script::{
    NOW,
    moody_store::{MoodyStore, POISONED},
    scripted_over,
};

fn message(id: impl ToString, from: &str) -> OwnedNode {
    Node::new("message")
        .attr("id", id.to_string())
        .attr("from", Jid::phone(from))
        .attr("type", "text")
        .attr("t", NOW)
}

fn ids(heard: &[OwnedNode]) -> Vec<String> {
    let ids = heard.iter().filter(|node| node.tag != "iq");
    ids.map(|node| node.attrs.text("id").unwrap().into_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stanza_whose_handling_is_cut_off_stays_unanswered_until_it_comes_again() {
    let store = MoodyStore::new();
    let (mut server, _client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    store.hold();
    line.say(message("1", "15550199")).await;
    assert_eq!(line.hear_all().await, []);
    line.say(Node::new("stream:error").attr("code", "515")).await;
    let mut next = server.accept().await;
    assert_eq!(line.hear_next().await, None);
    store.release();
    next.log_in().await;
    assert_eq!(next.hear_all().await, []);
    next.say(message("1", "15550199")).await;
    assert_eq!(ids(&next.hear_all().await), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_answers_what_was_dealt_with_and_nothing_else() {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    line.say(message("1", "15550199")).await;
    assert_eq!(ids(&[line.hear().await]), ["1"]);
    store.hold();
    line.say(message("2", "15550199")).await;
    sleep(Duration::from_secs(1)).await;
    client.disconnect().await;
    assert_eq!(line.hear_next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_refuses_its_stanza_once_and_the_connection_lives() {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    line.say(message("1", POISONED)).await;
    line.say(message("2", "15550199")).await;
    let heard = line.hear_all().await;
    assert_eq!(ids(&heard), ["1", "2"]);
    assert!(heard[0].attrs.is("class", "message") && heard[0].attrs.is("error", "500"));
    assert_eq!(client.state(), State::Connected);
    // The lane of the stanza is free again.
    line.say(message("3", "15550199")).await;
    assert_eq!(ids(&line.hear_all().await), ["3"]);
}

/// Which of two people's messages are answered while those of the first cannot be kept.
async fn answered_beside_a_slow_one(quiet: Duration) -> Vec<String> {
    let store = MoodyStore::new();
    let (mut server, _client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    for _ in 0..quiet.as_secs() / 20 {
        sleep(Duration::from_secs(20)).await;
        line.say(Node::new("ib")).await;
    }
    line.hear_all().await;
    store.hold();
    line.say(message("1", "15550199")).await;
    // Its handler panics before it would keep anything.
    line.say(message("2", POISONED)).await;
    ids(&line.hear_all().await)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_tells_the_end_of_the_backlog_does_not_slow_the_client_for_ever() {
    let none: [&str; 0] = [];
    assert_eq!(answered_beside_a_slow_one(Duration::ZERO).await, none);
    assert_eq!(answered_beside_a_slow_one(Duration::from_secs(80)).await, ["2"]);
}

/// More than a client may take in while none is dealt with.
const FLOOD: usize = 6_000;

#[tokio::test(start_paused = true)]
async fn a_full_queue_stops_the_reading_keeps_the_order_and_lets_answers_through() {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let before = line.written.load(Ordering::SeqCst);
    store.hold();
    for id in 0..FLOOD {
        line.say(message(id, "15550199")).await;
    }
    sleep(Duration::from_secs(5)).await;
    let taken = line.written.load(Ordering::SeqCst) - before;
    // The queue, the lanes, and what lies in the pipe.
    assert!((2_048..4_500).contains(&taken), "{taken} stanzas were taken in");

    // An answer that lies behind them all gets through.
    let asking = client.clone();
    let request = tokio::spawn(async move { asking.request(&Ping).await });
    let ping = line.hear().await;
    line.answer(&ping, None).await;
    let answer = timeout(Duration::from_secs(10), request).await.unwrap().unwrap();
    assert_eq!(answer, Ok(()));

    store.release();
    let heard = line.hear_all().await;
    let expected: Vec<_> = (0..FLOOD).map(|id| id.to_string()).collect();
    assert_eq!(ids(&heard), expected);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_to_deal_with_a_flood_does_not_take_it_for_silence() {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let mut events = client.events();
    store.hold();
    for id in 0..FLOOD {
        line.say(message(id, "15550199")).await;
    }
    // One stanza in a minute, for ten minutes, and no time to read.
    for _ in 0..10 {
        sleep(Duration::from_secs(59)).await;
        store.release_one();
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(client.state(), State::Connected);
    store.release();
    let mut answered = Vec::new();
    while answered.len() < FLOOD {
        let heard = line.hear_all().await;
        assert!(!heard.is_empty(), "{} answers came", answered.len());
        answered.extend(ids(&heard));
    }
    while let Some(event) = events.try_next() {
        assert!(!matches!(event, Event::Disconnected { .. }), "{event:?}");
    }
}
