//! Messages that the server should have answered by now, on a connection that lives.
//!
//! Owns what is done then: the same bytes leave again on the same connection, and if that brings no
//! answer either, the connection ends, so that they leave on another. One message ends a connection
//! at most once an hour; until then its bytes leave again, more and more rarely.

use std::sync::Arc;

use tokio::time::Instant;
use wa_store::Change;

use super::{
    QUEUED,
    chat_turn::{leave, read},
    flight::Overdue,
    sealed::Sealed,
};
use crate::{connection::Link, error::Error, inner::Inner};

/// The work that is due for what is overdue at this moment, if anything is.
pub(super) fn take(inner: &Arc<Inner>, now: Instant) -> Option<impl Future<Output = ()> + Send> {
    let Some(link) = inner.link() else {
        inner.outbox.flight.disarm();
        return None;
    };
    let overdue = inner.outbox.flight.overdue(now, link.generation());
    (!overdue.is_empty()).then(|| see_to(Arc::clone(inner), link, overdue))
}

async fn see_to(inner: Arc<Inner>, link: Link, overdue: Vec<Overdue>) {
    for overdue in overdue {
        if overdue.times > RESENDS && inner.outbox.may_end_connection() {
            tracing::warn!(id = %overdue.id, "a message gets no answer; another connection is made");
            return link.abandon();
        }
        tracing::info!(id = %overdue.id, times = overdue.times, "a message gets no answer; it leaves again");
        if let Err(error) = again(&inner, &link, &overdue).await {
            tracing::warn!(%error, id = %overdue.id, "a message without an answer cannot leave again");
            inner.outbox.flight.returned(&overdue.id, &overdue.chat);
            inner.outbox.want(&overdue.chat);
        }
    }
}

/// The same bytes leave again.
async fn again(inner: &Arc<Inner>, link: &Link, overdue: &Overdue) -> Result<(), Error> {
    let id = overdue.id.as_str().into();
    let Some(entry) = inner.store.outbox_entry(&id).await? else {
        inner.outbox.done(&overdue.id);
        return Ok(());
    };
    let stored = read(&entry)?;
    if !entry.state.is_pending() || stored.tag == QUEUED {
        inner.outbox.done(&overdue.id);
        return Ok(());
    }
    inner.store.commit(Change::CountOutboxAttempt(id).into()).await?;
    leave(inner, link, &overdue.id, &Sealed::of(stored).stanza).await
}

/// How often the same bytes leave again on a connection before it ends.
const RESENDS: u32 = 1;
