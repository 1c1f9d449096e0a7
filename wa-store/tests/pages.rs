//! What a message costs on the disk: how many pages of the log a backlog's batch takes, counted in the
//! log itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows numbers to whoever asks for them"
)]

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use rusqlite::Connection;
use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageKey, NewMessage, PendingReceipt, Seen, SqliteStore, Store,
    Timestamp,
};

/// How many messages a batch holds.
const BATCH: u64 = 64;

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([0x5a; 32])
}

/// A number that looks like any other, the same each time.
fn mixed(n: u64) -> u64 {
    let n = (n ^ (n >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
    let n = (n ^ (n >> 27)).wrapping_mul(0x81da_def4_bc2d_d44d);
    n ^ (n >> 33)
}

/// What is committed of a direct message from a backlog: message, session, mark and receipt.
fn received(n: u64, changes: &mut Changes) {
    let random = mixed(n);
    let sender = Jid::lid(format!("9{:05}", random % 500));
    let key = MessageKey::received(sender.clone(), sender.clone(), format!("3EB0{random:016X}"));
    let text = format!("some words that are said, and one of its own: {:x}", mixed(n + 1) % 20_000);
    let mut message =
        NewMessage::text(key.clone(), Timestamp::from_secs(1_700_000_000 + n as i64), &text);
    message.raw = [text.as_bytes(), &[7; 60]].concat().into();
    message.push_name = Some("Somebody".to_owned());
    let mut hash = [0; 32];
    for (place, part) in hash.chunks_mut(8).enumerate() {
        part.copy_from_slice(&mixed(n * 4 + place as u64).to_be_bytes());
    }
    let receipt = PendingReceipt {
        name: format!("receipt/{sender}/{}", key.id),
        stanza: vec![5; 90],
        created_at: message.timestamp,
    };
    let record = random.to_be_bytes().repeat(112);
    changes.push(Change::PutSession { device: sender.with_device(1), record: record.into() });
    changes.push(Change::MarkSeen { seen: Seen(hash), at: message.timestamp });
    changes.push(Change::PutMessageSecret { key, secret: [9; 32].into() });
    changes.push(Change::Archive(Box::new(message)));
    changes.push(Change::PutReceipt(receipt));
}

fn batch(from: u64, count: u64) -> Changes {
    let mut changes = Changes::new();
    (from..from + count).for_each(|n| received(n, &mut changes));
    changes
}

/// The receipts of a batch have left.
fn receipted(from: u64, count: u64) -> Changes {
    let name = |change: &Change| match change {
        Change::PutReceipt(receipt) => Some(Change::RemoveReceipt(receipt.name.clone())),
        _ => None,
    };
    batch(from, count).iter().filter_map(name).collect()
}

/// The pages in the log, by the file's name for what they belong to.
fn logged(path: &Path) -> Vec<u32> {
    let log = fs::read(path.with_extension("db-wal")).unwrap();
    let (header, frames) = log.split_at(32);
    let frames = frames.chunks_exact(24 + 4096);
    let of_this_log = frames.filter(|frame| frame[8..16] == header[16..24]);
    of_this_log.map(|frame| u32::from_be_bytes(frame[..4].try_into().unwrap())).collect()
}

#[tokio::test]
async fn a_message_of_a_backlog_takes_few_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    let mut n = 0;
    for _ in 0..20 {
        store.commit(batch(n, 1_000)).await.unwrap();
        store.commit(receipted(n, 1_000)).await.unwrap();
        n += 1_000;
    }
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\";", *key().to_hex())).unwrap();
    let mut pages = Vec::new();
    for _ in 0..8 {
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let mut changes = batch(n, BATCH);
        changes.merge(receipted(n - BATCH, BATCH));
        store.commit(changes).await.unwrap();
        pages.extend(logged(&path));
        n += BATCH;
    }
    if std::env::var_os("WA_STORE_SHOW_PAGES").is_some() {
        show(&db, &pages);
    }
    let each = pages.len() as f64 / (8 * BATCH) as f64;
    assert!(each < 7.0, "{each:.2} pages a message");
}

/// Prints which tables and indexes the pages belong to.
fn show(db: &Connection, pages: &[u32]) {
    let mut statement = db.prepare("SELECT pageno, name FROM dbstat").unwrap();
    let names: HashMap<u32, String> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut of = BTreeMap::<&str, usize>::new();
    for page in pages {
        *of.entry(names.get(page).map_or("?", String::as_str)).or_default() += 1;
    }
    for (name, count) in &of {
        println!("{:6.2} {name}", *count as f64 / (8 * BATCH) as f64);
    }
}
