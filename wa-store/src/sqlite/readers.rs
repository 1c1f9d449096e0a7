//! The threads that read, each with a connection of its own: one for the look-ups that receiving and
//! sending wait for, a few for searches, pages and lists, so that neither holds up the other.
//!
//! A question for which nobody waits any more is skipped, or broken off if it has begun. Nothing is
//! at work any more when the store is gone. Knows nothing of what is read.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    open::Source,
    rows::{engine, run},
};
use crate::{StoreError, store::Result};

/// How many threads answer what may take long.
const ARCHIVE_THREADS: usize = 3;

/// How many look-ups that wait are answered in one snapshot.
const SHARED_LOOKUPS: usize = 64;

/// How many steps SQLite takes between two looks at whether anybody still waits: some ten
/// microseconds.
const STEPS: i32 = 1_000;

/// Who answers a question.
#[derive(Clone, Copy)]
pub(super) enum Line {
    /// The thread that is kept free for look-ups by key: none of them takes long.
    Lookups,
    /// The threads for whatever goes through many rows.
    Archive,
}

/// The threads that read.
pub(super) struct Readers {
    pub(super) source: Source,
    lookups: Arc<Queue>,
    archive: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads. Each opens its connection with its first question.
    pub(super) fn start(source: Source) -> Result<Self> {
        let (lookups, archive) = (Arc::<Queue>::default(), Arc::<Queue>::default());
        let readers = Self { source, lookups, archive, threads: Mutex::default() };
        readers.spawn("wa-store-lookups", Line::Lookups, SHARED_LOOKUPS)?;
        for _ in 0..ARCHIVE_THREADS {
            readers.spawn("wa-store-archive", Line::Archive, 1)?;
        }
        Ok(readers)
    }

    fn spawn(&self, name: &str, line: Line, at_once: usize) -> Result<()> {
        let (queue, source) = (Arc::clone(self.queue(line)), self.source.clone());
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || answer_all(&queue, &source, at_once))
            .map_err(|error| {
                self.end();
                StoreError::Io { path: self.source.path.clone(), source: error }
            })?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    const fn queue(&self, line: Line) -> &Arc<Queue> {
        match line {
            Line::Lookups => &self.lookups,
            Line::Archive => &self.archive,
        }
    }

    /// Reads in one snapshot. Dropping the future breaks the read off.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        line: Line,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = Waiting { is_over: Arc::default(), answered: false };
        let is_abandoned = Arc::clone(&waiting.is_over);
        let read: Read = Box::new(move |db| {
            let result = match db {
                // The thread reads for others as well.
                Ok(db) => catch_unwind(AssertUnwindSafe(|| read(db))),
                Err(error) => Ok(Err(error)),
            };
            let _ = answer.send(result);
        });
        self.queue(line).put(Question { is_abandoned, read })?;
        let result = answered.await;
        waiting.answered = true;
        match result {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(StoreError::Closed),
        }
    }

    /// Waits for the reads that have begun, and refuses all others from now on. Blocks.
    pub(super) fn close(&self) {
        self.lookups.close();
        self.archive.close();
        // Whoever comes second waits as well.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread catches the panics of what it reads.
            let _ = thread.join();
        }
    }

    /// Breaks off what is read, which nobody waits for, and comes back when nothing is. Blocks.
    pub(super) fn end(&self) {
        self.lookups.abandon();
        self.archive.abandon();
        self.close();
    }
}

/// Somebody waits for an answer, until this is dropped.
struct Waiting {
    is_over: Arc<AtomicBool>,
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads from a snapshot, or hears why there is none, and tells whoever asked.
type Read = Box<dyn FnOnce(Result<&Connection>) + Send>;

/// Something to read.
struct Question {
    is_abandoned: Arc<AtomicBool>,
    read: Read,
}

/// The questions that wait for a kind of thread.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Question>,
    /// Those that are being answered.
    at_work: Vec<Arc<AtomicBool>>,
    is_closed: bool,
}

