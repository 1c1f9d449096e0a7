//! The journal of what is to be announced: one row a commit, gone with a later one.
//!
//! Knows nothing of who announces.

use rusqlite::Connection;

use super::{
    read_archive::message_by_seq,
    rows::{all, one, run},
    write::{Write, other_name},
};
use crate::{Archived, JournalEntry, StoreError, journal::JournalRow, store::Result};

/// What was not announced yet, the oldest first.
pub(super) fn entries(db: &Connection) -> Result<Vec<JournalEntry>> {
    let rows = all(db, "SELECT id, entry FROM journal ORDER BY id", [], |row| {
        let id = row.get::<i64>(0)?.unsigned_abs();
        JournalRow::from_column(id, row.text(1)?).ok_or(StoreError::Corrupt { what: "the journal" })
    })?;
    rows.into_iter()
        .map(|row| {
            let mut archived = Vec::with_capacity(row.archived.len());
            for (seq, filled) in &row.archived {
                let Some(message) = message_by_seq(db, *seq)? else { continue };
                let sender_alt = other_name(db, &message.key.sender)?;
                archived.push(Archived { message, sender_alt, filled: *filled });
            }
            Ok(row.into_entry(archived))
        })
        .collect()
}

impl Write<'_> {
    /// Notes what this commit did, if that is to be announced.
    pub(super) fn journalize(&mut self) -> Result<()> {
        let Some(announce) = self.announce.take() else { return Ok(()) };
        let Some(row) = JournalRow::of(0, announce, &self.committed) else { return Ok(()) };
        let sql = "INSERT INTO journal (entry) VALUES (?1) RETURNING id";
        let id = one(self.db, sql, [row.to_column()], |row| row.get::<i64>(0))?;
        self.committed.announcement = id.map(i64::unsigned_abs);
        Ok(())
    }

    pub(super) fn forget_announced(&self, ids: &[u64]) -> Result<()> {
        for id in ids {
            let id = i64::try_from(*id).unwrap_or(i64::MAX);
            run(self.db, "DELETE FROM journal WHERE id = ?1", [id])?;
        }
        Ok(())
    }
}
