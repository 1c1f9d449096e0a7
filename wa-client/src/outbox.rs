//! Messages between the caller's word and the server's ack.
//!
//! Owns the way of an entry: queued as content, encrypted into a stanza, sent, acknowledged. Each
//! step is on disk before the next begins, and a stanza, once made, is sent as it is until the
//! server answers, so that no key is used twice and nobody gets a message twice. Messages of one
//! chat leave in the order they were queued; chats do not wait for each other.

mod group_ack;
pub(crate) mod prepare;
mod sealed;
pub(crate) mod transmit_gate;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use prost::Message as _;
use tokio::sync::oneshot;
use wa_proto::{
    Content, Jid, MessageId, Node, OwnedNode, node, pb,
    stanza::{ChatKind, ServerAck},
};
use wa_store::{
    Change, Changes, MessageKey, MessageStatus, Origin, OutboxEntry, OutboxState, SentMessage,
    StoreError,
};

use self::sealed::Sealed;
pub use self::transmit_gate::{TransmitGate, TransmitVerdict};
use crate::{
    connection::Link,
    devices,
    draft::Draft,
    error::Error,
    event::{Event, SendState},
    inner::{Inner, State},
    lid,
    locks::tracked,
    privacy_token, receipts,
    receive::{
        own_jids,
        provenance::Authenticated,
        record::{Arrival, Way, record},
        settle,
    },
    restriction,
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

/// The server's time for a message, or its reason to refuse it.
type Answer = Result<u64, u16>;

/// What is known of messages on their way besides what is on disk.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiters: Mutex<HashMap<String, Vec<oneshot::Sender<Answer>>>>,
    /// The entries whose stanzas have another id than they have: changed posts of channels.
    sent_as: Mutex<HashMap<String, String>>,
    /// Which entries left on which connection.
    left: Mutex<(u64, HashSet<String>)>,
}

impl Outbox {
    /// An entry's stanza leaves; its ack will carry the stanza's id.
    fn leaves_as(&self, stanza: &OwnedNode, entry: &str) {
        if let Some(id) = stanza.attrs.text("id").filter(|id| id != entry) {
            let mut sent_as = self.sent_as.lock().unwrap_or_else(PoisonError::into_inner);
            sent_as.insert(id.into_owned(), entry.to_owned());
        }
    }

    /// The entry that an ack is about.
    fn entry_of(&self, id: &str) -> String {
        let mut sent_as = self.sent_as.lock().unwrap_or_else(PoisonError::into_inner);
        sent_as.remove(id).unwrap_or_else(|| id.to_owned())
    }

    fn wait(&self, id: &str) -> oneshot::Receiver<Answer> {
        let (waiter, answer) = oneshot::channel();
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.retain(|_, waiting| {
            waiting.retain(|waiter| !waiter.is_closed());
            !waiting.is_empty()
        });
        waiters.entry(id.to_owned()).or_default().push(waiter);
        answer
    }

    fn settle(&self, id: &str, outcome: Answer) {
        let waiting = {
            let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            waiters.remove(id).unwrap_or_default()
        };
        for waiter in waiting {
            // Whoever asked may have stopped waiting.
            let _ = waiter.send(outcome);
        }
    }

    /// Whether an entry has not left on this connection yet; from then on it has.
    fn leaves(&self, id: &str, generation: u64) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.0 != generation {
            *left = (generation, HashSet::new());
        }
        left.1.insert(id.to_owned())
    }

    /// An entry did not leave after all, or is done with: nothing is remembered of it.
    fn returned(&self, id: &str) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).1.remove(id);
    }
}

/// Puts a message into the outbox, the archive and the memory for retries, in one commit. From
/// then on it is never lost.
///
/// # Errors
/// The store's.
pub(crate) async fn enqueue(inner: &Inner, queued: Queued) -> Result<(), Error> {
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
    draft.push(Change::PutOutbox(Box::new(OutboxEntry {
        id: id.as_str().into(),
        chat: chat.clone(),
        payload: skeleton.bytes(raw).encode().into(),
        created_at: inner.now(),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key,
        origin,
    })));
    let committed = inner.store.commit(draft.into_changes()).await?;
    emit(inner, &chat, id.as_str(), SendState::Queued);
    settle::tell_alterations(inner, &committed);
    settle::open(inner, committed.openable).await?;
    Ok(())
}

