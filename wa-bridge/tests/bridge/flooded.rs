//! Neighbours that connect and say nothing, or take what others need.

use tokio::{io::AsyncWriteExt, net::TcpStream};
use wa_bridge::{Bridge, Caller, api::Status};

use crate::support::{World, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_over_tcp_stop_neither_the_socket_nor_the_account() {
    let world = World::linked().await;
    let (_owner, address) = world.listening().await;
    let mut idle = Vec::new();
    for _ in 0..178 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
        idle.push(stream);
    }
    let guest = world.person().await;
    assert!(!guest.is_owner().await);
    assert!(guest.call(Status::default()).await.unwrap().account.is_some());
    drop(idle);
    let stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(stream, "GET", "/healthz", "", b"").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_so_many_streams_of_events_are_open_at_a_time() {
    let world = World::linked().await;
    let owner = world.person().await;
    let mut streams = Vec::new();
    let begin = async || {
        let mut stream = tokio::net::UnixStream::connect(world.socket()).await.unwrap();
        let head = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut status).await.unwrap();
        (stream, String::from_utf8(status.to_vec()).unwrap())
    };
    for _ in 0..64 {
        let (stream, status) = begin().await;
        assert_eq!(status, "HTTP/1.1 200");
        streams.push(stream);
    }
    assert_eq!(begin().await.1, "HTTP/1.1 503");
    assert!(owner.call(Status::default()).await.unwrap().account.is_some());
    drop(streams);
    crate::support::until("a place", async || (begin().await.1 == "HTTP/1.1 200").then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_listen_is_no_reason_to_serve_no_account() {
    let world = World::linked().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = world.options(Caller::assistant("wa-mcp"));
    options.health = Some(taken.local_addr().unwrap());
    options.health_is_needed = false;
    let bridge = Bridge::open(options).await.unwrap();
    assert!(bridge.call(Status::default()).await.is_ok());
    assert_eq!(bridge.health_address().await, None);
    let mut elsewhere = world.options(Caller::assistant("wa-mcp"));
    elsewhere.health = Some("0.0.0.0:0".parse().unwrap());
    elsewhere.health_is_needed = false;
    bridge.close().await.unwrap();
    assert!(Bridge::open(elsewhere).await.is_err(), "an address of others is still refused");
}
