//! Reading keys, sessions and queues.
//!
//! Knows nothing of the archive.

use std::{collections::HashMap, hash::Hash};

use rusqlite::{Connection, params};
use wa_crypto::{PublicKey, Signature};
use wa_proto::Jid;

use super::{
    removal::is_being_removed,
    row_forms,
    rows::{self, Columns, all, count, one, person},
};
use crate::{
    Account, Device, DeviceList, DeviceVoucher, GapPlace, HistoryChunk, HistoryGap, MessageId,
    MessageKey, OutboxEntry, PendingReceipt, Placeholder, PreKey, PreKeyCount, SecretBytes, Seen,
    SentMessage, Seq, SignedPreKey, StoreError, Timestamp, store::Result,
};

/// Those keys that have a value, with it.
pub(super) fn each_of<K: Eq + Hash, V>(
    keys: Vec<K>,
    value: impl Fn(&K) -> Result<Option<V>>,
) -> Result<HashMap<K, V>> {
    let mut found = HashMap::new();
    for key in keys {
        if let Some(value) = value(&key)? {
            found.insert(key, value);
        }
    }
    Ok(found)
}

pub(super) fn account(db: &Connection) -> Result<Option<Account>> {
    one(db, &format!("SELECT {} FROM account", row_forms::ACCOUNT), [], row_forms::account)
}

fn prekey_row(row: Columns<'_>) -> Result<PreKey> {
    Ok(PreKey { id: row.get(0)?, pair: row.key_pair(1)?, uploaded: row.get(2)? })
}

pub(super) fn prekey(db: &Connection, id: u32) -> Result<Option<PreKey>> {
    one(db, "SELECT id, private, uploaded FROM prekeys WHERE id = ?1", [id], prekey_row)
}

pub(super) fn prekeys_not_uploaded(db: &Connection, limit: usize) -> Result<Vec<PreKey>> {
    let sql = "SELECT id, private, uploaded FROM prekeys WHERE NOT uploaded ORDER BY id LIMIT ?1";
    all(db, sql, [count(limit)], prekey_row)
}

pub(super) fn prekey_count(db: &Connection) -> Result<PreKeyCount> {
    let sql = "SELECT count(*) FILTER (WHERE uploaded), count(*) FILTER (WHERE NOT uploaded)
               FROM prekeys";
    let counted = one(db, sql, [], |row| {
        Ok(PreKeyCount {
            uploaded: usize::try_from(row.get::<i64>(0)?).unwrap_or_default(),
            not_uploaded: usize::try_from(row.get::<i64>(1)?).unwrap_or_default(),
        })
    });
    Ok(counted?.unwrap_or_default())
}

fn signed_prekey_row(row: Columns<'_>) -> Result<SignedPreKey> {
    let signature: Vec<u8> = row.get(2)?;
    Ok(SignedPreKey {
        id: row.get(0)?,
        pair: row.key_pair(1)?,
        signature: Signature::from_slice(&signature)
            .map_err(|_| StoreError::Corrupt { what: "a signature" })?,
        created_at: row.time(3)?,
    })
}

pub(super) fn signed_prekey(db: &Connection, id: u32) -> Result<Option<SignedPreKey>> {
    let sql = "SELECT id, private, signature, created_at FROM signed_prekeys WHERE id = ?1";
    one(db, sql, [id], signed_prekey_row)
}

pub(super) fn signed_prekeys(db: &Connection) -> Result<Vec<SignedPreKey>> {
    let sql = "SELECT id, private, signature, created_at FROM signed_prekeys
               ORDER BY created_at DESC, id DESC";
    all(db, sql, [], signed_prekey_row)
}

pub(super) fn session(db: &Connection, device: &str) -> Result<Option<SecretBytes>> {
    one(db, "SELECT record FROM sessions WHERE device = ?1", [device], |row| row.secret(0))
}

pub(super) fn session_devices(db: &Connection, user: &Jid) -> Result<Vec<Jid>> {
    let sql = "SELECT device FROM sessions WHERE user = ?1";
    let mut devices = all(db, sql, [user.to_user().to_string()], |row| row.jid(0))?;
    devices.sort();
    Ok(devices)
}

pub(super) fn identity(db: &Connection, device: &str) -> Result<Option<PublicKey>> {
    one(db, "SELECT key FROM identities WHERE device = ?1", [device], |row| row.public_key(0))
}

pub(super) fn sender_key(
    db: &Connection,
    group: &str,
    sender: &str,
) -> Result<Option<SecretBytes>> {
    let sql = "SELECT record FROM sender_keys WHERE scope = ?1 AND device = ?2";
    one(db, sql, [group, sender], |row| row.secret(0))
}

