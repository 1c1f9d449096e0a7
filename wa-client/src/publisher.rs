//! Commits of which listeners hear, and the telling.
//!
//! Owns the rule that what was committed is told once, in the order of commits, whatever becomes of
//! whoever asked for the commit: it is made and told by a task of the client and not of a
//! connection. Each such commit leaves an entry in the store's journal, which goes with a later one
//! once it was told; after a crash the next start tells what is left there. Knows nothing of what
//! is committed.

use std::{
    any::Any,
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, StreamExt, stream::FuturesOrdered};
use tokio::sync::{mpsc, oneshot};
use wa_store::{
    Altered, Archived, Change, Changes, Committed, JournalEntry, News, Store, StoreError,
};

use crate::{
    event::{Event, EventSender, MessageChange, Repair},
    receive::message_event,
};

/// What is told of a commit, beside what it altered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Announcement {
    /// How messages came that could not be read before.
    repaired_by: Repair,
    news: News,
    before: Vec<Event>,
    after: Vec<Event>,
}

impl Announcement {
    /// Of messages that arrive.
    pub(crate) const fn arrived(repaired_by: Repair) -> Self {
        Self::of(repaired_by, News::All)
    }

    /// Of what is no news by itself, and only what it does to other messages.
    pub(crate) const fn alterations() -> Self {
        Self::of(Repair::Retry, News::Alterations)
    }

    /// Of the past: only what could not be read before.
    pub(crate) const fn of_past() -> Self {
        Self::of(Repair::History, News::Repairs)
    }

    const fn of(repaired_by: Repair, news: News) -> Self {
        Self { repaired_by, news, before: Vec::new(), after: Vec::new() }
    }

    /// Tells this first. It is not told again after a crash.
    pub(crate) fn after(mut self, event: Event) -> Self {
        self.before.push(event);
        self
    }

    /// Tells this last. It is not told again after a crash.
    pub(crate) fn then(mut self, event: Event) -> Self {
        self.after.push(event);
        self
    }
}

/// A commit that is under way, also when this is dropped.
#[derive(Debug)]
#[must_use = "whether it landed is known only here"]
pub(crate) struct Committing {
    answer: oneshot::Receiver<Result<Committed, StoreError>>,
    outcome: Option<Result<Committed, StoreError>>,
}

impl Committing {
    /// Waits until it has landed and was told, or failed. May be given up and begun again.
    pub(crate) async fn done(&mut self) {
        if self.outcome.is_none() {
            // Without an answer the client is ending.
            let outcome = (&mut self.answer).await.unwrap_or(Err(StoreError::Closed));
            self.outcome = Some(outcome);
        }
    }

    /// Waits until it has landed and was told.
    ///
    /// # Errors
    /// The store's; then nothing was written.
    pub(crate) async fn landed(mut self) -> Result<Committed, StoreError> {
        self.done().await;
        self.outcome.unwrap_or(Err(StoreError::Closed))
    }
}

#[derive(Debug)]
struct Request {
    changes: Changes,
    announcement: Announcement,
    /// The locks under which the changes were made: free again once it has landed, or failed.
    held: Box<dyn Any + Send>,
    answer: oneshot::Sender<Result<Committed, StoreError>>,
}

/// Where commits are asked for.
#[derive(Debug)]
pub(crate) struct Publisher {
    requests: mpsc::UnboundedSender<Request>,
    /// What an earlier run of this client left, until it is told.
    left: Mutex<Vec<JournalEntry>>,
    told: Arc<Told>,
}

/// The entries of the journal that were told and still stand there.
#[derive(Debug, Default)]
struct Told(Mutex<HashSet<u64>>);

