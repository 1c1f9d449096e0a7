//! A frontend's way to an account: it owns the account itself, or goes through whoever does.
//!
//! Which of the two it is changes when the owner ends; the frontend does not notice.

use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::Rng;
use serde_json::{Value, json};
use tokio::{
    sync::RwLock,
    time::{Instant, sleep},
};

use crate::{
    AccountLock, Caller, Endpoint, Environment, EventSource, Failure, Frontend, LockError,
    Passphrase, Perform, Profile, ProfileName,
    api::{Effect, EventView},
    failure::Cause,
    owner::Owner,
    remote::{NoAnswer, Remote, RemoteEvents},
    socket::SocketPath,
};

/// How an account is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BridgeOptions {
    /// Which account.
    pub profile: ProfileName,
    /// The folder of the account, instead of the profile's own.
    pub store: Option<PathBuf>,
    /// A file with the database key.
    pub key_file: Option<PathBuf>,
    /// Where the passphrase comes from, if the database key is sealed with one.
    pub passphrase: Passphrase,
    /// Make the account's folder and database if there are none.
    pub create: bool,
    /// Connect at once and stay connected, for as long as this process owns the account.
    pub stay_connected: bool,
    /// Where on this machine one can ask over TCP how the owner is, for as long as this process
    /// owns the account: `/healthz`, `/readyz`, and with the token `/metrics` and the calls.
    pub health: Option<SocketAddr>,
    /// Whether the account is not served at all where that address cannot be had.
    pub health_is_needed: bool,
    /// The file with the token for that; the profile's own, which is made, unless one is named.
    pub token_file: Option<PathBuf>,
    /// Who calls.
    pub caller: Caller,
    /// Where things live.
    pub environment: Environment,
    /// Which server to talk to.
    pub endpoint: Endpoint,
}

impl BridgeOptions {
    /// The account of a profile, for this caller, with what the process's environment says.
    ///
    /// # Errors
    /// [`Cause::Usage`] if the environment names no server one can talk to.
    pub fn new(profile: ProfileName, caller: Caller) -> Result<Self, Failure> {
        let environment = Environment::from_process();
        Ok(Self {
            profile,
            store: None,
            key_file: None,
            passphrase: Passphrase::new(None, &environment),
            create: false,
            stay_connected: false,
            health: None,
            health_is_needed: true,
            token_file: None,
            caller,
            environment,
            endpoint: Endpoint::from_process()?,
        })
    }
}

/// A frontend's way to an account. Cheap to clone.
#[derive(Clone)]
pub struct Bridge {
    shared: Arc<Shared>,
    /// On whose behalf calls are made.
    caller: Arc<Caller>,
}

struct Shared {
    options: BridgeOptions,
    profile: Profile,
    socket: SocketPath,
    role: RwLock<Role>,
    /// Whether to stay connected for as long as this process owns the account.
    stays: AtomicBool,
}

/// How this process stands to the account.
enum Role {
    Owner(Owner),
    Guest(Remote),
    /// Closed by this frontend.
    Closed,
}

/// How long to wait for an owner that holds the lock and does not listen yet, or no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look whether it does.
const LOOK: Duration = Duration::from_millis(25);

/// How often a call is begun anew because its owner ended meanwhile.
const MAX_ATTEMPTS: usize = 5;

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("profile", self.shared.profile.name())
            .finish_non_exhaustive()
    }
}

impl Bridge {
    /// Opens an account: takes its lock, opens its archive and serves its socket; or finds whoever
    /// does.
    ///
    /// # Errors
    /// [`Cause::NotLinked`] if there is no account and none is to be made; [`Cause::Locked`] if
    /// another process owns it and does not listen; [`Cause::Version`] if that is of another
    /// version; what opening the archive ends in.
    pub async fn open(options: BridgeOptions) -> Result<Self, Failure> {
        let environment = &options.environment;
        let profile = Profile::locate(&options.profile, options.store.as_deref(), environment)?;
        if !options.create && !profile.database().exists() {
            let folder = profile.folder().display();
            return Err(Failure::new(Cause::NotLinked, format!("no device is linked in {folder}"))
                .remedy("run: wa-cli link"));
        }
        profile.prepare()?;
        let socket = SocketPath::of(&profile, environment);
        let role = join(&options, &profile, &socket).await?;
        let stays = AtomicBool::new(options.stay_connected);
        role.begin(&stays);
        let (role, caller) = (RwLock::new(role), Arc::new(options.caller.clone()));
        let shared = Arc::new(Shared { options, profile, socket, role, stays });
        Ok(Self { shared, caller })
    }

