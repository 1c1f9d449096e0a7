//! A client of a server that follows a script, over memory and on a paused clock.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails, and not every test file uses every helper"
)]

#[path = "../hooked_store/mod.rs"]
pub mod hooked_store;
pub mod moody_store;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use prost::Message;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf},
    sync::mpsc,
    time::timeout,
};
use wa_client::{Client, Clock, ConnectError, ConnectTarget, Connector, Wire};
use wa_crypto::{KeyPair, PublicKey};
use wa_noise::{
    CertificateAuthority, FrameDecoder, HeaderDecoder, Opener, Prologue, Sealer,
    ServerAwaitingFinish, ServerHandshake, ServerReply, Validity, encode_frame,
};
use wa_proto::{Jid, Node, OwnedNode, node::read, pb::ClientPayload};
use wa_store::{Account, AdvSecret, Change, MemoryStore, Store, Timestamp};

pub const NOW: u64 = 1_780_000_000;

/// A validity in which [`NOW`] lies.
pub const VALID: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1_000_000 };

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
pub struct Server {
    pub root: PublicKey,
    keys: KeyPair,
    chain: Vec<u8>,
    rng: ChaCha20Rng,
    sender: mpsc::UnboundedSender<DuplexStream>,
    lines: mpsc::UnboundedReceiver<DuplexStream>,
}

/// One connection, seen from the server.
pub struct Line {
    stream: ReadHalf<DuplexStream>,
    frames: FrameDecoder,
    opener: Opener,
    sealer: Sealer,
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    /// How many of the frames that were said are with the network.
    pub written: Arc<AtomicUsize>,
    pub routing_info: Option<Vec<u8>>,
    pub payload: ClientPayload,
}

