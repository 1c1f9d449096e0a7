//! The search index: which messages are in it, and how it is made anew while it is in use.
//!
//! The index holds no texts, so that what is taken out of it has to be said exactly as it was put in.
//! Another way of reading texts therefore never meets an old index: it begins a new one beside it. Until
//! that is done a search reads the messages that are missing in it, and the old one is given up some
//! pages at a time. Knows nothing of what a query means.

use rusqlite::{Connection, params};

use super::{
    rows::{all, count, engine, number, one, run},
    write::Write,
};
use crate::{
    Seq,
    search::{Analysis, INDEX_VERSION, index_terms},
    store::Result,
};

/// How many messages one step puts into a new index: some ten milliseconds.
const INDEXED_AT_ONCE: usize = 128;

/// How many pages of an old index one step gives up.
const PAGES_AT_ONCE: usize = 256;

/// What the table of the first schema is; a new one is the same.
const CREATE: &str = "CREATE VIRTUAL TABLE message_terms USING fts5 (
    terms, content = '', columnsize = 0, detail = none, tokenize = \"ascii tokenchars '^$'\")";

/// Which messages are in the index: those up to one, and those from another on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) done: Seq,
    pub(super) from: Seq,
}

impl Indexed {
    const fn has(self, seq: Seq) -> bool {
        seq.0 <= self.done.0 || seq.0 >= self.from.0
    }
}

/// Whether the index has every message, and by the rules that are in force.
pub(super) fn is_whole(db: &Connection) -> Result<bool> {
    let sql = "SELECT index_version = ?1 AND index_from = 0 FROM meta";
    Ok(one(db, sql, [INDEX_VERSION], |row| row.get(0))?.unwrap_or_default())
}

/// Begins a new index where the one there is was made by other rules; at the opening of a database.
pub(super) fn begin_anew_if_outdated(db: &Connection) -> Result<()> {
    let found: Option<u32> = one(db, "SELECT index_version FROM meta", [], |row| row.get(0))?;
    if found.is_none_or(|found| found == INDEX_VERSION) {
        return Ok(());
    }
    let transaction = db.unchecked_transaction().map_err(engine)?;
    let name: Option<String> =
        one(db, "SELECT 'message_terms_old_' || hex(randomblob(4))", [], |row| row.get(0))?;
    let name = name.unwrap_or_default();
    transaction
        .execute_batch(&format!(
            "ALTER TABLE message_terms RENAME TO {name}; {CREATE};
             UPDATE meta SET index_version = {INDEX_VERSION}, index_done = 0,
                 index_from = last_seq + 1;"
        ))
        .map_err(engine)?;
    transaction.commit().map_err(engine)
}

impl Write<'_> {
    /// Makes a message findable by its text.
    pub(super) fn index(&self, seq: Seq, text: Option<&str>) -> Result<()> {
        if self.indexed.has(seq) { self.put_terms(seq, text) } else { Ok(()) }
    }

    fn put_terms(&self, seq: Seq, text: Option<&str>) -> Result<()> {
        let terms = text.map(|text| index_terms(&Analysis::new(text))).unwrap_or_default();
        if terms.is_empty() {
            return Ok(());
        }
        self.run(
            "INSERT INTO message_terms (rowid, terms) VALUES (?1, ?2)",
            params![number(seq), terms],
        )
    }

    /// Undoes [`Self::index`]. The text must be the one that was indexed.
    pub(super) fn unindex(&self, seq: Seq, text: Option<&str>) -> Result<()> {
        let terms = text.map(|text| index_terms(&Analysis::new(text))).unwrap_or_default();
        if terms.is_empty() || !self.indexed.has(seq) {
            return Ok(());
        }
        self.run(
            "INSERT INTO message_terms (message_terms, rowid, terms) VALUES ('delete', ?1, ?2)",
            params![number(seq), terms],
        )
    }

    /// Puts some messages into an index that is being made, and gives up some of an old one. Whether
    /// there is more to do.
    pub(super) fn renew_index_some(&mut self) -> Result<bool> {
        let is_behind = self.index_some()?;
        Ok(self.give_up_some()? || is_behind)
    }

    fn index_some(&mut self) -> Result<bool> {
        if self.indexed.from == Seq(0) {
            return Ok(false);
        }
        let sql =
            "SELECT seq, text FROM messages WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3";
        let range = [number(self.indexed.done), number(self.indexed.from), count(INDEXED_AT_ONCE)];
        let found =
            all(self.db, sql, range, |row| Ok((row.seq(0)?, row.get::<Option<String>>(1)?)))?;
        for (seq, text) in &found {
            self.put_terms(*seq, text.as_deref())?;
        }
        self.indexed = match found.last() {
            Some((last, _)) if found.len() == INDEXED_AT_ONCE => {
                Indexed { done: *last, ..self.indexed }
            }
            _ => Indexed { done: Seq(0), from: Seq(0) },
        };
        self.run(
            "UPDATE meta SET index_done = ?1, index_from = ?2",
            [number(self.indexed.done), number(self.indexed.from)],
        )?;
        Ok(self.indexed.from != Seq(0))
    }

    fn give_up_some(&self) -> Result<bool> {
        let sql = "SELECT name FROM sqlite_schema
                   WHERE name GLOB 'message_terms_old_*' AND sql LIKE 'CREATE VIRTUAL %' LIMIT 1";
        let Some(name) = one(self.db, sql, [], |row| row.get::<String>(0))? else {
            return Ok(false);
        };
        // The first rows say how the others belong together.
        let sql = format!(
            "DELETE FROM {name}_data WHERE id IN (SELECT id FROM {name}_data WHERE id > 10 LIMIT ?1)"
        );
        if run(self.db, &sql, [count(PAGES_AT_ONCE)])? == 0 {
            self.db.execute_batch(&format!("DROP TABLE {name}")).map_err(engine)?;
        }
        Ok(true)
    }
}
