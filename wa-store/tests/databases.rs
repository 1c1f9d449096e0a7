//! Databases that each schema's programs left behind: opened today, they lose nothing.
//!
//! `databases/NNNN.z` is the database of schema NNNN, with a row in every table, without encryption
//! and compressed. A new schema gets its own, once, while it is the newest:
//!
//! 1. If it has new tables or columns that matter, `databases/rows/NNNN.sql` puts rows into them.
//! 2. `cargo test -p wa-store --test databases -- --ignored` writes the files that are missing.
//!
//! Files that are there are never written again: they are what people have on their disks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use rusqlite::{Connection, types::Value};
use wa_proto::Jid;
use wa_store::{
    AuditQuery, Change, Changes, DatabaseKey, MessageKey, NewMessage, SqliteStore, Store,
    Timestamp, verify_audit,
};

/// What a schema threw away on purpose: from that version on, in databases from before it.
const THROWN_AWAY: [(u32, &str); 2] = [
    // Lists without a signature are asked for again.
    (11, "device_lists"),
    (11, "devices"),
];

/// What a schema says in other words: from that version on, in databases from before it. That it says
/// the same is tested where it is read.
const REWORDED: [(u32, &str, &str); 1] = [
    // Numbers became reasons.
    (15, "outbox", "reason"),
];

/// Opens a database past all of the store's checks.
fn connection(path: &Path) -> Connection {
    // Two connections that are a process's first at the same moment spoil each other's.
    static FIRST: LazyLock<()> = LazyLock::new(|| drop(Connection::open_in_memory().unwrap()));
    LazyLock::force(&FIRST);
    Connection::open(path).unwrap()
}

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([0x5a; 32])
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The schemas, in order.
fn migrations() -> Vec<String> {
    let mut files: Vec<_> =
        fs::read_dir(folder("migrations")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

fn newest() -> u32 {
    u32::try_from(migrations().len()).unwrap()
}

fn file_of(version: u32) -> PathBuf {
    folder("tests/databases").join(format!("{version:04}.z"))
}

/// Makes the database of a version: each schema in its turn, and rows in what it brought.
fn write_plain(version: u32, path: &Path) {
    let db = connection(path);
    // Nobody's power goes.
    db.execute_batch("PRAGMA synchronous = OFF").unwrap();
    for (at, schema) in (1..=version).zip(migrations()) {
        db.execute_batch(&schema).unwrap_or_else(|error| panic!("schema {at}: {error}"));
        let rows = folder("tests/databases/rows").join(format!("{at:04}.sql"));
        if let Ok(rows) = fs::read_to_string(rows) {
            db.execute_batch(&rows).unwrap_or_else(|error| panic!("rows of {at}: {error}"));
        }
    }
    db.execute_batch("VACUUM").unwrap();
}

#[test]
#[ignore = "writes the files that are missing"]
fn the_databases_of_new_schemas_are_written() {
    let work = tempfile::tempdir().unwrap();
    for version in (1..=newest()).filter(|version| !file_of(*version).exists()) {
        let plain = work.path().join(format!("{version}"));
        write_plain(version, &plain);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(&plain).unwrap()).unwrap();
        fs::write(file_of(version), packed.finish().unwrap()).unwrap();
    }
}

/// Puts the database of a version to a path, encrypted. The newest schema need not have a file yet.
fn put(version: u32, path: &Path) {
    let plain = path.with_extension("plain");
    match fs::read(file_of(version)) {
        Ok(packed) => {
            let mut bytes = Vec::new();
            ZlibDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
            fs::write(&plain, bytes).unwrap();
        }
        Err(_) => write_plain(version, &plain),
    }
    let db = connection(&plain);
    db.execute_batch(&format!(
        "ATTACH '{}' AS there KEY \"x'{}'\"; PRAGMA there.synchronous = OFF;
         SELECT sqlcipher_export('there');
         PRAGMA there.application_id = {}; PRAGMA there.user_version = {version};
         DETACH there;",
        path.display(),
        *key().to_hex(),
        0x5741_7374,
    ))
    .unwrap_or_else(|error| panic!("the database of schema {version}: {error}"));
}

/// Opens the file as its key allows, past all of the store's checks.
fn raw(path: &Path) -> Connection {
    let db = connection(path);
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\";", *key().to_hex())).unwrap();
    db
}

fn texts(db: &Connection, sql: &str) -> BTreeSet<String> {
    let mut statement = db.prepare(sql).unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// The ordinary tables; those of the index are the index's business.
fn tables(db: &Connection) -> BTreeSet<String> {
    texts(
        db,
        "SELECT name FROM pragma_table_list
         WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%'",
    )
}

fn columns(db: &Connection, table: &str) -> BTreeSet<String> {
    texts(db, &format!("SELECT name FROM pragma_table_info('{table}')"))
}

/// The rows of a table, in these columns, in an order of their own.
fn rows(db: &Connection, table: &str, columns: &BTreeSet<String>) -> Vec<String> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let sql = format!("SELECT {} FROM \"{table}\"", quoted.join(", "));
    let mut statement = db.prepare(&sql).unwrap();
    let all = statement.query_map([], |row| {
        let values: Result<Vec<Value>, _> = (0..names.len()).map(|at| row.get(at)).collect();
        Ok(format!("{:?}", values?))
    });
    let mut all: Vec<String> = all.unwrap().map(Result::unwrap).collect();
    all.sort();
    all
}

