//! People with a phone and a linked client each, on one simulated server, over memory and on a
//! paused clock.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "not every test file uses every helper"
)]

mod media_line;

pub use media_line::MediaLine;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{task::JoinHandle, time::timeout};
use wa_client::{
    Client, ClientBuilder, Clock, ConnectError, ConnectTarget, Connector, Event, EventStream,
    MessageEvent, Wire,
};
use wa_proto::Jid;
use wa_sim::{DeviceStats, Phone, Sim, SimConfig};
use wa_store::{ArchivedMessage, MemoryStore, MessageQuery, Order, Store};

/// Connects to a simulation; the newest connection can be cut.
#[derive(Clone)]
pub struct Line {
    sim: Sim,
    newest: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Line {
    pub fn cut(&self) {
        if let Some(line) = self.newest.lock().unwrap().take() {
            line.abort();
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

#[async_trait]
impl Connector for Line {
    async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
        let mut server = self.sim.connect();
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let line = tokio::spawn(async move {
            // Whichever end closes ends the line.
            let _ = tokio::io::copy_bidirectional(&mut server, &mut far).await;
        });
        *self.newest.lock().unwrap() = Some(line);
        Ok(Wire::from_stream(near))
    }
}

/// A person: a phone, and a client linked with it.
pub struct Party {
    pub sim: Sim,
    pub phone: Phone,
    pub store: Arc<dyn Store>,
    pub line: Line,
    pub client: Client,
    pub events: EventStream,
}

/// A simulation with nobody in it.
pub fn simulation(seed: u64) -> Sim {
    Sim::new(SimConfig::seeded(seed))
}

/// Ada and Bob, both linked.
pub async fn ada_and_bob(seed: u64) -> (Sim, Party, Party) {
    let sim = simulation(seed);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let bob = Party::join(&sim, "15550200", "Bob").await;
    (sim, ada, bob)
}

impl Party {
    /// Opens an account and links a client with it.
    pub async fn join(sim: &Sim, number: &str, name: &str) -> Self {
        Self::join_with(sim, number, name, Arc::new(MemoryStore::new())).await
    }

    pub async fn join_with(sim: &Sim, number: &str, name: &str, store: Arc<dyn Store>) -> Self {
        let phone = sim.add_account(number, name).unwrap();
        Self::link(sim, phone, store).await
    }

    /// Links one more client with an account.
    pub async fn link(sim: &Sim, phone: Phone, store: Arc<dyn Store>) -> Self {
        Self::link_with(sim, phone, store, |builder| builder).await
    }

    /// The same, with a client that is made in another way.
    pub async fn link_with(
        sim: &Sim,
        phone: Phone,
        store: Arc<dyn Store>,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let mut party = Self::build_with(sim, phone, store, configure).await;
        party.client.connect().unwrap();
        let code = party
            .until(|event| match event {
                Event::Qr { code, .. } => Some(code.clone()),
                _ => None,
            })
            .await;
        party.phone.scan_qr(&code).unwrap();
        party.connected().await;
        party
    }

    /// A client on a store, as a process that begins anew: not connected yet.
    pub async fn build(sim: &Sim, phone: Phone, store: Arc<dyn Store>) -> Self {
        Self::build_with(sim, phone, store, |builder| builder).await
    }

    async fn build_with(
        sim: &Sim,
        phone: Phone,
        store: Arc<dyn Store>,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let line = Line { sim: sim.clone(), newest: Arc::default() };
        let builder = Client::builder(Arc::clone(&store))
            .noise_root(sim.noise_root())
            .connector(Arc::new(line.clone()))
            .media_transport(MediaLine::new(sim))
            .clock(Clock::starting_at(sim.now()))
            .version_source(None)
            .rng_seed(seed(&phone, sim));
        let client = configure(builder).build().await.unwrap();
        let events = client.events();
        Self { sim: sim.clone(), phone, store, line, client, events }
    }

    /// Drops the client as a killed process does, and makes another on the same store.
    pub async fn restart(self, store: Option<Arc<dyn Store>>) -> Self {
        let Self { sim, phone, store: kept, line, client, .. } = self;
        line.cut();
        drop(client);
        settle().await;
        Self::build(&sim, phone, store.unwrap_or(kept)).await
    }

    /// Waits for the next login.
    pub async fn connected(&mut self) {
        self.until(|event| (*event == Event::Connected).then_some(())).await;
    }

    /// The next event that `pick` takes; others are passed over.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let found = timeout(Duration::from_secs(3600), async {
            loop {
                let event = self.events.next().await.unwrap();
                if let Some(found) = pick(&event) {
                    return found;
                }
                seen.push(event);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("the event did not come; these did: {seen:?}"),
        }
    }

    /// The next message.
    pub async fn message(&mut self) -> MessageEvent {
        self.until(|event| match event {
            Event::Message(message) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// The next message that became readable after all.
    pub async fn repaired(&mut self) -> (MessageEvent, wa_client::Repair) {
        self.until(|event| match event {
            Event::MessageRepaired { message, by } => Some((message.clone(), *by)),
            _ => None,
        })
        .await
    }

    /// What a chat holds, the oldest first.
    pub async fn archive(&self, chat: &Jid) -> Vec<ArchivedMessage> {
        let mut query = MessageQuery::chat(chat.clone());
        query.order = Order::OldestFirst;
        query.limit = 1000;
        self.store.messages(&query).await.unwrap()
    }

    /// The texts of a chat, the oldest first.
    pub async fn texts(&self, chat: &Jid) -> Vec<String> {
        self.archive(chat).await.into_iter().filter_map(|message| message.text).collect()
    }

    /// What the server counted of this client.
    pub fn stats(&self) -> DeviceStats {
        let jid = self.client.jid().unwrap();
        let name = format!("{}:{}", jid.user, jid.device);
        self.sim.stats().devices.remove(&name).unwrap()
    }
}

/// Another one for each client and each start, and the same in each run.
fn seed(phone: &Phone, sim: &Sim) -> u64 {
    let number: u64 = phone.jid().user.parse().unwrap();
    number * 1000 + sim.stats().connections_accepted
}

/// Lets everything that is under way come to rest.
pub async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
