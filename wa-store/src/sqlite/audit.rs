//! The rows of the audit.

use rusqlite::{Connection, params};

use super::{rows::all, write::Write};
use crate::{AuditEntry, AuditQuery, MAX_PAGE, store::Result};

pub(super) fn audit(db: &Connection, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
    let sql = "SELECT seq, at_ms, caller, call, chat, outcome, detail, to_stranger FROM audit
               WHERE seq < ?1 AND at_ms >= ?2 ORDER BY seq DESC LIMIT ?3";
    let before = query.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(query.limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
    let since = query.since_ms.unwrap_or(i64::MIN);
    all(db, sql, params![before, since, limit], |row| {
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
        })
    })
}

impl Write<'_> {
    pub(super) fn append_audit(&self, entry: &AuditEntry) -> Result<()> {
        self.run(
            "INSERT INTO audit (at_ms, caller, call, chat, outcome, detail, to_stranger)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                entry.at_ms,
                entry.caller,
                entry.call,
                entry.chat.as_ref().map(ToString::to_string),
                entry.outcome,
                entry.detail,
                entry.to_stranger,
            ],
        )
    }
}
