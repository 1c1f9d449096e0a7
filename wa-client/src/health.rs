//! How the client is doing, at this moment.
//!
//! Owns the snapshot that a frontend shows, and the counts of what came in and could not be read.
//! Knows nothing of how it is shown.

use std::sync::{Mutex, PoisonError};

use wa_proto::entries::count_left_out;
use wa_store::Timestamp;

use crate::{Client, State, TaskHealth, clock::Clock};

/// How the client is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How far the connection has come.
    pub state: State,
    /// What came in since this client was made and could not be read.
    pub unreadable: Unreadable,
    /// The background tasks, in the order of their names.
    pub tasks: Vec<TaskHealth>,
}

/// What came in and could not be read. Each was skipped, and what came with it and after it was
/// read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// Frames that hold no stanza that can be decoded.
    pub frames: u64,
    /// Entries of lists that lack what they must have.
    pub entries: u64,
    /// When something was unreadable last, by the server's clock.
    pub last: Option<Timestamp>,
}

impl Client {
    /// How this client is doing, without asking anybody.
    pub fn health(&self) -> Health {
        let inner = self.inner();
        Health {
            state: inner.state(),
            unreadable: inner.unreadable.counts(),
            tasks: inner.tasks.health(),
        }
    }
}

/// Counts what cannot be read, and logs it without what it says.
#[derive(Debug)]
pub(crate) struct UnreadableCounter {
    clock: Clock,
    counts: Mutex<Unreadable>,
}

impl UnreadableCounter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, counts: Mutex::default() }
    }

    /// A frame could not be decoded.
    pub(crate) fn frame(&self, error: &wa_proto::node::DecodeError) {
        tracing::warn!(%error, "a frame that cannot be read is skipped");
        self.count(|counts| counts.frames = counts.frames.saturating_add(1));
    }

    /// Reads what the server said, and counts the entries of lists that are left out of it.
    pub(crate) fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        let (read, left_out) = count_left_out(read);
        if left_out > 0 {
            tracing::warn!(left_out, "entries of a list that cannot be read are skipped");
            let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
            self.count(|counts| counts.entries = counts.entries.saturating_add(left_out));
        }
        read
    }

    pub(crate) fn counts(&self) -> Unreadable {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut Unreadable)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counts);
        let now = i64::try_from(self.clock.unix()).unwrap_or(i64::MAX);
        counts.last = Some(Timestamp::from_secs(now));
    }
}
