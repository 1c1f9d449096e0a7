//! Whom to trust, and how long to wait after which end.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use wa_client::{ConnectRefusal, DisconnectReason, Event, EventStream, State};
use wa_crypto::PublicKey;
use wa_noise::Validity;
use wa_proto::Node;
use wa_store::{MemoryStore, Store};

use crate::script::{Line, NOW, Server, VALID, asked, link, scripted};

const OVER: Validity = Validity { not_before: NOW - 1000, not_after: NOW - 1 };
const TO_COME: Validity = Validity { not_before: NOW + 1, not_after: NOW + 1000 };

#[tokio::test(start_paused = true)]
async fn a_server_without_a_valid_certificate_is_left_for_good() {
    let stranger = PublicKey::from_bytes([7; 32]);
    for (intermediate, leaf, root) in [
        (OVER, VALID, None),
        (TO_COME, VALID, None),
        (VALID, OVER, None),
        (VALID, TO_COME, None),
        (VALID, VALID, Some(stranger)),
    ] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        link(store.as_ref()).await;
        let mut server = Server::certified(intermediate, leaf);
        server.root = root.unwrap_or(server.root);
        let client = server.client(Arc::clone(&store), 1).await;
        let mut events = client.events();
        client.connect().unwrap();
        assert!(!server.is_trusted().await, "{intermediate:?} {leaf:?} {root:?}");
        let reason = DisconnectReason::UntrustedServer;
        assert_eq!(events.next().await, Some(Event::Disconnected { reason }));
        let reason = ConnectRefusal::UntrustedServer;
        assert_eq!(events.next().await, Some(Event::ConnectFailure { reason }));
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        assert_eq!((client.state(), server.waiting()), (State::Stopped, 0));
        // The device stays linked: the next attempt may meet the right server.
        assert!(store.account().await.unwrap().unwrap().is_linked());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_with_a_valid_certificate_is_told_who_comes() {
    let server = Server::new();
    let client = server.client(Arc::new(MemoryStore::new()), 1).await;
    client.connect().unwrap();
    let mut server = server;
    assert!(server.is_trusted().await);
}

async fn next_delay(events: &mut EventStream) -> Duration {
    loop {
        if let Some(Event::Reconnecting { delay, .. }) = events.next().await {
            return delay;
        }
    }
}

/// Serves a login and refuses its last step as too frequent.
async fn refuse_login(line: &mut Line) {
    line.succeed().await;
    loop {
        let request = line.hear().await;
        if asked(&request) == "active" {
            return line.refuse(&request, "429").await;
        }
        line.serve(&request).await;
    }
}

/// The shortest delay that a rate limit leaves: half a minute, with all the luck of the jitter.
const PENALTY: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn a_rate_limit_slows_reconnects_also_after_a_connection_that_lasted() {
    let (mut server, client, _) = scripted(true).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    refuse_login(&mut line).await;
    assert!(next_delay(&mut events).await >= PENALTY);

    let mut line = server.accept().await;
    line.log_in().await;
    sleep(Duration::from_secs(40)).await;
    drop(line);
    assert!(next_delay(&mut events).await >= PENALTY, "a login made the rate limit forgotten");

    // In time it is forgotten.
    let mut line = server.accept().await;
    line.log_in().await;
    for _ in 0..11 {
        sleep(Duration::from_secs(30)).await;
        line.say(Node::new("ib")).await;
    }
    drop(line);
    assert!(next_delay(&mut events).await <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_for_its_rate_slows_reconnects() {
    let (mut server, client, _) = scripted(true).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    line.log_in().await;
    line.say(Node::new("stream:error").attr("code", "429")).await;
    assert!(next_delay(&mut events).await >= PENALTY);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_cancels_the_wait_for_the_next_attempt() {
    let (mut server, client, _) = scripted(true).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    refuse_login(&mut line).await;
    next_delay(&mut events).await;
    assert_eq!(client.state(), State::Waiting);
    let started = tokio::time::Instant::now();
    client.disconnect().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!((client.state(), server.waiting()), (State::Idle, 0));
    // And a later wish to connect is carried out at once.
    let started = tokio::time::Instant::now();
    client.connect().unwrap();
    server.accept().await.log_in().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_asks_for_a_restart_does_not_get_one_connection_after_the_other() {
    let (mut server, _client, _) = scripted(true).await;
    let started = tokio::time::Instant::now();
    let mut at = Vec::new();
    while started.elapsed() < Duration::from_secs(600) {
        let mut line = server.accept().await;
        at.push(started.elapsed());
        line.succeed().await;
        line.say(Node::new("stream:error").attr("code", "515")).await;
    }
    // The first restart is at once, as after linking; the second waits.
    assert!(at[1] < Duration::from_millis(100), "{at:?}");
    assert!(at[2] - at[1] >= Duration::from_secs(1), "{at:?}");
    assert!(at.len() <= 30, "{at:?}");
}
