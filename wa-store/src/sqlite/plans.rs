//! How each statement of the store finds its rows: by an index, whatever the archive's size.
//!
//! Runs every rule of the conformance suite, notes each statement that it leads to, and asks SQLite how
//! it would go about it. No statistics are ever made of a database, so that the plans in use are those of
//! an empty one: SQLite looks at the size of nothing then.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use rusqlite::Connection;

use super::{DatabaseKey, SqliteStore, open::MIGRATIONS};

static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub(super) fn note(sql: &str) {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !noted.contains(sql) {
        noted.insert(sql.to_owned());
    }
}

/// Tables with few rows however large the archive is, or whose rows are all wanted by whoever asks.
const SMALL: [&str; 12] = [
    "meta",
    "account",
    "audit_anchor",
    "removals",
    "r",
    "signed_prekeys",
    "sync_keys",
    "pending_sync",
    "labels",
    "quick_replies",
    "left_groups",
    "upkeep",
];

/// Statements that may go from one row to the next, by parts of them, and why.
const ALLOWED: [(&str, &str); 24] = [
    ("FROM journal ORDER BY id", "all that was not announced yet is wanted"),
    (
        "FROM audiences a WHERE NOT EXISTS",
        "one for each set of people who were written to in a week",
    ),
    ("SELECT messages, (SELECT count(*)", "counts people, chats and sessions; asked by a person"),
    ("SELECT at_ms FROM audit ORDER BY seq DESC LIMIT 1", "the last row"),
    ("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", "the last row"),
    ("FROM audit ORDER BY seq LIMIT", "the first rows, until one is young enough"),
    ("FROM contacts c", "whoever lists people goes by their names, read as a search reads them"),
    ("FROM contacts WHERE full_name", "the address book is wanted"),
    ("FROM chats h LEFT JOIN lids", "whoever lists chats goes by their names and last messages"),
    ("SELECT jid FROM chats", "all chats are wanted"),
    ("FROM chats c CROSS JOIN…m.id = ?1", "a look into each chat's index; no index has ids alone"),
    ("FROM groups ORDER BY jid", "all groups are wanted"),
    ("FROM sealed s JOIN message_secrets…NOT s.tried LIMIT", "an index of what can be opened now"),
    ("outbox…state < 2", "an index of what waits, and of nothing else"),
    ("FROM receipts ORDER BY position", "all that wait are wanted"),
    ("FROM placeholders ORDER BY timestamp…LIMIT", "the first rows of an index"),
    ("FILTER (WHERE uploaded)…FROM prekeys", "there are some hundreds"),
    ("FROM prekeys WHERE NOT uploaded", "an index of those, and of no others"),
    ("FROM history_chunks ORDER BY position LIMIT", "the first rows"),
    ("FROM history_gaps ORDER BY place LIMIT", "the first rows"),
    ("SELECT count(*) FROM live_messages m", "counts what a scope leaves; asked by a person"),
    ("SELECT count(*) FROM placeholders m", "counts what a scope leaves; asked by a person"),
    ("FROM live_messages m…ORDER BY…LIMIT", "a page of an index; what is rare goes by a walk"),
    ("FROM sqlite_schema", "there are some hundred rows"),
];

/// Makes one function that runs every rule, each on a new store.
macro_rules! rules {
    ($($module:ident { $($rule:ident)* })*) => {
        async fn every_rule() {
            $($(
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("wa.db");
                let store = SqliteStore::open(path, DatabaseKey::from_bytes([7; 32])).await.unwrap();
                crate::conformance::$module::$rule(&store).await;
            )*)*
        }
    };
}

include!("../../tests/conformance/rules.rs");

/// What a plan goes through from end to end.
fn scans(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let detail: String = row.get(3).unwrap();
        // One that is made for the occasion goes through the whole table.
        if detail.contains(" AUTOMATIC ") {
            found.push(detail.clone());
        }
        let Some(what) = detail.strip_prefix("SCAN ") else { continue };
        let name = what.split(' ').next().unwrap_or_default();
        // The rows of a list that the statement was given, or that it made itself.
        let is_given = what.contains("VIRTUAL TABLE INDEX")
            && !what.starts_with("message_terms VIRTUAL TABLE INDEX 0:D");
        let is_made = ["CONSTANT", "written", "scopes", "(subquery"]
            .iter()
            .any(|made| what.starts_with(made));
        if !is_given && !is_made && !SMALL.contains(&name) {
            found.push(detail);
        }
    }
    found
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    every_rule().await;
    let db = Connection::open_in_memory().unwrap();
    for migration in MIGRATIONS {
        db.execute_batch(migration).unwrap();
    }
    let noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(noted.len() > 250, "only {} statements were seen", noted.len());
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for sql in noted.iter().filter(|sql| !sql.starts_with("PRAGMA")) {
        let scans = scans(&db, sql);
        let flat = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        match ALLOWED.iter().find(|(parts, _)| parts.split('…').all(|part| flat.contains(part))) {
            Some((part, _)) if !scans.is_empty() => {
                used.insert(*part);
            }
            None if !scans.is_empty() => {
                wrong.push(format!("{flat}\n    {}", scans.join("\n    ")))
            }
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} statements go through a table:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let unused: Vec<_> =
        ALLOWED.iter().map(|(part, _)| *part).filter(|part| !used.contains(part)).collect();
    assert!(unused.is_empty(), "these are not needed in the list any more: {unused:?}");
}
