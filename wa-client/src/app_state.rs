//! The app state: what the devices of the account keep in common, followed and changed.
//!
//! Owns when collections are synced: after the backlog of a connection, when the server says that
//! one has news, when keys arrive; one worker does it, one collection at a time, each under a lock.
//! [`sync`] fetches and checks, [`effects`] says what a collection means for the archive, [`push`]
//! tells the others what was changed here. Nothing is believed whose MACs do not hold.

mod blob;
mod effects;
mod form;
mod keys;
mod push;
mod recovery;
mod sync;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};
use wa_proto::{Jid, app_state::Collection, stanza::CollectionNews};
use wa_store::{Change, Store, StoreError};

pub use push::Synced;

pub(crate) use form::{message_entry, own_form, range_of};
pub(crate) use keys::{answer_request, keys_came, shared};
pub(crate) use push::make;
pub(crate) use recovery::{is_answer, send_fatal_exception, take_answer};

use crate::{
    connection::Link,
    inner::{Inner, State},
    stanza_handler::StanzaContext,
};

/// What all of the app state shares.
#[derive(Debug)]
pub(crate) struct AppState {
    locks: [tokio::sync::Mutex<()>; Collection::ALL.len()],
    key_requests: tokio::sync::Mutex<()>,
    jobs: Mutex<VecDeque<Job>>,
    wake: Notify,
    /// Whether a connection's backlog is over and nothing waits for the worker.
    settled: watch::Sender<bool>,
    is_running: AtomicBool,
    /// The connection whose backlog is over; 0 before the first.
    ready: watch::Sender<u64>,
    /// Whether the first keys were waited for.
    waited_for_keys: AtomicBool,
    /// Told when keys came.
    keys_came: Notify,
}

/// Something for the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Job {
    /// A collection may have news.
    Sync(Collection),
    /// An own device asks for keys.
    AnswerKeys { to: Jid, ids: Vec<Vec<u8>> },
}

impl Default for AppState {
    fn default() -> Self {
        Self {
            locks: Default::default(),
            key_requests: tokio::sync::Mutex::default(),
            jobs: Mutex::default(),
            wake: Notify::new(),
            settled: watch::Sender::new(false),
            is_running: AtomicBool::new(false),
            ready: watch::Sender::new(0),
            waited_for_keys: AtomicBool::new(false),
            keys_came: Notify::new(),
        }
    }
}

impl AppState {
    /// The lock under which a collection is fetched and changed.
    fn lock(&self, collection: Collection) -> &tokio::sync::Mutex<()> {
        let [block, unblock_low, high, regular, low] = &self.locks;
        match collection {
            Collection::CriticalBlock => block,
            Collection::CriticalUnblockLow => unblock_low,
            Collection::RegularHigh => high,
            Collection::Regular => regular,
            Collection::RegularLow => low,
        }
    }