    /// The same way to the account, for calls on somebody else's behalf.
    #[must_use]
    pub fn on_behalf_of(&self, caller: Caller) -> Self {
        Self { shared: Arc::clone(&self.shared), caller: Arc::new(caller) }
    }

    /// The account's profile.
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// Whether this process owns the account now.
    pub async fn is_owner(&self) -> bool {
        matches!(*self.shared.role.read().await, Role::Owner(_))
    }

    /// Connects now and stays connected, for as long as this process owns the account: also when
    /// it comes to own it later.
    pub async fn stay_connected(&self) {
        self.shared.stays.store(true, Ordering::Relaxed);
        self.shared.role.read().await.begin(&self.shared.stays);
    }

    /// Where one can ask over TCP how this process is, if it owns the account and was told to
    /// listen.
    pub async fn health_address(&self) -> Option<SocketAddr> {
        match &*self.shared.role.read().await {
            Role::Owner(owner) => owner.health_address(),
            Role::Guest(_) | Role::Closed => None,
        }
    }

    /// Has a call done, within the caller's own time.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn call<O: Perform>(&self, operation: O) -> Result<O::Answer, Failure> {
        self.call_within(operation, self.caller.time_limit).await
    }

    /// Has a call done, within this time.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn call_within<O: Perform>(
        &self,
        operation: O,
        limit: Duration,
    ) -> Result<O::Answer, Failure> {
        let mut request = serde_json::to_value(&operation)
            .map_err(|error| Failure::new(Cause::Usage, format!("{}: {error}", O::PATH)))?;
        self.name_sending(&mut request);
        let mut caller = Caller::clone(&self.caller);
        caller.time_limit = limit;
        for _ in 0..MAX_ATTEMPTS {
            let remote = match &*self.shared.role.read().await {
                Role::Owner(owner) => {
                    let operation: O = serde_json::from_value(request)
                        .map_err(|error| Failure::new(Cause::Usage, error.to_string()))?;
                    return owner.service().call(operation, &caller).await;
                }
                Role::Guest(remote) => remote.clone(),
                Role::Closed => return Err(closed()),
            };
            match remote.call(O::PATH, &request, &caller).await {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Refused(failure)) => return Err(failure),
                Err(NoAnswer::Nobody) => self.rejoin().await?,
                Err(NoAnswer::Gone) if may_repeat(O::EFFECT, &request) => self.rejoin().await?,
                Err(NoAnswer::Gone) => {
                    self.rejoin().await?;
                    return Err(Failure::new(
                        Cause::Failed,
                        "the process that owned the account ended before it answered",
                    )
                    .remedy("look whether it was done before asking again"));
                }
            }
        }
        Err(Failure::new(
            Cause::Failed,
            "the processes that owned the account ended one after the other",
        )
        .remedy("try again"))
    }

    /// Gives an act of sending a name, so that it can be asked for again without being done twice.
    fn name_sending(&self, request: &mut Value) {
        if self.caller.frontend == Frontend::Person
            && let Some(key) = request.get_mut("idempotency_key")
            && key.is_null()
        {
            let mut bytes = [0; 16];
            rand::rng().fill_bytes(&mut bytes);
            *key = json!(format!("once/{}", hex::encode(bytes)));
        }
    }

    /// What happens from now on; with `after`, also what happened after the message with that
    /// number. It goes on when the owner ends and another takes over.
    pub fn events(&self, after: Option<u64>) -> BridgeEvents {
        BridgeEvents { bridge: self.clone(), seen: after, source: None }
    }

    /// Finds the new owner, or becomes it, unless somebody else in this process already has.
    async fn rejoin(&self) -> Result<(), Failure> {
        let Shared { options, profile, socket, role, stays } = &*self.shared;
        let mut role = role.write().await;
        match &*role {
            Role::Closed => return Err(closed()),
            Role::Owner(_) => return Ok(()),
            Role::Guest(remote) => {
                if remote.greet().await.is_ok() {
                    return Ok(());
                }
            }
        }
        *role = join(options, profile, socket).await?;
        role.begin(stays);
        Ok(())
    }

    /// Lets go of the account: what this process owned, another may take over.
    ///
    /// # Errors
    /// [`Failure`] if the archive could not be closed in order.
    pub async fn close(&self) -> Result<(), Failure> {
        let role = std::mem::replace(&mut *self.shared.role.write().await, Role::Closed);
        match role {
            Role::Owner(owner) => owner.close().await,
            Role::Guest(_) | Role::Closed => Ok(()),
        }
    }
}

