//! One transaction: how each change alters the tables of keys, queues and settings.
//!
//! The archive's changes are in `write_archive`, people's two names in `lid`. Knows nothing of
//! threads.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use rusqlite::{Connection, hooks::Action, params};
use wa_proto::Jid;

use super::{
    index::Indexed,
    read_archive::message_by_seq,
    row_forms::state_columns,
    rows::{engine, gap_place, lid_of, number, one, person, phone_of, run},
};
use crate::{
    Account, Archived, Change, Changes, Committed, DeviceList, DeviceVoucher, OutboxEntry,
    OutboxState, PendingReceipt, PreKey, SentMessage, Seq, SignedPreKey, StoreError, Timestamp,
    journal::Announce, store::Result,
};

/// Makes changes in the transaction that is open. If one fails, what was made before it has to be
/// taken back.
pub(super) fn make(db: &Connection, new_rows: &NewRows, changes: Changes) -> Result<Committed> {
    let mut write = Write::begin(db)?;
    new_rows.begin(Seq(write.last_seq));
    for change in changes {
        write.apply(change)?;
    }
    write.end(new_rows)
}

/// Notes whether rows that a transaction puts into the archive are altered by the same transaction,
/// by whichever statement.
#[derive(Default)]
pub(super) struct NewRows {
    /// The last row from before the transaction.
    last: AtomicI64,
    altered: AtomicBool,
}

impl NewRows {
    /// Watches all that is written through a connection.
    pub(super) fn watch(db: &mut Connection) -> Result<Arc<Self>> {
        let watched = Arc::<Self>::default();
        let rows = Arc::clone(&watched);
        let hook = move |action: Action, _: &str, table: &str, row: i64| {
            let is_new = || row > rows.last.load(Ordering::Relaxed);
            if action != Action::SQLITE_INSERT && table == "messages" && is_new() {
                rows.altered.store(true, Ordering::Relaxed);
            }
        };
        db.update_hook(Some(hook)).map_err(engine)?;
        Ok(watched)
    }

    /// A transaction begins, before which this was the last row.
    fn begin(&self, last: Seq) {
        self.last.store(number(last), Ordering::Relaxed);
        self.altered.store(false, Ordering::Relaxed);
    }

    fn are_altered(&self) -> bool {
        self.altered.load(Ordering::Relaxed)
    }
}

/// A person's other name: the phone number of a LID, or the LID of a phone number.
pub(super) fn other_name(db: &Connection, person: &Jid) -> Result<Option<Jid>> {
    if person.is_lid() { phone_of(db, person) } else { lid_of(db, person) }
}

/// A transaction under way.
pub(super) struct Write<'a> {
    pub(super) db: &'a Connection,
    pub(super) committed: Committed,
    last_seq: u64,
    /// How many more messages there are than when the transaction began.
    more_messages: Cell<i64>,
    unlinked: bool,
    /// What of the commit under way is to be announced, if anything is.
    pub(super) announce: Option<Announce>,
    /// Whether messages of some chat are being taken out.
    pub(super) removing: bool,
    /// Which messages are in the search index.
    pub(super) indexed: Indexed,
}

impl<'a> Write<'a> {
    fn begin(db: &'a Connection) -> Result<Self> {
        let sql = "SELECT last_seq, unlinked, index_done, index_from,
                       EXISTS (SELECT 1 FROM removals) FROM meta";
        let meta = one(db, sql, [], |row| {
            let indexed = Indexed { done: row.seq(2)?, from: row.seq(3)? };
            Ok((row.seq(0)?, row.get(1)?, indexed, row.get(4)?))
        })?;
        let (Seq(last_seq), unlinked, indexed, removing) =
            meta.ok_or(StoreError::Corrupt { what: "no meta row" })?;
        let (committed, more_messages) = (Committed::default(), Cell::new(0));
        let announce = None;
        Ok(Self { db, committed, last_seq, more_messages, unlinked, announce, removing, indexed })
    }

    /// The greatest number given so far.
    pub(super) const fn last_seq(&self) -> Seq {
        Seq(self.last_seq)
    }

    fn end(mut self, new_rows: &NewRows) -> Result<Committed> {
        self.complete(new_rows)?;
        self.journalize()?;
        run(
            self.db,
            "UPDATE meta SET last_seq = ?1, messages = messages + ?2
             WHERE last_seq <> ?1 OR ?2 <> 0",
            [number(Seq(self.last_seq)), self.more_messages.get()],
        )?;
        Ok(self.committed)
    }

