//! Messages between the caller's word and the server's ack.
//!
//! Owns the way of an entry: queued as content, encrypted into a stanza, sent, acknowledged. Each
//! step is on disk before the next begins, and a stanza, once made, is sent as it is until the
//! server answers, so that no key is used twice and nobody gets a message twice. Messages of one
//! chat leave in the order they were queued; chats do not wait for each other.
//!
//! A message to somebody whose keys are there takes all steps up to the sending in one commit
//! ([`hand_over`]). Whatever has to wait is sent by one task ([`pump`]), which sorts every failure
//! ([`next_step`]) and never asks faster than [`crate::request::budget`] lets it.

mod acks;
mod chat_turn;
mod delays;
mod flight;
mod group_ack;
mod hand_over;
mod next_step;
mod overdue;
pub(crate) mod prepare;
mod pump;
mod sealed;
mod state;
pub(crate) mod transmit_gate;

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;
use wa_proto::{Content, Jid, MessageId, pb};
use wa_store::{
    Change, Changes, MessageKey, MessageStatus, Origin, OutboxEntry, OutboxState, SendFailure,
    StoreError,
};

use self::state::Answer;
pub use self::transmit_gate::{TransmitGate, TransmitVerdict};
pub(crate) use self::{
    acks::acked,
    hand_over::hand_over,
    pump::{wake, wake_all},
    state::Outbox,
};
use crate::{
    error::Error,
    event::{Event, SendState},
    inner::{Inner, State},
    lid, restriction,
};

/// A message as the caller handed it over.
pub(crate) struct Queued {
    pub(crate) id: MessageId,
    pub(crate) chat: Jid,
    pub(crate) content: Content,
    pub(crate) message: pb::Message,
    /// Of a file in a channel: what the media host calls it.
    pub(crate) media_handle: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) origin: Option<Origin>,
}

/// A message that is on disk, and the answer to it, which may have come already.
pub(crate) struct Accepted {
    answer: oneshot::Receiver<Answer>,
}

impl Accepted {
    /// Waits until the server took the message, and gives its time.
    ///
    /// # Errors
    /// As [`wait_for_ack`].
    pub(crate) async fn wait(self, inner: &Inner, limit: Duration) -> Result<Option<u64>, Error> {
        if matches!(inner.state(), State::Idle | State::Stopped) {
            return Err(Error::NotConnected);
        }
        match tokio::time::timeout(limit, self.answer).await {
            Ok(Ok(Ok(timestamp))) => Ok(Some(timestamp)),
            Ok(Ok(Err(failure))) => Err(refusal(inner, failure).await),
            Ok(Err(_)) => Err(Error::Disconnected),
            Err(_) => Err(Error::Timeout(limit)),
        }
    }
}

/// Waits until the server took a message that was handed over before, and gives its time as far as
/// that is known.
///
/// # Errors
/// [`Error::Timeout`] and [`Error::NotConnected`] leave the message in the outbox; the others say
/// why it will never go.
pub(crate) async fn wait_for_ack(
    inner: &Arc<Inner>,
    id: &MessageId,
    limit: Duration,
) -> Result<Option<u64>, Error> {
    let answer = inner.outbox.wait(id.as_str());
    let entry = match inner.store.outbox_entry(&id.as_str().into()).await? {
        Some(OutboxEntry { state: OutboxState::Failed(failure), .. }) => {
            return Err(refusal(inner, failure).await);
        }
        Some(entry) if entry.state.is_pending() => entry,
        Some(entry) => return Ok(taken_at(inner, &entry).await?),
        // Acknowledged before.
        None => return Ok(None),
    };
    wake(inner, &entry.chat);
    Accepted { answer }.wait(inner, limit).await
}

/// When the server took a message, by the archive.
async fn taken_at(inner: &Inner, entry: &OutboxEntry) -> Result<Option<u64>, StoreError> {
    let chat = lid::canonical(&*inner.store, &entry.chat).await?;
    let kept = inner.store.messages_by_id(&chat, &entry.id).await?;
    let at = kept.into_iter().find(|message| message.key.from_me);
    Ok(at.and_then(|message| u64::try_from(message.server_timestamp?.secs()).ok()))
}

/// Why a message will never go, as the caller is told.
async fn refusal(inner: &Inner, failure: SendFailure) -> Error {
    match failure {
        SendFailure::NotInGroup => Error::NotInGroup,
        SendFailure::NotOnWhatsApp => Error::NotOnWhatsApp,
        SendFailure::NoDevice => Error::NoDeviceReached,
        SendFailure::NotAllowed => Error::TransmissionRefused,
        SendFailure::Malformed => Error::StanzaRefused,
        SendFailure::Restricted => match restriction::known(inner).await {
            Ok(known) => Error::AccountRestricted {
                restriction: known.unwrap_or(crate::event::Restriction::Unknown),
            },
            Err(error) => error.into(),
        },
        SendFailure::Refused { code } => Error::SendRefused { code },
        SendFailure::RequestRefused { code } => Error::Server { code },
        failure => Error::GivenUp(failure),
    }
}

/// A message will not be sent: whoever waits is told.
async fn fail(inner: &Inner, chat: &Jid, id: &str, failure: SendFailure) -> Result<(), StoreError> {
    give_up(inner, chat, id, failure).await?;
    inner.outbox.settle(id, Err(failure));
    Ok(())
}

/// The same without telling those who wait.
async fn give_up(
    inner: &Inner,
    chat: &Jid,
    id: &str,
    failure: SendFailure,
) -> Result<(), StoreError> {
    let state = OutboxState::Failed(failure);
    let mut changes = Changes::from(Change::SetOutboxState { id: id.into(), state });
    if let Some(key) = key(inner, chat, id) {
        let status = MessageStatus::Failed;
        changes.push(Change::SetStatus { key, status, server_timestamp: None });
    }
    inner.store.commit(changes).await?;
    tracing::warn!(%id, reason = %failure, "a message will not be sent");
    inner.outbox.done(id);
    emit(inner, chat, id, SendState::Failed { reason: failure });
    Ok(())
}

fn key(inner: &Inner, chat: &Jid, id: &str) -> Option<MessageKey> {
    let own = inner.account().jid.as_ref()?.to_user();
    Some(MessageKey::sent(chat.clone(), own, id))
}

fn emit(inner: &Inner, chat: &Jid, id: &str, state: SendState) {
    inner.emit(Event::SendStatus { chat: chat.clone(), id: id.to_owned(), state });
}

/// The tag of an entry that is not encrypted yet: what is known of its stanza, around the
/// plaintext.
const QUEUED: &str = "queued";
