//! A simulation as a handle: cheap to clone, one lock around the world, a task for each
//! connection. Knows nothing of ports (see `serving`).

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::{
    io::DuplexStream,
    sync::{mpsc, watch},
};
use wa_crypto::{KeyPair, PublicKey};
use wa_noise::{CertificateAuthority, Validity};
use wa_proto::{Jid, Node, OwnedNode, stanza::GroupInfo};

use crate::{
    address::{DeviceAddress, PhoneNumber},
    clock::Clock,
    connection::{self, Incoming, ServerKeys},
    fault::{Fate, FaultPlan, Faults},
    media_host::{self, Media, MediaReply, MediaRequest, MediaStats},
    phone::{AddAccountError, CreateGroupError, Phone, endpoint::MAX_MESSAGES},
    server::{
        ConnectionId, Login, Output, Server, Version,
        directory::Addressing,
        groups::{MAX_GROUPS, MAX_MEMBERS, MAX_SUBJECT, NewGroup},
    },
    stats::{DeviceStats, Stats},
    world::World,
};

/// The most connections that may be open at once.
pub const MAX_CONNECTIONS: usize = 4_096;

/// The most stanzas that wait to be written to one connection; beyond them it is closed.
const MAX_OUTPUTS: usize = 1 << 16;

/// The bytes that fit between the two ends of an in-memory connection.
const PIPE: usize = 1 << 16;

/// Ten years, by which the server's certificate is valid to both sides of the simulation's begin.
const VALIDITY: u64 = 10 * 365 * 24 * 3600;

/// How a simulation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimConfig {
    /// All randomness comes from it: the same seed and the same inputs give the same bytes.
    pub seed: u64,
    /// The time at which the simulation begins, in unix seconds.
    pub clock_base_unix: u64,
    /// Clients below this version are refused as outdated; `None` takes any.
    pub required_version: Option<Version>,
    /// How many messages each phone remembers, at least one; the oldest are forgotten.
    pub remembered: usize,
}

impl Default for SimConfig {
    /// Seed 0, on a day in 2026, any client version.
    fn default() -> Self {
        Self {
            seed: 0,
            clock_base_unix: 1_780_000_000,
            required_version: None,
            remembered: MAX_MESSAGES,
        }
    }
}

impl SimConfig {
    /// A simulation with this seed, otherwise as [`SimConfig::default`].
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Begins at this time, in unix seconds.
    #[must_use]
    pub const fn starting_at(mut self, unix: u64) -> Self {
        self.clock_base_unix = unix;
        self
    }

    /// Lets each phone remember only so many messages.
    #[must_use]
    pub const fn remembering(mut self, messages: usize) -> Self {
        self.remembered = messages;
        self
    }

    /// Refuses clients below this version.
    #[must_use]
    pub const fn requiring_version(mut self, version: Version) -> Self {
        self.required_version = Some(version);
        self
    }
}

/// WhatsApp in a box.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    keys: Arc<ServerKeys>,
    noise_root: PublicKey,
    media: Media,
    state: Mutex<State>,
    /// Counts the inputs, so that those who wait look again.
    changes: watch::Sender<u64>,
}

struct State {
    world: World,
    senders: BTreeMap<ConnectionId, mpsc::Sender<Output>>,
    connection_rng: ChaCha20Rng,
    next_connection: u64,
    accepted: u64,
    refused: u64,
    frames_in: u64,
    frames_out: u64,
}