/// Waits until the server took a message, and gives its time as far as that is known.
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
        Some(OutboxEntry { state: OutboxState::Failed(code), chat, .. }) => {
            return Err(refusal(inner, &chat, code.parse().unwrap_or_default()).await);
        }
        Some(entry) if entry.state.is_pending() => entry,
        Some(entry) => return Ok(taken_at(inner, &entry).await?),
        // Acknowledged before.
        None => return Ok(None),
    };
    if matches!(inner.state(), State::Idle | State::Stopped) {
        return Err(Error::NotConnected);
    }
    pump_in_background(inner);
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(Ok(timestamp))) => Ok(Some(timestamp)),
        Ok(Ok(Err(code))) => Err(refusal(inner, &entry.chat, code).await),
        Ok(Err(_)) => Err(Error::Disconnected),
        Err(_) => Err(Error::Timeout(limit)),
    }
}

/// When the server took a message, by the archive.
async fn taken_at(inner: &Inner, entry: &OutboxEntry) -> Result<Option<u64>, StoreError> {
    let chat = lid::canonical(&*inner.store, &entry.chat).await?;
    let kept = inner.store.messages_by_id(&chat, &entry.id).await?;
    let at = kept.into_iter().find(|message| message.key.from_me);
    Ok(at.and_then(|message| u64::try_from(message.server_timestamp?.secs()).ok()))
}

/// Why a message will never go, as the caller is told.
async fn refusal(inner: &Inner, chat: &Jid, code: u16) -> Error {
    match code {
        NOT_IN_GROUP if chat.is_group() => Error::NotInGroup,
        NOT_ON_WHATSAPP => Error::NotOnWhatsApp,
        NO_DEVICE => Error::NoDeviceReached,
        REFUSED_BY_GATE => Error::TransmissionRefused,
        restriction::RESTRICTED => match restriction::known(inner).await {
            Ok(known) => Error::AccountRestricted {
                restriction: known.unwrap_or(crate::event::Restriction::Unknown),
            },
            Err(error) => error.into(),
        },
        MALFORMED_STANZA => Error::StanzaRefused,
        code => Error::SendRefused { code },
    }
}

/// Sends what waits, beside whatever else goes on.
pub(crate) fn pump_in_background(inner: &Arc<Inner>) {
    let shared = Arc::clone(inner);
    inner.spawn(async move { pump(&shared).await });
}

/// Sends everything that waits and has not left on this connection.
pub(crate) async fn pump(inner: &Arc<Inner>) {
    let chats = match waiting_chats(inner).await {
        Ok(chats) => chats,
        Err(error) => return tracing::error!(%error, "the outbox cannot be read"),
    };
    stream::iter(chats)
        .for_each_concurrent(PARALLEL_CHATS, |chat| {
            tracked(async move {
                if let Err(error) = pump_chat(inner, &chat).await {
                    tracing::warn!(%error, "messages wait for the next connection");
                }
            })
        })
        .await;
}

/// The chats for which something waits, in the order of their oldest message.
async fn waiting_chats(inner: &Inner) -> Result<Vec<Jid>, StoreError> {
    let mut chats = Vec::new();
    for chat in inner.store.outbox_chats().await? {
        let chat = lid::canonical(&*inner.store, &chat).await?;
        if !chats.contains(&chat) {
            chats.push(chat);
        }
    }
    Ok(chats)
}

