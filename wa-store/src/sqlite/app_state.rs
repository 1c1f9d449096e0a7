//! The app state in tables: keys, collections, what waits to be told, labels and answers.
//!
//! Knows nothing of what the bytes mean.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use wa_proto::{Jid, app_state::Collection};

use super::{
    removal::{Removal, is_being_removed},
    rows::{Columns, all, one, person},
    write::Write,
};
use crate::{
    CollectionUpdate, CollectionVersion, Label, Labelled, MessageKey, PendingSync, QuickReply,
    StoreError, SyncChange, SyncKey, SyncMac, Timestamp, store::Result,
};

pub(super) fn sync_keys(db: &Connection) -> Result<Vec<SyncKey>> {
    let sql = "SELECT id, data, timestamp, fingerprint FROM sync_keys ORDER BY timestamp, id";
    all(db, sql, [], |row| {
        Ok(SyncKey {
            id: row.get(0)?,
            data: row.secret(1)?,
            timestamp: row.get(2)?,
            fingerprint: row.get(3)?,
        })
    })
}

pub(super) fn sync_key_requested_at(db: &Connection, id: &[u8]) -> Result<Option<Timestamp>> {
    one(db, "SELECT at FROM sync_key_requests WHERE id = ?1", [id], |row| row.time(0))
}

pub(super) fn collection(
    db: &Connection,
    collection: Collection,
) -> Result<Option<CollectionVersion>> {
    let sql = "SELECT version, hash FROM collections WHERE name = ?1";
    one(db, sql, [collection.as_str()], |row| {
        let version: i64 = row.get(0)?;
        Ok(CollectionVersion { version: version.unsigned_abs(), hash: row.get(1)? })
    })
}

pub(super) fn collection_macs(
    db: &Connection,
    collection: Collection,
    indexes: &[SyncMac],
) -> Result<HashMap<SyncMac, SyncMac>> {
    let sql = "SELECT value_mac FROM collection_macs WHERE collection = ?1 AND index_mac = ?2";
    let mut found = HashMap::new();
    for index in indexes {
        let mac = one(db, sql, params![collection.as_str(), index], |row| row.get(0))?;
        found.extend(mac.map(|mac| (*index, mac)));
    }
    Ok(found)
}

pub(super) fn pending_sync(db: &Connection) -> Result<Vec<PendingSync>> {
    let sql = "SELECT id, collection, removes, index_json, value, action_version, made_at
               FROM pending_sync ORDER BY position";
    all(db, sql, [], |row| {
        let corrupt = |_| StoreError::Corrupt { what: "a collection's name" };
        Ok(PendingSync {
            id: row.get(0)?,
            collection: row.text(1)?.parse().map_err(corrupt)?,
            removes: row.get(2)?,
            index: row.get(3)?,
            value: row.secret(4)?,
            action_version: row.get(5)?,
            made_at: row.get(6)?,
        })
    })
}

pub(super) fn labels(db: &Connection) -> Result<Vec<Label>> {
    let sql = "SELECT id, name, color, predefined_id, position FROM labels
               ORDER BY position IS NULL, position, id";
    all(db, sql, [], |row| {
        Ok(Label {
            id: row.get(0)?,
            name: row.get(1)?,
            color: row.get(2)?,
            predefined_id: row.get(3)?,
            position: row.get(4)?,
        })
    })
}

pub(super) fn labels_on(db: &Connection, on: &Labelled) -> Result<Vec<String>> {
    match on {
        Labelled::Chat(chat) => {
            let sql = "SELECT label FROM labelled_chats WHERE chat = ?1 ORDER BY label";
            all(db, sql, [person(db, chat)?.to_string()], |row| row.get(0))
        }
        Labelled::Message(key) => {
            let sql = "SELECT label FROM labelled_messages
                       WHERE chat = ?1 AND sender = ?2 AND id = ?3 ORDER BY label";
            let (chat, sender) = (person(db, &key.chat)?, person(db, &key.sender)?);
            let place = [&chat.to_string(), &sender.to_string(), key.id.as_str()];
            all(db, sql, place, |row| row.get(0))
        }
    }
}

