//! A client on a simulated server, over memory and on a paused clock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{task::JoinHandle, time::timeout};
use wa_client::{
    Client, ClientBuilder, Clock, ConnectError, ConnectTarget, Connector, Event, EventStream, Wire,
};
use wa_sim::{Phone, Sim, SimConfig};
use wa_store::{MemoryStore, Store};

/// Connects to a simulation, and fails or breaks on demand.
#[derive(Clone)]
pub(crate) struct SimConnector {
    sim: Sim,
    /// So many of the next attempts fail.
    pub(crate) failures: Arc<AtomicU32>,
    /// How many attempts there were.
    pub(crate) attempts: Arc<AtomicU32>,
    line: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl SimConnector {
    pub(crate) fn new(sim: &Sim) -> Self {
        Self {
            sim: sim.clone(),
            failures: Arc::default(),
            attempts: Arc::default(),
            line: Arc::default(),
        }
    }

    /// Cuts the newest connection.
    pub(crate) fn cut(&self) {
        if let Some(line) = self.line.lock().unwrap().take() {
            line.abort();
        }
    }
}

impl std::fmt::Debug for SimConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimConnector")
    }
}

#[async_trait]
impl Connector for SimConnector {
    async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let failing = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(ConnectError::HttpStatus(503));
        }
        let mut server = self.sim.connect();
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let line = tokio::spawn(async move {
            // Whichever end closes ends the line.
            let _ = tokio::io::copy_bidirectional(&mut server, &mut far).await;
        });
        *self.line.lock().unwrap() = Some(line);
        Ok(Wire::from_stream(near))
    }
}

/// A simulation with one account, and a client that is to be linked with it.
pub(crate) struct Bench {
    pub(crate) sim: Sim,
    pub(crate) phone: Phone,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connector: SimConnector,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    pub(crate) events: EventStream,
}

impl Bench {
    pub(crate) async fn new(seed: u64) -> Self {
        Self::with(seed, |builder| builder).await
    }

    pub(crate) async fn with(
        seed: u64,
        adapt: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let sim = Sim::new(SimConfig::seeded(seed));
        let phone = sim.add_account("15550100", "Ada").unwrap();
        // Its first message would use a prekey, and here they are counted.
        phone.withhold_sync_keys(true);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let connector = SimConnector::new(&sim);
        // A machine whose clock is an hour slow.
        let clock = Clock::starting_at(sim.now() - 3600);
        let builder = Client::builder(Arc::clone(&store))
            .noise_root(sim.noise_root())
            .connector(Arc::new(connector.clone()))
            .clock(clock.clone())
            .version_source(None)
            .rng_seed(seed);
        let client = adapt(builder).build().await.unwrap();
        let events = client.events();
        Self { sim, phone, store, connector, clock, client, events }
    }

    /// A second client of the same device.
    pub(crate) async fn twin(&self) -> Client {
        Client::builder(Arc::clone(&self.store))
            .noise_root(self.sim.noise_root())
            .connector(Arc::new(SimConnector::new(&self.sim)))
            .clock(Clock::starting_at(self.sim.now()))
            .version_source(None)
            .build()
            .await
            .unwrap()
    }

    /// The next event that `pick` takes; others are passed over.
    pub(crate) async fn until<T>(&mut self, pick: impl FnMut(&Event) -> Option<T>) -> T {
        next(&mut self.events, pick).await
    }

    /// Waits for this event.
    pub(crate) async fn expect(&mut self, event: Event) {
        self.until(|seen| (*seen == event).then_some(())).await;
    }

    /// Connects and has the phone scan the first code.
    pub(crate) async fn scan(&mut self) {
        self.client.connect().unwrap();
        let code = self
            .until(|event| match event {
                Event::Qr { code, .. } => Some(code.clone()),
                _ => None,
            })
            .await;
        self.phone.scan_qr(&code).unwrap();
    }

    /// Connects, links, and connects again.
    pub(crate) async fn link(&mut self) {
        self.scan().await;
        self.expect(Event::Connected).await;
    }
}

/// The next event that `pick` takes, within an hour of the clock that is turned by hand.
pub(crate) async fn next<T>(
    events: &mut EventStream,
    mut pick: impl FnMut(&Event) -> Option<T>,
) -> T {
    let mut seen = Vec::new();
    let found = timeout(Duration::from_secs(3600), async {
        loop {
            let event = events.next().await.unwrap();
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