    fn jobs<T>(&self, use_them: impl FnOnce(&mut VecDeque<Job>) -> T) -> T {
        use_them(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, job: Job) {
        self.jobs(|jobs| {
            if jobs.len() < MAX_JOBS && !jobs.contains(&job) {
                jobs.push_back(job);
            }
            self.settled.send_replace(false);
        });
        self.wake.notify_one();
    }
}

/// A connection is ready for requests: the worker begins, if it has not.
pub(crate) fn connected(inner: &Arc<Inner>) {
    if !inner.app_state.is_running.swap(true, Ordering::Relaxed) {
        let shared = Arc::clone(inner);
        inner.supervise("app state", move || work(Arc::clone(&shared)));
    }
    inner.app_state.wake.notify_one();
}

/// The backlog of this connection is over: whatever happened meanwhile is fetched.
pub(crate) fn resume(inner: &Inner, link: &Link) {
    inner.app_state.ready.send_replace(link.generation());
    resync_all(inner);
}

/// Fetches what is new in every collection, as soon as that may be done: also after the server
/// marked the account's state as dirty.
pub(crate) fn resync_all(inner: &Inner) {
    for collection in Collection::ALL {
        inner.app_state.add(Job::Sync(collection));
    }
}

/// The server says that collections have news. Within the backlog nothing needs to be done: its
/// end fetches everything.
pub(crate) fn handle_news(cx: &StanzaContext, news: &[CollectionNews]) {
    for one in news {
        match one.name.parse() {
            Ok(collection) => cx.inner.app_state.add(Job::Sync(collection)),
            Err(_) => tracing::debug!("news of a collection that is not known"),
        }
    }
}

/// Waits until everything that the server told of has been fetched, or could not be; whether that
/// was so in time.
pub(crate) async fn until_settled(inner: &Inner, limit: Duration) -> bool {
    let mut settled = inner.app_state.settled.subscribe();
    let waited = tokio::time::timeout(limit, settled.wait_for(|settled| *settled)).await;
    matches!(waited, Ok(Ok(_)))
}

/// Whether the current connection's backlog is over.
fn is_ready(inner: &Inner) -> bool {
    let ready = *inner.app_state.ready.borrow();
    inner.link().is_some_and(|link| link.generation() == ready)
}

/// Waits for a connection whose backlog is over; whether there is one in time. Where no connection
/// is being made, there is none at once.
async fn wait_until_ready(inner: &Inner, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut ready = inner.app_state.ready.subscribe();
    loop {
        ready.mark_unchanged();
        if is_ready(inner) {
            return true;
        }
        if matches!(inner.state(), State::Idle | State::Stopped | State::LoggedOut) {
            return false;
        }
        let now = Instant::now();
        if now >= deadline {
            return false;
        }
        // The backlog may be over before the login is: then nothing more is told here, and it is
        // looked again after a moment.
        let _ = timeout_at(deadline.min(now + LOOK_AGAIN_AFTER), ready.changed()).await;
    }
}

async fn work(inner: Arc<Inner>) {
    // What an earlier run left, when it panicked.
    inner.app_state.wake.notify_one();
    loop {
        inner.app_state.wake.notified().await;
        while is_ready(&inner)
            && let Some(job) = inner.app_state.jobs(VecDeque::pop_front)
        {
            let under_way = UnderWay { app_state: &inner.app_state, job: Some(job.clone()) };
            match job {
                Job::Sync(collection) => sync::sync(&inner, collection).await,
                Job::AnswerKeys { to, ids } => keys::send(&inner, &to, &ids).await,
            }
            under_way.done();
        }
        if is_ready(&inner) {
            let app_state = &inner.app_state;
            app_state.jobs(|jobs| app_state.settled.send_replace(jobs.is_empty()));
        }
    }
}

/// A job that goes back behind the others if it is not done: a panic loses none, and one that
/// always panics keeps no other from its turn.
struct UnderWay<'a> {
    app_state: &'a AppState,
    job: Option<Job>,
}

impl UnderWay<'_> {
    fn done(mut self) {
        self.job = None;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.app_state.add(job);
        }
    }
}

/// A setting of the account in the store's settings: `app-state/<name>`.
fn setting(name: &str, value: Vec<u8>) -> Change {
    Change::PutSetting { name: format!("{SETTING}{name}"), value: Some(value) }
}

/// Whether the user wants archived chats to come back with new messages.
///
/// # Errors
/// The store's.
pub(crate) async fn brings_chats_back(store: &dyn Store) -> Result<bool, StoreError> {
    let kept = store.setting(&format!("{SETTING}{UNARCHIVE}")).await?;
    Ok(kept.is_some_and(|kept| kept == [1]))
}

/// Settings that the app state brought begin with this.
pub(crate) const SETTING: &str = "app-state/";
/// The setting that brings archived chats back.
const UNARCHIVE: &str = "unarchive-chats";
/// How long whoever waits for a connection does not look again for one.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How much may wait for the worker; what is beyond is done with the next connection.
const MAX_JOBS: usize = 64;
