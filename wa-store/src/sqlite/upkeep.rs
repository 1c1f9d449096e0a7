//! What the tables forget with time, and the work that is done some at a time: one step of all of it.
//!
//! The rules are in [`retention`](super::retention). A step is bounded, so that other commits go in
//! between; where a step found more than it does at once, it says so. Knows nothing of who calls.

use rusqlite::{ToSql, params};

use super::{
    row_forms::status_column,
    rows::{all, count, one, run},
    write::Write,
};
use crate::{
    LEFT_GROUP_RETENTION_SECS, LIST_RETENTION_SECS, MessageStatus, ORPHAN_RETENTION_SECS,
    OUTBOX_PATIENCE_SECS, OutboxState, PLACEHOLDER_RETENTION_SECS, RETRY_RETENTION_SECS,
    SEALED_RETENTION_SECS, SEEN_RETENTION_SECS, SENT_RETENTION_SECS, SendFailure, Timestamp,
    retry::PASS_SECS, store::Result,
};

/// How many rows of a table one step forgets or looks at.
const ROWS_AT_ONCE: usize = 256;

/// From how many free pages on some are given back to the disk, and how many at once. What is free is
/// used again first.
const FREE_PAGES: [i64; 2] = [512, 128];

impl Write<'_> {
    /// One step of upkeep.
    pub(super) fn upkeep(&mut self, now: Timestamp) -> Result<()> {
        let mut left = self.remove_some()?;
        left |= self.forget_some(now)?;
        left |= self.forget_outbox_some(now)?;
        left |= self.forget_groups_left_some(now)?;
        left |= self.forget_orphans_some(now)?;
        left |= self.prune_old_audit(now)?;
        left |= self.renew_index_some()?;
        left |= self.give_back_some()?;
        self.committed.upkeep_left |= left;
        Ok(())
    }

    /// What each has a time of its own in its row.
    fn forget_some(&self, now: Timestamp) -> Result<bool> {
        let mut left = false;
        for (table, key, time, secs) in TIMED {
            let sql = format!(
                "DELETE FROM {table} WHERE {key} IN (
                     SELECT {inner} FROM {table} WHERE {time} < ?1 ORDER BY {time} LIMIT ?2)",
                inner = key.trim_matches(['(', ')'])
            );
            let before = now.minus_secs(secs).secs();
            left |= run(self.db, &sql, [before, count(ROWS_AT_ONCE)])? == ROWS_AT_ONCE;
        }
        let sql = "DELETE FROM privacy_tokens WHERE jid IN (
                       SELECT jid FROM privacy_tokens
                       WHERE timestamp < ?1 AND coalesce(issued_at, ?1 - 1) < ?1
                       ORDER BY timestamp LIMIT ?2)";
        let before = crate::contact::token_cutoff(now).secs();
        Ok(run(self.db, sql, [before, count(ROWS_AT_ONCE)])? == ROWS_AT_ONCE || left)
    }

    /// What waits to be sent, what was sent, and the copies of both.
    fn forget_outbox_some(&self, now: Timestamp) -> Result<bool> {
        let too_old = now.minus_secs(OUTBOX_PATIENCE_SECS).secs();
        let sql = "SELECT id, chat FROM outbox WHERE state < 2 AND created_at < ?1 LIMIT ?2";
        let given_up =
            all(self.db, sql, [too_old, count(ROWS_AT_ONCE)], |row| Ok((row.id(0)?, row.jid(1)?)))?;
        for (id, chat) in &given_up {
            let failed = OutboxState::Failed(SendFailure::WaitedTooLong);
            self.set_outbox_state(id.as_str(), &failed)?;
            self.run(
                "UPDATE messages SET status = max(status, ?3)
                 WHERE chat = ?1 AND id = ?2 AND from_me",
                params![self.person(chat)?, id.as_str(), status_column(MessageStatus::Failed)],
            )?;
        }
        // The days of what waits have not begun; there is little that waits.
        self.run("UPDATE outbox SET waited_until = ?1 WHERE state < 2", [now.secs()])?;
        self.run(
            "UPDATE sent_messages SET waited_until = ?1 WHERE rowid IN (
                 SELECT s.rowid FROM outbox o CROSS JOIN sent_messages s ON s.id = o.id
                 WHERE o.state < 2)",
            [now.secs()],
        )?;
        let sent = now.minus_secs(SENT_RETENTION_SECS).secs();
        let params = [sent, count(ROWS_AT_ONCE)];
        let finished = run(
            self.db,
            "DELETE FROM outbox WHERE position IN (
                 SELECT position FROM outbox
                 WHERE state >= 2 AND created_at < ?1 AND waited_until < ?1 LIMIT ?2)",
            params,
        )?;
        let copies = run(
            self.db,
            "DELETE FROM sent_messages WHERE rowid IN (
                 SELECT rowid FROM sent_messages WHERE sent_at < ?1 AND waited_until < ?1
                 ORDER BY sent_at LIMIT ?2)",
            params,
        )?;
        let audiences = run(
            self.db,
            "DELETE FROM audiences WHERE id IN (
                 SELECT a.id FROM audiences a
                 WHERE NOT EXISTS (SELECT 1 FROM sent_messages s WHERE s.audience = a.id)
                 LIMIT ?1)",
            [count(ROWS_AT_ONCE)],
        )?;
        Ok([given_up.len(), finished, copies, audiences].contains(&ROWS_AT_ONCE))
    }

    /// The sender keys of groups of which nothing has been known for a while.
    fn forget_groups_left_some(&self, now: Timestamp) -> Result<bool> {
        if !self.begins_pass("left groups", now)? {
            return self.forget_left_group(now);
        }
        // From one group to the next in the index: each may have many keys.
        let sql = "WITH RECURSIVE scopes(scope) AS (
                       SELECT min(scope) FROM sender_keys
                       UNION ALL
                       SELECT (SELECT min(scope) FROM sender_keys WHERE scope > scopes.scope)
                       FROM scopes WHERE scopes.scope IS NOT NULL)
                   INSERT OR IGNORE INTO left_groups (scope, since)
                   SELECT scope, ?1 FROM scopes
                   WHERE scope LIKE '%@g.us' AND scope NOT IN (SELECT jid FROM groups)";
        self.run(sql, [now.secs()])?;
        self.run("DELETE FROM left_groups WHERE scope IN (SELECT jid FROM groups)", [])?;
        self.forget_left_group(now)
    }

    fn forget_left_group(&self, now: Timestamp) -> Result<bool> {
        let before = now.minus_secs(LEFT_GROUP_RETENTION_SECS).secs();
        let sql = "SELECT scope FROM left_groups WHERE since < ?1 LIMIT 1";
        let Some(scope) = one(self.db, sql, [before], |row| row.get::<String>(0))? else {
            return Ok(false);
        };
        if one(self.db, "SELECT 1 FROM groups WHERE jid = ?1", [&scope], |_| Ok(()))?.is_none() {
            let sql = "DELETE FROM sender_keys WHERE rowid IN (
                           SELECT rowid FROM sender_keys WHERE scope = ?1 LIMIT ?2)";
            let limit = count(ROWS_AT_ONCE);
            if run(self.db, sql, params![scope, limit])? == ROWS_AT_ONCE {
                return Ok(true);
            }
            self.run("DELETE FROM sender_key_holders WHERE scope = ?1", [&scope])?;
        }
        self.run("DELETE FROM left_groups WHERE scope = ?1", [&scope])?;
        Ok(true)
    }

    /// What was added to messages that did not come. Each table is gone through once in a while, some
    /// rows at a time.
    fn forget_orphans_some(&self, now: Timestamp) -> Result<bool> {
        let before = now.minus_secs(ORPHAN_RETENTION_SECS).secs();
        let mut left = false;
        for (table, last, time) in HANGING {
            let Some(reached) = self.pass_reached(table, now)? else { continue };
            let sql = format!(
                "SELECT chat, sender, id, {last}, {time} FROM {table}
                 WHERE (chat, sender, id, {last}) > (?1, ?2, ?3, ?4)
                 ORDER BY chat, sender, id, {last} LIMIT ?5"
            );
            let [chat, sender, id, of] = &reached;
            let rows =
                all(self.db, &sql, params![chat, sender, id, of, count(ROWS_AT_ONCE)], |row| {
                    Ok((
                        [row.get(0)?, row.get(1)?, row.get(2)?, row.get::<String>(3)?],
                        row.get::<i64>(4)?,
                    ))
                })?;
            let sql = format!(
                "DELETE FROM {table} WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND {last} = ?4
                     AND NOT EXISTS (SELECT 1 FROM messages m
                         WHERE m.chat = ?1 AND m.sender = ?2 AND m.id = ?3)"
            );
            for (key, _) in rows.iter().filter(|(_, time)| *time < before) {
                let values: Vec<&dyn ToSql> = key.iter().map(|part| part as &dyn ToSql).collect();
                run(self.db, &sql, values.as_slice())?;
            }
            let is_over = rows.len() < ROWS_AT_ONCE;
            let last = if is_over { None } else { rows.last().map(|(key, _)| key) };
            self.note_pass(table, last)?;
            left |= !is_over;
        }
        Ok(left)
    }

    /// Whether a pass is due; then it has begun.
    fn begins_pass(&self, pass: &str, now: Timestamp) -> Result<bool> {
        let before = now.minus_secs(PASS_SECS).secs();
        let begun = run(
            self.db,
            "INSERT INTO upkeep (pass, reached, begun_at) VALUES (?1, '', ?2)
             ON CONFLICT (pass) DO UPDATE SET begun_at = ?2 WHERE begun_at <= ?3",
            params![pass, now.secs(), before],
        )?;
        Ok(begun > 0)
    }

    /// How far a pass has come; nothing where none is due.
    fn pass_reached(&self, table: &str, now: Timestamp) -> Result<Option<[String; 4]>> {
        let sql = "SELECT reached FROM upkeep WHERE pass = ?1 AND reached <> ''";
        if let Some(reached) = one(self.db, sql, [table], |row| row.get::<String>(0))? {
            // One that cannot be read begins anew.
            return Ok(Some(serde_json::from_str(&reached).unwrap_or_default()));
        }
        Ok(self.begins_pass(table, now)?.then(Default::default))
    }

    fn note_pass(&self, table: &str, reached: Option<&[String; 4]>) -> Result<()> {
        let reached = reached.map(serde_json::to_string).transpose().ok().flatten();
        self.run(
            "UPDATE upkeep SET reached = ?2 WHERE pass = ?1",
            params![table, reached.unwrap_or_default()],
        )
    }

    fn prune_old_audit(&self, now: Timestamp) -> Result<bool> {
        let last = one(self.db, "SELECT at_ms FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get::<i64>(0)
        })?;
        let Some(last_ms) = last else { return Ok(false) };
        self.prune_audit(crate::audit::kept_since_ms(now, last_ms), ROWS_AT_ONCE)
    }

    /// Gives room back to the disk that nothing needs any more, where the file can do so.
    fn give_back_some(&self) -> Result<bool> {
        let [keep, some] = FREE_PAGES;
        let free = |db| one(db, "PRAGMA freelist_count", [], |row| row.get::<i64>(0));
        if one(self.db, "PRAGMA auto_vacuum", [], |row| row.get::<i64>(0))? != Some(2)
            || free(self.db)?.unwrap_or_default() <= keep
        {
            return Ok(false);
        }
        all(self.db, &format!("PRAGMA incremental_vacuum({some})"), [], |_| Ok(()))?;
        Ok(free(self.db)?.unwrap_or_default() > keep)
    }
}

