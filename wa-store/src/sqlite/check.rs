//! Whether a database is whole: what matters most and a sample of the rest at each opening, all of
//! it when somebody asks.
//!
//! SQLCipher checks each page by its MAC when it reads it, so that damage never becomes data; but
//! what is not read is not noticed, and a session that is gone is better missed before the first
//! message than in the middle of one. Reading everything takes seconds for each gigabyte, so that
//! opening reads the tables of keys, queues and people, and of the messages the newest and some
//! others, chosen anew each time.

use rusqlite::{Connection, ErrorCode};

use super::rows::engine;
use crate::{StoreError, store::Result};

/// How many rows of messages are read from each of the two places.
const SAMPLE: i64 = 200;

/// How many steps SQLite takes between two looks at the bound. Checking a table, a step is a page.
const STEP: i32 = 100;

/// How many such looks a table may take: so many times [`STEP`] pages of 4 KiB, some 2 MB.
const MAX_LOOKS: u32 = 5;

/// The most lines that are told of a damaged database.
const MAX_LINES: usize = 100;

/// Checks what a start depends on, and a sample of the messages.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn at_start(db: &mut Connection) -> Result<()> {
    for table in tables(db)? {
        check_table(db, &table)?;
    }
    sample(db)
}

/// Every ordinary table but the messages, which may be millions, and their search index.
fn tables(db: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite%' AND name <> 'messages'";
    let mut statement = db.prepare(sql).map_err(engine)?;
    let names = statement.query_map([], |row| row.get(0)).map_err(engine)?;
    names.collect::<rusqlite::Result<_>>().map_err(engine)
}

fn check_table(db: &mut Connection, table: &str) -> Result<()> {
    let sql = format!("PRAGMA quick_check(\"{table}\")");
    let found = bounded(db, |db| db.query_row(&sql, [], |row| row.get::<_, String>(0)))?;
    match found {
        Some(line) if line != "ok" => Err(StoreError::Corrupt { what: "a table" }),
        _ => Ok(()),
    }
}

/// Reads the newest messages, and as many from somewhere before them.
fn sample(db: &mut Connection) -> Result<()> {
    // Every page of a long column is read for its last byte.
    let sql = "SELECT total(length(hex(substr(raw, -1))) + length(hex(substr(text, -1)))) FROM \
               (SELECT raw, text FROM messages WHERE seq > ?1 ORDER BY seq LIMIT ?2)";
    let last = "SELECT coalesce(max(seq), 0) FROM messages";
    let last: i64 = db.query_row(last, [], |row| row.get(0)).map_err(engine)?;
    let newest = last.saturating_sub(SAMPLE).max(0);
    let elsewhere: i64 = db
        .query_row("SELECT abs(random() % ?1)", [newest.max(1)], |row| row.get(0))
        .map_err(engine)?;
    for begin in [newest, elsewhere] {
        bounded(db, |db| db.query_row(sql, [begin, SAMPLE], |row| row.get::<_, f64>(0)))?;
    }
    Ok(())
}

/// Does something for at most [`MAX_LOOKS`]; nothing where it would take longer.
fn bounded<T>(
    db: &mut Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    let mut looks = 0;
    let enough = move || {
        looks += 1;
        looks > MAX_LOOKS
    };
    db.progress_handler(STEP, Some(enough)).map_err(engine)?;
    let done = work(db);
    db.progress_handler(0, None::<fn() -> bool>).map_err(engine)?;
    match done {
        Ok(found) => Ok(Some(found)),
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == ErrorCode::OperationInterrupted =>
        {
            Ok(None)
        }
        Err(error) => Err(engine(error)),
    }
}

/// Everything that is wrong with a database, in SQLite's own words, which tell of pages and tables
/// and never of what they hold. Reads all of it.
pub(super) fn whole(db: &Connection) -> Vec<String> {
    let mut found = Vec::new();
    for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check(20)"] {
        match lines(db, pragma) {
            Ok(lines) => found.extend(lines.into_iter().filter(|line| line != "ok")),
            Err(error) => found.push(engine(error).to_string()),
        }
    }
    found.truncate(MAX_LINES);
    found
}

fn lines(db: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(pragma)?;
    let lines = statement.query_map([], |row| row.get(0))?;
    lines.collect()
}
