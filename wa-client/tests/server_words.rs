//! What the client does at single words of the server, said by a server that follows a script.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use prost::Message;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use wa_client::{Client, Clock, ConnectError, ConnectTarget, Connector, Event, State, Wire};
use wa_crypto::KeyPair;
use wa_noise::{
    CertificateAuthority, FrameDecoder, HeaderDecoder, Opener, Prologue, Sealer, ServerHandshake,
    ServerReply, Validity, encode_frame,
};
use wa_proto::{Jid, Node, OwnedNode, node::read, pb::ClientPayload};
use wa_store::{Account, AdvSecret, Change, MemoryStore, Store, Timestamp};

const NOW: u64 = 1_780_000_000;

#[derive(Debug)]
struct MemoryConnector(mpsc::UnboundedSender<DuplexStream>);

#[async_trait]
impl Connector for MemoryConnector {
    async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
        let (near, far) = tokio::io::duplex(1 << 16);
        self.0.send(far).map_err(|error| ConnectError::Unreachable(error.into()))?;
        Ok(Wire::from_stream(near))
    }
}

/// The server's side: its keys, and the connections that come.
struct Server {
    keys: KeyPair,
    chain: Vec<u8>,
    rng: ChaCha20Rng,
    lines: mpsc::UnboundedReceiver<DuplexStream>,
}

/// One connection, seen from the server.
struct Line {
    stream: DuplexStream,
    frames: FrameDecoder,
    sealer: Sealer,
    opener: Opener,
    routing_info: Option<Vec<u8>>,
    payload: ClientPayload,
}

impl Server {
    async fn accept(&mut self) -> Line {
        let mut stream = self.lines.recv().await.unwrap();
        let mut decoder = HeaderDecoder::new();
        let (header, mut frames) = loop {
            let mut chunk = vec![0; 4096];
            let read = stream.read(&mut chunk).await.unwrap();
            if let Some(opened) = decoder.push(&chunk[..read]).unwrap() {
                break opened;
            }
        };
        let hello = frame(&mut stream, &mut frames).await;
        let handshake =
            ServerHandshake::new(self.keys.clone(), self.chain.clone(), Prologue::CURRENT);
        let reply = handshake.receive(&hello, &mut self.rng).unwrap();
        let ServerReply::AwaitFinish { message, state } = reply else { panic!("a resumption") };
        stream.write_all(&encode_frame(&message).unwrap()).await.unwrap();
        let finish = frame(&mut stream, &mut frames).await;
        let accepted = state.receive(&finish).unwrap();
        let payload = ClientPayload::decode(accepted.client.payload.as_slice()).unwrap();
        let (sealer, opener) = accepted.transport.split();
        let routing_info = header.routing_info.map(|info| info.to_vec());
        Line { stream, frames, sealer, opener, routing_info, payload }
    }
}

async fn frame(stream: &mut DuplexStream, frames: &mut FrameDecoder) -> Vec<u8> {
    loop {
        if let Some(frame) = frames.next_frame().unwrap() {
            return frame.to_vec();
        }
        let mut chunk = vec![0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the client closed the connection");
        frames.push(&chunk[..read]);
    }
}

impl Line {
    async fn say(&mut self, node: OwnedNode) {
        let sealed = self.sealer.seal(&node.encode()).unwrap();
        self.stream.write_all(&encode_frame(&sealed).unwrap()).await.unwrap();
    }

    async fn hear(&mut self) -> OwnedNode {
        let frame = frame(&mut self.stream, &mut self.frames).await;
        read(&self.opener.open(&frame).unwrap()).unwrap()
    }

    /// What the client says in the next two seconds, pings aside.
    async fn hear_all(&mut self) -> Vec<OwnedNode> {
        let mut heard = Vec::new();
        while let Ok(node) = timeout(Duration::from_secs(2), self.hear()).await {
            heard.push(node);
        }
        heard
    }

    /// Says `<success>` and answers all requests of a login; gives back what was asked.
    async fn log_in(&mut self) -> Vec<String> {
        self.say(Node::new("success").attr("t", NOW).attr("lid", Jid::lid("9").with_device(3)))
            .await;
        let mut asked = Vec::new();
        loop {
            let node = self.hear().await;
            if node.tag == "ib" {
                return asked;
            }
            let child = node.nodes()[0].tag.clone().into_owned();
            let id = node.attrs.text("id").unwrap().into_owned();
            let kind = if child == "digest" { "error" } else { "result" };
            let answer = Node::new("iq").attr("type", kind).attr("id", id);
            let answer = match child.as_str() {
                "count" => answer.child(Node::new("count").attr("value", "0")),
                "digest" => answer.child(Node::new("error").attr("code", "501")),
                _ => answer,
            };
            // What follows the login proper has tests of its own.
            if child != "privacy" {
                asked.push(child);
            }
            self.say(answer).await;
        }
    }
}

async fn scripted(linked: bool) -> (Server, Client, Arc<dyn Store>) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let validity = Validity { not_before: NOW - 1000, not_after: NOW + 1_000_000 };
    let authority = CertificateAuthority::new(KeyPair::random(&mut rng), validity, &mut rng);
    let keys = KeyPair::random(&mut rng);
    let chain = authority.issue(&keys.public, validity, &mut rng);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    if linked {
        let (noise, identity) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
        let secret = AdvSecret::from_bytes([1; 32]);
        let mut account = Account::new(7, noise, identity, secret, Timestamp::MIN);
        account.jid = Some(Jid::phone("15550100").with_device(3));
        store.commit(Change::PutAccount(Box::new(account)).into()).await.unwrap();
    }
    let (sender, lines) = mpsc::unbounded_channel();
    let client = Client::builder(Arc::clone(&store))
        .noise_root(authority.root())
        .connector(Arc::new(MemoryConnector(sender)))
        .clock(Clock::starting_at(NOW))
        .version_source(None)
        .rng_seed(1)
        .build()
        .await
        .unwrap();
    client.connect().unwrap();
    (Server { keys, chain, rng, lines }, client, store)
}