pub(super) fn labelled(db: &Connection, label: &str) -> Result<Vec<Labelled>> {
    let sql = "SELECT chat FROM labelled_chats WHERE label = ?1 ORDER BY chat";
    let mut found = all(db, sql, [label], |row| row.jid(0).map(Labelled::Chat))?;
    let sql = "SELECT chat, sender, id, from_me FROM labelled_messages WHERE label = ?1
               ORDER BY chat, sender, id";
    let messages = all(db, sql, [label], |row| {
        let is_gone = is_being_removed(db, [row.text(0)?, row.text(1)?, row.text(2)?])?;
        let key = MessageKey {
            chat: row.jid(0)?,
            sender: row.jid(1)?,
            id: row.id(2)?,
            from_me: row.get(3)?,
        };
        Ok((!is_gone).then_some(Labelled::Message(key)))
    })?;
    found.extend(messages.into_iter().flatten());
    Ok(found)
}

pub(super) fn quick_replies(db: &Connection) -> Result<Vec<QuickReply>> {
    let sql = "SELECT id, shortcut, message, keywords, count FROM quick_replies ORDER BY id";
    all(db, sql, [], quick_reply)
}

fn quick_reply(row: Columns<'_>) -> Result<QuickReply> {
    let keywords = serde_json::from_str(row.text(3)?);
    Ok(QuickReply {
        id: row.get(0)?,
        shortcut: row.get(1)?,
        message: row.get(2)?,
        keywords: keywords.map_err(|_| StoreError::Corrupt { what: "a list of keywords" })?,
        count: row.get(4)?,
    })
}

pub(super) fn is_status_muted(db: &Connection, who: &Jid) -> Result<bool> {
    let sql = "SELECT 1 FROM muted_status WHERE jid = ?1";
    Ok(one(db, sql, [person(db, who)?.to_string()], |_| Ok(()))?.is_some())
}

pub(super) fn is_locked(db: &Connection, chat: &Jid) -> Result<bool> {
    let sql = "SELECT 1 FROM locked_chats WHERE jid = ?1";
    Ok(one(db, sql, [person(db, chat)?.to_string()], |_| Ok(()))?.is_some())
}

