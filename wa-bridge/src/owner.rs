//! The process that owns an account: it holds the lock, and serves the others.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use wa_store::{DatabaseKey, SqliteStore};

use crate::{
    AccountLock, Failure, KeySource, Profile, Service, Token,
    bridge::BridgeOptions,
    close_memory::close_memory,
    failure::Cause,
    health::Health,
    http,
    identity::{Credentials, Door},
    page,
    policy::PolicySource,
    serve::{Limits, raise_descriptors, serve},
    socket::{self, SocketPath},
};

/// How long calls that are under way may take when the owner ends.
const GOODBYE: Duration = Duration::from_secs(5);

/// An account that this process owns.
pub(crate) struct Owner {
    service: Arc<Service>,
    runtime: Handle,
    health: Option<SocketAddr>,
    /// Nothing once it begins to end.
    serving: Option<Serving>,
}

/// What others see of an owner.
struct Serving {
    socket: SocketPath,
    stop: watch::Sender<bool>,
    servers: JoinSet<()>,
    /// Let go of last.
    _lock: AccountLock,
}

impl Owner {
    /// Opens the account, and serves its socket.
    pub(crate) async fn start(
        lock: AccountLock,
        options: &BridgeOptions,
        profile: Profile,
        socket: &SocketPath,
    ) -> Result<Self, Failure> {
        let policy = PolicySource::open(profile.clone())?;
        let credentials = Credentials::load(&profile)?;
        let health = listen(options, &profile).await?;
        let address = health.as_ref().map(Health::address).transpose()?;
        let page = address.map(page::address);
        close_memory();
        let key = load_key(options, &profile).await?;
        let store = Arc::new(SqliteStore::open(&profile.database(), key).await?);
        let service = Service::new(profile, store, options.endpoint.clone(), policy, page).await?;
        service.expire_downloads();
        let listener = match socket::listen(socket) {
            Ok(listener) => listener,
            Err(failure) => {
                // Nobody else could open the archive otherwise.
                let _ = service.close().await;
                return Err(failure);
            }
        };
        let (stop, stopped) = watch::channel(false);
        let mut servers = JoinSet::new();
        raise_descriptors();
        let router = http::router(Arc::clone(&service), credentials.clone(), Door::Socket);
        servers.spawn(serve(listener, router, Limits::SOCKET, stopped.clone()));
        if let Some(health) = health {
            let (listener, router) = health.serving(&service, credentials);
            servers.spawn(serve(listener, router, Limits::TCP, stopped));
        }
        let serving = Serving { socket: socket.clone(), stop, servers, _lock: lock };
        let runtime = Handle::current();
        Ok(Self { service, runtime, health: address, serving: Some(serving) })
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Where one can ask over TCP how this process is.
    pub(crate) fn health_address(&self) -> Option<SocketAddr> {
        self.health
    }

    /// Ends what is under way, closes the archive and lets go of the account. It goes on to the
    /// end also if nobody waits for it.
    pub(crate) async fn close(mut self) -> Result<(), Failure> {
        match self.end() {
            Some(ending) => ending.await.unwrap_or_else(|error| {
                Err(Failure::new(Cause::Failed, format!("the closing was stopped: {error}")))
            }),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Option<JoinHandle<Result<(), Failure>>> {
        let serving = self.serving.take()?;
        let service = Arc::clone(&self.service);
        Some(self.runtime.spawn(serving.end(service)))
    }
}

/// Whoever takes over must not find this process still connected.
impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl Serving {
    async fn end(self, service: Arc<Service>) -> Result<(), Failure> {
        let Self { socket, stop, mut servers, _lock } = self;
        // Whoever knocks from now on looks for the next owner.
        let removed = std::fs::remove_file(socket.as_path());
        drop(removed);
        service.end_events();
        stop.send_replace(true);
        let all = async { while servers.join_next().await.is_some() {} };
        if timeout(GOODBYE, all).await.is_err() {
            servers.abort_all();
        }
        // What is still under way then is the next owner's to do.
        service.end_calls();
        service.close().await
    }
}

/// Reads the key: somebody may have to type a passphrase first, and it takes a moment to stretch.
async fn load_key(options: &BridgeOptions, profile: &Profile) -> Result<DatabaseKey, Failure> {
    let source = KeySource::new(options.key_file.as_deref(), &options.environment)
        .with_passphrase(options.passphrase.clone());
    let profile = profile.clone();
    let loaded = tokio::task::spawn_blocking(move || source.load_or_create(&profile)).await;
    let stopped = |_| Failure::new(Cause::Failed, "reading the database key was stopped");
    Ok(loaded.map_err(stopped)??)
}

/// Where the token for asking over TCP is.
fn token_file(options: &BridgeOptions, profile: &Profile) -> PathBuf {
    options.token_file.clone().unwrap_or_else(|| Token::place(profile, "http"))
}

/// Listens over TCP, if that is wanted. An address that cannot be had is an error only where nothing
/// else would do: the account is there all the same.
async fn listen(options: &BridgeOptions, profile: &Profile) -> Result<Option<Health>, Failure> {
    let Some(address) = options.health else { return Ok(None) };
    match Health::bind(address, &token_file(options, profile)).await {
        Ok(health) => Ok(Some(health)),
        Err(failure) if failure.cause == Cause::Failed && !options.health_is_needed => {
            tracing::warn!(%failure, "the account is served without its page");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}