impl Role {
    /// Connects and stays connected, if that is wanted and this process owns the account.
    fn begin(&self, stays: &AtomicBool) {
        if let Self::Owner(owner) = self
            && stays.load(Ordering::Relaxed)
        {
            owner.service().stay_connected();
        }
    }
}

/// Whether a call may be made again when it is not known whether it was done.
fn may_repeat(effect: Effect, request: &Value) -> bool {
    let is_named = request.get("idempotency_key").is_some();
    matches!(effect, Effect::Read | Effect::Arrange) || is_named
}

fn closed() -> Failure {
    Failure::new(Cause::Failed, "the account was closed")
}

/// Becomes the owner, or finds it.
async fn join(
    options: &BridgeOptions,
    profile: &Profile,
    socket: &SocketPath,
) -> Result<Role, Failure> {
    let remote = Remote::new(socket, profile)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held = match AccountLock::acquire(profile) {
            Ok(lock) => {
                let owner = Owner::start(lock, options, profile.clone(), socket).await?;
                return Ok(Role::Owner(owner));
            }
            Err(held @ LockError::Held { .. }) => held,
            Err(error) => return Err(error.into()),
        };
        match remote.greet().await {
            Ok(()) => return Ok(Role::Guest(remote)),
            Err(NoAnswer::Refused(failure)) => return Err(failure),
            Err(NoAnswer::Nobody | NoAnswer::Gone) if Instant::now() < deadline => {
                sleep(LOOK).await;
            }
            Err(_) => return Err(held.into()),
        }
    }
}

/// What happens, across owners.
#[derive(Debug)]
pub struct BridgeEvents {
    bridge: Bridge,
    /// The last message that was seen, for whoever owns the account next.
    seen: Option<u64>,
    source: Option<Source>,
}

#[derive(Debug)]
enum Source {
    Own(Box<EventSource>),
    Remote(Box<RemoteEvents>),
}

impl BridgeEvents {
    /// Opens the stream, so that nothing that happens from now on is missed.
    ///
    /// # Errors
    /// As [`BridgeEvents::next`].
    pub async fn begin(&mut self) -> Result<(), Failure> {
        while self.source.is_none() {
            if !self.open().await? {
                break;
            }
        }
        Ok(())
    }

    /// The next event; nothing once this frontend has closed the account.
    ///
    /// # Errors
    /// [`Failure`] if nobody owns the account any more and this process cannot.
    pub async fn next(&mut self) -> Result<Option<EventView>, Failure> {
        loop {
            let event = match &mut self.source {
                None => {
                    if !self.open().await? {
                        return Ok(None);
                    }
                    continue;
                }
                Some(Source::Own(source)) => source.next().await?,
                Some(Source::Remote(events)) => events.next().await,
            };
            match event {
                Some(event) => {
                    if let EventView::Message { message } = &event {
                        self.seen = Some(message.seq);
                    }
                    return Ok(Some(event));
                }
                None => self.source = None,
            }
        }
    }

    /// Opens the stream at whoever owns the account now; not once it is closed.
    async fn open(&mut self) -> Result<bool, Failure> {
        let remote = match &*self.bridge.shared.role.read().await {
            Role::Closed => return Ok(false),
            Role::Owner(owner) => {
                let source = owner.service().events(&self.bridge.caller, self.seen).await?;
                self.seen = Some(source.seen());
                self.source = Some(Source::Own(Box::new(source)));
                return Ok(true);
            }
            Role::Guest(remote) => remote.clone(),
        };
        if self.seen.is_none() {
            // From here on nothing is missed, whoever owns the account.
            self.seen = Some(self.last_message(&remote).await?);
        }
        match remote.events(self.seen, &self.bridge.caller).await {
            Ok(events) => self.source = Some(Source::Remote(Box::new(events))),
            Err(NoAnswer::Refused(failure)) => return Err(failure),
            Err(NoAnswer::Nobody | NoAnswer::Gone) => self.bridge.rejoin().await?,
        }
        Ok(true)
    }

    async fn last_message(&self, remote: &Remote) -> Result<u64, Failure> {
        let mut caller = Caller::clone(&self.bridge.caller);
        caller.time_limit = GREETING;
        match remote.call::<u64>("events/last", &json!({}), &caller).await {
            Ok(seq) => Ok(seq),
            Err(NoAnswer::Refused(failure)) => Err(failure),
            Err(NoAnswer::Nobody | NoAnswer::Gone) => {
                self.bridge.rejoin().await?;
                Ok(self.bridge.call(crate::api::LastMessage {}).await?)
            }
        }
    }
}

/// How long a question that needs nothing may take.
const GREETING: Duration = Duration::from_secs(5);
