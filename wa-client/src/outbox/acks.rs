//! The server's answers to messages.
//!
//! Owns what an ack makes of an entry: taken, refused for good, to be sent again later, or to be
//! encrypted anew for a group that is another than was thought. Knows nothing of how it is sent.

use std::sync::Arc;

use wa_proto::{
    Jid, Node, OwnedNode, node,
    stanza::{AddressingMode, ServerAck},
};
use wa_store::{Change, Changes, MessageStatus, OutboxEntry, OutboxState, SendFailure, StoreError};

use super::{
    chat_turn, emit, fail, give_up, group_ack, key,
    next_step::{MAX_AGAIN, NextStep, STALE_ADDRESSING},
    pump,
    sealed::Sealed,
};
use crate::{
    devices, event::SendState, groups, inner::Inner, lid, privacy_token, receipts, restriction,
};

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
    let sealed =
        chat_turn::read(&entry).map_or_else(|_| Sealed::of(Node::new("message")), Sealed::of);
    if let Some(code) = ack.error {
        let step = NextStep::after_ack(code, ack.backoff, chat.is_group());
        return refused(inner, &chat, entry, code, step).await;
    }
    if chat.is_group() && ack.addressing_mode.is_some_and(|mode| !names_by(&sealed.stanza, mode)) {
        return refused(inner, &chat, entry, STALE_ADDRESSING, NextStep::Anew).await;
    }
    taken(inner, &chat, id, entry, &sealed, ack).await
}

/// Whether a stanza to a group names its people so.
fn names_by(stanza: &OwnedNode, mode: AddressingMode) -> bool {
    stanza.attrs.is("addressing_mode", mode.as_str())
}

/// The server has a message.
async fn taken(
    inner: &Arc<Inner>,
    chat: &Jid,
    id: &str,
    entry: OutboxEntry,
    sealed: &Sealed,
    ack: &ServerAck,
) -> Result<(), StoreError> {
    let timestamp = ack.timestamp.unwrap_or_else(|| inner.clock.unix());
    let mut changes = Changes::new();
    if let Some(key) = key(inner, chat, id) {
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
    let other_hash = ack.participant_hash.as_deref();
    let other_hash = other_hash.filter(|theirs| !sealed.stanza.attrs.is("phash", theirs));
    let is_shared = chat.is_group() || chat.is_status();
    let _key = match is_shared {
        true => Some(inner.locks.sender_key(chat.clone()).await),
        false => None,
    };
    if is_shared {
        changes.merge(group_ack::changes(inner, chat, sealed, ack).await?);
    } else if other_hash.is_some() {
        tracing::info!(%id, "the server knows other devices; the lists are asked for again");
        changes.merge(forget_devices(inner, chat));
    }
    inner.store.commit(changes).await?;
    inner.outbox.done(id);
    inner.outbox.settle(id, Ok(timestamp));
    emit(inner, chat, id, SendState::Sent { timestamp });
    if let Some(hash) = other_hash.filter(|_| chat.is_group()) {
        group_ack::ask_again(inner, chat, hash);
    }
    if ack.refresh_lid {
        refresh_lid(inner, chat.clone());
    }
    if chat.is_person() {
        privacy_token::issue(inner, chat.clone());
    }
    Ok(())
}

/// What is known of the devices of this account and of a chat's person is void.
fn forget_devices(inner: &Inner, chat: &Jid) -> Changes {
    let account = inner.account();
    let own = [account.jid.as_ref(), account.lid.as_ref()];
    devices::forget(own.into_iter().flatten().chain([chat]))
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

/// The server did not take a message.
async fn refused(
    inner: &Arc<Inner>,
    chat: &Jid,
    entry: OutboxEntry,
    code: u16,
    step: NextStep,
) -> Result<(), StoreError> {
    let id = entry.id.as_str().to_owned();
    let failure = match step {
        NextStep::Never(failure) => failure,
        _ if inner.outbox.again(&id) > MAX_AGAIN => SendFailure::Refused { code },
        NextStep::Anew => return anew(inner, chat, entry).await,
        step => {
            tracing::warn!(%id, ?step, "the server does not take a message now");
            inner.outbox.delay(chat, step, inner.roll());
            inner.outbox.flight.returned(&id, chat);
            return Ok(());
        }
    };
    match failure {
        SendFailure::Malformed => {
            inner.store.commit(forget_devices(inner, chat)).await?;
            fail(inner, chat, &id, failure).await
        }
        SendFailure::Restricted => {
            give_up(inner, chat, &id, failure).await?;
            // Whoever waits is told once it is known why.
            let shared = Arc::clone(inner);
            inner.spawn(async move {
                restriction::explain(&shared).await;
                shared.outbox.settle(&id, Err(failure));
            });
            Ok(())
        }
        failure => fail(inner, chat, &id, failure).await,
    }
}

/// The group names its people by the other kind of address: it is asked for, and the message
/// encrypted anew under its id, with the next step of the sender key.
async fn anew(inner: &Arc<Inner>, chat: &Jid, entry: OutboxEntry) -> Result<(), StoreError> {
    let id = entry.id.as_str().to_owned();
    let sent = inner.store.sent_message(chat, &entry.id).await?;
    let queued = sent.and_then(|sent| {
        let skeleton = node::read(&sent.envelope).ok()?;
        Some(skeleton.bytes(sent.plaintext.as_bytes().to_vec()).encode())
    });
    let Some(queued) = queued else {
        return fail(inner, chat, &id, SendFailure::Unsendable).await;
    };
    tracing::info!(%id, "a group is not what it was thought to be; the message is made anew");
    groups::cache::forget(inner, chat).await?;
    let entry = OutboxEntry { payload: queued.into(), state: OutboxState::Queued, ..entry };
    inner.store.commit(Change::PutOutbox(Box::new(entry)).into()).await?;
    inner.outbox.flight.returned(&id, chat);
    pump::wake(inner, chat);
    Ok(())
}