    /// Brings what was archived to how it stands at the end.
    fn complete(&mut self, new_rows: &NewRows) -> Result<()> {
        let mut archived = std::mem::take(&mut self.committed.archived);
        if new_rows.are_altered() {
            let mut left = Vec::with_capacity(archived.len());
            for row in archived {
                let now = message_by_seq(self.db, row.message.seq)?;
                left.extend(now.map(|message| Archived { message, ..row }));
            }
            archived = left;
        }
        let mut names: HashMap<Jid, Option<Jid>> = HashMap::new();
        for row in &mut archived {
            let sender = &row.message.key.sender;
            row.sender_alt = match names.get(sender) {
                Some(known) => known.clone(),
                None => {
                    let other = other_name(self.db, sender)?;
                    names.insert(sender.clone(), other.clone());
                    other
                }
            };
        }
        self.committed.archived = archived;
        Ok(())
    }

    /// Counts a message that was put into the table.
    pub(super) fn count_message(&self) {
        self.more_messages.set(self.more_messages.get() + 1);
    }

    /// Takes a message out of the table, and out of the count.
    pub(super) fn remove_row(&self, seq: Seq) -> Result<()> {
        if run(self.db, "DELETE FROM messages WHERE seq = ?1", [number(seq)])? > 0 {
            self.more_messages.set(self.more_messages.get() - 1);
        }
        Ok(())
    }

    pub(super) fn next_seq(&mut self) -> Seq {
        self.last_seq += 1;
        Seq(self.last_seq)
    }

