//! How the owner is, over TCP: for whoever watches it, and for nobody's web page.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use tokio::net::TcpStream;
use wa_bridge::{Bridge, Caller, Cause};
use wa_sim::FaultPlan;

use crate::support::{ANNA, BEN, World, arrives, exchange, refused, send, until};

/// A header with the token of the profile.
fn token(world: &World) -> String {
    format!("authorization: Bearer {}\r\n", world.http_token())
}

async fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    exchange(TcpStream::connect(address).await.unwrap(), "GET", path, headers, b"").await
}

async fn post(address: SocketAddr, path: &str, headers: &str, body: &Value) -> (u16, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    exchange(stream, "POST", path, headers, body.to_string().as_bytes()).await
}

async fn readiness(address: SocketAddr) -> (u16, Value) {
    let (status, answer) = get(address, "/readyz", "").await;
    (status, serde_json::from_str(&answer).unwrap())
}

/// The number of a sample.
fn sample(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_healthy_while_it_serves_and_ready_while_it_is_linked_and_connected() {
    let world = World::new().await;
    let (owner, address) = world.listening().await;
    assert_eq!(get(address, "/healthz", "").await, (200, "ok\n".into()));
    let (status, unlinked) = readiness(address).await;
    assert_eq!(
        (status, &unlinked["ready"], &unlinked["linked"]),
        (503, &json!(false), &json!(false))
    );

    world.link(&owner).await;
    let ready = until("ready", async || {
        let (status, ready) = readiness(address).await;
        (status == 200 && ready["caught_up"] == true).then_some(ready)
    })
    .await;
    assert_eq!((&ready["linked"], &ready["connected"]), (&json!(true), &json!(true)));
    assert!(ready["silent_for"].is_u64() && ready["outbox_pending"] == 0, "{ready}");
    assert!(ready["unreadable"] == 0 && ready["restriction"].is_null(), "{ready}");
    assert!(ready["troubles"] == json!([]) && ready["failed_tasks"] == 0, "{ready}");

    world.ada.unlink(world.device_id()).unwrap();
    let ended = until("unlinked", async || {
        let (status, ready) = readiness(address).await;
        (status == 503).then_some(ready)
    })
    .await;
    assert_eq!(ended["connected"], false, "{ended}");
    assert_eq!(get(address, "/healthz", "").await.0, 200, "it serves all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_not_ready() {
    let world = World::linked().await;
    let (_owner, address) = world.listening().await;
    until("ready", async || (readiness(address).await.0 == 200).then_some(())).await;
    let mut refusing = FaultPlan::default();
    refusing.refuse_connects = wa_sim::Chance::with_probability(1.0);
    refusing.close_after = Some(1);
    world.sim.set_faults(refusing);
    world.anna.send_text(&world.ada.jid(), "the last straw").unwrap();
    until("not ready", async || (readiness(address).await.0 == 503).then_some(())).await;
    world.sim.set_faults(FaultPlan::default());
    until("ready again", async || (readiness(address).await.0 == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count_what_was_sent_and_refused() {
    let world = World::linked().await;
    world.set_policy("[write]\nexcept = ['447700900103@c.us', '447700900103']");
    let (owner, address) = world.listening().await;
    let robot = world.assistant().await;
    send(&owner, ANNA, "one").await.unwrap();
    send(&robot, ANNA, "two").await.unwrap();
    refused(send(&robot, BEN, "three").await, Cause::ConfirmationRequired);
    refused(send(&owner, "447700900103", "four").await, Cause::Forbidden);
    arrives(&world.anna, "two").await;
    let (status, metrics) = get(address, "/metrics", &token(&world)).await;
    assert_eq!(status, 200);
    for (name, value) in [
        ("wa_linked", 1),
        ("wa_connected", 1),
        ("wa_problem", 0),
        ("wa_restricted", 0),
        ("wa_chats", 3),
        ("wa_drafts", 1),
        ("wa_placeholders", 0),
        ("wa_task_failures_total", 0),
        ("wa_unreadable_total{kind=\"frame\"}", 0),
        ("wa_sends_total", 2),
        ("wa_refusals_total{cause=\"forbidden\"}", 1),
        ("wa_refusals_total{cause=\"paced\"}", 0),
        ("wa_refusals_total{cause=\"unconfirmed\"}", 1),
    ] {
        assert_eq!(sample(&metrics, name), value, "{name}\n{metrics}");
    }
    assert!(sample(&metrics, "wa_messages") >= 6);
    assert!(sample(&metrics, "wa_silent_seconds") < 600);
    sample(&metrics, "wa_outbox_pending");
    for line in metrics.lines() {
        let is_comment = line.starts_with("# HELP wa_") || line.starts_with("# TYPE wa_");
        assert!(is_comment || line.starts_with("wa_"), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_there_are_no_calls_and_no_metrics() {
    let world = World::linked().await;
    let (_owner, address) = world.listening().await;
    let file = world.path("config/wa/default.http-token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let right = token(&world);
    let wrong = right.replace("Bearer ", "Bearer 0");
    for headers in ["", &wrong, "authorization: Bearer \r\n", &format!("{wrong}{right}")] {
        for path in ["/metrics", "/v1", "/v1/openapi.json", "/v1/events", "/v1/no/such"] {
            assert_eq!(get(address, path, headers).await.0, 401, "{path} {headers:?}");
        }
        let (status, _) = post(address, "/v1/account/status", headers, &json!({})).await;
        assert_eq!(status, 401, "{headers:?}");
    }
    let (status, answer) = post(address, "/v1/account/status", &right, &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"connected\":"), "{answer}");
    // Who says nothing else is an assistant here too.
    let request = json!({ "chat": BEN, "what": { "kind": "text", "text": "hi" } });
    assert_eq!(post(address, "/v1/messages/send", &right, &request).await.0, 428);
    assert_eq!(get(address, "/metrics", &right).await.0, 200);
    assert_eq!(get(address, "/nothing", &right).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_web_page_of_another_host_gets_through() {
    let world = World::new().await;
    let (_owner, address) = world.listening().await;
    let right = token(&world);
    for path in ["/healthz", "/readyz", "/metrics", "/v1", "/nothing"] {
        for host in ["evil.example", "localhost.evil.example:80", "10.0.0.7", ""] {
            let headers = format!("host: {host}\r\n{right}");
            let (status, _) = get(address, path, &headers).await;
            assert!(status == 421 || status == 400, "{path} {host:?}: {status}");
        }
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", "file://"] {
            let headers = format!("origin: {origin}\r\n{right}");
            assert_eq!(get(address, path, &headers).await.0, 403, "{path} {origin}");
        }
    }
    let (status, _) = get(address, "http://evil.example/healthz", "host: localhost\r\n").await;
    assert_eq!(status, 421);
    let ours = format!("host: 127.0.0.1:{}\r\norigin: http://localhost:3000\r\n", address.port());
    assert_eq!(get(address, "/healthz", &ours).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_is_listened_to() {
    let world = World::new().await;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut options = world.options(Caller::person("server"));
        options.health = Some(address.parse().unwrap());
        let failure = refused(Bridge::open(options).await, Cause::Usage);
        assert!(failure.message.contains("this machine"), "{failure}");
    }
    assert!(!world.path("config/wa/default.http-token").exists());
    assert!(world.person().await.is_owner().await, "the account is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_or_a_token_that_others_can_read_is_an_error() {
    let world = World::new().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = world.options(Caller::person("server"));
    options.health = Some(taken.local_addr().unwrap());
    refused(Bridge::open(options.clone()).await, Cause::Failed);
    let file = world.path("token");
    fs::write(&file, "a token of many characters".replace(' ', "-")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    options.health = Some("127.0.0.1:0".parse().unwrap());
    options.token_file = Some(file.clone());
    refused(Bridge::open(options.clone()).await, Cause::Usage);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = Bridge::open(options).await.unwrap();
    let address = owner.health_address().await.unwrap();
    let header = "authorization: Bearer a-token-of-many-characters\r\n";
    assert_eq!(get(address, "/metrics", header).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_owner_listens_where_the_last_one_did() {
    let world = World::linked().await;
    let (owner, address) = world.listening().await;
    let mut options = world.options(Caller::person("server"));
    options.health = Some(address);
    let guest = Bridge::open(options).await.unwrap();
    assert_eq!(guest.health_address().await, None);
    owner.close().await.unwrap();
    send(&guest, ANNA, "taken over").await.unwrap();
    assert_eq!(guest.health_address().await, Some(address));
    assert_eq!(get(address, "/healthz", "").await.0, 200);
    guest.close().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
