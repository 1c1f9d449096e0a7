//! The worker that reads the parts one after the other.
//!
//! Owns when to try again and when the history is over. Knows nothing of what a part holds.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};
use wa_store::{GapPlace, HistoryChunk, MessageId, StoreError};

use super::{Worker, chunk};
use crate::{
    event::{Event, HistoryEvent},
    inner::Inner,
};

/// Reads what waits, until nothing does.
pub(super) async fn run(inner: &Arc<Inner>) {
    loop {
        if let Err(error) = drain(inner).await {
            tracing::error!(%error, "the history cannot be kept; its rest waits for the next login");
        }
        let rests = inner.history.worker(|worker| {
            let rests = *worker != Worker::Wanted;
            *worker = if rests { Worker::Idle } else { Worker::Working };
            rests
        });
        if rests {
            return;
        }
    }
}

async fn drain(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let mut deferred = HashMap::<MessageId, Instant>::new();
    loop {
        let waiting = inner.store.history_chunks(MAX_LOOK).await?;
        deferred.retain(|id, _| waiting.iter().any(|chunk| chunk.id == *id));
        let now = Instant::now();
        let is_due = |chunk: &&HistoryChunk| deferred.get(&chunk.id).is_none_or(|due| *due <= now);
        if let Some(due) = waiting.iter().find(is_due) {
            if let chunk::Outcome::Later = chunk::read(inner, due).await? {
                deferred.insert(due.id.clone(), now + backoff(due.attempts));
            }
            continue;
        }
        let woken = inner.history.woken.notified();
        match deferred.values().min() {
            Some(next) => tokio::select! {
                () = woken => {}
                () = sleep_until(*next) => {}
            },
            None if inner.history.progress(|progress| progress.is_running()) => {
                if timeout(STALLED_AFTER, woken).await.is_err() {
                    end(inner, false).await?;
                }
            }
            None => return Ok(()),
        }
    }
}

/// The history is over: tells it, and what is known to be missing.
///
/// # Errors
/// The store's.
pub(super) async fn end(inner: &Inner, is_whole: bool) -> Result<(), StoreError> {
    let Some(event) = inner.history.progress(|progress| progress.end(is_whole)) else {
        return Ok(());
    };
    let gaps = inner.store.history_gaps(MAX_TOLD_GAPS).await?;
    inner.emit(Event::History(event));
    // Those of whole parts were told when they were found.
    for gap in gaps.into_iter().filter(|gap| matches!(gap.place, GapPlace::Chat(_))) {
        inner.emit(Event::History(HistoryEvent::GapFound(gap)));
    }
    Ok(())
}

fn backoff(attempts: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << attempts.min(MAX_DOUBLINGS))
}

/// How many parts are looked at at a time.
const MAX_LOOK: usize = 16;
/// How many gaps are told when the history is over; [`super::History::gaps`] tells them all.
const MAX_TOLD_GAPS: usize = 512;
/// How long nothing may come before the history counts as over.
const STALLED_AFTER: Duration = Duration::from_secs(120);
/// How long to wait before a download is tried again for the first time.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
/// How often that is doubled: up to some five minutes.
const MAX_DOUBLINGS: u32 = 6;
