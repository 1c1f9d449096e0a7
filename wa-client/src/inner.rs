//! What every part of the client shares.
//!
//! Owns the store, the clock, the randomness, the account as last committed, the locks by name
//! and the current link. Knows nothing of what the parts do with them.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use wa_crypto::PublicKey;
use wa_proto::{Node, Request};
use wa_store::{Account, Changes, Store, StoreError, Timestamp};

use crate::{
    account::CurrentAccount,
    app_state::AppState,
    call::Calls,
    clock::Clock,
    connection::{ConnectTarget, Connector, Link, LinkClosed},
    damper::Damper,
    devices::vouching::Vouching,
    event::{Event, EventSender},
    health::UnreadableCounter,
    history::Histories,
    locks::Locks,
    media::MediaState,
    outbox::{Outbox, transmit_gate::SharedGate},
    pairing::Attempt,
    payload::DeviceDescription,
    placeholder::Placeholders,
    presence::Watched,
    publisher::Publisher,
    receipts::Receipts,
    request::{
        REQUEST_TIMEOUT, RequestError, RequestIds,
        budget::{Budget, Urgency, may_ask, with_urgency},
    },
    tasks::Tasks,
    unkept::Unkept,
    version::{ClientVersion, VersionSource},
};

/// What the builder was told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) target: ConnectTarget,
    pub(crate) noise_root: PublicKey,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) description: DeviceDescription,
    pub(crate) version_source: Option<Arc<dyn VersionSource>>,
    pub(crate) transmit_gate: SharedGate,
}

/// How far the client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// No connection was asked for.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Waiting for a phone to link this device.
    Pairing,
    /// The server knows this device; prekeys are being put in order.
    LoggingIn,
    /// Messages can be sent.
    Connected,
    /// The next attempt to connect is due later.
    Waiting,
    /// The server told this client to go away; [`Event`] says why.
    Stopped,
    /// This device is no longer linked, and this client is of no further use.
    LoggedOut,
}

/// Shared by the client, its connection and its handlers.
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) events: EventSender,
    pub(crate) settings: Settings,
    pub(crate) tasks: Tasks,
    /// What came in and could not be read.
    pub(crate) unreadable: Arc<UnreadableCounter>,
    pub(crate) locks: Locks,
    pub(crate) identity_notices: Damper,
    /// Whose keys were asked for because they wrote under an identity that they had before.
    pub(crate) former_identities: Damper,
    pub(crate) vouching: Vouching,
    pub(crate) media: MediaState,
    pub(crate) outbox: Outbox,
    /// Makes the commits of which listeners hear.
    pub(crate) publisher: Publisher,
    pub(crate) placeholders: Placeholders,
    pub(crate) receipts: Receipts,
    /// What the store does not take.
    pub(crate) unkept: Unkept,
    /// The calls that ring.
    pub(crate) calls: Calls,
    /// Whose coming and going is watched.
    pub(crate) watched: Watched,
    pub(crate) history: Histories,
    pub(crate) app_state: AppState,
    /// What is known of the linking under way.
    pub(crate) attempt: Attempt,
    /// How many retries of others are answered at a time.
    pub(crate) retry_answers: tokio::sync::Semaphore,
    /// How many requests may leave.
    pub(crate) budget: Arc<Budget>,
    ids: RequestIds,
    rng: Mutex<StdRng>,
    /// The last time that was given to something added to a message.
    last_ms: Mutex<i64>,
    account: Arc<CurrentAccount>,
    version: RwLock<ClientVersion>,
    state: watch::Sender<State>,
    link: watch::Sender<Option<Link>>,
}

/// What a client finds in its store.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) account: Account,
    pub(crate) version: ClientVersion,
    pub(crate) publisher: Publisher,
}