impl Queue {
    fn put(&self, question: Question) -> Result<()> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Closed);
        }
        state.waiting.push_back(question);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for questions, and takes at most so many; nothing once the queue is closed.
    fn take(&self, at_most: usize) -> Option<Vec<Question>> {
        let mut state = self.state();
        while state.waiting.is_empty() && !state.is_closed {
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed {
            return None;
        }
        let count = state.waiting.len().min(at_most);
        let taken: Vec<_> = state.waiting.drain(..count).collect();
        state.at_work.extend(taken.iter().map(|question| Arc::clone(&question.is_abandoned)));
        Some(taken)
    }

    /// A question was answered, or skipped.
    fn is_done(&self, question: &Arc<AtomicBool>) {
        self.state().at_work.retain(|other| !Arc::ptr_eq(other, question));
    }

    fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        // Whoever asked them is told by their end.
        let refused = std::mem::take(&mut state.waiting);
        drop(state);
        drop(refused);
        self.arrived.notify_all();
    }

    fn abandon(&self) {
        self.state().at_work.iter().for_each(|question| question.store(true, Ordering::Relaxed));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is half done where it is let go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a thread that reads does until the queue is closed.
fn answer_all(queue: &Queue, source: &Source, at_once: usize) {
    let mut connection = None;
    while let Some(questions) = queue.take(at_once) {
        for Question { is_abandoned, read } in questions {
            if !is_abandoned.load(Ordering::Relaxed) {
                match snapshot(&mut connection, source) {
                    Ok(db) => answer(db, &is_abandoned, read),
                    Err(error) => read(Err(error)),
                }
            }
            queue.is_done(&is_abandoned);
        }
        // A snapshot that stays open would keep the log from being written back.
        if let Some(db) = &connection
            && !db.is_autocommit()
            && run(db, "ROLLBACK", []).is_err()
        {
            connection = None;
        }
    }
}

/// The thread's connection, opened if there was none, and reading from one snapshot.
fn snapshot<'a>(
    connection: &'a mut Option<Connection>,
    source: &Source,
) -> Result<&'a mut Connection> {
    let db = match connection {
        Some(db) => db,
        none => none.insert(source.reader()?),
    };
    if db.is_autocommit() {
        run(db, "BEGIN", [])?;
    }
    Ok(db)
}

fn answer(db: &mut Connection, is_abandoned: &Arc<AtomicBool>, read: Read) {
    let stop = Arc::clone(is_abandoned);
    match db.progress_handler(STEPS, Some(move || stop.load(Ordering::Relaxed))) {
        Ok(()) => read(Ok(db)),
        Err(error) => read(Err(engine(error))),
    }
    // It can fail only where setting it failed.
    let _ = db.progress_handler(0, None::<fn() -> bool>);
}

#[cfg(test)]
mod tests {
    use std::{task::Poll, time::Duration};

    use super::*;
    use crate::{DatabaseKey, OpenOptions};

    /// A query without end.
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    fn readers(folder: &tempfile::TempDir) -> Readers {
        let source = Source {
            path: folder.path().join("wa.db"),
            key: DatabaseKey::from_bytes([7; 32]),
            options: OpenOptions::default(),
        };
        source.open().unwrap().close().unwrap();
        Readers::start(source).unwrap()
    }

    fn endless(db: &Connection) -> Result<i64> {
        db.query_row(ENDLESS, [], |row| row.get(0)).map_err(engine)
    }

    fn one(db: &Connection) -> Result<i64> {
        db.query_row("SELECT 1", [], |row| row.get(0)).map_err(engine)
    }