pub(super) fn settings_with_prefix(
    db: &Connection,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>> {
    // Not LIKE, for which `_` and `%` stand for others.
    let sql = "SELECT name, value FROM settings WHERE name >= ?1 AND name < ?2 ORDER BY name";
    let end = format!("{prefix}{}", char::MAX);
    all(db, sql, [prefix, &end], |row| Ok((row.get(0)?, row.get(1)?)))
}

impl Write<'_> {
    pub(super) fn apply_sync(&mut self, change: SyncChange) -> Result<()> {
        match change {
            SyncChange::PutKeys(keys) => keys.iter().try_for_each(|key| {
                self.run(
                    "INSERT OR IGNORE INTO sync_keys (id, data, timestamp, fingerprint)
                     VALUES (?1, ?2, ?3, ?4)",
                    params![key.id, key.data.as_bytes(), key.timestamp, key.fingerprint],
                )
            }),
            SyncChange::NoteKeysRequested { ids, at } => ids.iter().try_for_each(|id| {
                self.run(
                    "INSERT OR REPLACE INTO sync_key_requests (id, at) VALUES (?1, ?2)",
                    params![id, at.secs()],
                )
            }),
            SyncChange::Advance(update) => self.advance(&update),
            SyncChange::PutPending(pending) => self.put_pending(&pending),
            SyncChange::RemovePending(id) => {
                self.run("DELETE FROM pending_sync WHERE id = ?1", [id])
            }
            other => self.apply_said(other),
        }
    }

    /// What the app state says.
    fn apply_said(&mut self, change: SyncChange) -> Result<()> {
        match change {
            SyncChange::PutLabel(label) => self.run(
                "INSERT OR REPLACE INTO labels (id, name, color, predefined_id, position)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![label.id, label.name, label.color, label.predefined_id, label.position],
            ),
            SyncChange::DeleteLabel(id) => {
                self.run("DELETE FROM labelled_chats WHERE label = ?1", [&id])?;
                self.run("DELETE FROM labelled_messages WHERE label = ?1", [&id])?;
                self.run("DELETE FROM labels WHERE id = ?1", [&id])
            }
            SyncChange::SetLabel { label, on, labelled } => self.set_label(&label, &on, labelled),
            SyncChange::PutQuickReply(reply) => self.run(
                "INSERT OR REPLACE INTO quick_replies (id, shortcut, message, keywords, count)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    reply.id,
                    reply.shortcut,
                    reply.message,
                    serde_json::to_string(&reply.keywords).unwrap_or_default(),
                    reply.count
                ],
            ),
            SyncChange::DeleteQuickReply(id) => {
                self.run("DELETE FROM quick_replies WHERE id = ?1", [id])
            }
            SyncChange::SetStatusMuted { person, muted } => {
                self.set_flag("muted_status", &person, muted)
            }
            SyncChange::SetLocked { chat, locked } => self.set_flag("locked_chats", &chat, locked),
            SyncChange::RemoveContactNames(jid) => self.remove_contact_names(&jid),
            SyncChange::ClearChat { chat, until, keep_starred } => {
                let chat = self.person(&chat)?;
                self.remove_messages(&Removal { until, keep_starred, ..Removal::whole(&chat) })
            }
            // Every other change was made before it came here.
            _ => Ok(()),
        }
    }

    fn advance(&self, update: &CollectionUpdate) -> Result<()> {
        let name = update.collection.as_str();
        if update.anew {
            self.run("DELETE FROM collection_macs WHERE collection = ?1", [name])?;
        }
        for (index, value) in &update.macs {
            match value {
                Some(value) => self.run(
                    "INSERT OR REPLACE INTO collection_macs (collection, index_mac, value_mac)
                     VALUES (?1, ?2, ?3)",
                    params![name, index, value],
                )?,
                None => self.run(
                    "DELETE FROM collection_macs WHERE collection = ?1 AND index_mac = ?2",
                    params![name, index],
                )?,
            }
        }
        let CollectionVersion { version, hash } = &update.version;
        self.run(
            "INSERT OR REPLACE INTO collections (name, version, hash) VALUES (?1, ?2, ?3)",
            params![name, i64::try_from(*version).unwrap_or(i64::MAX), hash],
        )
    }

    fn put_pending(&self, pending: &PendingSync) -> Result<()> {
        self.run(
            "INSERT INTO pending_sync (id, collection, removes, index_json, value, action_version,
                 made_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET collection = excluded.collection,
                 removes = excluded.removes, index_json = excluded.index_json,
                 value = excluded.value, action_version = excluded.action_version,
                 made_at = excluded.made_at",
            params![
                pending.id,
                pending.collection.as_str(),
                pending.removes,
                pending.index,
                pending.value.as_bytes(),
                pending.action_version,
                pending.made_at
            ],
        )
    }

    fn set_label(&self, label: &str, on: &Labelled, labelled: bool) -> Result<()> {
        match (on, labelled) {
            (Labelled::Chat(chat), true) => self.run(
                "INSERT OR IGNORE INTO labelled_chats (chat, label) VALUES (?1, ?2)",
                params![self.person(chat)?, label],
            ),
            (Labelled::Chat(chat), false) => self.run(
                "DELETE FROM labelled_chats WHERE chat = ?1 AND label = ?2",
                params![self.person(chat)?, label],
            ),
            (Labelled::Message(key), true) => self.run(
                "INSERT OR IGNORE INTO labelled_messages (chat, sender, id, label, from_me)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    self.person(&key.chat)?,
                    self.person(&key.sender)?,
                    key.id.as_str(),
                    label,
                    key.from_me
                ],
            ),
            (Labelled::Message(key), false) => self.run(
                "DELETE FROM labelled_messages
                 WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND label = ?4",
                params![self.person(&key.chat)?, self.person(&key.sender)?, key.id.as_str(), label],
            ),
        }
    }

    fn set_flag(&self, table: &str, jid: &Jid, on: bool) -> Result<()> {
        let sql = match on {
            true => format!("INSERT OR IGNORE INTO {table} (jid) VALUES (?1)"),
            false => format!("DELETE FROM {table} WHERE jid = ?1"),
        };
        self.run(&sql, [self.person(jid)?])
    }

    fn remove_contact_names(&mut self, jid: &Jid) -> Result<()> {
        let jid = self.person(jid)?;
        let Some(mut contact) = self.find_contact(&jid)? else { return Ok(()) };
        if contact.full_name.is_none() && contact.first_name.is_none() {
            return Ok(());
        }
        (contact.full_name, contact.first_name) = (None, None);
        self.write_contact(&contact)?;
        if !self.committed.contacts_changed.contains(&contact.jid) {
            self.committed.contacts_changed.push(contact.jid);
        }
        Ok(())
    }
}
