//! A message comes in from the caller: from then on it is never lost.
//!
//! Owns the short way and the long one. Where the connection is up, nothing else waits for the chat
//! and every key is there, one commit holds all: the message in the archive, its copy for retries,
//! the encrypted stanza and the advanced keys. Its bytes leave right after. Else it is committed as
//! it is, and the pump does the rest.

use std::sync::Arc;

use prost::Message as _;
use tokio::{sync::oneshot, time::Instant};
use wa_proto::{Jid, Node, OwnedNode, stanza::ChatKind};
use wa_store::{Change, Changes, MessageKey, OutboxEntry, OutboxState, SentMessage, StoreError};

use super::{
    Accepted, QUEUED, Queued, chat_turn, emit,
    prepare::{self, Prepared},
    pump,
    transmit_gate::TransmitVerdict,
};
use crate::{
    connection::Link,
    draft::Draft,
    error::Error,
    event::SendState,
    inner::Inner,
    lid,
    locks::Guard,
    publisher::Announcement,
    receive::{
        own_jids,
        provenance::Authenticated,
        record::{Arrival, Way, record},
        settle,
    },
    request::budget::{Urgency, with_urgency},
};

/// Puts a message into the outbox, the archive and the memory for retries, in one commit, and sends
/// it. Returns once it is committed; what follows goes on if the caller stops waiting.
///
/// # Errors
/// The store's.
pub(crate) async fn hand_over(inner: &Arc<Inner>, queued: Queued) -> Result<Accepted, Error> {
    let answer = inner.outbox.wait(queued.id.as_str());
    let (committed, is_committed) = oneshot::channel();
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        let mut committed = Some(committed);
        let outcome = take(&shared, queued, &mut committed).await;
        match (outcome, committed) {
            (Err(error), Some(committed)) => drop(committed.send(Err(error))),
            (Err(error), None) => tracing::warn!(%error, "a message waits for the next connection"),
            (Ok(()), _) => {}
        }
    });
    match is_committed.await {
        Ok(outcome) => outcome.map(|()| Accepted { answer }),
        Err(_) => Err(Error::Internal("a message was not taken")),
    }
}

type Taken = Option<oneshot::Sender<Result<(), Error>>>;

/// The whole way of a message; whoever waits hears of the commit.
async fn take(inner: &Arc<Inner>, queued: Queued, taken: &mut Taken) -> Result<(), Error> {
    let (entry, skeleton, rows) = rows(inner, queued).await?;
    let (chat, id) = (entry.chat.clone(), entry.id.as_str().to_owned());
    let ready = with_urgency(Urgency::Never, ready(inner, &entry, &skeleton)).await?;
    let Some(Ready { link, prepared, turn }) = ready else {
        let put = Change::PutOutbox(Box::new(entry));
        let announcement = Announcement::alterations();
        let committed = inner.publisher.commit(rows.with(put), announcement).landed().await?;
        inner.outbox.flight.added(&chat);
        heard(inner, &chat, &id, taken);
        pump::wake(inner, &chat);
        return Ok(settle::open(inner, committed.openable).await?);
    };
    let (stanza, committed) = prepared.commit(inner, rows).await?;
    inner.outbox.flight.leaves(&id, &chat, link.generation());
    heard(inner, &chat, &id, taken);
    pump::start(inner);
    let left = chat_turn::leave(inner, &link, &id, &stanza).await;
    match &left {
        Ok(()) => inner.outbox.delays.succeeded(&chat),
        // Another connection may have been looked at already before the message was on disk.
        Err(_) => pump::wake(inner, &chat),
    }
    drop(turn);
    settle::open(inner, committed.openable).await?;
    left
}

/// The message is on disk: listeners hear of it, and who waits for that.
fn heard(inner: &Inner, chat: &Jid, id: &str, taken: &mut Taken) {
    emit(inner, chat, id, SendState::Queued);
    if let Some(taken) = taken.take() {
        // Whoever asked may have stopped waiting.
        let _ = taken.send(Ok(()));
    }
}

/// The entry of a message that is not encrypted yet, what is known of its stanza, and everything
/// else that is committed with it.
async fn rows(inner: &Inner, queued: Queued) -> Result<(OutboxEntry, OwnedNode, Changes), Error> {
    let own = own_jids(&inner.account()).ok_or(Error::NotLinked)?;
    let Queued { id, chat, content, message, media_handle, idempotency_key, origin } = queued;
    let raw = message.encode_to_vec();
    let skeleton = Node::new(QUEUED)
        .attr("type", content.stanza_type())
        .attr_opt("mediatype", content.media_type())
        .attr_opt("edit", content.edit_attribute().map(|edit| edit.as_str()))
        .attr_opt("meta", content.meta_attribute().map(|(name, value)| format!("{name}={value}")))
        .attr_opt("hide", content.hides_failure().then_some("true"))
        .attr_opt("handle", media_handle);
    let arrival = Arrival {
        id: id.as_str().to_owned(),
        chat: chat.clone(),
        kind: ChatKind::of(&chat),
        sender: lid::canonical(&*inner.store, &own.phone.to_user()).await?,
        from_me: true,
        way: Way::Outgoing,
        deletes_as_admin: true,
        timestamp: inner.now(),
        push_name: None,
        own,
    };
    let mut draft = Draft::new(&*inner.store);
    record(&mut draft, &arrival, &Authenticated::to_be_sent(raw.clone())).await?;
    if origin.as_ref().is_some_and(|origin| origin.by_assistant) {
        let key = MessageKey::sent(chat.clone(), arrival.sender.clone(), id.as_str());
        draft.push(Change::MarkByAssistant(key));
    }
    draft.push(Change::PutSentMessage(Box::new(SentMessage {
        chat: chat.clone(),
        id: id.as_str().into(),
        plaintext: raw.clone().into(),
        envelope: skeleton.encode(),
        sent_at: inner.now(),
    })));
    let skeleton = skeleton.bytes(raw);
    let entry = OutboxEntry {
        id: id.as_str().into(),
        chat,
        payload: skeleton.encode().into(),
        created_at: inner.now(),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key,
        origin,
    };
    Ok((entry, skeleton, draft.into_changes()))
}

/// A message that can leave as soon as it is committed.
struct Ready {
    link: Link,
    prepared: Prepared,
    /// The chat's turn.
    turn: Guard,
}

/// Encrypts a message if nothing has to be waited for: neither the server nor a turn, and nothing
/// that was handed over before.
///
/// # Errors
/// The store's.
async fn ready(
    inner: &Arc<Inner>,
    entry: &OutboxEntry,
    skeleton: &OwnedNode,
) -> Result<Option<Ready>, StoreError> {
    let chat = &entry.chat;
    let Some(link) = inner.link() else { return Ok(None) };
    let Some(turn) = inner.locks.try_chat(chat.clone()) else { return Ok(None) };
    let is_first = lid::canonical(&*inner.store, chat).await? == *chat
        && !inner.outbox.delays.is_delayed(chat, Instant::now())
        && chat_turn::has_all_left(inner, chat, &link).await?;
    if !is_first || inner.settings.transmit_gate.verdict(entry).await != TransmitVerdict::Send {
        return Ok(None);
    }
    match prepare::prepare(inner, entry.clone(), skeleton).await {
        Ok(prepared) => Ok(Some(Ready { link, prepared, turn })),
        Err(Error::Store(error)) => Err(error),
        // The pump finds out what it means.
        Err(_) => Ok(None),
    }
}