pub(super) fn sender_key_holders(db: &Connection, group: &str) -> Result<HashMap<Jid, bool>> {
    let sql = "SELECT device, has_key FROM sender_key_holders WHERE scope = ?1";
    let holders = all(db, sql, [group], |row| Ok((row.jid(0)?, row.get(1)?)))?;
    Ok(holders.into_iter().collect())
}

pub(super) fn device_list(db: &Connection, user: &str) -> Result<Option<DeviceList>> {
    let sql = "SELECT hash, fetched_at FROM device_lists WHERE user = ?1";
    let list = one(db, sql, [user], |row| {
        Ok(DeviceList { devices: Vec::new(), hash: row.get(0)?, fetched_at: row.time(1)? })
    })?;
    let Some(list) = list else { return Ok(None) };
    let sql = "SELECT device, key_index, hosted FROM devices WHERE user = ?1 ORDER BY position";
    let devices = all(db, sql, [user], |row| {
        Ok(Device { device: row.get(0)?, key_index: row.get(1)?, hosted: row.get(2)? })
    })?;
    Ok(Some(DeviceList { devices, ..list }))
}

pub(super) fn device_voucher(db: &Connection, device: &str) -> Result<Option<DeviceVoucher>> {
    let sql = "SELECT identity, account_key, key_index, hosted FROM device_vouchers
               WHERE device = ?1";
    one(db, sql, [device], |row| {
        Ok(DeviceVoucher {
            identity: row.public_key(0)?,
            account_key: row.public_key(1)?,
            key_index: row.get(2)?,
            hosted: row.get(3)?,
        })
    })
}

pub(super) fn key_index_list(db: &Connection, user: &str) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT list FROM key_index_lists WHERE user = ?1";
    one(db, sql, [user], |row| row.get(0))
}

pub(super) fn is_seen(db: &Connection, seen: &Seen) -> Result<bool> {
    let sql = "SELECT 1 FROM seen WHERE substr(hash, 1, 6) = substr(?1, 1, 6) AND hash = ?1";
    let found = one(db, sql, [seen.0], |_| Ok(()))?;
    Ok(found.is_some())
}

pub(super) fn retries_sent(db: &Connection, key: &MessageKey) -> Result<u32> {
    let (chat, sender) = (person(db, &key.chat)?, person(db, &key.sender)?);
    let sql = "SELECT count FROM retries_sent WHERE chat = ?1 AND sender = ?2 AND id = ?3";
    let params = [&chat.to_string(), &sender.to_string(), key.id.as_str()];
    Ok(one(db, sql, params, |row| row.get(0))?.unwrap_or_default())
}

pub(super) fn retries_answered(db: &Connection, device: &Jid, id: &MessageId) -> Result<u32> {
    let sql = "SELECT count FROM retries_answered WHERE user = ?1 AND device = ?2 AND id = ?3";
    let params = params![person(db, device)?.to_string(), device.device, id.as_str()];
    Ok(one(db, sql, params, |row| row.get(0))?.unwrap_or_default())
}

pub(super) fn session_recreated_at(db: &Connection, device: &Jid) -> Result<Option<Timestamp>> {
    let sql = "SELECT at FROM sessions_recreated WHERE user = ?1 AND device = ?2";
    one(db, sql, params![person(db, device)?.to_string(), device.device], |row| row.time(0))
}