/// A database of this version, and the same after it was opened once.
async fn opened(version: u32) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let work = tempfile::tempdir().unwrap();
    let (before, after) = (work.path().join("before.db"), work.path().join("after.db"));
    put(version, &before);
    put(version, &after);
    SqliteStore::open(&after, key()).await.unwrap().close().await.unwrap();
    (work, before, after)
}

#[tokio::test]
async fn a_database_of_any_schema_is_opened_and_loses_nothing() {
    for version in 1..=newest() {
        let (_work, before, after) = opened(version).await;
        let (before, after) = (raw(&before), raw(&after));
        let found: u32 = after.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(found, newest(), "from schema {version}");
        for table in tables(&before) {
            let is_gone = THROWN_AWAY.iter().any(|(at, gone)| version < *at && *gone == table);
            if is_gone {
                continue;
            }
            let mut kept: BTreeSet<String> =
                columns(&before, &table).intersection(&columns(&after, &table)).cloned().collect();
            for (at, of, column) in REWORDED {
                if version < at && of == table {
                    kept.remove(column);
                }
            }
            assert!(!kept.is_empty(), "{table} of schema {version} is gone");
            let (were, are) = (rows(&before, &table, &kept), rows(&after, &table, &kept));
            assert_eq!(are, were, "{table} of schema {version}");
        }
    }
}

#[tokio::test]
async fn what_the_first_schema_held_is_found_by_the_store() {
    for version in 1..=newest() {
        let (_work, _, after) = opened(version).await;
        let store = SqliteStore::open(&after, key()).await.unwrap();
        let bob = Jid::lid("900200");
        let account = store.account().await.unwrap().unwrap();
        assert_eq!(account.lid, Some(Jid::lid("900100").with_device(2)));
        assert!(store.prekey(5).await.unwrap().unwrap().uploaded);
        assert!(store.session(&bob.with_device(3)).await.unwrap().is_some());
        assert!(store.identity(&bob).await.unwrap().is_some());
        assert_eq!(store.lid_of(&Jid::phone("15550200")).await.unwrap(), Some(bob.clone()));
        assert_eq!(store.outbox_pending().await.unwrap().len(), 1);
        let first = MessageKey::received(bob.clone(), bob.clone(), "M1");
        let first = store.message(&first).await.unwrap().unwrap();
        assert_eq!(first.text.as_deref(), Some("the first tomatoes"));
        assert_eq!(store.reactions(&first.key).await.unwrap().len(), 1);
        let contact = store.contact(&bob).await.unwrap().unwrap();
        assert_eq!(contact.full_name.as_deref(), Some("Bob Berg"));
        // Counted, and counted on.
        assert_eq!(store.stats().await.unwrap().messages, 3);
        let key = MessageKey::received(bob.clone(), bob, "M4");
        let next = NewMessage::text(key, Timestamp::from_secs(1_700_000_009), "one more");
        store.commit(Change::Archive(Box::new(next)).into()).await.unwrap();
        assert_eq!(store.stats().await.unwrap().messages, 4);
    }
}

#[tokio::test]
async fn entries_of_the_audit_from_before_the_chain_come_before_it() {
    for version in [7, 8] {
        let (_work, _, after) = opened(version).await;
        let store = SqliteStore::open(&after, key()).await.unwrap();
        let audited = |at_ms| {
            let entry =
                wa_store::AuditEntry::new(at_ms, "client: robot", "messages/send", "accepted");
            Changes::from(Change::Audit(Box::new(entry)))
        };
        store.commit(audited(1_700_000_002_000)).await.unwrap();
        let proof = verify_audit(&store, None).await.unwrap();
        assert_eq!((proof.before_chain, proof.entries, proof.broken), (2, 1, None));
        assert_eq!(store.audit(&AuditQuery::default()).await.unwrap().len(), 3);
        store.commit(Change::PruneAudit { before_ms: 1_700_000_001_000 }.into()).await.unwrap();
        let proof = verify_audit(&store, None).await.unwrap();
        assert_eq!((proof.before_chain, proof.entries, proof.broken), (1, 1, None));
    }
}

#[test]
fn every_table_of_the_newest_schema_has_rows_to_lose() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("newest");
    write_plain(newest(), &path);
    let db = connection(&path);
    let empty: Vec<String> = tables(&db)
        .into_iter()
        .filter(|table| rows(&db, table, &columns(&db, table)).is_empty())
        .collect();
    assert!(
        empty.is_empty(),
        "write rows for {empty:?} into tests/databases/rows/{:04}.sql",
        newest()
    );
}

#[test]
fn no_schema_before_the_last_that_was_kept_lacks_its_database() {
    let kept = |version: &u32| file_of(*version).exists();
    let last = (1..=newest()).filter(kept).max().unwrap_or_default();
    let missing: Vec<u32> = (1..=last).filter(|version| !kept(version)).collect();
    assert!(last >= 13 && missing.is_empty(), "{missing:?}; see the head of this file");
}