/// Tables whose rows are forgotten by a time of their own: their key, their time, and after how long.
const TIMED: [(&str, &str, &str, i64); 9] = [
    ("seen", "rowid", "at", SEEN_RETENTION_SECS),
    ("retries_sent", "(chat, sender, id)", "at", RETRY_RETENTION_SECS),
    ("retries_answered", "(user, device, id)", "at", RETRY_RETENTION_SECS),
    ("sessions_recreated", "(user, device)", "at", RETRY_RETENTION_SECS),
    ("base_keys", "(user, device, id)", "at", RETRY_RETENTION_SECS),
    ("sealed", "rowid", "at", SEALED_RETENTION_SECS),
    ("device_lists", "user", "fetched_at", LIST_RETENTION_SECS),
    ("placeholders", "(chat, sender, id)", "timestamp", PLACEHOLDER_RETENTION_SECS),
    ("sync_key_requests", "id", "at", SYNC_REQUEST_RETENTION_SECS),
];

/// How long it is known that a sync key was asked for, in seconds: 30 days.
const SYNC_REQUEST_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// Tables of what hangs on messages: the last part of their key, and their time.
const HANGING: [(&str, &str, &str); 3] = [
    ("edits", "edit_id", "edited_at"),
    ("reactions", "reactor", "timestamp"),
    ("additions", "kind || '/' || slot", "at"),
];
