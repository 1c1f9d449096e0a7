//! What only the SQLite store has to show of deletion and upkeep: that they go in steps, between which
//! other commits land, that they go on after being killed, and that the file has nothing left of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use rusqlite::Connection;
use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageKey, MessageQuery, NewMessage, SearchQuery, SqliteStore,
    Store, Timestamp,
};

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([0x5a; 32])
}

fn bob() -> Jid {
    Jid::lid("900200")
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_700_100_000)
}

fn message(chat: &Jid, n: i64, text: &str) -> Change {
    let key = MessageKey::received(chat.clone(), chat.clone(), format!("M{n}"));
    let time = Timestamp::from_secs(1_700_000_000 + n);
    Change::Archive(Box::new(NewMessage::text(key, time, text)))
}

/// Opens the file as its key allows, past all of this crate's checks.
fn raw(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\";", *key().to_hex())).unwrap();
    db
}

fn rows(path: &Path, sql: &str) -> i64 {
    raw(path).query_row(sql, [], |row| row.get(0)).unwrap()
}

const OF_BOB: &str = "SELECT count(*) FROM messages WHERE chat = '900200@lid'";

async fn filled(path: &Path, messages: i64) -> SqliteStore {
    let store = SqliteStore::open(path, key()).await.unwrap();
    let all = (1..=messages).map(|n| message(&bob(), n, &format!("secret number {n}")));
    store.commit(all.collect()).await.unwrap();
    store
}

async fn step(store: &SqliteStore) -> bool {
    store.commit(Change::Upkeep { now: now() }.into()).await.unwrap().upkeep_left
}

#[tokio::test]
async fn another_commit_goes_between_the_steps_of_a_removal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = filled(&path, 1_000).await;
    let other = Jid::lid("900300");
    // All are asked for at once, and done in this order.
    let changes = [
        Change::DeleteChat(bob()),
        Change::Upkeep { now: now() },
        message(&other, 1, "in between"),
        Change::Upkeep { now: now() },
    ];
    let mut left = Vec::new();
    for change in changes {
        store.commit(change.into()).await.unwrap();
        left.push((rows(&path, OF_BOB), store.stats().await.unwrap().messages));
    }
    let in_rows: Vec<i64> = left.iter().map(|(rows, _)| *rows).collect();
    assert!(in_rows.windows(2).all(|pair| matches!(pair, [a, b] if a - b <= 64)), "{in_rows:?}");
    assert_eq!(in_rows.get(1), in_rows.get(2));
    assert!(in_rows.last().unwrap() > &700, "the message came long before the end: {in_rows:?}");
    assert_eq!(left.iter().map(|(_, seen)| *seen).collect::<Vec<_>>(), [0, 0, 1, 1]);
}

#[tokio::test]
async fn a_removal_that_was_broken_off_goes_on_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = filled(&path, 500).await;
    store.commit(Change::DeleteChat(bob()).into()).await.unwrap();
    assert!(step(&store).await);
    drop(store);
    let halfway = rows(&path, OF_BOB);
    assert!(halfway > 0 && halfway < 500, "{halfway}");

    let store = SqliteStore::open(&path, key()).await.unwrap();
    assert_eq!(store.stats().await.unwrap().messages, 0);
    let query = SearchQuery::new("secret");
    assert!(store.search(&query).await.unwrap().hits.is_empty());
    store.commit(message(&bob(), 7, "a secret of today").into()).await.unwrap();
    while step(&store).await {}
    assert_eq!(rows(&path, OF_BOB), 1);
    assert_eq!(store.search(&query).await.unwrap().hits.len(), 1);
    // Neither does the search index know any of it.
    let indexed = "SELECT count(*) FROM message_terms WHERE message_terms MATCH '\"sec\"'";
    assert_eq!(rows(&path, indexed), 1);
    assert_eq!(rows(&path, "SELECT count(*) FROM removals"), 0);
    assert_eq!(rows(&path, "SELECT messages FROM meta"), 1);
}

