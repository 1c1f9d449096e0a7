//! How whole rows become records, and states become columns.
//!
//! Knows nothing of which rows are asked for.

use super::rows::Columns;
use crate::{
    Account, Addition, AdvSecret, ArchivedMessage, Contact, GapPlace, GapReason, HistoryGap,
    MessageKey, MessageKind, MessageStatus, Moment, Origin, OutboxEntry, OutboxState, Placeholder,
    SealedAddition, SendFailure, StoreError, addition::decode, store::Result,
};

/// The columns of [`message`], in its order; the table is `m`.
pub(super) const MESSAGE: &str = "m.seq, m.chat, m.sender, m.id, m.from_me, m.timestamp, \
     m.server_timestamp, m.kind, m.status, m.starred, m.edited_at, m.revoked_at, m.revoked_by, \
     m.reply_to, m.push_name, m.text, m.media, m.raw, m.expires_at, m.view_once, \
     m.forwarding_score, m.by_assistant";

pub(super) fn message(row: Columns<'_>) -> Result<ArchivedMessage> {
    let status = usize::from(row.get::<u8>(8)?);
    let revoked = row.optional_time(11)?.zip(row.optional_jid(12)?);
    Ok(ArchivedMessage {
        seq: row.seq(0)?,
        key: MessageKey {
            chat: row.jid(1)?,
            sender: row.jid(2)?,
            id: row.id(3)?,
            from_me: row.get(4)?,
        },
        timestamp: row.time(5)?,
        server_timestamp: row.optional_time(6)?,
        kind: MessageKind::new(row.text(7)?),
        status: *MessageStatus::ALL
            .get(status)
            .ok_or(StoreError::Corrupt { what: "a message status" })?,
        starred: row.get(9)?,
        edited_at: row.optional_time(10)?,
        revoked,
        reply_to: row.get::<Option<String>>(13)?.map(Into::into),
        push_name: row.get(14)?,
        text: row.get(15)?,
        media: row.get(16)?,
        raw: row.secret(17)?,
        expires_at: row.optional_time(18)?,
        view_once: row.get(19)?,
        forwarding_score: row.get(20)?,
        by_assistant: row.get(21)?,
    })
}

/// A message status as a number that grows as the message gets further.
pub(super) fn status_column(status: MessageStatus) -> u8 {
    let statuses = (0_u8..).zip(MessageStatus::ALL);
    statuses.into_iter().find(|(_, other)| *other == status).map_or(0, |(column, _)| column)
}

/// The columns of [`gap`], in its order.
pub(super) const GAP: &str = "place, starts, ends, reason, attempts";

pub(super) fn gap(row: Columns<'_>) -> Result<HistoryGap> {
    let word = row.text(3)?;
    let mut reasons = GapReason::ALL.into_iter();
    let reason = reasons.find(|reason| reason.as_str() == word);
    let place = GapPlace::from_column(row.text(0)?);
    Ok(HistoryGap {
        place: place.ok_or(StoreError::Corrupt { what: "the place of a gap" })?,
        from: row.optional_time(1)?,
        to: row.optional_time(2)?,
        reason: reason.ok_or(StoreError::Corrupt { what: "the reason of a gap" })?,
        attempts: row.get(4)?,
    })
}

/// The columns of [`outbox_entry`], in its order.
pub(super) const OUTBOX: &str = "id, chat, payload, created_at, state, reason, attempts, idempotency_key, caller, \
     by_assistant, digest, unconfirmed";

pub(super) fn outbox_entry(row: Columns<'_>) -> Result<OutboxEntry> {
    let state = match row.get::<i64>(4)? {
        0 => OutboxState::Queued,
        1 => OutboxState::Transmitted,
        2 => OutboxState::Acked,
        3 => OutboxState::Failed(SendFailure::from_column(row.text(5)?)),
        _ => return Err(StoreError::Corrupt { what: "an outbox state" }),
    };
    Ok(OutboxEntry {
        id: row.id(0)?,
        chat: row.jid(1)?,
        payload: row.secret(2)?,
        created_at: row.time(3)?,
        state,
        attempts: row.get(6)?,
        idempotency_key: row.get(7)?,
        origin: match row.get::<Option<String>>(8)? {
            Some(caller) => Some(Origin {
                caller,
                by_assistant: row.get(9)?,
                digest: row.get(10)?,
                unconfirmed: row.get(11)?,
            }),
            None => None,
        },
    })
}

