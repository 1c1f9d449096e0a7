//! Real sockets of this machine: the WebSocket to a simulated server, and what other servers than
//! that one say.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use wa_client::{
    Client, ClientVersion, ConnectError, ConnectTarget, Connector, DisconnectReason, Event,
    EventStream, VersionError, VersionSource, WebPageVersion, WebSocketConnector,
};
use wa_proto::request::Ping;
use wa_sim::{Sim, SimConfig};
use wa_store::{MemoryStore, Store};

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

/// The next event that `pick` takes.
async fn next<T>(events: &mut EventStream, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    let found = timeout(LIMIT, async {
        loop {
            if let Some(found) = pick(&events.next().await.unwrap()) {
                return found;
            }
        }
    });
    found.await.unwrap()
}

fn disconnected(event: &Event) -> Option<DisconnectReason> {
    match event {
        Event::Disconnected { reason } => Some(reason.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn a_device_is_linked_and_logs_in_over_a_websocket() {
    let sim = Sim::new(SimConfig::seeded(1).starting_at(1_780_000_000));
    let phone = sim.add_account("15550100", "Ada").unwrap();
    let serving = sim.serve(LOOPBACK).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let build = || {
        Client::builder(Arc::clone(&store))
            .server(&serving.ws_url)
            .noise_root(serving.noise_root)
            .clock(wa_client::Clock::starting_at(sim.now()))
            .version_source(None)
            .build()
    };
    let client = build().await.unwrap();
    let mut events = client.events();
    client.connect().unwrap();
    let code = next(&mut events, |event| match event {
        Event::Qr { code, .. } => Some(code.clone()),
        _ => None,
    });
    phone.scan_qr(&code.await).unwrap();
    client.wait_until_connected(LIMIT).await.unwrap();
    assert_eq!(client.request(&Ping).await, Ok(()));
    client.disconnect().await;

    let again = build().await.unwrap();
    again.connect().unwrap();
    again.wait_until_connected(LIMIT).await.unwrap();
    assert_eq!(again.jid(), client.jid());
}

async fn refused_address(url: &str) -> &'static str {
    match WebSocketConnector::new().connect(&ConnectTarget::new(url)).await {
        Err(ConnectError::Address(reason)) => reason,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn without_tls_no_other_machine_is_spoken_to() {
    for url in ["ws://192.0.2.1/ws/chat", "ws://web.whatsapp.com/", "ws://127.0.0.1.example.com/"] {
        assert!(refused_address(url).await.contains("TLS"), "{url}");
    }
    for url in ["http://127.0.0.1/", "127.0.0.1:9", "", "wss:///"] {
        refused_address(url).await;
    }
}

/// A client of whatever listens there.
async fn client_of(listener: &TcpListener) -> (Client, EventStream) {
    let client = Client::builder(Arc::new(MemoryStore::new()))
        .server(format!("ws://{}/ws/chat", listener.local_addr().unwrap()))
        .version_source(None)
        .build()
        .await
        .unwrap();
    let events = client.events();
    client.connect().unwrap();
    (client, events)
}

/// Reads the head of an HTTP request.
async fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    head
}

#[tokio::test]
async fn a_server_that_answers_with_another_status_is_tried_again_later() {
    for (status, shortest) in [(503, Duration::from_secs(1)), (429, Duration::from_secs(30))] {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let (_client, mut events) = client_of(&listener).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let reason = next(&mut events, disconnected).await;
        assert_eq!(reason, DisconnectReason::HttpStatus(status));
        let delay = next(&mut events, |event| match event {
            Event::Reconnecting { delay, .. } => Some(*delay),
            _ => None,
        });
        assert!(delay.await >= shortest, "{status}");
    }
}

/// A client, and the server's side of its WebSocket.
async fn over_websocket() -> (Client, EventStream, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let (client, events) = client_of(&listener).await;
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_binary());
    (client, events, socket)
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection() {
    let (_client, mut events, mut socket) = over_websocket().await;
    // The client need not read it to its end.
    let _ = socket.send(Message::binary(vec![0; (32 << 20) + 1])).await;
    assert_eq!(next(&mut events, disconnected).await, DisconnectReason::ConnectionLost);
}

#[tokio::test]
async fn a_frame_too_long_for_a_handshake_ends_the_connection() {
    let (_client, mut events, mut socket) = over_websocket().await;
    socket.send(Message::binary(vec![0xff; 4096])).await.unwrap();
    assert_eq!(next(&mut events, disconnected).await, DisconnectReason::Protocol);
}

#[tokio::test]
async fn text_is_no_word_of_the_protocol_and_ends_the_connection() {
    let (_client, mut events, mut socket) = over_websocket().await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut events, disconnected).await, DisconnectReason::ConnectionLost);
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_tried_again() {
    let (_client, mut events, mut socket) = over_websocket().await;
    socket.close(None).await.unwrap();
    assert_eq!(next(&mut events, disconnected).await, DisconnectReason::ConnectionLost);
    next(&mut events, |event| matches!(event, Event::Reconnecting { .. }).then_some(())).await;
}

/// A page that is served to everybody who asks, by an answer's bytes from head to end.
async fn page(answer: impl Into<String>) -> WebPageVersion {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = answer.into().replace("{here}", &url);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    WebPageVersion::at(url)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_version_is_found_in_a_page() {
    let body = format!("{}\"client_revision\":1040000000,{}", " ".repeat(300_000), "x".repeat(9));
    let found = page(ok(&body)).await.current().await.unwrap();
    assert_eq!(found, ClientVersion([2, 3000, 1_040_000_000]));
}

#[tokio::test]
async fn the_page_is_asked_for_as_by_a_browser_whose_address_was_typed() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let source = WebPageVersion::at(format!("http://{}/", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = read_request(&mut stream).await;
        stream.write_all(ok("\"client_revision\":7,").as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap().to_ascii_lowercase()
    });
    source.current().await.unwrap();
    let asked = server.await.unwrap();
    assert!(asked.contains("\r\nsec-fetch-site: none\r\n"), "{asked}");
    assert!(asked.contains("\r\nuser-agent: mozilla/5.0 "), "{asked}");
}

#[tokio::test]
async fn the_version_is_found_across_the_pieces_in_which_a_page_comes() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let source = WebPageVersion::at(format!("http://{}/", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        read_request(&mut stream).await;
        for piece in ok("...\"client_revision\":1040000000,...").as_bytes().chunks(7) {
            stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(source.current().await.unwrap(), ClientVersion([2, 3000, 1_040_000_000]));
    server.abort();
}

#[tokio::test]
async fn a_page_without_a_version_says_so() {
    let result = page(ok("nothing here")).await.current().await;
    assert!(matches!(result, Err(VersionError::NotFound)), "{result:?}");
    let result = page(ok("\"client_revision\":")).await.current().await;
    assert!(matches!(result, Err(VersionError::NotFound)), "{result:?}");
}

#[tokio::test]
async fn a_page_without_an_end_is_not_read_for_ever() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let source = WebPageVersion::at(format!("http://{}/", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut sent = 0_usize;
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {
            sent += 1 << 16;
        }
        sent
    });
    let result = source.current().await;
    assert!(matches!(result, Err(VersionError::NotFound)), "{result:?}");
    let sent = timeout(LIMIT, server).await.unwrap().unwrap();
    // What lies in the buffers of both sockets was sent too.
    assert!(sent < 32 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn a_page_that_fails_or_leads_in_circles_is_an_error() {
    for answer in [
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: {here}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "this is not HTTP\r\n\r\n",
    ] {
        let result = timeout(LIMIT, page(answer).await.current()).await.unwrap();
        assert!(matches!(result, Err(VersionError::Fetch(_))), "{answer}: {result:?}");
    }
    let nobody = WebPageVersion::at("http://127.0.0.1:1/").current().await;
    assert!(matches!(nobody, Err(VersionError::Fetch(_))), "{nobody:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_never_comes_is_given_up() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let source = WebPageVersion::at(format!("http://{}/", listener.local_addr().unwrap()));
    let result = timeout(LIMIT, source.current()).await.unwrap();
    assert!(matches!(result, Err(VersionError::Fetch(_))), "{result:?}");
}