impl Server {
    /// A server with a certificate of these validities: the intermediate one's and its own.
    pub fn certified(intermediate: Validity, leaf: Validity) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let authority =
            CertificateAuthority::new(KeyPair::random(&mut rng), intermediate, &mut rng);
        let keys = KeyPair::random(&mut rng);
        let chain = authority.issue(&keys.public, leaf, &mut rng);
        let (sender, lines) = mpsc::unbounded_channel();
        Self { root: authority.root(), keys, chain, rng, sender, lines }
    }

    pub fn new() -> Self {
        Self::certified(VALID, VALID)
    }

    /// A client of this server, which does not connect yet.
    pub async fn client(&self, store: Arc<dyn Store>, seed: u64) -> Client {
        Client::builder(store)
            .noise_root(self.root)
            .connector(Arc::new(MemoryConnector(self.sender.clone())))
            .clock(Clock::starting_at(NOW))
            .version_source(None)
            .rng_seed(seed)
            .build()
            .await
            .unwrap()
    }

    /// The next connection, up to the client's first message.
    async fn greeted(&mut self) -> (DuplexStream, FrameDecoder, Option<Vec<u8>>, Vec<u8>) {
        let mut stream = self.lines.recv().await.unwrap();
        let mut decoder = HeaderDecoder::new();
        let (header, mut frames) = loop {
            let mut chunk = vec![0; 4096];
            let read = stream.read(&mut chunk).await.unwrap();
            if let Some(opened) = decoder.push(&chunk[..read]).unwrap() {
                break opened;
            }
        };
        let hello = frame(&mut stream, &mut frames).await.unwrap();
        (stream, frames, header.routing_info.map(|info| info.to_vec()), hello)
    }

    fn reply(&mut self, hello: &[u8]) -> (Vec<u8>, ServerAwaitingFinish) {
        let handshake =
            ServerHandshake::new(self.keys.clone(), self.chain.clone(), Prologue::CURRENT);
        let reply = handshake.receive(hello, &mut self.rng).unwrap();
        let ServerReply::AwaitFinish { message, state } = reply else { panic!("a resumption") };
        (encode_frame(&message).unwrap(), state)
    }

    /// Answers the next connection's first message; whether the client goes on after it.
    pub async fn is_trusted(&mut self) -> bool {
        let (mut stream, mut frames, _, hello) = self.greeted().await;
        let (message, _) = self.reply(&hello);
        stream.write_all(&message).await.unwrap();
        frame(&mut stream, &mut frames).await.is_some()
    }

    pub async fn accept(&mut self) -> Line {
        let (mut stream, mut frames, routing_info, hello) = self.greeted().await;
        let (message, state) = self.reply(&hello);
        stream.write_all(&message).await.unwrap();
        let finish = frame(&mut stream, &mut frames).await.unwrap();
        let accepted = state.receive(&finish).unwrap();
        let payload = ClientPayload::decode(accepted.client.payload.as_slice()).unwrap();
        let (sealer, opener) = accepted.transport.split();
        let (stream, mut writer) = tokio::io::split(stream);
        let (outgoing, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
        let written = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&written);
        tokio::spawn(async move {
            while let Some(frame) = queue.recv().await {
                if writer.write_all(&frame).await.is_err() {
                    break;
                }
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Line { stream, frames, opener, sealer, outgoing, written, routing_info, payload }
    }

    /// How many connections wait to be accepted.
    pub fn waiting(&self) -> usize {
        self.lines.len()
    }
}

async fn frame(
    stream: &mut (impl AsyncReadExt + Unpin),
    frames: &mut FrameDecoder,
) -> Option<Vec<u8>> {
    loop {
        if let Some(frame) = frames.next_frame().unwrap() {
            return Some(frame.to_vec());
        }
        let mut chunk = vec![0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        if read == 0 {
            return None;
        }
        frames.push(&chunk[..read]);
    }
}

impl Line {
    /// Says something; what the network does not take yet waits.
    pub async fn say(&mut self, node: OwnedNode) {
        let sealed = self.sealer.seal(&node.encode()).unwrap();
        // A client that has closed the connection hears nothing.
        let _ = self.outgoing.send(encode_frame(&sealed).unwrap());
    }

    /// Says these bytes in a frame, whatever they are.
    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        let sealed = self.sealer.seal(bytes).unwrap();
        let _ = self.outgoing.send(encode_frame(&sealed).unwrap());
    }

    /// What the client says next, or nothing if it has closed the connection.
    pub async fn hear_next(&mut self) -> Option<OwnedNode> {
        let frame = frame(&mut self.stream, &mut self.frames).await?;
        Some(read(&self.opener.open(&frame).unwrap()).unwrap())
    }

    pub async fn hear(&mut self) -> OwnedNode {
        match self.hear_next().await {
            Some(node) => node,
            None => panic!("the client closed the connection"),
        }
    }

    /// What the client says in the next two seconds.
    pub async fn hear_all(&mut self) -> Vec<OwnedNode> {
        let mut heard = Vec::new();
        while let Ok(Some(node)) = timeout(Duration::from_secs(2), self.hear_next()).await {
            heard.push(node);
        }
        heard
    }

    /// Answers a request.
    pub async fn answer(&mut self, request: &OwnedNode, with: Option<OwnedNode>) {
        let id = request.attrs.text("id").unwrap().into_owned();
        self.say(Node::new("iq").attr("type", "result").attr("id", id).children(with)).await;
    }

    /// Refuses a request.
    pub async fn refuse(&mut self, request: &OwnedNode, code: &'static str) {
        let id = request.attrs.text("id").unwrap().into_owned();
        let error = Node::new("error").attr("code", code);
        self.say(Node::new("iq").attr("type", "error").attr("id", id).child(error)).await;
    }

    pub async fn succeed(&mut self) {
        self.say(Node::new("success").attr("t", NOW).attr("lid", Jid::lid("9").with_device(3)))
            .await;
    }

    /// Answers a request of a login as a server would that has no prekeys of this device.
    pub async fn serve(&mut self, request: &OwnedNode) {
        match asked(request).as_str() {
            "count" => self.answer(request, Some(Node::new("count").attr("value", "0"))).await,
            "digest" => self.refuse(request, "501").await,
            _ => self.answer(request, None).await,
        }
    }

    /// Says `<success>` and answers all requests of a login; gives back what was asked.
    pub async fn log_in(&mut self) -> Vec<String> {
        self.succeed().await;
        let mut requests = Vec::new();
        // What follows the login proper has tests of its own.
        let mut afterwards = vec!["ib", "privacy", "blocklist", "abt"];
        while !afterwards.is_empty() {
            let node = self.hear().await;
            let name = match node.tag.as_ref() {
                "iq" => node.attrs.text("xmlns").unwrap().into_owned(),
                tag => tag.to_owned(),
            };
            match afterwards.iter().position(|expected| *expected == name) {
                Some(at) => drop(afterwards.remove(at)),
                None => requests.push(asked(&node)),
            }
            if node.tag == "iq" {
                self.serve(&node).await;
            }
        }
        requests
    }
}

/// What a request asks for: the tag of its first child, or its name space.
pub fn asked(request: &OwnedNode) -> String {
    match request.nodes().first() {
        Some(child) => child.tag.clone().into_owned(),
        None => request.attrs.text("xmlns").unwrap().into_owned(),
    }
}

/// Makes a store know a linked device.
pub async fn link(store: &dyn Store) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (noise, identity) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
    let secret = AdvSecret::from_bytes([1; 32]);
    let mut account = Account::new(7, noise, identity, secret, Timestamp::MIN);
    account.jid = Some(Jid::phone("15550100").with_device(3));
    store.commit(Change::PutAccount(Box::new(account)).into()).await.unwrap();
}

/// A server, and a client of it that connects.
pub async fn scripted(linked: bool) -> (Server, Client, Arc<dyn Store>) {
    scripted_over(Arc::new(MemoryStore::new()), linked).await
}

/// The same over this store.
pub async fn scripted_over(
    store: Arc<dyn Store>,
    linked: bool,
) -> (Server, Client, Arc<dyn Store>) {
    if linked {
        link(store.as_ref()).await;
    }
    let server = Server::new();
    let client = server.client(Arc::clone(&store), 1).await;
    client.connect().unwrap();
    (server, client, store)
}