/// Sends what waits for a chat. Sending may tell the LID of a person known by phone number; the
/// rest then waits its turn under that.
async fn pump_chat(inner: &Arc<Inner>, chat: &Jid) -> Result<(), Error> {
    loop {
        let chat = lid::canonical(&*inner.store, chat).await?;
        let _turn = inner.locks.chat(chat.clone()).await;
        let Some(link) = inner.link() else { return Ok(()) };
        let mut place = 0;
        while let Some((next, entry)) = next_entry(inner, &chat, &link, place).await? {
            place = next;
            send_entry(inner, &chat, &link, entry).await?;
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
        if inner.outbox.leaves(entry.id.as_str(), link.generation()) {
            return Ok(Some((place, entry)));
        }
        after = place;
    }
    Ok(None)
}

async fn send_entry(
    inner: &Arc<Inner>,
    chat: &Jid,
    link: &Link,
    entry: OutboxEntry,
) -> Result<(), Error> {
    let id = entry.id.as_str().to_owned();
    match inner.settings.transmit_gate.verdict(&entry).await {
        TransmitVerdict::Send => {}
        // Not sent on this connection yet, so that the next look at the outbox finds it.
        TransmitVerdict::Wait => {
            inner.outbox.returned(&id);
            return Ok(());
        }
        TransmitVerdict::Refuse => return Ok(fail(inner, chat, &id, REFUSED_BY_GATE).await?),
    }
    match transmit(inner, link, entry).await {
        Ok(()) => Ok(()),
        Err(Error::NotOnWhatsApp) => Ok(fail(inner, chat, &id, NOT_ON_WHATSAPP).await?),
        Err(Error::NoDeviceReached) => Ok(fail(inner, chat, &id, NO_DEVICE).await?),
        Err(Error::NotInGroup) => Ok(fail(inner, chat, &id, NOT_IN_GROUP).await?),
        Err(error) => {
            inner.outbox.returned(&id);
            try_later(inner, &error);
            Err(error)
        }
    }
}

/// A request that failed while the connection lives is tried again; a lost connection pumps by
/// itself when it is back.
fn try_later(inner: &Arc<Inner>, error: &Error) {
    if inner.link().is_none() || matches!(error, Error::Store(_)) {
        return;
    }
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
        pump_in_background(&shared);
    });
}

/// Sends one entry: encrypted now if it was not, else as it was.
async fn transmit(inner: &Arc<Inner>, link: &Link, entry: OutboxEntry) -> Result<(), Error> {
    let id = entry.id.clone();
    let name = id.as_str().to_owned();
    let stored = node::read(entry.payload.as_bytes())
        .map_err(|_| Error::Internal("an outbox entry cannot be read"))?;
    let stanza = if stored.tag == QUEUED {
        prepare::prepare(inner, entry, &stored).await?
    } else {
        inner.store.commit(Change::CountOutboxAttempt(id).into()).await?;
        Sealed::of(stored).stanza
    };
    inner.outbox.leaves_as(&stanza, &name);
    link.send(&stanza).await.map_err(|_| Error::Disconnected)
}

/// The server answered a message.
///
/// # Errors
/// The store's.
pub(crate) async fn acked(inner: &Arc<Inner>, ack: &ServerAck) -> Result<(), StoreError> {
    let id = inner.outbox.entry_of(ack.id.as_str());
    let id = id.as_str();
    let Some(entry) = inner.store.outbox_entry(&id.into()).await? else { return Ok(()) };
    if !entry.state.is_pending() {
        return Ok(());
    }
    let chat = lid::canonical(&*inner.store, &entry.chat).await?;
    if let Some(code) = ack.error {
        return refused(inner, &chat, id, code).await;
    }
    let timestamp = ack.timestamp.unwrap_or_else(|| inner.clock.unix());
    let mut changes = Changes::new();
    if let Some(key) = key(inner, &chat, id) {
        changes.push(Change::SetStatus {
            key,
            status: MessageStatus::Sent,
            server_timestamp: Some(receipts::timestamp(timestamp)),
        });
    }
    changes.push(match entry.idempotency_key {
        Some(_) => Change::SetOutboxState { id: id.into(), state: OutboxState::Acked },
        None => Change::RemoveOutbox(id.into()),
    });
    let is_shared = chat.is_group() || chat.is_status();
    let _key = match is_shared {
        true => Some(inner.locks.sender_key(chat.clone()).await),
        false => None,
    };
    if is_shared {
        changes.merge(group_ack::changes(inner, &chat, &entry.payload, ack).await?);
    } else if disagrees(&entry.payload, ack) {
        tracing::info!(%id, "the server knows other devices; the lists are asked for again");
        let account = inner.account();
        let own = [account.jid.as_ref(), account.lid.as_ref()];
        changes.merge(devices::forget(own.into_iter().flatten().chain([&chat])));
    }
    inner.store.commit(changes).await?;
    inner.outbox.returned(id);
    inner.outbox.settle(id, Ok(timestamp));
    emit(inner, &chat, id, SendState::Sent { timestamp });
    if ack.refresh_lid {
        refresh_lid(inner, chat.clone());
    }
    if chat.is_person() {
        privacy_token::issue(inner, chat);
    }
    Ok(())
}

