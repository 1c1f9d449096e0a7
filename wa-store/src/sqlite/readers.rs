//! The connections that read: opened when they are needed, a few at a time, and none at work any
//! more when the store is gone.
//!
//! Knows nothing of what is read.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::open::Source;
use crate::{StoreError, store::Result};

/// Connections that read.
pub(super) struct Readers {
    pub(super) source: Source,
    permits: Arc<Semaphore>,
    most: usize,
    state: Mutex<State>,
    one_ended: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    /// Those that read now, and how each is broken off once its connection is open.
    at_work: HashMap<u64, Option<InterruptHandle>>,
    begun: u64,
    is_closed: bool,
}

impl Readers {
    /// At most so many that read at a time.
    pub(super) fn new(source: Source, most: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most));
        Self { source, permits, most, state: Mutex::default(), one_ended: Condvar::new() }
    }

    /// Waits for a turn.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)
    }

    /// Begins a read, on a connection of its own.
    pub(super) fn begin(&self) -> Result<Reader<'_>> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Closed);
        }
        let connection = state.idle.pop();
        let number = state.begun;
        state.begun += 1;
        let handle = connection.as_ref().map(Connection::get_interrupt_handle);
        state.at_work.insert(number, handle);
        Ok(Reader { readers: self, number, connection })
    }

    /// Waits for the reads that have begun, and refuses all others from now on.
    pub(super) async fn close(&self) -> Result<()> {
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let permits = self.permits.acquire_many(all).await.map_err(|_| StoreError::Closed)?;
        self.permits.close();
        drop(permits);
        self.end();
        Ok(())
    }

    /// Breaks off what is read, which nobody waits for, and comes back when nothing is.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.idle.clear();
        state.at_work.values().flatten().for_each(InterruptHandle::interrupt);
        while !state.at_work.is_empty() {
            state = self.one_ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is half done where it is let go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A read under way.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    number: u64,
    connection: Option<Connection>,
}

impl Reader<'_> {
    /// Its connection, opened if there was none.
    pub(super) fn connection(&mut self) -> Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let opened = self.readers.source.reader()?;
                let mut state = self.readers.state();
                if state.is_closed {
                    return Err(StoreError::Closed);
                }
                state.at_work.insert(self.number, Some(opened.get_interrupt_handle()));
                opened
            }
        };
        Ok(self.connection.insert(connection))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        let connection = self.connection.take();
        if state.is_closed {
            // Closed before it counts as ended, because that is work too.
            drop(connection);
        } else {
            state.idle.extend(connection);
        }
        state.at_work.remove(&self.number);
        self.readers.one_ended.notify_all();
    }
}
