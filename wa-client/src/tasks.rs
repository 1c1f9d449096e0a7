//! The tasks that run beside whoever started them.
//!
//! Owns their starting and their end, and what happens when one panics: it is logged without what
//! the panic said, counted, and a task that lasts is started again after a growing delay. Knows
//! nothing of what the tasks do.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, Location},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use wa_store::Timestamp;

use crate::{clock::Clock, locks::tracked};

/// How one kind of task is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskHealth {
    /// What it is called: `history`, for instance. Short jobs are called by the part of the client
    /// that started them.
    pub name: &'static str,
    /// Whether it runs now.
    pub state: TaskState,
    /// How often it panicked since this client was made.
    pub panics: u64,
    /// When it last did, by the server's clock.
    pub last_panic: Option<Timestamp>,
}

/// Whether a task runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskState {
    /// It has nothing to do, or is started when it is needed.
    Idle,
    /// It is at work, or waits for some.
    Running,
    /// It panicked, and is started again after a delay.
    Restarting,
}

/// The tasks of one client.
#[derive(Debug)]
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    records: Arc<Records>,
}

impl Tasks {
    pub(crate) fn new(clock: Clock) -> Self {
        let records = Records { clock, by_name: Mutex::default() };
        Self { running: Mutex::new(JoinSet::new()), records: Arc::new(records) }
    }

    /// Starts a task that lasts. One that panics is made anew and goes on, the first time after
    /// [`FIRST_RESTART`]; one that returns is over.
    pub(crate) fn supervise<F>(
        &self,
        name: &'static str,
        mut make: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let records = Arc::clone(&self.records);
        self.start(async move { records.supervised(name, &mut make).await });
    }

    /// The same for what belongs to whoever awaits it: it ends with them, and hands its result to
    /// them.
    pub(crate) async fn supervised<F: Future>(
        &self,
        name: &'static str,
        mut make: impl FnMut() -> F,
    ) -> F::Output {
        self.records.supervised(name, &mut make).await
    }

    /// Starts a short job. One that panics is over.
    #[track_caller]
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let (records, name) = (Arc::clone(&self.records), part(Location::caller()));
        self.start(async move {
            records.caught(name, work).await;
        });
    }

    /// Does something that may panic; nothing if it did, which is then logged and counted.
    pub(crate) async fn caught<F: Future>(&self, name: &'static str, work: F) -> Option<F::Output> {
        self.records.caught(name, work).await
    }

    /// Counts a panic that was caught elsewhere.
    pub(crate) fn panicked(&self, name: &'static str) {
        self.records.panicked(name);
    }

    /// How the tasks are doing, in the order of their names. A short job is there only if one of
    /// its kind panicked.
    pub(crate) fn health(&self) -> Vec<TaskHealth> {
        self.records.by_name(|by_name| {
            let told = |(name, record): (&&'static str, &Record)| record.told(name);
            by_name.iter().map(told).collect()
        })
    }

    /// Ends all of them.
    pub(crate) fn abort(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }
}

/// What is known of each kind of task.
#[derive(Debug)]
struct Records {
    clock: Clock,
    by_name: Mutex<BTreeMap<&'static str, Record>>,
}

#[derive(Debug, Default)]
struct Record {
    running: usize,
    restarting: usize,
    panics: u64,
    last_panic: Option<Timestamp>,
}

impl Record {
    fn told(&self, name: &'static str) -> TaskHealth {
        let state = match self {
            Self { restarting: 1.., .. } => TaskState::Restarting,
            Self { running: 1.., .. } => TaskState::Running,
            _ => TaskState::Idle,
        };
        TaskHealth { name, state, panics: self.panics, last_panic: self.last_panic }
    }
}

impl Records {
    async fn supervised<F: Future>(
        &self,
        name: &'static str,
        make: &mut impl FnMut() -> F,
    ) -> F::Output {
        let mut delay = FIRST_RESTART;
        loop {
            let started = Instant::now();
            let running = Counted::begin(self, name, |record| &mut record.running);
            if let Some(output) = self.caught(name, async { make().await }).await {
                return output;
            }
            drop(running);
            if started.elapsed() >= STABLE_AFTER {
                delay = FIRST_RESTART;
            }
            let _restarting = Counted::begin(self, name, |record| &mut record.restarting);
            sleep(delay).await;
            delay = delay.saturating_mul(2).min(LONGEST_RESTART);
        }
    }

    async fn caught<F: Future>(&self, name: &'static str, work: F) -> Option<F::Output> {
        // What a panic leaves behind is as sound as what a cancelled task does: every change is
        // made on a copy and committed at once, and no lock stays poisoned.
        let outcome = AssertUnwindSafe(tracked(work)).catch_unwind().await;
        outcome.map_err(|_what_it_said| self.panicked(name)).ok()
    }

