//! Messages that do not decrypt: asking for them again, and sending again what others could not
//! decrypt.
//!
//! Owns both directions of the retry receipt. Asking is bounded by a count that is on disk, so that
//! a restart does not begin a storm anew; when it is used up, the phone is the last to ask.

mod answer;
pub(crate) mod reason;

use std::time::Duration;

use wa_proto::stanza::{
    ChatKind, IncomingMessage, RetryReason, RetryReceipt, Unavailable, WireKeyBundle, WirePreKey,
    WireSignedPreKey,
};
use wa_store::{Change, MessageKey, Placeholder, PreKey, StoreError};

pub(crate) use answer::answer;

use crate::{
    draft::Draft,
    encryption::Turn,
    event::{Event, LossReason, UndecryptableReason},
    inner::Inner,
    placeholder,
    publisher::Announcement,
    receive::record::Arrival,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};

/// Why a message is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) reason: RetryReason,
    /// Whether to ask the phone at once.
    pub(crate) phone_first: bool,
    /// Whether the user is not to see that something is missing.
    pub(crate) hidden: bool,
}

/// Asks the sender for a message again, as long as that makes sense: a placeholder lands in the
/// archive, a retry receipt leaves, and the phone is asked after a while.
///
/// # Errors
/// The store's, or the end of the connection.
pub(crate) async fn ask(
    cx: &StanzaContext,
    message: &IncomingMessage,
    arrival: &Arrival,
    mut draft: Draft<'_>,
    turn: Turn,
    failure: Failure,
) -> Result<Outcome, HandleError> {
    let inner = &*cx.inner;
    let key = arrival.key();
    if is_expired_status(inner, arrival) {
        inner.store.commit(draft.into_changes()).await?;
        return Ok(Outcome::Ack);
    }
    let sent = inner.store.retries_sent(&key).await?;
    let count = sent.max(u32::from(message.retry_count())) + 1;
    let known = inner.store.placeholder(&key).await?;
    // What goes between own devices is nothing that people miss, and the phone's answers are not
    // to be asked of the phone.
    let is_shown = known.is_none() && !failure.hidden && !message.is_peer;
    if is_shown {
        draft.push(put_placeholder(arrival, reason_word(failure.reason)));
    }
    if count >= MAX_RETRIES {
        inner.store.commit(draft.into_changes()).await?;
        drop(turn);
        if !message.is_peer {
            give_up(cx, arrival, known.as_ref()).await?;
        }
        return Ok(Outcome::Ack);
    }
    draft.push(Change::SetRetriesSent { key, count, at: inner.now() });
    let with_keys = count >= KEYS_FROM_COUNT || reason::needs_keys(failure.reason);
    let keys = match with_keys {
        true => Some(own_bundle(inner, &mut draft).await?),
        false => None,
    };
    let mut announcement = Announcement::alterations();
    if is_shown {
        announcement = announcement.then(unreadable(arrival, undecryptable(failure.reason)));
    }
    inner.publisher.commit_holding(draft.into_changes(), announcement, turn).landed().await?;
    let receipt = RetryReceipt {
        envelope: message.envelope.clone(),
        id: message.id.clone(),
        timestamp: message.timestamp,
        count: u8::try_from(count).unwrap_or(u8::MAX),
        reason: failure.reason,
        registration_id: inner.account().registration_id,
        keys,
    };
    cx.link.send(&receipt.to_node()).await?;
    if message.is_peer {
        return Ok(Outcome::Ack);
    }
    if failure.phone_first {
        ask_phone(cx, arrival, Duration::ZERO);
    } else if count == 1 {
        ask_phone(cx, arrival, placeholder::PHONE_DELAY);
    }
    Ok(Outcome::Ack)
}

/// Deals with a message whose content is withheld from this device: the phone may have it.
///
/// # Errors
/// The store's.
pub(crate) async fn withheld(
    cx: &StanzaContext,
    message: &IncomingMessage,
    arrival: &Arrival,
    mut draft: Draft<'_>,
) -> Result<Outcome, HandleError> {
    let inner = &*cx.inner;
    let is_news = inner.store.message(&arrival.key()).await?.is_none();
    let may_have =
        matches!(message.unavailable, Some(Unavailable::Unspecified | Unavailable::Other(_)));
    if is_news {
        let reason = if may_have { "unavailable" } else { placeholder::NOT_SHARED };
        draft.push(put_placeholder(arrival, reason));
    }
    let mut announcement = Announcement::alterations();
    if is_news {
        announcement = announcement.then(unreadable(arrival, UndecryptableReason::Unavailable));
    }
    inner.publisher.commit(draft.into_changes(), announcement).landed().await?;
    if may_have {
        ask_phone(cx, arrival, Duration::ZERO);
    } else if is_news {
        emit_lost(inner, &arrival.key(), LossReason::NotShared);
    }
    Ok(Outcome::Ack)
}

