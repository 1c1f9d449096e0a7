//! One chat's turn: what waits for it leaves, the oldest first.
//!
//! Owns the order within a chat, and what becomes of an entry that cannot leave. Knows nothing of
//! when a chat is looked at.

use std::sync::Arc;

use wa_proto::{Jid, OwnedNode, node};
use wa_store::{Change, Changes, OutboxEntry, SendFailure, StoreError};

use super::{
    QUEUED, fail,
    next_step::{MAX_REFUSALS, NextStep},
    prepare,
    sealed::Sealed,
    transmit_gate::TransmitVerdict,
};
use crate::{connection::Link, error::Error, inner::Inner, lid};

/// Sends what waits for a chat. Sending may tell the LID of a person known by phone number; the
/// rest then waits its turn under that.
///
/// # Errors
/// Why the rest waits.
pub(super) async fn take(inner: &Arc<Inner>, chat: &Jid) -> Result<(), Error> {
    loop {
        let chat = lid::canonical(&*inner.store, chat).await?;
        let _turn = inner.locks.chat(chat.clone()).await;
        // The next login looks at everything.
        let Some(link) = inner.link() else { return Ok(()) };
        let (mut place, mut all_left) = (0, true);
        loop {
            let additions = inner.outbox.flight.additions();
            let Some((next, entry)) = next_entry(inner, &chat, &link, place).await? else {
                if all_left {
                    inner.outbox.flight.cleared(&chat, link.generation(), additions);
                }
                break;
            };
            place = next;
            all_left &= send_entry(inner, &chat, &link, entry).await?;
        }
        if lid::canonical(&*inner.store, &chat).await? == chat {
            return Ok(());
        }
    }
}

/// The oldest entry of a chat, behind a place in the queue, that has not left on this connection;
/// from then on it counts as having left.
async fn next_entry(
    inner: &Inner,
    chat: &Jid,
    link: &Link,
    mut after: u64,
) -> Result<Option<(u64, OutboxEntry)>, StoreError> {
    while let Some((place, entry)) = inner.store.outbox_next(chat, after).await? {
        if inner.outbox.flight.leaves(entry.id.as_str(), chat, link.generation()) {
            return Ok(Some((place, entry)));
        }
        after = place;
    }
    Ok(None)
}

/// Whether everything for a chat has left on this connection, by a look at the disk if need be. The
/// caller has the chat's turn.
///
/// # Errors
/// The store's.
pub(super) async fn has_all_left(
    inner: &Inner,
    chat: &Jid,
    link: &Link,
) -> Result<bool, StoreError> {
    if inner.outbox.flight.is_clear(chat, link.generation()) {
        return Ok(true);
    }
    let additions = inner.outbox.flight.additions();
    let Some((_, entry)) = next_entry(inner, chat, link, 0).await? else {
        inner.outbox.flight.cleared(chat, link.generation(), additions);
        return Ok(true);
    };
    inner.outbox.flight.returned(entry.id.as_str(), chat);
    Ok(false)
}

/// Sends an entry or gives it up; false if it stays, and those behind it may leave.
///
/// # Errors
/// Why it waits, and with it all behind it.
async fn send_entry(
    inner: &Arc<Inner>,
    chat: &Jid,
    link: &Link,
    entry: OutboxEntry,
) -> Result<bool, Error> {
    let id = entry.id.as_str().to_owned();
    match inner.settings.transmit_gate.verdict(&entry).await {
        TransmitVerdict::Send => {}
        // Not sent on this connection yet, so that the next look at the outbox finds it.
        TransmitVerdict::Wait => {
            inner.outbox.flight.returned(&id, chat);
            return Ok(false);
        }
        TransmitVerdict::Refuse => {
            fail(inner, chat, &id, SendFailure::NotAllowed).await?;
            return Ok(true);
        }
    }
    let Err(error) = transmit(inner, link, entry).await else {
        inner.outbox.delays.succeeded(chat);
        return Ok(true);
    };
    match NextStep::after_error(&error) {
        // A refused question is not definite yet: the server may be in trouble.
        NextStep::Never(SendFailure::RequestRefused { .. })
            if inner.outbox.delays.refused(chat) < MAX_REFUSALS => {}
        NextStep::Never(failure) => {
            fail(inner, chat, &id, failure).await?;
            return Ok(true);
        }
        _ => {}
    }
    inner.outbox.flight.returned(&id, chat);
    Err(error)
}

/// Sends one entry: encrypted now if it was not, else as it was.
async fn transmit(inner: &Arc<Inner>, link: &Link, entry: OutboxEntry) -> Result<(), Error> {
    let id = entry.id.clone();
    let stored = read(&entry)?;
    if stored.tag == QUEUED {
        let prepared = prepare::prepare(inner, entry, &stored).await?;
        let (stanza, _) = prepared.commit(inner, Changes::new()).await?;
        return leave(inner, link, id.as_str(), &stanza).await;
    }
    inner.store.commit(Change::CountOutboxAttempt(id.clone()).into()).await?;
    leave(inner, link, id.as_str(), &Sealed::of(stored).stanza).await
}

/// What is kept of an entry.
///
/// # Errors
/// [`Error::Internal`].
pub(super) fn read(entry: &OutboxEntry) -> Result<OwnedNode, Error> {
    node::read(entry.payload.as_bytes())
        .map_err(|_| Error::Internal("an outbox entry cannot be read"))
}

/// The bytes of an entry leave, of which everything is on disk.
///
/// # Errors
/// [`Error::Disconnected`].
pub(super) async fn leave(
    inner: &Arc<Inner>,
    link: &Link,
    id: &str,
    stanza: &OwnedNode,
) -> Result<(), Error> {
    inner.outbox.leaves_as(stanza, id);
    link.send(stanza).await.map_err(|_| Error::Disconnected)?;
    inner.outbox.departed(id, link.generation());
    Ok(())
}