/// Whether the server's hash of the devices is another than the one that was sent.
fn disagrees(payload: &wa_store::SecretBytes, ack: &ServerAck) -> bool {
    let Some(theirs) = ack.participant_hash.as_deref() else { return false };
    let sent = node::read(payload.as_bytes());
    !sent.is_ok_and(|stanza: OwnedNode| stanza.attrs.is("phash", theirs))
}

/// Asks for somebody's LID and devices again, in the background.
fn refresh_lid(inner: &Arc<Inner>, chat: Jid) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        let asked = async {
            shared.store.commit(devices::forget([&chat])).await?;
            devices::devices_of(&shared, std::slice::from_ref(&chat)).await
        };
        if let Err(error) = asked.await {
            tracing::warn!(%error, "a stale LID could not be refreshed");
        }
    });
}

/// The server refused a message. It is never sent again; whoever waits is told once it is known
/// why.
async fn refused(inner: &Arc<Inner>, chat: &Jid, id: &str, code: u16) -> Result<(), StoreError> {
    if code == MALFORMED_STANZA {
        let account = inner.account();
        let own = [account.jid.as_ref(), account.lid.as_ref()];
        let stale = devices::forget(own.into_iter().flatten().chain([chat]));
        inner.store.commit(stale).await?;
    }
    if code != restriction::RESTRICTED {
        return fail(inner, chat, id, code).await;
    }
    give_up(inner, chat, id, code).await?;
    let (shared, id) = (Arc::clone(inner), id.to_owned());
    inner.spawn(async move {
        restriction::explain(&shared).await;
        shared.outbox.settle(&id, Err(code));
    });
    Ok(())
}

/// A message will not be sent.
async fn fail(inner: &Inner, chat: &Jid, id: &str, code: u16) -> Result<(), StoreError> {
    give_up(inner, chat, id, code).await?;
    inner.outbox.returned(id);
    inner.outbox.settle(id, Err(code));
    Ok(())
}

async fn give_up(inner: &Inner, chat: &Jid, id: &str, code: u16) -> Result<(), StoreError> {
    let state = OutboxState::Failed(code.to_string());
    let mut changes = Changes::from(Change::SetOutboxState { id: id.into(), state });
    if let Some(key) = key(inner, chat, id) {
        let status = MessageStatus::Failed;
        changes.push(Change::SetStatus { key, status, server_timestamp: None });
    }
    inner.store.commit(changes).await?;
    emit(inner, chat, id, SendState::Failed { code });
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
/// The code under which an entry fails whose recipient has no account, HTTP's "not found".
const NOT_ON_WHATSAPP: u16 = 404;
/// The code under which an entry fails that could be encrypted for nobody: HTTP's "failed
/// dependency".
const NO_DEVICE: u16 = 424;
/// The code under which an entry fails that the [`TransmitGate`] refuses, HTTP's "unavailable for
/// legal reasons".
const REFUSED_BY_GATE: u16 = 451;
/// The code with which the server refuses a stanza's form.
const MALFORMED_STANZA: u16 = 479;
/// The code under which an entry fails whose group this account may not write to, HTTP's
/// "forbidden"; also the server's.
const NOT_IN_GROUP: u16 = 403;
/// How many chats are served at a time.
const PARALLEL_CHATS: usize = 8;
/// How long to wait before a request that failed is made again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_leaves_once_on_each_connection() {
        let outbox = Outbox::default();
        assert!(outbox.leaves("A", 1));
        assert!(!outbox.leaves("A", 1));
        assert!(outbox.leaves("A", 2), "not acknowledged, so again on the next");
        outbox.returned("A");
        assert!(outbox.leaves("A", 2));
    }
}
