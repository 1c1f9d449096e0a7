//! The thread that writes: it makes what waits in one transaction, each commit whole or not at all,
//! in the order they were asked for.
//!
//! Whoever asked is told after the transaction has landed. Knows nothing of what a change does.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    cache::{Cache, Touch, touches},
    rows::{engine, run},
    write::{self, NewRows},
};
use crate::{Changes, Committed, StoreError, store::Result};

/// How many changes share a transaction at most, so that a small commit does not wait long for the
/// large ones that stand behind it. A commit that is larger by itself has one of its own.
const SHARED_CHANGES: usize = 512;

/// What the writing thread is asked to do.
pub(super) enum Job {
    Commit(Changes, Answer<Committed>),
    Close(Answer<()>),
}

/// Whom to tell.
type Answer<T> = oneshot::Sender<Result<T>>;

/// A commit that waits.
type Asked = (Changes, Answer<Committed>);

/// The connection that writes.
pub(super) struct Writer {
    db: Connection,
    new_rows: Arc<NewRows>,
    cache: Arc<Cache>,
}

impl Writer {
    pub(super) fn new(mut db: Connection, cache: Arc<Cache>) -> Result<Self> {
        let new_rows = NewRows::watch(&mut db)?;
        Ok(Self { db, new_rows, cache })
    }

    /// What the writing thread does until the store is closed or dropped.
    pub(super) fn work(mut self, jobs: &mpsc::Receiver<Job>) {
        let mut behind = None;
        while let Some(job) = behind.take().or_else(|| jobs.recv().ok()) {
            match job {
                Job::Commit(changes, answer) => {
                    let asked;
                    (asked, behind) = gather((changes, answer), jobs);
                    self.make(asked);
                }
                Job::Close(answer) => {
                    // Closing the last connection writes the log back into the file.
                    let _ = answer.send(self.db.close().map_err(|(_, error)| engine(error)));
                    return;
                }
            }
        }
    }

    /// Makes commits, in one transaction if none of them fails beyond itself.
    fn make(&mut self, mut asked: VecDeque<Asked>) {
        while !asked.is_empty() {
            let made = self.make_together(&mut asked);
            self.land(made);
        }
    }

    /// Begins a transaction, and makes what was asked for until it is all made, or SQLite took the
    /// transaction back.
    fn make_together(&mut self, asked: &mut VecDeque<Asked>) -> Vec<Made> {
        let mut made = Vec::new();
        if let Err(error) = run(&self.db, "BEGIN IMMEDIATE", []) {
            asked.drain(..).for_each(|(_, answer)| drop(answer.send(Err(same(&error)))));
            return made;
        }
        let is_shared = asked.len() > 1;
        while let Some((changes, answer)) = asked.pop_front() {
            let touched = touches(&changes);
            match self.make_one(changes, is_shared) {
                Ok(committed) => made.push(Made { committed, touched, answer }),
                Err(error) => {
                    // Where the disk is full SQLite may take back all of it, and not this one alone.
                    if self.db.is_autocommit() {
                        refuse(std::mem::take(&mut made), &error);
                    }
                    let _ = answer.send(Err(error));
                    if self.db.is_autocommit() {
                        break;
                    }
                }
            }
        }
        made
    }

    /// Makes one commit; one that fails is taken back.
    fn make_one(&self, changes: Changes, is_shared: bool) -> Result<Committed> {
        if !is_shared {
            return write::make(&self.db, &self.new_rows, changes);
        }
        let run = |sql| run(&self.db, sql, []);
        run("SAVEPOINT asked")?;
        let made = write::make(&self.db, &self.new_rows, changes)
            .and_then(|committed| run("RELEASE asked").map(|_| committed));
        // What cannot be taken back alone is taken back with the others.
        if made.is_err() && run("ROLLBACK TO asked").and_then(|_| run("RELEASE asked")).is_err() {
            let _ = run("ROLLBACK");
        }
        made
    }

    /// Ends the transaction, and tells those whose commits it made.
    fn land(&mut self, mut made: Vec<Made>) {
        if self.db.is_autocommit() {
            return;
        }
        let touched = made.iter_mut().flat_map(|made| std::mem::take(&mut made.touched)).collect();
        self.cache.begin(touched);
        let landed = if made.is_empty() {
            run(&self.db, "ROLLBACK", [])
        } else {
            run(&self.db, "COMMIT", [])
        };
        match landed {
            Ok(_) => {
                self.cache.land();
                for Made { committed, answer, .. } in made {
                    let _ = answer.send(Ok(committed));
                }
            }
            Err(error) => {
                if !self.db.is_autocommit() {
                    // If this is refused as well, the next transaction is.
                    let _ = run(&self.db, "ROLLBACK", []);
                }
                self.cache.fail();
                refuse(made, &error);
            }
        }
    }
}

/// A commit that was made, in a transaction that has not landed yet.
struct Made {
    committed: Committed,
    touched: Vec<Touch>,
    answer: Answer<Committed>,
}

fn refuse(made: Vec<Made>, error: &StoreError) {
    for Made { answer, .. } in made {
        let _ = answer.send(Err(same(error)));
    }
}

/// Takes what waits behind a commit and fits into one transaction with it, and the job behind that.
fn gather(first: Asked, jobs: &mpsc::Receiver<Job>) -> (VecDeque<Asked>, Option<Job>) {
    let mut changes = first.0.len();
    let mut asked = VecDeque::from([first]);
    while let Ok(job) = jobs.try_recv() {
        match job {
            Job::Commit(next, answer) if changes + next.len() <= SHARED_CHANGES => {
                changes += next.len();
                asked.push_back((next, answer));
            }
            other => return (asked, Some(other)),
        }
    }
    (asked, None)
}

/// The same error once more, for another who asked.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::DiskFull => StoreError::DiskFull,
        StoreError::Locked => StoreError::Locked,
        StoreError::ReadOnly => StoreError::ReadOnly,
        StoreError::Corrupt { what } => StoreError::Corrupt { what },
        StoreError::Engine { code } => StoreError::Engine { code: *code },
        // SQLite gives no others. The generic code says as much.
        _ => StoreError::Engine { code: rusqlite::ffi::SQLITE_ERROR },
    }
}
