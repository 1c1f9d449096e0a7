//! The rows of the audit, and the chain of their hashes.

use rusqlite::{Connection, params};

use super::{
    rows::{Columns, all, count, each, one},
    write::Write,
};
use crate::{AuditAnchor, AuditEntry, AuditQuery, MAX_PAGE, StoreError, store::Result};

pub(super) fn audit(db: &Connection, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
    let sql = "SELECT seq, at_ms, caller, call, chat, outcome, detail, to_stranger, digest, hash
               FROM audit
               WHERE seq < ?1 AND at_ms >= ?2 AND (?4 IS NULL OR outcome = ?4)
               ORDER BY seq DESC LIMIT ?3";
    let before = query.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(query.limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
    let since = query.since_ms.unwrap_or(i64::MIN);
    all(db, sql, params![before, since, limit, query.outcome], |row| {
        let chat: Option<String> = row.get(4)?;
        Ok(AuditEntry {
            seq: row.get::<i64>(0)?.unsigned_abs(),
            at_ms: row.get(1)?,
            caller: row.get(2)?,
            call: row.get(3)?,
            chat: chat.and_then(|chat| chat.parse().ok()),
            outcome: row.get(5)?,
            detail: row.get(6)?,
            to_stranger: row.get(7)?,
            digest: row.get(8)?,
            hash: row.get(9)?,
        })
    })
}

pub(super) fn anchor(db: &Connection) -> Result<AuditAnchor> {
    let sql = "SELECT seq, at_ms, hash FROM audit_anchor";
    let found = one(db, sql, [], anchor_of)?;
    found.ok_or(StoreError::Corrupt { what: "the audit's anchor" })
}

fn anchor_of(row: Columns<'_>) -> Result<AuditAnchor> {
    let seq = row.get::<i64>(0)?.unsigned_abs();
    Ok(AuditAnchor { seq, at_ms: row.get(1)?, hash: row.get(2)? })
}

/// The number and the hash of the newest entry: what the next one follows.
fn newest(db: &Connection) -> Result<(u64, [u8; 32])> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let newest = one(db, sql, [], |row| {
        Ok((row.get::<i64>(0)?.unsigned_abs(), row.get::<Option<[u8; 32]>>(1)?))
    })?;
    let anchor = anchor(db)?;
    Ok(match newest {
        Some((seq, hash)) if seq > anchor.seq => (seq, hash.unwrap_or_default()),
        // The first of the chain, or the first after all others were taken out.
        _ => (anchor.seq, anchor.hash),
    })
}

impl Write<'_> {
    pub(super) fn append_audit(&self, mut entry: AuditEntry) -> Result<()> {
        let (seq, hash) = newest(self.db)?;
        entry.seq = seq.saturating_add(1);
        entry.hash = Some(entry.hash_after(&hash));
        self.run(
            "INSERT INTO audit (seq, at_ms, caller, call, chat, outcome, detail, to_stranger, digest, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                i64::try_from(entry.seq).unwrap_or(i64::MAX),
                entry.at_ms,
                entry.caller,
                entry.call,
                entry.chat.as_ref().map(ToString::to_string),
                entry.outcome,
                entry.detail,
                entry.to_stranger,
                entry.digest,
                entry.hash,
            ],
        )
    }

    /// Takes out the oldest entries up to the first that is young enough, at most so many; the anchor
    /// remembers on what that one builds. Whether there may be more.
    pub(super) fn prune_audit(&self, before_ms: i64, most: usize) -> Result<bool> {
        let sql = "SELECT seq, at_ms, hash FROM audit ORDER BY seq LIMIT ?1";
        let (mut last, mut taken) = (None, 0);
        each(self.db, sql, [count(most)], |row| {
            let is_old = row.get::<i64>(1)? < before_ms;
            if is_old {
                let hash = row.get::<Option<[u8; 32]>>(2)?;
                last = Some((row.get::<i64>(0)?, row.get::<i64>(1)?, hash));
                taken += 1;
            }
            Ok(is_old)
        })?;
        let Some((seq, at_ms, hash)) = last else { return Ok(false) };
        if let Some(hash) = hash {
            self.run(
                "UPDATE audit_anchor SET seq = ?1, at_ms = ?2, hash = ?3",
                params![seq, at_ms, hash],
            )?;
        }
        self.run("DELETE FROM audit WHERE seq <= ?1", [seq])?;
        Ok(taken == most)
    }
}
