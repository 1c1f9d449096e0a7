//! Making a client: what has a default, and what can be told otherwise.

use std::{path::PathBuf, sync::Arc};

use rand::{SeedableRng, rngs::StdRng};
use wa_crypto::PublicKey;
use wa_noise::WHATSAPP_ROOT_KEY;
use wa_store::{Store, Timestamp};

use crate::{
    Client, account,
    clock::Clock,
    connection::{ConnectTarget, Connector, WebSocketConnector},
    error::Error,
    history::HistoryDepth,
    inner::{Found, Inner, Settings},
    media::{HttpsError, HttpsTransport, MediaState, MediaTransport},
    outbox::transmit_gate::{OpenGate, SharedGate, TransmitGate},
    payload::{DeviceDescription, Platform},
    publisher::{self, Publisher},
    version::{self, VersionSource, WebPageVersion},
};

/// Makes a [`Client`]. Begun by [`Client::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    store: StoreHandle,
    settings: Settings,
    media_transport: Option<Arc<dyn MediaTransport>>,
    media_ca: Option<Vec<u8>>,
    temp_dir: Option<PathBuf>,
    clock: Clock,
    seed: Option<u64>,
}

struct StoreHandle(Arc<dyn Store>);

impl std::fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl ClientBuilder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let settings = Settings {
            target: ConnectTarget { url: WHATSAPP_URL.into() },
            noise_root: WHATSAPP_ROOT_KEY,
            connector: Arc::new(WebSocketConnector::new()),
            description: DeviceDescription::default(),
            version_source: Some(Arc::new(WebPageVersion::default())),
            transmit_gate: SharedGate(Arc::new(OpenGate)),
        };
        Self {
            store: StoreHandle(store),
            settings,
            media_transport: None,
            media_ca: None,
            temp_dir: None,
            clock: Clock::system(),
            seed: None,
        }
    }

    /// Connects to another server than WhatsApp's, by its WebSocket URL. Such a server has a
    /// Noise root of its own, and its outdated versions are nothing to ask WhatsApp's page about:
    /// see [`ClientBuilder::noise_root`] and [`ClientBuilder::version_source`].
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.settings.target.url = url.into();
        self
    }

    /// Trusts another key than WhatsApp's to sign the server's certificate.
    pub fn noise_root(mut self, root: PublicKey) -> Self {
        self.settings.noise_root = root;
        self
    }

    /// Connects in another way than by a WebSocket: over memory, or a proxy.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.settings.connector = connector;
        self
    }

    /// Talks to the media hosts in another way than over HTTPS: in the process, or over a proxy.
    pub fn media_transport(mut self, transport: Arc<dyn MediaTransport>) -> Self {
        self.media_transport = Some(transport);
        self
    }

    /// Trusts these certificate authorities (PEM), besides the web's, to name media hosts.
    pub fn media_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.media_ca = Some(pem.into());
        self
    }

    /// Where files are kept while they go up or down, encrypted and without a name; the system's
    /// folder for temporary files unless told otherwise. There should be room for the largest.
    pub fn temp_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.temp_dir = Some(dir.into());
        self
    }

    /// Tells the time differently.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes all randomness follow from a seed. For simulations only: whoever knows the seed
    /// knows every key.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The name in the phone's list of linked devices, `Linux` unless told otherwise. Fixed when
    /// the device is linked.
    pub fn os(mut self, os: impl Into<String>) -> Self {
        self.settings.description.os = os.into();
        self
    }

    /// The icon in the phone's list of linked devices. Fixed when the device is linked.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.settings.description.platform = platform;
        self
    }

    /// How much of its past the phone is asked for; what it gives unasked unless told otherwise.
    /// The phone is told when the device is linked, and not again.
    pub fn history(mut self, depth: HistoryDepth) -> Self {
        self.settings.description.history = depth;
        self
    }

    /// Where the current version is found when the server refuses this one; `None` for nowhere.
    pub fn version_source(mut self, source: Option<Arc<dyn VersionSource>>) -> Self {
        self.settings.version_source = source;
        self
    }

    /// Has somebody decide, right before each message leaves, whether it may; everything may unless
    /// told otherwise.
    pub fn transmit_gate(mut self, gate: Arc<dyn TransmitGate>) -> Self {
        self.settings.transmit_gate = SharedGate(gate);
        self
    }

    /// Makes the client. A store without an account gets a new one, to be linked.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::InvalidInput`] if what was given as certificates is none.
    pub async fn build(self) -> Result<Client, Error> {
        let StoreHandle(store) = self.store;
        let transport = match self.media_transport {
            Some(transport) => transport,
            None => https(self.media_ca.as_deref())?,
        };
        let media = MediaState::new(transport, self.temp_dir);
        let mut rng = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => rand::make_rng(),
        };
        self.clock.recall(store.as_ref()).await?;
        let now = Timestamp::from_secs(i64::try_from(self.clock.unix()).unwrap_or(i64::MAX));
        let account = account::load_or_create(store.as_ref(), now, &mut rng).await?;
        let version = version::remembered(store.as_ref()).await?;
        let (publisher, needs) = Publisher::new(store.journal().await?);
        let found = Found { account, version, publisher };
        let inner = Arc::new(Inner::new(store, self.clock, self.settings, media, found, rng));
        inner.spawn(publisher::run(Arc::clone(&inner.store), inner.events.clone(), needs));
        Ok(Client::new(inner))
    }
}

fn https(ca: Option<&[u8]>) -> Result<Arc<dyn MediaTransport>, Error> {
    match HttpsTransport::new(ca) {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(HttpsError::Certificate) => {
            Err(Error::InvalidInput("the media hosts' authority is no certificate in PEM form"))
        }
        Err(HttpsError::Tls(_)) => Err(Error::Internal("TLS cannot be set up")),
    }
}

const WHATSAPP_URL: &str = "wss://web.whatsapp.com/ws/chat";