impl Sim {
    /// A simulation without accounts.
    pub fn new(config: SimConfig) -> Self {
        let mut seeds = ChaCha20Rng::seed_from_u64(config.seed);
        let mut derived = || ChaCha20Rng::seed_from_u64(seeds.next_u64());
        let (mut keys_rng, world_rng, fault_rng, connection_rng) =
            (derived(), derived(), derived(), derived());
        let validity = Validity {
            not_before: config.clock_base_unix.saturating_sub(VALIDITY),
            not_after: config.clock_base_unix.saturating_add(VALIDITY),
        };
        let authority =
            CertificateAuthority::new(KeyPair::random(&mut keys_rng), validity, &mut keys_rng);
        let static_keys = KeyPair::random(&mut keys_rng);
        let certificate_chain = authority.issue(&static_keys.public, validity, &mut keys_rng);
        let clock = Clock::new(config.clock_base_unix);
        let media = Media::new(clock);
        let faults = Faults::new(fault_rng);
        let mut server = Server::new(world_rng, faults, media.clone(), config.required_version);
        server.remembered = config.remembered.max(1);
        let state = State {
            world: World::new(server, media.clone()),
            senders: BTreeMap::new(),
            connection_rng,
            next_connection: 0,
            accepted: 0,
            refused: 0,
            frames_in: 0,
            frames_out: 0,
        };
        let inner = Inner {
            clock,
            keys: Arc::new(ServerKeys { static_keys, certificate_chain }),
            noise_root: authority.root(),
            media,
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The root key that clients of this simulation pin instead of WhatsApp's.
    pub fn noise_root(&self) -> PublicKey {
        self.inner.noise_root
    }

    /// The simulation's time, in unix seconds.
    pub fn now(&self) -> u64 {
        self.inner.clock.unix()
    }

    /// A connection to the server: the bytes that a WebSocket's binary messages would carry. A
    /// refused one is closed when it is read. Needs a tokio runtime, on which the server's side
    /// runs.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE);
        if let Some(incoming) = self.accept() {
            tokio::spawn(connection::serve(self.clone(), incoming, far));
        }
        near
    }

    /// Opens an account whose phone has this number.
    ///
    /// # Errors
    /// [`AddAccountError`] if the number is none, or taken, or the name too long.
    pub fn add_account(
        &self,
        phone: &str,
        name: impl Into<String>,
    ) -> Result<Phone, AddAccountError> {
        let number: PhoneNumber = phone.parse()?;
        let name = name.into();
        self.with(|world| world.add_account(number, name))?;
        Ok(Phone::new(self.clone(), number))
    }

    /// The phone of an account that is there.
    pub fn phone(&self, phone: &str) -> Option<Phone> {
        let number: PhoneNumber = phone.parse().ok()?;
        let known = self.with(|world| world.phones.contains_key(&number));
        known.then(|| Phone::new(self.clone(), number))
    }

    /// Makes a group; the first participant is its creator.
    ///
    /// # Errors
    /// [`CreateGroupError`] if somebody has no account, or a limit is exceeded.
    pub fn create_group(
        &self,
        subject: impl Into<String>,
        participants: &[&Phone],
    ) -> Result<Jid, CreateGroupError> {
        self.create_group_addressed(subject, participants, Addressing::Lid)
    }

    /// Makes a group that names its people by this kind of address; the first participant is its
    /// creator.
    ///
    /// # Errors
    /// As [`Sim::create_group`].
    pub fn create_group_addressed(
        &self,
        subject: impl Into<String>,
        participants: &[&Phone],
        addressing: Addressing,
    ) -> Result<Jid, CreateGroupError> {
        let subject = subject.into();
        let mut members: Vec<PhoneNumber> = Vec::new();
        for phone in participants {
            if !members.contains(&phone.number()) {
                members.push(phone.number());
            }
        }
        if members.is_empty() {
            return Err(CreateGroupError::NoParticipants);
        }
        if members.len() > MAX_MEMBERS {
            return Err(CreateGroupError::TooManyParticipants);
        }
        if subject.chars().count() > MAX_SUBJECT {
            return Err(CreateGroupError::SubjectTooLong);
        }
        self.with(|world| {
            if world.server.groups.len() >= MAX_GROUPS {
                return Err(CreateGroupError::TooManyGroups);
            }
            let mut members = members.into_iter();
            let creator = members.next().ok_or(CreateGroupError::NoParticipants)?;
            let mut new = NewGroup::new(subject, creator);
            new.addressing = addressing;
            new.members = members.collect();
            Ok(world.server.create_group(new))
        })
    }

    /// A group as its members see it.
    pub fn group(&self, group: &Jid) -> Option<GroupInfo> {
        let node = self.with(|world| {
            let group = world.server.groups.get(group.user.as_str())?;
            Some(world.server.group_node(group))
        });
        GroupInfo::read(&node?).ok()
    }

    /// The faults in force.
    pub fn faults(&self) -> FaultPlan {
        self.with(|world| world.server.faults.plan.clone())
    }

    /// Puts other faults in force; [`FaultPlan::default`] ends them all.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.with(|world| world.server.faults.plan = plan);
    }