#[tokio::test]
async fn the_room_of_what_was_removed_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    let long = "a long text of many words ".repeat(80);
    for batch in 0..8 {
        let some = (0..300).map(|n| message(&bob(), batch * 300 + n, &long)).collect();
        store.commit(some).await.unwrap();
    }
    store.close().await.unwrap();
    let full = fs::metadata(&path).unwrap().len();
    let store = SqliteStore::open(&path, key()).await.unwrap();
    store.commit(Change::DeleteChat(bob()).into()).await.unwrap();
    while step(&store).await {}
    store.close().await.unwrap();
    let empty = fs::metadata(&path).unwrap().len();
    assert!(empty * 2 < full, "{empty} of {full} bytes");
    assert!(!fs::exists(path.with_extension("db-wal")).unwrap());
}

#[tokio::test]
async fn an_older_database_gives_room_back_once_it_was_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    drop(filled(&path, 50).await);
    raw(&path)
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM;")
        .unwrap();
    let mode = |path: &Path| rows(path, "PRAGMA auto_vacuum");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    assert_eq!(mode(&path), 0, "it is never done by itself");
    assert!(!step(&store).await);
    store.close().await.unwrap();
    SqliteStore::compact(&path, key()).await.unwrap();
    assert_eq!(mode(&path), 2);
    let store = SqliteStore::open(&path, key()).await.unwrap();
    assert_eq!(store.search(&SearchQuery::new("secret")).await.unwrap().hits.len(), 20);
    store.close().await.unwrap();
    assert_eq!(SqliteStore::check(&path, key()).await.unwrap(), Vec::<String>::new());
}

/// Makes the index one of older rules, which read other words.
fn with_an_old_index(path: &Path) {
    raw(path)
        .execute_batch(
            "INSERT INTO message_terms (message_terms) VALUES ('delete-all');
             INSERT INTO message_terms (rowid, terms) SELECT seq, 'zzz wrong' FROM messages;
             UPDATE meta SET index_version = 0;",
        )
        .unwrap();
}

#[tokio::test]
async fn an_index_of_older_rules_is_made_anew_while_it_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    drop(filled(&path, 600).await);
    with_an_old_index(&path);
    let store = SqliteStore::open(&path, key()).await.unwrap();
    let found = async |text: &str| store.search(&SearchQuery::new(text)).await.unwrap().hits.len();
    assert_eq!(found("\"number 7\"").await, 1, "found before anything was made anew");
    assert!(step(&store).await);
    // What is changed meanwhile: of the part that is done, of the part that is not, and what is new.
    let place = |n: i64| MessageKey::received(bob(), bob(), format!("M{n}"));
    let changes = [
        Change::DeleteMessage(place(3)),
        Change::DeleteMessage(place(599)),
        message(&bob(), 601, "secret number 601"),
    ];
    store.commit(changes.into_iter().collect()).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path, key()).await.unwrap();
    for _ in 0..2 {
        for (n, there) in [(3, 0), (7, 1), (300, 1), (599, 0), (600, 1), (601, 1)] {
            let found = store.search(&SearchQuery::new(format!("\"number {n}\""))).await.unwrap();
            assert_eq!(found.hits.len(), there, "{n}");
        }
        while step(&store).await {}
    }
    let indexed = "SELECT count(*) FROM message_terms WHERE message_terms MATCH '\"sec\"'";
    assert_eq!(rows(&path, indexed), 599);
    let old = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'message_terms_old%'";
    assert_eq!(rows(&path, old), 0, "the old one is gone");
    // Taking out by the new rules what was put in by them leaves nothing.
    store.commit(Changes::from(Change::DeleteChat(bob()))).await.unwrap();
    while step(&store).await {}
    assert_eq!(rows(&path, indexed), 0);
    assert!(store.messages(&MessageQuery::default()).await.unwrap().is_empty());
}
