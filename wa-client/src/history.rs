//! The history: what the phone knows from before this device was linked.
//!
//! The phone tells of its history in parts. Each notice is on disk before it is acknowledged as a
//! message; a worker then reads the parts one after the other: it downloads one, inflates it a
//! piece at a time, and commits what it holds some hundred messages at once. Only with the last of
//! these commits the part counts as stored, and only after it the phone is told (`hist_sync`), so
//! that a part that a crash interrupts is read again from its beginning; what came twice is left
//! alone by the archive.

mod apply;
mod blob;
mod chat;
mod chunk;
mod fetch;
mod message;
mod progress;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use prost::Message as _;
use tokio::sync::Notify;
use wa_proto::{Jid, pb};
use wa_store::{Change, HistoryChunk, HistoryGap};

pub use fetch::{FetchOlder, FetchedHistory, OlderOnPhone};

use crate::{error::Error, event::HistoryKind, inner::Inner, receive::provenance::OwnPhone};
use fetch::Fetches;
use progress::Progress;

/// How much of its past the phone is asked for when this device is linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistoryDepth {
    /// Messages of the past are not kept. What comes with them is: who is who, names, and the
    /// tokens and secrets without which messages of the present cannot be sent or read.
    None,
    /// What the phone gives unasked: some months.
    #[default]
    Recent,
    /// Everything the phone has.
    Full,
}

/// The history of the account: [`crate::Client::history`].
#[derive(Debug, Clone)]
pub struct History {
    inner: Arc<Inner>,
}

impl History {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Asks the phone for messages of a chat that are older than what is in the archive. Options
    /// are chained: `client.history().fetch_older(chat).count(200).await`.
    ///
    /// The phone answers when it is online and pleases to; see [`FetchOlder::timeout`].
    pub fn fetch_older(&self, chat: Jid) -> FetchOlder {
        FetchOlder::new(Arc::clone(&self.inner), chat)
    }

    /// Where the history is known to be incomplete, 10,000 places at most.
    ///
    /// # Errors
    /// The store's.
    pub async fn gaps(&self) -> Result<Vec<HistoryGap>, Error> {
        Ok(self.inner.store.history_gaps(MAX_GAPS).await?)
    }
}

/// What is known of the history besides what is on disk.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    worker: Mutex<Worker>,
    /// Told when a part was put on disk.
    woken: Notify,
    progress: Mutex<Progress>,
    fetches: Fetches,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Worker {
    #[default]
    Idle,
    Working,
    /// It has to look once more before it rests.
    Wanted,
}

impl Histories {
    fn worker<T>(&self, use_it: impl FnOnce(&mut Worker) -> T) -> T {
        use_it(&mut self.worker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn progress<T>(&self, use_it: impl FnOnce(&mut Progress) -> T) -> T {
        use_it(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The phone told of a part of its history: it is kept with the commit of the message, to be read
/// after it; see [`wake`].
pub(crate) fn told(
    _by: &OwnPhone,
    id: &str,
    notice: &pb::message::HistorySyncNotification,
    inner: &Inner,
) -> Change {
    Change::PutHistoryChunk(Box::new(HistoryChunk {
        id: id.into(),
        notice: notice.encode_to_vec(),
        received_at: inner.now(),
        attempts: 0,
    }))
}

/// Reads the parts that wait, beside whatever else goes on. To be called when one was put on disk,
/// and at every login, because an earlier run may have left some.
pub(crate) fn wake(inner: &Arc<Inner>) {
    let is_idle = inner.history.worker(|worker| {
        let is_idle = *worker == Worker::Idle;
        *worker = if is_idle { Worker::Working } else { Worker::Wanted };
        is_idle
    });
    if is_idle {
        let shared = Arc::clone(inner);
        inner.supervise("history", move || {
            let inner = Arc::clone(&shared);
            async move { worker::run(&inner).await }
        });
    } else {
        inner.history.woken.notify_one();
    }
}

impl HistoryKind {
    /// What the phone's number for it means.
    fn from_wire(number: i32) -> Self {
        use pb::message::HistorySyncType as Wire;
        match Wire::try_from(number) {
            Ok(Wire::InitialBootstrap) => Self::Bootstrap,
            Ok(Wire::InitialStatusV3) => Self::Status,
            Ok(Wire::Full) => Self::Full,
            Ok(Wire::Recent) => Self::Recent,
            Ok(Wire::PushName) => Self::PushNames,
            Ok(Wire::OnDemand) => Self::OnDemand,
            _ => Self::Other,
        }
    }
}

/// How many gaps are told at a time.
const MAX_GAPS: usize = 10_000;