    fn panicked(&self, name: &'static str) {
        let now = Timestamp::from_secs(i64::try_from(self.clock.unix()).unwrap_or(i64::MAX));
        let panics = self.record(name, |record| {
            record.panics = record.panics.saturating_add(1);
            record.last_panic = Some(now);
            record.panics
        });
        tracing::error!(task = name, panics, "a task panicked");
    }

    fn record<T>(&self, name: &'static str, use_it: impl FnOnce(&mut Record) -> T) -> T {
        self.by_name(|by_name| use_it(by_name.entry(name).or_default()))
    }

    fn by_name<T>(&self, use_it: impl FnOnce(&mut BTreeMap<&'static str, Record>) -> T) -> T {
        use_it(&mut self.by_name.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts a task as running or restarting until it is dropped, also by a cancellation.
struct Counted<'a> {
    records: &'a Records,
    name: &'static str,
    count: fn(&mut Record) -> &mut usize,
}

impl<'a> Counted<'a> {
    fn begin(
        records: &'a Records,
        name: &'static str,
        count: fn(&mut Record) -> &mut usize,
    ) -> Self {
        records.record(name, |record| *count(record) += 1);
        Self { records, name, count }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.records.record(self.name, |record| {
            let count = (self.count)(record);
            *count = count.saturating_sub(1);
        });
    }
}

/// The part of the client that a place in the source belongs to: `pairing/by_code`.
fn part(place: &Location<'static>) -> &'static str {
    let file = place.file();
    let file = file.rsplit_once("src/").map_or(file, |(_, file)| file);
    file.strip_suffix(".rs").unwrap_or(file)
}

/// How long a task that panicked waits before it is started again.
const FIRST_RESTART: Duration = Duration::from_secs(1);
/// The longest it waits, after many panics.
const LONGEST_RESTART: Duration = Duration::from_secs(300);
/// How long a task has to last for its earlier panics to be forgiven.
const STABLE_AFTER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn tasks() -> Tasks {
        Tasks::new(Clock::starting_at(1_700_000_000))
    }

    fn health(tasks: &Tasks, name: &str) -> TaskHealth {
        tasks.health().into_iter().find(|task| task.name == name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_and_does_its_work() {
        let (tasks, done) = (tasks(), Arc::new(AtomicU64::new(0)));
        let (runs, shared) = (AtomicU64::new(0), Arc::clone(&done));
        tasks.supervise("history", move || {
            let (run, done) = (runs.fetch_add(1, Ordering::Relaxed), Arc::clone(&shared));
            async move {
                assert_ne!(run, 0, "the text of a message");
                done.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            }
        });
        sleep(Duration::from_millis(999)).await;
        assert_eq!(done.load(Ordering::Relaxed), 0);
        assert_eq!(health(&tasks, "history").state, TaskState::Restarting);
        sleep(Duration::from_millis(2)).await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
        let health = health(&tasks, "history");
        assert_eq!((health.state, health.panics), (TaskState::Running, 1));
        assert_eq!(health.last_panic, Some(Timestamp::from_secs(1_700_000_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_always_panics_is_not_started_again_more_than_every_five_minutes() {
        let (tasks, runs) = (tasks(), Arc::new(AtomicU64::new(0)));
        let shared = Arc::clone(&runs);
        tasks.supervise("history", move || {
            shared.fetch_add(1, Ordering::Relaxed);
            async { panic!("always") }
        });
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        // 1 + 2 + 4 … 256 seconds, and then every 300.
        assert!((290..=300).contains(&runs.load(Ordering::Relaxed)), "{runs:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_is_counted_by_its_part_of_the_client_and_ends_no_other() {
        let (tasks, done) = (tasks(), Arc::new(AtomicU64::new(0)));
        tasks.spawn(async { panic!("once") });
        let shared = Arc::clone(&done);
        tasks.spawn(async move {
            shared.fetch_add(1, Ordering::Relaxed);
        });
        sleep(Duration::from_secs(1)).await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
        let [job] = tasks.health().try_into().unwrap();
        assert_eq!((job.name, job.state, job.panics), ("tasks", TaskState::Idle, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_cancelled_no_longer_counts_as_running() {
        let tasks = tasks();
        let endless = tasks.supervised("expiry", std::future::pending::<()>);
        assert!(tokio::time::timeout(Duration::from_secs(1), endless).await.is_err());
        assert_eq!(health(&tasks, "expiry").state, TaskState::Idle);
    }
}