    /// From now on a newcomer gets a snapshot of a collection with more patches than this, and the
    /// patches themselves otherwise; at first always a snapshot.
    pub fn snapshot_app_state_after(&self, patches: u64) {
        self.with(|world| world.server.snapshot_after = patches);
    }

    /// Gives a device a stanza of the caller's making, as if the server had made it: what needs an
    /// ack or receipt is kept until that comes. False if there is no such device.
    pub fn deliver(&self, to: &Jid, stanza: OwnedNode) -> bool {
        self.with(|world| {
            let server = &mut world.server;
            let address = server.address_of(to).filter(|&to| server.device(to).is_some());
            address.map(|address| server.deliver(address, stanza)).is_some()
        })
    }

    /// From now on keeps what linked devices say, for [`Sim::heard`], and forgets what they said
    /// before.
    pub fn listen(&self) {
        self.with(|world| world.server.heard = Some(Vec::new()));
    }

    /// What a linked device said since [`Sim::listen`], in order.
    pub fn heard(&self, from: &Jid) -> Vec<OwnedNode> {
        let state = self.lock();
        let server = &state.world.server;
        let Some(address) = server.address_of(from) else { return Vec::new() };
        let heard = server.heard.iter().flatten().filter(|(said, _)| *said == address);
        heard.map(|(_, stanza)| stanza.clone()).collect()
    }

    /// Sets one of the server's switches (`abt`), by number.
    pub fn set_server_setting(&self, code: &str, value: &str) {
        self.with(|world| world.server.set_property(code, value));
    }

    /// From now on clients below this version are refused as outdated.
    pub fn require_version(&self, version: Option<Version>) {
        self.with(|world| world.server.required_version = version);
    }

    /// What has been counted so far.
    pub fn stats(&self) -> Stats {
        let state = self.lock();
        let World { server, phones, .. } = &state.world;
        let devices = server.accounts.values().flat_map(|account| {
            account.devices.iter().map(move |(&device, kept)| {
                let address = DeviceAddress::new(account.number, device);
                let phone = phones.get(&account.number);
                let stats = DeviceStats {
                    counters: kept.counters.clone(),
                    acks_owed: kept.queue.len(),
                    prekeys_left: kept.shelf.count(),
                    connected: server.is_online(address),
                    history_acknowledged: phone
                        .map(|phone| phone.history_acknowledged(address))
                        .unwrap_or_default(),
                };
                (format!("{}:{device}", account.number), stats)
            })
        });
        Stats {
            connections: state.senders.len(),
            connections_accepted: state.accepted,
            connections_refused: state.refused,
            frames_in: state.frames_in,
            frames_out: state.frames_out,
            faults: server.faults.struck,
            given_up: server.given_up,
            devices: devices.collect(),
        }
    }