pub(super) fn base_key(db: &Connection, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>> {
    let sql = "SELECT base_key FROM base_keys WHERE user = ?1 AND device = ?2 AND id = ?3";
    let params = params![person(db, device)?.to_string(), device.device, id.as_str()];
    one(db, sql, params, |row| row.public_key(0))
}

pub(super) fn sent_message(
    db: &Connection,
    chat: &Jid,
    id: &MessageId,
) -> Result<Option<SentMessage>> {
    let sql = "SELECT chat, id, plaintext, envelope, sent_at FROM sent_messages
               WHERE chat = ?1 AND id = ?2";
    one(db, sql, [&person(db, chat)?.to_string(), id.as_str()], |row| {
        Ok(SentMessage {
            chat: row.jid(0)?,
            id: row.id(1)?,
            plaintext: row.secret(2)?,
            envelope: row.get(3)?,
            sent_at: row.time(4)?,
        })
    })
}

pub(super) fn sent_audience(db: &Connection, chat: &Jid, id: &MessageId) -> Result<Vec<Jid>> {
    let sql = "SELECT a.people FROM sent_messages s JOIN audiences a ON a.id = s.audience
               WHERE s.chat = ?1 AND s.id = ?2";
    let params = [&person(db, chat)?.to_string(), id.as_str()];
    let lines: Option<String> = one(db, sql, params, |row| row.get(0))?;
    let people = lines
        .as_deref()
        .unwrap_or_default()
        .lines()
        .map(|line| line.parse().map_err(|_| StoreError::Corrupt { what: "an audience" }));
    people.collect()
}

pub(super) fn outbox_pending(db: &Connection) -> Result<Vec<OutboxEntry>> {
    let sql = format!("SELECT {} FROM outbox WHERE state < 2 ORDER BY position", row_forms::OUTBOX);
    all(db, &sql, [], row_forms::outbox_entry)
}

pub(super) fn outbox_chats(db: &Connection) -> Result<Vec<Jid>> {
    let sql = "SELECT chat FROM outbox WHERE state < 2 GROUP BY chat ORDER BY min(position)";
    all(db, sql, [], |row| row.jid(0))
}

pub(super) fn outbox_next(
    db: &Connection,
    chat: &Jid,
    after: u64,
) -> Result<Option<(u64, OutboxEntry)>> {
    let chat = person(db, chat)?;
    let phone = rows::phone_of(db, &chat)?.unwrap_or_else(|| chat.clone());
    let sql = format!(
        "SELECT {}, position FROM outbox
         WHERE state < 2 AND chat IN (?1, ?2) AND position > ?3 ORDER BY position LIMIT 1",
        row_forms::OUTBOX
    );
    let params = rusqlite::params![chat.to_string(), phone.to_string(), rows::number(Seq(after))];
    one(db, &sql, params, |row| {
        let Seq(position) = row.seq(12)?;
        Ok((position, row_forms::outbox_entry(row)?))
    })
}

pub(super) fn history_chunks(db: &Connection, limit: usize) -> Result<Vec<HistoryChunk>> {
    let sql = "SELECT id, notice, received_at, attempts FROM history_chunks
         ORDER BY position LIMIT ?1";
    all(db, sql, [count(limit)], |row| {
        Ok(HistoryChunk {
            id: row.id(0)?,
            notice: row.get(1)?,
            received_at: row.time(2)?,
            attempts: row.get(3)?,
        })
    })
}

pub(super) fn history_gap(db: &Connection, place: &GapPlace) -> Result<Option<HistoryGap>> {
    let sql = format!("SELECT {} FROM history_gaps WHERE place = ?1", row_forms::GAP);
    one(db, &sql, [rows::gap_place(db, place)?], row_forms::gap)
}

pub(super) fn history_gaps(db: &Connection, limit: usize) -> Result<Vec<HistoryGap>> {
    let sql = format!("SELECT {} FROM history_gaps ORDER BY place LIMIT ?1", row_forms::GAP);
    all(db, &sql, [count(limit)], row_forms::gap)
}

pub(super) fn outbox_entry(db: &Connection, id: &MessageId) -> Result<Option<OutboxEntry>> {
    let sql = format!("SELECT {} FROM outbox WHERE id = ?1", row_forms::OUTBOX);
    one(db, &sql, [id.as_str()], row_forms::outbox_entry)
}

pub(super) fn outbox_by_idempotency_key(db: &Connection, key: &str) -> Result<Option<OutboxEntry>> {
    let sql = format!("SELECT {} FROM outbox WHERE idempotency_key = ?1", row_forms::OUTBOX);
    one(db, &sql, [key], row_forms::outbox_entry)
}

pub(super) fn pending_receipts(db: &Connection) -> Result<Vec<PendingReceipt>> {
    let sql = "SELECT name, stanza, created_at FROM receipts ORDER BY position";
    all(db, sql, [], |row| {
        Ok(PendingReceipt { name: row.get(0)?, stanza: row.get(1)?, created_at: row.time(2)? })
    })
}

pub(super) fn placeholder(db: &Connection, key: &MessageKey) -> Result<Option<Placeholder>> {
    let (chat, sender) = (person(db, &key.chat)?, person(db, &key.sender)?);
    let sql = format!(
        "SELECT {} FROM placeholders WHERE chat = ?1 AND sender = ?2 AND id = ?3",
        row_forms::PLACEHOLDER
    );
    let params = [&chat.to_string(), &sender.to_string(), key.id.as_str()];
    if is_being_removed(db, params)? {
        return Ok(None);
    }
    one(db, &sql, params, row_forms::placeholder)
}

pub(super) fn placeholders(db: &Connection, limit: usize) -> Result<Vec<Placeholder>> {
    let sql = format!(
        "SELECT {} FROM placeholders ORDER BY timestamp, chat, sender, id LIMIT ?1",
        row_forms::PLACEHOLDER
    );
    let mut found = all(db, &sql, [count(limit)], row_forms::placeholder)?;
    let mut error = None;
    found.retain(|placeholder| {
        let MessageKey { chat, sender, id, .. } = &placeholder.key;
        let is_gone = is_being_removed(db, [&chat.to_string(), &sender.to_string(), id.as_str()]);
        is_gone.map_or_else(|failed| error.replace(failed).is_none(), |is_gone| !is_gone)
    });
    error.map_or(Ok(found), Err)
}