/// An outbox state as a number and a reason; below 2 something is still to be done.
pub(super) fn state_columns(state: &OutboxState) -> (i64, Option<String>) {
    match state {
        OutboxState::Queued => (0, None),
        OutboxState::Transmitted => (1, None),
        OutboxState::Acked => (2, None),
        OutboxState::Failed(reason) => (3, Some(reason.to_column())),
    }
}

/// The columns of [`placeholder`], in its order.
pub(super) const PLACEHOLDER: &str =
    "chat, sender, id, from_me, timestamp, push_name, reason, requested_at, attempts";

pub(super) fn placeholder(row: Columns<'_>) -> Result<Placeholder> {
    Ok(Placeholder {
        key: MessageKey {
            chat: row.jid(0)?,
            sender: row.jid(1)?,
            id: row.id(2)?,
            from_me: row.get(3)?,
        },
        timestamp: row.time(4)?,
        push_name: row.get(5)?,
        reason: row.get(6)?,
        requested_at: row.optional_time(7)?,
        attempts: row.get(8)?,
    })
}

/// The columns of [`contact`], in its order; the table is `c`.
pub(super) const CONTACT: &str =
    "c.jid, c.full_name, c.first_name, c.push_name, c.business_name, c.redacted_phone, c.username";

pub(super) fn contact(row: Columns<'_>) -> Result<Contact> {
    Ok(Contact {
        full_name: row.get(1)?,
        first_name: row.get(2)?,
        push_name: row.get(3)?,
        business_name: row.get(4)?,
        redacted_phone: row.get(5)?,
        username: row.get(6)?,
        ..Contact::new(row.jid(0)?)
    })
}

/// The columns of [`account`], in its order.
pub(super) const ACCOUNT: &str = "registration_id, noise_private, identity_private, adv_secret, \
     device_identity, jid, lid, push_name, business_name, platform, created_at, linked_at, \
     lid_migrated_at, next_prekey_id, next_signed_prekey_id, routing_info, server_static";

pub(super) fn account(row: Columns<'_>) -> Result<Account> {
    let server_static = match row.get::<Option<Vec<u8>>>(16)? {
        Some(_) => Some(row.public_key(16)?),
        None => None,
    };
    Ok(Account {
        registration_id: row.get(0)?,
        noise: row.key_pair(1)?,
        identity: row.key_pair(2)?,
        adv_secret: AdvSecret::from_bytes(row.get(3)?),
        device_identity: row.get(4)?,
        jid: row.optional_jid(5)?,
        lid: row.optional_jid(6)?,
        push_name: row.get(7)?,
        business_name: row.get(8)?,
        platform: row.get(9)?,
        created_at: row.time(10)?,
        linked_at: row.optional_time(11)?,
        lid_migrated_at: row.optional_time(12)?,
        next_prekey_id: row.get(13)?,
        next_signed_prekey_id: row.get(14)?,
        routing_info: row.get(15)?,
        server_static,
    })
}

/// The message that the first four columns name.
fn leading_key(row: Columns<'_>) -> Result<MessageKey> {
    Ok(MessageKey { chat: row.jid(0)?, sender: row.jid(1)?, id: row.id(2)?, from_me: row.get(3)? })
}

/// The columns of [`addition`], in its order.
pub(super) const ADDITION: &str =
    "chat, sender, id, from_me, author, at, sender_ms, added_by, kind, value";

pub(super) fn addition(row: Columns<'_>) -> Result<Addition> {
    Ok(Addition {
        target: leading_key(row)?,
        author: row.jid(4)?,
        moment: Moment { at: row.time(5)?, sender_ms: row.get(6)?, id: row.id(7)? },
        what: decode(row.text(8)?, &row.get::<Vec<u8>>(9)?)?,
    })
}

/// The columns of [`sealed`], in its order.
pub(super) const SEALED: &str =
    "chat, sender, id, target_from_me, author, from_me, at, sender_ms, added_by, raw";

pub(super) fn sealed(row: Columns<'_>) -> Result<SealedAddition> {
    Ok(SealedAddition {
        target: leading_key(row)?,
        author: row.jid(4)?,
        from_me: row.get(5)?,
        moment: Moment { at: row.time(6)?, sender_ms: row.get(7)?, id: row.id(8)? },
        raw: row.secret(9)?,
    })
}