impl Inner {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        settings: Settings,
        media: MediaState,
        found: Found,
        mut rng: StdRng,
    ) -> Self {
        let Found { account, version, publisher } = found;
        let ids = RequestIds::new(rand::Rng::next_u32(&mut rng));
        Self {
            account: CurrentAccount::new(Arc::clone(&store), account),
            store,
            tasks: Tasks::new(clock.clone()),
            unreadable: Arc::new(UnreadableCounter::new(clock.clone())),
            clock,
            events: EventSender::new(),
            settings,
            locks: Locks::new(),
            identity_notices: Damper::default(),
            former_identities: Damper::default(),
            vouching: Vouching::default(),
            media,
            outbox: Outbox::default(),
            publisher,
            placeholders: Placeholders::default(),
            receipts: Receipts::new(),
            unkept: Unkept::default(),
            calls: Calls::default(),
            watched: Watched::default(),
            history: Histories::default(),
            app_state: AppState::default(),
            attempt: Attempt::default(),
            retry_answers: tokio::sync::Semaphore::new(PARALLEL_RETRY_ANSWERS),
            budget: Arc::default(),
            ids,
            rng: Mutex::new(rng),
            last_ms: Mutex::new(0),
            version: RwLock::new(version),
            state: watch::Sender::new(State::Idle),
            link: watch::Sender::new(None),
        }
    }

    /// Tells everybody who listens.
    pub(crate) fn emit(&self, event: Event) {
        self.events.emit(event);
    }

    /// The time for a stanza or the store, by the server's clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_secs(i64::try_from(self.clock.unix()).unwrap_or(i64::MAX))
    }

    /// A generator of one's own: whatever is computed with it keeps nobody else waiting.
    pub(crate) fn fork_rng(&self) -> StdRng {
        StdRng::from_rng(&mut *self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses such a generator once.
    pub(crate) fn with_rng<T>(&self, use_it: impl FnOnce(&mut StdRng) -> T) -> T {
        use_it(&mut self.fork_rng())
    }

    /// The time for something that is added to a message, in milliseconds since 1970: later than
    /// that of everything added before, so that the last of several in one instant counts.
    pub(crate) fn next_ms(&self) -> i64 {
        let now = i64::try_from(self.clock.unix_ms()).unwrap_or(i64::MAX);
        let mut last = self.last_ms.lock().unwrap_or_else(PoisonError::into_inner);
        *last = now.max(last.saturating_add(1));
        *last
    }

    /// A random number from 0 up to 1.
    pub(crate) fn roll(&self) -> f64 {
        self.with_rng(rand::RngExt::random)
    }

    /// The account as last committed.
    pub(crate) fn account(&self) -> Arc<Account> {
        self.account.get()
    }

    /// Changes the account and whatever belongs with it, in one commit, which nobody can cut short.
    ///
    /// # Errors
    /// The store's; then nothing changed.
    pub(crate) async fn update_account(
        &self,
        with: impl FnOnce(&mut Account, &mut Changes),
    ) -> Result<(), StoreError> {
        self.account.update(&self.tasks, with).await
    }

    /// The version this client claims to be.
    pub(crate) fn version(&self) -> ClientVersion {
        *self.version.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn use_version(&self, version: ClientVersion) {
        *self.version.write().unwrap_or_else(PoisonError::into_inner) = version;
    }

    pub(crate) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Moves to another state; nothing leaves [`State::LoggedOut`].
    pub(crate) fn enter(&self, next: State) {
        self.state.send_if_modified(|state| {
            let changes = *state != State::LoggedOut && *state != next;
            if changes {
                *state = next;
            }
            changes
        });
    }

    /// The connection over which messages can be sent now, if there is one.
    pub(crate) fn link(&self) -> Option<Link> {
        self.link.borrow().clone()
    }

    /// A connection is ready for everybody, or no longer.
    pub(crate) fn publish_link(&self, link: Option<Link>) {
        self.link.send_replace(link);
    }

    /// Sends a node over the current connection.
    ///
    /// # Errors
    /// [`LinkClosed`] if there is none, or if it ended first.
    pub(crate) async fn send_node(&self, node: &Node<'_>) -> Result<(), LinkClosed> {
        self.link().ok_or(LinkClosed)?.send(node).await
    }

    /// A fresh id for a request.
    pub(crate) fn request_id(&self) -> String {
        self.ids.next()
    }

    /// Asks the server something. If the connection ends before the answer and another is made in
    /// time, it is asked again, once.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn request<R: Request + Sync>(
        &self,
        request: &R,
    ) -> Result<R::Response, RequestError> {
        may_ask()?;
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let mut asked_before = false;
        loop {
            let link = self.link_by(deadline).await?;
            match link.request(&self.request_id(), request, deadline).await {
                Err(RequestError::Disconnected) if !asked_before => asked_before = true,
                outcome => return outcome,
            }
            // The link may still be published for a moment; the next one is another.
            let ended = link.generation();
            let mut links = self.link.subscribe();
            let gone =
                links.wait_for(|link| link.as_ref().is_none_or(|link| link.generation() != ended));
            if timeout_at(deadline, gone).await.is_err() {
                return Err(RequestError::Disconnected);
            }
        }
    }

    /// Asks the server something over this connection and no later one.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn request_on<R: Request + Sync>(
        &self,
        link: &Link,
        request: &R,
    ) -> Result<R::Response, RequestError> {
        link.request(&self.request_id(), request, Instant::now() + REQUEST_TIMEOUT).await
    }

    /// The link, as soon as there is one: at once an error if none is being made.
    async fn link_by(&self, deadline: Instant) -> Result<Link, RequestError> {
        let mut links = self.link.subscribe();
        let mut states = self.state.subscribe();
        let found = async {
            loop {
                if let Some(link) = links.borrow_and_update().clone() {
                    return Ok(link);
                }
                match *states.borrow_and_update() {
                    State::LoggedOut => return Err(RequestError::LoggedOut),
                    State::Idle | State::Stopped => return Err(RequestError::NotConnected),
                    _ => {}
                }
                tokio::select! {
                    _ = links.changed() => {}
                    _ = states.changed() => {}
                }
            }
        };
        timeout_at(deadline, found).await.unwrap_or(Err(RequestError::Timeout(REQUEST_TIMEOUT)))
    }

    /// Waits until messages can be sent.
    ///
    /// # Errors
    /// As [`Inner::request`], except that nothing was sent.
    pub(crate) async fn wait_for_link(&self, limit: Duration) -> Result<Link, RequestError> {
        self.link_by(Instant::now() + limit).await.map_err(|error| match error {
            RequestError::Timeout(_) => RequestError::Timeout(limit),
            other => other,
        })
    }

    /// Does something short beside the connection, until the last clone of the client is gone. A
    /// panic is logged and counted, and ends that alone. What it asks the server goes behind what
    /// somebody waits for, unless it says otherwise itself.
    #[track_caller]
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        // Boxed first: what wraps it is moved about.
        self.tasks.spawn(with_urgency(Urgency::Background, Box::pin(work)));
    }

    /// Does something that lasts, until the last clone of the client is gone or it returns. A panic
    /// is logged and counted, and it is made anew after a growing delay.
    pub(crate) fn supervise<F>(
        &self,
        name: &'static str,
        mut make: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.supervise(name, move || with_urgency(Urgency::Background, Box::pin(make())));
    }

    /// Ends all that was spawned.
    pub(crate) fn abort_background(&self) {
        self.tasks.abort();
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Retries ask for keys and encrypt; a storm of them must not crowd out everything else.
const PARALLEL_RETRY_ANSWERS: usize = 4;

#[cfg(test)]
mod tests {
    use wa_store::MemoryStore;

    use crate::Client;

    #[tokio::test]
    async fn what_is_computed_with_randomness_keeps_nobody_waiting() {
        let store = std::sync::Arc::new(MemoryStore::new());
        let client = Client::builder(store).version_source(None).build().await.unwrap();
        let inner = client.inner();
        // Were the generator locked meanwhile, the second would wait for the first.
        let (one, other) =
            inner.with_rng(|rng| (rand::Rng::next_u64(rng), inner.with_rng(rand::Rng::next_u64)));
        assert_ne!(one, other);
    }
}