    /// Does something to the world and settles what it sets off.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.lock();
        state.world.server.now = self.inner.clock.unix();
        let result = change(&mut state.world);
        state.world.settle();
        state.flush();
        drop(state);
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// Waits until `look` finds something, for no longer than `timeout`.
    pub(crate) async fn wait_for<R>(
        &self,
        timeout: Duration,
        look: impl Fn(&World) -> Option<R>,
    ) -> Option<R> {
        let mut changes = self.inner.changes.subscribe();
        let search = async {
            loop {
                changes.borrow_and_update();
                let found = look(&self.lock().world);
                if let Some(found) = found {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(timeout, search).await.ok().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a connection, unless a fault or the limit refuses it.
    pub(crate) fn accept(&self) -> Option<Incoming> {
        let mut state = self.lock();
        let refused = state.world.server.faults.refuses_connect();
        if refused || state.senders.len() >= MAX_CONNECTIONS {
            state.refused += 1;
            return None;
        }
        state.accepted += 1;
        state.next_connection += 1;
        let id = ConnectionId(state.next_connection);
        let (sender, outputs) = mpsc::channel(MAX_OUTPUTS);
        state.senders.insert(id, sender);
        let rng = ChaCha20Rng::seed_from_u64(state.connection_rng.next_u64());
        Some(Incoming { id, keys: self.inner.keys.clone(), rng, outputs })
    }

    /// Asks a media host something, without a port: the same that [`Sim::serve`] gives over HTTPS.
    /// `None` if the connection breaks off.
    pub async fn media_exchange(&self, request: MediaRequest) -> Option<MediaReply> {
        let hosts = self.inner.media.hosts();
        let host = hosts.iter().position(|host| *host == request.host);
        let fault = self.with(|world| world.server.faults.on_media(host, request.act()));
        tokio::time::sleep(media_host::slowness(fault)).await;
        self.inner.media.exchange(&request, fault)
    }

    /// The names of the media hosts, as the server tells them to clients.
    pub fn media_hosts(&self) -> Vec<String> {
        self.inner.media.hosts()
    }

    /// From now on the media hosts take none of the tokens that clients have; the server gives new
    /// ones.
    pub fn revoke_media_tokens(&self) {
        self.inner.media.revoke_tokens();
    }

    /// A blob as it lies on the media hosts, by its direct path.
    pub fn media_blob(&self, direct_path: &str) -> Option<bytes::Bytes> {
        self.inner.media.blob(direct_path)
    }

    /// What the media hosts have counted so far.
    pub fn media_stats(&self) -> MediaStats {
        self.inner.media.stats()
    }

    /// How many blobs lie on the media hosts.
    pub fn media_count(&self) -> usize {
        self.inner.media.count()
    }

    /// Removes a blob from the media hosts, as they do after a month. False if there is none.
    pub fn expire_media(&self, direct_path: &str) -> bool {
        self.inner.media.forget(direct_path)
    }

    /// What the media host keeps.
    pub(crate) fn media(&self) -> Media {
        self.inner.media.clone()
    }

    pub(crate) fn opened(&self, id: ConnectionId, login: Login) {
        self.with(|world| world.server.opened(id, login));
    }

    pub(crate) fn received(&self, id: ConnectionId, node: &Node<'_>) {
        self.lock().frames_in += 1;
        self.with(|world| {
            if !world.server.faults.loses_incoming() {
                world.server.receive(id, node);
            }
        });
    }

    pub(crate) fn connection_closed(&self, id: ConnectionId) {
        self.with(|world| world.server.closed(id));
        self.lock().senders.remove(&id);
    }

    pub(crate) fn befall(&self, node: &mut OwnedNode) -> Fate {
        self.lock().world.server.faults.befall(node)
    }

    /// Whether nothing is said any more, and the sizes of the pieces in which bytes are written.
    pub(crate) fn wire_faults(&self) -> (bool, Vec<usize>) {
        let state = self.lock();
        let plan = &state.world.server.faults.plan;
        (plan.silence, plan.split.clone())
    }

    pub(crate) fn closes_after(&self, sent: u64) -> bool {
        self.lock().world.server.faults.plan.close_after.is_some_and(|limit| sent >= limit)
    }

    pub(crate) fn frame_sent(&self) {
        self.lock().frames_out += 1;
    }
}

impl State {
    /// Hands what the server has to say to the tasks of its connections.
    fn flush(&mut self) {
        for (id, output) in std::mem::take(&mut self.world.server.outputs) {
            let Some(sender) = self.senders.get(&id) else { continue };
            if sender.try_send(output).is_err() {
                // Without its sender the task writes what it has and closes.
                self.senders.remove(&id);
            }
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").finish_non_exhaustive()
    }
}