    /// Asks for what never ends on every archive thread, and gives what waits for it.
    async fn block_archive(readers: &Readers) -> Vec<impl Future<Output = Result<i64>> + '_> {
        let mut asked = Vec::new();
        for _ in 0..ARCHIVE_THREADS {
            let (begin, begun) = oneshot::channel();
            let mut question = Box::pin(readers.ask(Line::Archive, move |db| {
                begin.send(()).unwrap();
                endless(db)
            }));
            let first = futures_poll(&mut question).await;
            assert!(first.is_pending());
            begun.await.unwrap();
            asked.push(question);
        }
        asked
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context)))
            .await
    }

    #[tokio::test]
    async fn a_lookup_is_answered_while_every_archive_reader_is_busy() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let asked = block_archive(&readers).await;
        assert_eq!(readers.ask(Line::Lookups, one).await.unwrap(), 1);
        drop(asked);
        readers.end();
    }

    #[tokio::test]
    async fn a_read_for_which_nobody_waits_is_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let mut asked = block_archive(&readers).await;
        let mut behind = Box::pin(readers.ask(Line::Archive, one));
        assert!(futures_poll(&mut behind).await.is_pending());
        // With any one of the endless reads dropped, its thread is free for others.
        drop(asked.pop());
        assert_eq!(behind.await.unwrap(), 1);
        drop(asked);
        assert_eq!(readers.ask(Line::Archive, one).await.unwrap(), 1);
        readers.end();
    }

    #[tokio::test]
    async fn a_read_that_was_dropped_before_it_began_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let mut asked = block_archive(&readers).await;
        let made = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&made);
        let mut behind = Box::pin(readers.ask(Line::Archive, move |db| {
            note.store(true, Ordering::Relaxed);
            one(db)
        }));
        assert!(futures_poll(&mut behind).await.is_pending());
        drop(behind);
        drop(asked.pop());
        assert_eq!(readers.ask(Line::Archive, one).await.unwrap(), 1);
        drop(asked);
        readers.end();
        assert!(!made.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn ending_breaks_off_what_is_read_and_refuses_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let mut asked = block_archive(&readers).await;
        let mut behind = Box::pin(readers.ask(Line::Archive, one));
        assert!(futures_poll(&mut behind).await.is_pending());
        readers.end();
        assert!(matches!(behind.await, Err(StoreError::Closed)));
        let broken_off = asked.pop().unwrap().await;
        assert!(matches!(broken_off, Err(StoreError::Engine { .. })), "{broken_off:?}");
        assert!(matches!(readers.ask(Line::Lookups, one).await, Err(StoreError::Closed)));
    }

    #[tokio::test]
    async fn lookups_that_wait_are_answered_in_one_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let readers = readers(&folder);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = oneshot::channel();
        let mut first = Box::pin(readers.ask(Line::Lookups, move |db| {
            begin.send(()).unwrap();
            wait.recv_timeout(Duration::from_secs(60)).unwrap();
            one(db)
        }));
        assert!(futures_poll(&mut first).await.is_pending());
        begun.await.unwrap();
        // A commit by somebody else between two reads shows in the second only in a new snapshot.
        let writer = readers.source.open().unwrap();
        let version = |db: &Connection| {
            db.query_row("SELECT count(*) FROM settings", [], |row| row.get::<_, i64>(0))
                .map_err(engine)
        };
        let commit = move |db: &Connection| {
            let before = version(db)?;
            writer
                .execute("INSERT INTO settings (name, value) VALUES ('a', x'00')", [])
                .map_err(engine)?;
            Ok(before)
        };
        let mut second = Box::pin(readers.ask(Line::Lookups, commit));
        let mut third = Box::pin(readers.ask(Line::Lookups, version));
        assert!(futures_poll(&mut second).await.is_pending());
        assert!(futures_poll(&mut third).await.is_pending());
        go.send(()).unwrap();
        first.await.unwrap();
        assert_eq!((second.await.unwrap(), third.await.unwrap()), (0, 0));
        assert_eq!(readers.ask(Line::Lookups, version).await.unwrap(), 1);
        readers.end();
    }
}