impl Told {
    fn with<T>(&self, use_it: impl FnOnce(&mut HashSet<u64>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes them, to be removed with a commit.
    fn take(&self) -> Vec<u64> {
        self.with(|told| told.drain().collect())
    }
}

/// What the publisher's task works with.
#[derive(Debug)]
pub(crate) struct Requests {
    requests: mpsc::UnboundedReceiver<Request>,
    told: Arc<Told>,
}

impl Publisher {
    /// A publisher, and what its task needs: [`run`]. `left` is the journal as it is found.
    pub(crate) fn new(left: Vec<JournalEntry>) -> (Self, Requests) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let told = Arc::<Told>::default();
        let needs = Requests { requests: receiver, told: Arc::clone(&told) };
        (Self { requests, left: Mutex::new(left), told }, needs)
    }

    /// Begins a commit. It is made and told whatever becomes of the caller, after those that were
    /// begun before.
    pub(crate) fn commit(&self, changes: Changes, announcement: Announcement) -> Committing {
        self.commit_holding(changes, announcement, ())
    }

    /// The same, with the locks under which the changes were made: nobody else gets them before it
    /// has landed, so that nobody goes on from keys that are about to be replaced.
    pub(crate) fn commit_holding(
        &self,
        changes: Changes,
        announcement: Announcement,
        held: impl Send + 'static,
    ) -> Committing {
        let (answer, answered) = oneshot::channel();
        let held = Box::new(held);
        // If the task is gone, the answer says so.
        let _ = self.requests.send(Request { changes, announcement, held, answer });
        Committing { answer: answered, outcome: None }
    }

    /// Tells what an earlier run of this client committed and did not tell, or did not note that it
    /// had told it. Does nothing from the second time on.
    pub(crate) fn tell_left(&self, events: &EventSender) {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        for entry in left {
            let repaired_by = repair(&entry.origin);
            tell(events, entry.archived, &entry.altered, repaired_by);
            self.told.with(|told| told.insert(entry.id));
        }
    }

    /// Notes on disk what was told, so that the next start does not tell it again. For when there
    /// is time: what follows a crash is told twice at most.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn flush(&self, store: &dyn Store) -> Result<(), StoreError> {
        let told = self.told.take();
        if told.is_empty() {
            return Ok(());
        }
        store.commit(Change::Announced(told).into()).await.map(drop)
    }
}

/// Makes the commits that are asked for and tells them, until nobody can ask any more.
pub(crate) async fn run(store: Arc<dyn Store>, events: EventSender, needs: Requests) {
    let Requests { mut requests, told } = needs;
    // Each is begun in its turn and told in its turn; the store may write several at once.
    let mut under_way = FuturesOrdered::new();
    let mut is_open = true;
    while is_open || !under_way.is_empty() {
        tokio::select! {
            biased;
            Some(made) = under_way.next(), if !under_way.is_empty() => announce(&events, &told, made),
            request = requests.recv(), if is_open => match request {
                Some(request) => under_way.push_back(make(&*store, &told, request)),
                None => is_open = false,
            },
        }
    }
}

/// A commit that ended.
struct Made {
    outcome: Result<Committed, StoreError>,
    announcement: Announcement,
    held: Box<dyn Any + Send>,
    answer: oneshot::Sender<Result<Committed, StoreError>>,
}

async fn make(store: &dyn Store, told: &Told, request: Request) -> Made {
    let Request { mut changes, announcement, held, answer } = request;
    let announced = told.take();
    if !announced.is_empty() {
        changes.push(Change::Announced(announced.clone()));
    }
    let origin = origin(announcement.repaired_by).to_owned();
    changes.push(Change::Announce { origin, news: announcement.news });
    let outcome = AssertUnwindSafe(store.commit(changes)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_panic| {
        tracing::error!("a commit panicked");
        Err(StoreError::Engine { code: SQLITE_MISUSE })
    });
    if outcome.is_err() {
        told.with(|told| told.extend(announced));
    }
    Made { outcome, announcement, held, answer }
}

fn announce(events: &EventSender, told: &Told, made: Made) {
    let Made { outcome, announcement, held, answer } = made;
    drop(held);
    if let Ok(committed) = &outcome {
        let Announcement { repaired_by, news, before, after } = announcement;
        before.into_iter().for_each(|event| events.emit(event));
        let archived = committed.archived.iter().filter(|row| news.tells(row));
        let altered = if news.tells_alterations() { &*committed.altered } else { &[] };
        tell(events, archived.cloned(), altered, repaired_by);
        after.into_iter().for_each(|event| events.emit(event));
        told.with(|told| told.extend(committed.announcement));
    }
    // Whoever asked may be gone.
    let _ = answer.send(outcome);
}

fn tell(
    events: &EventSender,
    archived: impl IntoIterator<Item = Archived>,
    altered: &[Altered],
    repaired_by: Repair,
) {
    for row in archived {
        let filled = row.filled;
        let message = message_event(row);
        events.emit(match filled {
            true => Event::MessageRepaired { message, by: repaired_by },
            false => Event::Message(message),
        });
    }
    for altered in altered {
        events.emit(Event::MessageChanged(MessageChange {
            key: altered.key.clone(),
            by: altered.by.clone(),
            what: altered.what,
        }));
    }
}

/// How a way of repair is called in the journal.
const fn origin(repaired_by: Repair) -> &'static str {
    match repaired_by {
        Repair::Retry => "retry",
        Repair::Phone => "phone",
        Repair::History => "history",
    }
}

fn repair(origin: &str) -> Repair {
    [Repair::Phone, Repair::History]
        .into_iter()
        .find(|repair| self::origin(*repair) == origin)
        .unwrap_or(Repair::Retry)
}

/// What SQLite says to whoever uses it wrongly.
const SQLITE_MISUSE: i32 = 21;
