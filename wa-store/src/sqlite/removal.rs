//! Chats that are deleted or emptied: gone for whoever asks with the commit that says so, and taken out
//! of the tables some at a time, so that nothing else waits for it.
//!
//! What is concerned is said by one row; `live_messages` leaves it out, and whatever a change names is
//! taken out before the change is made. Knows nothing of who calls for the next step.

use rusqlite::{Connection, params};

use super::{
    rows::{all, count, number, one, run},
    write::Write,
    write_archive::Place,
};
use crate::{Seq, Timestamp, store::Result};

/// How many messages one step takes out: some ten milliseconds.
const REMOVED_AT_ONCE: usize = 64;

/// Which messages of a chat go.
pub(super) struct Removal<'a> {
    pub(super) chat: &'a str,
    /// Those of this second and before; all where there is none.
    pub(super) until: Option<Timestamp>,
    /// Whether those with a star stay.
    pub(super) keep_starred: bool,
}

impl<'a> Removal<'a> {
    /// All of them.
    pub(super) const fn whole(chat: &'a str) -> Self {
        Self { chat, until: None, keep_starred: false }
    }
}

/// A removal under way.
struct Pending {
    position: i64,
    chat: String,
    up_to: Seq,
    until: i64,
    keep_starred: bool,
    reached: i64,
}

impl Write<'_> {
    /// From here on these messages are gone; the first of them are taken out at once.
    pub(super) fn remove_messages(&mut self, removal: &Removal<'_>) -> Result<()> {
        self.note_removal(removal)?;
        self.remove_some().map(drop)
    }

    pub(super) fn remove_messages_before(&mut self, time: Timestamp) -> Result<()> {
        let until = Some(time.minus_secs(1));
        for chat in all(self.db, "SELECT jid FROM chats", [], |row| row.get::<String>(0))? {
            self.note_removal(&Removal { until, ..Removal::whole(&chat) })?;
        }
        self.remove_some().map(drop)
    }

    fn note_removal(&mut self, removal: &Removal<'_>) -> Result<()> {
        let until = removal.until.map_or(i64::MAX, Timestamp::secs);
        let up_to = number(self.last_seq());
        // A chat that has nothing of the kind needs no row.
        let sql = "SELECT 1 FROM messages WHERE chat = ?1 AND timestamp <= ?2 LIMIT 1";
        if one(self.db, sql, params![removal.chat, until], |_| Ok(()))?.is_none() {
            return Ok(());
        }
        self.removing = true;
        self.run(
            "INSERT INTO removals (chat, up_to_seq, until, keep_starred, reached)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![removal.chat, up_to, until, removal.keep_starred, i64::MIN],
        )
    }

    /// Takes out a bounded number of the messages that are gone. Whether there are more.
    pub(super) fn remove_some(&mut self) -> Result<bool> {
        let mut left = REMOVED_AT_ONCE;
        while let Some(pending) = next(self.db, None)? {
            let removed = self.step(&pending, left)?;
            left = left.saturating_sub(removed);
            if left == 0 {
                return Ok(true);
            }
        }
        self.removing = false;
        Ok(false)
    }

    /// Takes out all that is gone of a chat, so that other messages can be put there under older
    /// numbers.
    pub(super) fn finish_removals(&mut self, chat: &str) -> Result<()> {
        while let Some(pending) = next(self.db, Some(chat))? {
            self.step(&pending, REMOVED_AT_ONCE)?;
        }
        Ok(())
    }

    /// Takes out at most so many messages, and the row when there were fewer.
    fn step(&self, pending: &Pending, most: usize) -> Result<usize> {
        let sql = "SELECT chat, sender, id, timestamp, seq FROM messages
                   WHERE chat = ?1 AND timestamp >= ?2 AND timestamp <= ?3 AND seq <= ?4
                       AND NOT (starred AND ?5)
                   ORDER BY timestamp LIMIT ?6";
        let params = params![
            pending.chat,
            pending.reached,
            pending.until,
            number(pending.up_to),
            pending.keep_starred,
            count(most)
        ];
        let mut found = all(self.db, sql, params, |row| {
            let place = Place { chat: row.get(0)?, sender: row.get(1)?, id: row.id(2)? };
            Ok((row.seq(4)?, row.get::<i64>(3)?, place))
        })?;
        let reached = found.last().map_or(pending.reached, |(_, timestamp, _)| *timestamp);
        // The search index is written fastest in the order of its numbers.
        found.sort_unstable_by_key(|(seq, ..)| *seq);
        found.iter().try_for_each(|(.., place)| self.delete(place))?;
        if found.len() < most {
            self.run("DELETE FROM removals WHERE position = ?1", [pending.position])?;
        } else {
            let sql = "UPDATE removals SET reached = ?2 WHERE position = ?1";
            run(self.db, sql, [pending.position, reached])?;
        }
        Ok(found.len())
    }
}

/// The removal that was asked for first, of a chat or of any.
fn next(db: &Connection, chat: Option<&str>) -> Result<Option<Pending>> {
    let of = if chat.is_some() { "WHERE chat = ?1" } else { "WHERE ?1 IS NULL" };
    let sql = format!(
        "SELECT position, chat, up_to_seq, until, keep_starred, reached FROM removals {of}
         ORDER BY position LIMIT 1"
    );
    one(db, &sql, [chat], |row| {
        Ok(Pending {
            position: row.get(0)?,
            chat: row.get(1)?,
            up_to: row.seq(2)?,
            until: row.get(3)?,
            keep_starred: row.get(4)?,
            reached: row.get(5)?,
        })
    })
}

/// Whether a message is gone and still being taken out. With it goes what hangs on it.
pub(super) fn is_being_removed(db: &Connection, place: [&str; 3]) -> Result<bool> {
    let sql = "SELECT EXISTS (
                   SELECT 1 FROM removals r CROSS JOIN messages m
                   WHERE r.chat = ?1 AND m.chat = ?1 AND m.sender = ?2 AND m.id = ?3
                       AND m.seq <= r.up_to_seq AND m.timestamp <= r.until
                       AND NOT (m.starred AND r.keep_starred))";
    Ok(one(db, sql, place, |row| row.get(0))?.unwrap_or_default())
}

/// How many messages are gone and still in the table.
pub(super) fn being_removed(db: &Connection) -> Result<u64> {
    let sql = "SELECT count(DISTINCT m.seq) FROM removals r CROSS JOIN messages m
               ON m.chat = r.chat AND m.timestamp >= r.reached AND m.timestamp <= r.until
                   AND m.seq <= r.up_to_seq AND NOT (m.starred AND r.keep_starred)";
    Ok(one(db, sql, [], |row| row.get::<i64>(0))?.unwrap_or_default().unsigned_abs())
}