/// The sender was asked often enough. The phone is asked if it was not yet; else the message is
/// lost.
async fn give_up(
    cx: &StanzaContext,
    arrival: &Arrival,
    known: Option<&Placeholder>,
) -> Result<(), StoreError> {
    if !placeholder::may_ask(&cx.inner, arrival.timestamp) {
        emit_lost(&cx.inner, &arrival.key(), LossReason::TooOld);
    } else if known.is_some_and(|known| known.attempts > 0) {
        emit_lost(&cx.inner, &arrival.key(), LossReason::NoAnswer);
    } else {
        ask_phone(cx, arrival, Duration::ZERO);
    }
    Ok(())
}

fn ask_phone(cx: &StanzaContext, arrival: &Arrival, after: Duration) {
    placeholder::ask_phone(&cx.inner, arrival.key(), arrival.timestamp, after);
}

/// That a message is missing, and why.
pub(crate) fn put_placeholder(arrival: &Arrival, reason: &str) -> Change {
    Change::PutPlaceholder(Box::new(Placeholder {
        key: arrival.key(),
        timestamp: arrival.timestamp,
        push_name: arrival.push_name.clone(),
        reason: reason.to_owned(),
        requested_at: None,
        attempts: 0,
    }))
}

fn unreadable(arrival: &Arrival, reason: UndecryptableReason) -> Event {
    Event::UndecryptableMessage {
        chat: arrival.chat.clone(),
        sender: arrival.sender.to_user(),
        id: arrival.id.clone(),
        reason,
    }
}

pub(crate) fn emit_lost(inner: &Inner, key: &MessageKey, reason: LossReason) {
    inner.emit(Event::MessageLost {
        chat: key.chat.clone(),
        sender: key.sender.clone(),
        id: key.id.as_str().to_owned(),
        reason,
    });
}

/// Status posts live for a day; older ones are not asked for.
fn is_expired_status(inner: &Inner, arrival: &Arrival) -> bool {
    arrival.kind == ChatKind::Status
        && arrival.timestamp.plus_secs(STATUS_LIFETIME_SECS) < inner.now()
}

/// This device's keys for a new session, with a one-time prekey that is the sender's alone: it
/// counts as uploaded from now on, so that the server never gives it to anybody else.
async fn own_bundle(inner: &Inner, draft: &mut Draft<'_>) -> Result<WireKeyBundle, StoreError> {
    let prekey = fresh_prekey(inner).await?;
    let account = inner.account();
    let signed = inner.store.signed_prekeys().await?.into_iter().next();
    let signed = signed.ok_or(StoreError::Corrupt { what: "no signed prekey" })?;
    draft.push(Change::MarkPreKeysUploaded(vec![prekey.id]));
    Ok(WireKeyBundle {
        identity: *account.identity.public.as_bytes(),
        signed_prekey: WireSignedPreKey {
            id: signed.id,
            key: *signed.pair.public.as_bytes(),
            signature: *signed.signature.as_bytes(),
        },
        prekey: Some(WirePreKey { id: prekey.id, key: *prekey.pair.public.as_bytes() }),
        device_identity: account.device_identity.clone().map(Into::into),
    })
}

/// A prekey the server does not have, on disk before anybody hears of it.
async fn fresh_prekey(inner: &Inner) -> Result<PreKey, StoreError> {
    let _one_at_a_time = inner.locks.prekeys().await;
    let pair = inner.with_rng(wa_crypto::KeyPair::random);
    let mut id = 0;
    let mut made = None;
    inner
        .update_account(|account, changes| {
            id = account.next_prekey_id;
            let next = wa_signal::PreKeyId::new(id).unwrap_or(wa_signal::PreKeyId::FIRST).next();
            account.next_prekey_id = next.as_u32();
            // Marked at once: nobody else may get it.
            let prekey = PreKey { id, pair, uploaded: true };
            changes.push(Change::PutPreKeys(vec![prekey.clone()]));
            made = Some(prekey);
        })
        .await?;
    made.ok_or(StoreError::Corrupt { what: "no prekey was made" })
}

fn undecryptable(reason: RetryReason) -> UndecryptableReason {
    match reason {
        RetryReason::NoSession => UndecryptableReason::NoSession,
        _ => UndecryptableReason::Decryption,
    }
}

fn reason_word(reason: RetryReason) -> &'static str {
    match reason {
        RetryReason::NoSession => "no-session",
        RetryReason::InvalidKey => "invalid-key",
        RetryReason::InvalidKeyId => "invalid-key-id",
        RetryReason::InvalidMessage => "invalid-message",
        RetryReason::InvalidSignature => "invalid-signature",
        RetryReason::FutureMessage => "future-message",
        RetryReason::BadMac => "bad-mac",
        _ => "unknown",
    }
}

/// At this count a message is not asked for any more; so at most one less are asked.
const MAX_RETRIES: u32 = 5;
/// From this count on the keys for a new session come along.
const KEYS_FROM_COUNT: u32 = 2;
/// How long a status post lives, in seconds.
pub(crate) const STATUS_LIFETIME_SECS: i64 = 24 * 60 * 60;