#[tokio::test(start_paused = true)]
async fn a_success_before_the_device_is_linked_is_ignored() {
    let (mut server, client, _) = scripted(false).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    assert!(line.payload.device_pairing_data.is_some());
    line.say(Node::new("success").attr("t", NOW).attr("lid", Jid::lid("9"))).await;
    assert_eq!(line.hear_all().await, []);
    assert_eq!(client.state(), State::Pairing);
    let pair = Node::new("pair-device").child(Node::new("ref").bytes(b"2@abc".to_vec()));
    let iq = Node::new("iq").attr("type", "set").attr("id", "1").attr("from", Jid::server());
    line.say(iq.child(pair)).await;
    assert!(line.hear().await.attrs.is("type", "result"));
    assert!(matches!(events.next().await, Some(Event::Qr { .. })));
}

#[tokio::test(start_paused = true)]
async fn prekeys_come_before_active_and_active_before_anybody_is_told() {
    let (mut server, client, store) = scripted(true).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    assert_eq!(line.payload.username, Some(15_550_100));
    assert_eq!((line.payload.passive, line.payload.device), (Some(true), Some(3)));
    assert_eq!(client.state(), State::LoggingIn);
    let asked = line.log_in().await;
    assert_eq!(asked, ["rotate", "count", "registration", "digest", "active"]);
    assert_eq!(events.next().await, Some(Event::Connected));
    let account = store.account().await.unwrap().unwrap();
    assert_eq!(account.lid, Some(Jid::lid("9").with_device(3)));
    assert_eq!(store.lid_of(&Jid::phone("15550100")).await.unwrap(), Some(Jid::lid("9")));
}

#[tokio::test(start_paused = true)]
async fn the_edge_that_was_named_is_asked_for_the_next_time() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    assert_eq!(line.routing_info, None);
    line.log_in().await;
    let info = Node::new("routing_info").bytes(vec![8, 8, 9]);
    line.say(Node::new("ib").child(Node::new("edge_routing").child(info))).await;
    sleep(Duration::from_secs(1)).await;
    line.say(Node::new("stream:error").attr("code", "515")).await;
    assert_eq!(server.accept().await.routing_info, Some(vec![8, 8, 9]));
}

#[tokio::test(start_paused = true)]
async fn every_stanza_is_answered_once_whatever_it_is() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let from = Jid::phone("15550199");
    let stanza = |tag: &'static str, id: &'static str| {
        Node::new(tag).attr("id", id).attr("from", from.clone()).attr("t", NOW)
    };
    line.say(stanza("novelty", "1")).await;
    line.say(stanza("notification", "2").attr("type", "novelty")).await;
    line.say(stanza("notification", "3")).await;
    line.say(stanza("call", "4")).await;
    line.say(stanza("receipt", "5").attr("type", "novelty")).await;
    line.say(stanza("message", "6").attr("type", "text")).await;
    line.say(stanza("iq", "7").attr("type", "get").child(Node::new("novelty"))).await;
    let heard = line.hear_all().await;
    let mut answered: Vec<_> =
        heard.iter().map(|node| node.attrs.text("id").unwrap().into_owned()).collect();
    answered.sort();
    assert_eq!(answered, ["1", "2", "3", "4", "5", "6", "7"], "{heard:?}");
    let answer = |id: &str| heard.iter().find(|node| node.attrs.is("id", id)).unwrap();
    assert!(answer("1").attrs.is("error", "488"));
    assert!(answer("2").attrs.is("class", "notification"));
    assert!(answer("7").attrs.is("type", "result"));
}

#[tokio::test(start_paused = true)]
async fn the_backlog_is_asked_for_until_its_end_is_told() {
    let (mut server, client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let mut events = client.events();
    let preview = Node::new("offline_preview").attr("count", "150").attr("notification", "150");
    line.say(Node::new("ib").child(preview)).await;
    let is_batch = |node: &OwnedNode| node.find("offline_batch").is_some();
    assert!(is_batch(&line.hear().await));
    let mut acks = 0;
    for id in 0..150_u32 {
        let notification = Node::new("notification")
            .attr("id", id)
            .attr("from", Jid::server())
            .attr("type", "novelty")
            .attr("t", NOW)
            .attr("offline", "0");
        line.say(notification).await;
        if id == 99 {
            loop {
                match line.hear().await {
                    node if is_batch(&node) => break,
                    _ => acks += 1,
                }
            }
        }
    }
    line.say(Node::new("ib").child(Node::new("offline").attr("count", "150"))).await;
    let rest = line.hear_all().await;
    assert_eq!(acks + rest.len(), 150);
    assert!(
        matches!(events.next().await, Some(Event::OfflineSyncPreview(counts)) if counts.total == 150)
    );
    assert_eq!(events.next().await, Some(Event::OfflineSyncCompleted { count: 150 }));
}

#[tokio::test(start_paused = true)]
async fn what_an_old_connection_brought_is_not_answered_on_the_next() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    for id in 0..20_u32 {
        let call = Node::new("call").attr("id", id).attr("from", Jid::lid("1")).attr("t", NOW);
        line.say(call).await;
    }
    line.say(Node::new("stream:error").attr("code", "515")).await;
    let mut line = server.accept().await;
    let asked = line.log_in().await;
    assert_eq!(asked.last().map(String::as_str), Some("active"));
    assert_eq!(line.hear_all().await, []);
}