    pub(super) fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        run(self.db, sql, params).map(drop)
    }

    pub(super) fn person(&self, jid: &Jid) -> Result<String> {
        Ok(person(self.db, jid)?.to_string())
    }

    fn apply(&mut self, change: Change) -> Result<()> {
        if self.unlinked && !change.needs_no_link() {
            return Err(StoreError::Unlinked);
        }
        if let Some(change) = self.apply_keys(change)?
            && let Some(change) = self.apply_queues(change)?
        {
            self.apply_archive(change)?;
        }
        Ok(())
    }

    /// Credentials, keys, sessions and people's devices; gives back what is none of these.
    fn apply_keys(&mut self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::Announce { origin, news } => {
                self.announce = Some(Announce { origin, news });
            }
            Change::PutAccount(account) => self.put_account(&account)?,
            Change::Unlink => self.unlink()?,
            Change::PutPreKeys(keys) => keys.iter().try_for_each(|key| self.put_prekey(key))?,
            Change::RemovePreKey(id) => self.run("DELETE FROM prekeys WHERE id = ?1", [id])?,
            Change::MarkPreKeysUploaded(ids) => {
                for id in ids {
                    self.run("UPDATE prekeys SET uploaded = 1 WHERE id = ?1", [id])?;
                }
            }
            Change::PutSignedPreKey(key) => self.put_signed_prekey(&key)?,
            Change::RemoveSignedPreKey(id) => {
                self.run("DELETE FROM signed_prekeys WHERE id = ?1", [id])?;
            }
            Change::PutSession { device, record } => self.run(
                "INSERT INTO sessions (device, user, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (device) DO UPDATE SET record = excluded.record",
                params![device.to_string(), device.to_user().to_string(), record.as_bytes()],
            )?,
            Change::DeleteSession(device) => {
                self.run("DELETE FROM sessions WHERE device = ?1", [device.to_string()])?;
            }
            Change::DeleteSessionsOfUser(user) => {
                self.run("DELETE FROM sessions WHERE user = ?1", [user.to_user().to_string()])?;
            }
            Change::PutIdentity { device, key } => self.run(
                "INSERT INTO identities (device, user, key) VALUES (?1, ?2, ?3)
                 ON CONFLICT (device) DO UPDATE SET key = excluded.key",
                params![device.to_string(), device.to_user().to_string(), key.as_bytes()],
            )?,
            Change::AcceptIdentity { device, key } => self.accept_identity(&device, &key)?,
            Change::VoidIdentitiesOfUser(user) => self.void_identities(&user)?,
            Change::DeleteIdentity(device) => {
                self.run("DELETE FROM identities WHERE device = ?1", [device.to_string()])?;
            }
            Change::DeleteIdentitiesOfUser(user) => {
                self.run("DELETE FROM identities WHERE user = ?1", [user.to_user().to_string()])?;
            }
            Change::MigrateToLid { phone, lid } => self.migrate_to_lid(&phone, &lid)?,
            Change::PutDeviceList { user, list } => self.put_device_list(&user, &list)?,
            Change::DeleteDeviceList(user) => {
                self.run("DELETE FROM device_lists WHERE user = ?1", [user.to_user().to_string()])?;
            }
            Change::PutDeviceVoucher { device, voucher } => {
                self.put_device_voucher(&device, &voucher)?;
            }
            Change::PutKeyIndexList { user, list } => self.run(
                "INSERT OR REPLACE INTO key_index_lists (user, list) VALUES (?1, ?2)",
                params![user.to_user().to_string(), list],
            )?,
            Change::PutGroup(group) => self.put_group(&group)?,
            Change::DeleteGroup(group) => self.delete_group(&group)?,
            other => return self.apply_sender_keys(other),
        }
        Ok(None)
    }

    fn apply_sender_keys(&self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::PutSenderKey { group, sender, record } => self.run(
                "INSERT INTO sender_keys (scope, device, user, record) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scope, device) DO UPDATE SET record = excluded.record",
                params![
                    group.to_string(),
                    sender.to_string(),
                    sender.to_user().to_string(),
                    record.as_bytes()
                ],
            )?,
            Change::DeleteSenderKey { group, sender } => self.run(
                "DELETE FROM sender_keys WHERE scope = ?1 AND device = ?2",
                [group.to_string(), sender.to_string()],
            )?,
            Change::DeleteSenderKeysOfDevice(device) => {
                self.run(
                    "DELETE FROM sender_keys WHERE user = ?1 AND device = ?2",
                    [device.to_user().to_string(), device.to_string()],
                )?;
            }
            Change::MarkSenderKeyHolders { group, devices, has_key } => {
                let group = group.to_string();
                for device in devices {
                    self.run(
                        "INSERT OR REPLACE INTO sender_key_holders (scope, device, user, has_key)
                         VALUES (?1, ?2, ?3, ?4)",
                        params![group, device.to_string(), device.to_user().to_string(), has_key],
                    )?;
                }
            }
            Change::ForgetSenderKeyHolders(group) => {
                self.run("DELETE FROM sender_key_holders WHERE scope = ?1", [group.to_string()])?;
            }
            Change::ForgetSenderKeyHolder(device) => {
                self.run(
                    "DELETE FROM sender_key_holders WHERE user = ?1 AND device = ?2",
                    [device.to_user().to_string(), device.to_string()],
                )?;
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    /// What is to be sent, retried and remembered for a while; gives back what is none of these.
    fn apply_queues(&mut self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::Upkeep { now } => self.upkeep(now)?,
            Change::PutSentMessage(message) => self.put_sent(&message)?,
            Change::SetSentAudience { chat, id, people } => {
                self.set_audience(&chat, id.as_str(), people)?;
            }
            Change::PutOutbox(entry) => self.put_outbox(&entry)?,
            Change::SetOutboxState { id, state } => self.set_outbox_state(id.as_str(), &state)?,
            Change::CountOutboxAttempt(id) => {
                self.run("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?1", [id.as_str()])?;
                self.set_outbox_state(id.as_str(), &OutboxState::Transmitted)?;
            }
            Change::RemoveOutbox(id) => {
                self.run("DELETE FROM outbox WHERE id = ?1", [id.as_str()])?;
            }
            Change::PutReceipt(receipt) => self.put_receipt(&receipt)?,
            Change::RemoveReceipt(name) => {
                self.run("DELETE FROM receipts WHERE name = ?1", [name])?;
            }
            Change::Announced(ids) => self.forget_announced(&ids)?,
            Change::PutNctSalt(salt) => {
                self.run("UPDATE meta SET nct_salt = ?1", [salt.as_ref().map(|s| s.as_bytes())])?;
            }
            Change::PutSetting { name, value: Some(value) } => self.run(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
                params![name, value],
            )?,
            Change::PutSetting { name, value: None } => {
                self.run("DELETE FROM settings WHERE name = ?1", [name])?;
            }
            Change::Audit(entry) => self.append_audit(*entry)?,
            Change::PruneAudit { before_ms } => {
                self.prune_audit(before_ms, usize::MAX)?;
            }
            other => return self.apply_history(other),
        }
        Ok(None)
    }

    fn apply_history(&self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::PutHistoryChunk(chunk) => self.run(
                "INSERT INTO history_chunks (id, notice, received_at, attempts)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (id) DO UPDATE SET notice = excluded.notice,
                     received_at = excluded.received_at, attempts = excluded.attempts",
                params![chunk.id.as_str(), chunk.notice, chunk.received_at.secs(), chunk.attempts],
            )?,
            Change::RemoveHistoryChunk(id) => {
                self.run("DELETE FROM history_chunks WHERE id = ?1", [id.as_str()])?;
            }
            Change::PutHistoryGap(gap) => self.run(
                "INSERT OR REPLACE INTO history_gaps (place, starts, ends, reason, attempts)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    gap_place(self.db, &gap.place)?,
                    gap.from.map(Timestamp::secs),
                    gap.to.map(Timestamp::secs),
                    gap.reason.as_str(),
                    gap.attempts
                ],
            )?,
            Change::RemoveHistoryGap(place) => {
                let place = gap_place(self.db, &place)?;
                self.run("DELETE FROM history_gaps WHERE place = ?1", [place])?;
            }
            other => return self.apply_retries(other),
        }
        Ok(None)
    }

    fn apply_retries(&self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::MarkSeen { seen, at } => self.run(
                "INSERT INTO seen (hash, at) SELECT ?1, ?2 WHERE NOT EXISTS (
                     SELECT 1 FROM seen
                     WHERE substr(hash, 1, 6) = substr(?1, 1, 6) AND hash = ?1)",
                params![seen.0, at.secs()],
            )?,
            Change::SetRetriesSent { key, count, at } => self.run(
                "INSERT OR REPLACE INTO retries_sent (chat, sender, id, count, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    self.person(&key.chat)?,
                    self.person(&key.sender)?,
                    key.id.as_str(),
                    count,
                    at.secs()
                ],
            )?,
            Change::CountRetryAnswer { device, id, at } => self.run(
                "INSERT INTO retries_answered (user, device, id, count, at)
                 VALUES (?1, ?2, ?3, 1, ?4)
                 ON CONFLICT DO UPDATE SET count = count + 1, at = excluded.at",
                params![self.person(&device)?, device.device, id.as_str(), at.secs()],
            )?,
            Change::NoteSessionRecreated { device, at } => self.run(
                "INSERT OR REPLACE INTO sessions_recreated (user, device, at) VALUES (?1, ?2, ?3)",
                params![self.person(&device)?, device.device, at.secs()],
            )?,
            Change::RememberBaseKey { device, id, base_key, at } => self.run(
                "INSERT OR REPLACE INTO base_keys (user, device, id, base_key, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    self.person(&device)?,
                    device.device,
                    id.as_str(),
                    base_key.as_bytes(),
                    at.secs()
                ],
            )?,
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    fn put_account(&mut self, account: &Account) -> Result<()> {
        self.unlinked = false;
        self.run("UPDATE meta SET unlinked = 0 WHERE unlinked", [])?;
        self.run(
            "INSERT OR REPLACE INTO account (only, registration_id, noise_private, identity_private,
                 adv_secret, device_identity, jid, lid, push_name, business_name, platform,
                 created_at, linked_at, lid_migrated_at, next_prekey_id, next_signed_prekey_id,
                 routing_info, server_static)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            params![
                account.registration_id,
                account.noise.private.as_bytes(),
                account.identity.private.as_bytes(),
                account.adv_secret.as_bytes(),
                account.device_identity,
                account.jid.as_ref().map(Jid::to_string),
                account.lid.as_ref().map(Jid::to_string),
                account.push_name,
                account.business_name,
                account.platform,
                account.created_at.secs(),
                account.linked_at.map(Timestamp::secs),
                account.lid_migrated_at.map(Timestamp::secs),
                account.next_prekey_id,
                account.next_signed_prekey_id,
                account.routing_info,
                account.server_static.as_ref().map(|key| key.as_bytes()),
            ],
        )
    }

    fn unlink(&mut self) -> Result<()> {
        self.unlinked = true;
        self.run("UPDATE meta SET unlinked = 1, nct_salt = NULL", [])?;
        self.db
            .execute_batch(
                "DELETE FROM account; DELETE FROM prekeys; DELETE FROM signed_prekeys;
                 DELETE FROM sessions; DELETE FROM identities; DELETE FROM former_identities;
                 DELETE FROM sender_keys;
                 DELETE FROM sender_key_holders; DELETE FROM device_lists; DELETE FROM seen;
                 DELETE FROM device_vouchers; DELETE FROM key_index_lists;
                 DELETE FROM retries_sent; DELETE FROM retries_answered;
                 DELETE FROM sessions_recreated; DELETE FROM base_keys; DELETE FROM sent_messages;
                 DELETE FROM audiences;
                 DELETE FROM outbox; DELETE FROM receipts; DELETE FROM placeholders;
                 DELETE FROM privacy_tokens; DELETE FROM groups; DELETE FROM history_chunks;
                 DELETE FROM history_gaps; DELETE FROM sync_keys; DELETE FROM sync_key_requests;
                 DELETE FROM collections; DELETE FROM collection_macs; DELETE FROM pending_sync;
                 DELETE FROM left_groups;",
            )
            .map_err(engine)
    }

    fn put_prekey(&self, key: &PreKey) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO prekeys (id, private, uploaded) VALUES (?1, ?2, ?3)",
            params![key.id, key.pair.private.as_bytes(), key.uploaded],
        )
    }

    fn put_signed_prekey(&self, key: &SignedPreKey) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO signed_prekeys (id, private, signature, created_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                key.id,
                key.pair.private.as_bytes(),
                key.signature.as_bytes(),
                key.created_at.secs()
            ],
        )
    }

    fn put_device_list(&self, user: &Jid, list: &DeviceList) -> Result<()> {
        let user = user.to_user().to_string();
        self.run("DELETE FROM device_lists WHERE user = ?1", [&user])?;
        self.run(
            "INSERT INTO device_lists (user, hash, fetched_at) VALUES (?1, ?2, ?3)",
            params![user, list.hash, list.fetched_at.secs()],
        )?;
        for (position, device) in (0_i64..).zip(&list.devices) {
            self.run(
                "INSERT INTO devices (user, position, device, key_index, hosted)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![user, position, device.device, device.key_index, device.hosted],
            )?;
        }
        Ok(())
    }

    fn put_device_voucher(&self, device: &Jid, voucher: &DeviceVoucher) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO device_vouchers
                 (device, user, identity, account_key, key_index, hosted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                device.to_string(),
                device.to_user().to_string(),
                voucher.identity.as_bytes(),
                voucher.account_key.as_bytes(),
                voucher.key_index,
                voucher.hosted
            ],
        )
    }

    fn put_sent(&self, message: &SentMessage) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO sent_messages (chat, id, plaintext, envelope, sent_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                self.person(&message.chat)?,
                message.id.as_str(),
                message.plaintext.as_bytes(),
                message.envelope,
                message.sent_at.secs()
            ],
        )
    }

    fn set_audience(&self, chat: &Jid, id: &str, people: Vec<Jid>) -> Result<()> {
        let people: Vec<String> =
            crate::retry::audience(people).iter().map(Jid::to_string).collect();
        let people = people.join("\n");
        let hash = wa_crypto::sha256(&[people.as_bytes()]);
        self.run(
            "INSERT OR IGNORE INTO audiences (hash, people) VALUES (?1, ?2)",
            params![hash, people],
        )?;
        self.run(
            "UPDATE sent_messages SET audience = (SELECT id FROM audiences WHERE hash = ?3)
             WHERE chat = ?1 AND id = ?2",
            params![self.person(chat)?, id, hash],
        )
    }

    fn put_outbox(&self, entry: &OutboxEntry) -> Result<()> {
        let taken = one(
            self.db,
            "SELECT id FROM outbox WHERE idempotency_key = ?1 AND id <> ?2",
            params![entry.idempotency_key, entry.id.as_str()],
            |row| row.id(0),
        )?;
        if let Some(id) = taken {
            return Err(StoreError::IdempotencyKeyTaken { id });
        }
        let (state, reason) = state_columns(&entry.state);
        let origin = entry.origin.as_ref();
        self.run(
            "INSERT INTO outbox (id, chat, payload, created_at, state, reason, attempts,
                 idempotency_key, caller, by_assistant, digest, unconfirmed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (id) DO UPDATE SET chat = excluded.chat, payload = excluded.payload,
                 created_at = excluded.created_at, state = excluded.state,
                 reason = excluded.reason, attempts = excluded.attempts,
                 idempotency_key = excluded.idempotency_key, caller = excluded.caller,
                 by_assistant = excluded.by_assistant, digest = excluded.digest,
                 unconfirmed = excluded.unconfirmed",
            params![
                entry.id.as_str(),
                entry.chat.to_string(),
                entry.payload.as_bytes(),
                entry.created_at.secs(),
                state,
                reason,
                entry.attempts,
                entry.idempotency_key,
                origin.map(|origin| &origin.caller),
                origin.is_some_and(|origin| origin.by_assistant),
                origin.and_then(|origin| origin.digest.as_deref()),
                origin.and_then(|origin| origin.unconfirmed.as_deref())
            ],
        )
    }

    pub(super) fn set_outbox_state(&self, id: &str, state: &OutboxState) -> Result<()> {
        let (state, reason) = state_columns(state);
        self.run(
            "UPDATE outbox SET state = ?2, reason = ?3 WHERE id = ?1",
            params![id, state, reason],
        )
    }

    fn put_receipt(&self, receipt: &PendingReceipt) -> Result<()> {
        self.run(
            "INSERT INTO receipts (name, stanza, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET stanza = excluded.stanza,
                 created_at = excluded.created_at",
            params![receipt.name, receipt.stanza, receipt.created_at.secs()],
        )
    }
}
