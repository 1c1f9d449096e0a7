//! A process that let go of its store may end at once, whatever was being read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageKey, NewMessage, SearchOrder, SearchQuery, SqliteStore,
    Store, Timestamp,
};

/// Names the folder in which this test, started again, searches until it ends.
const FOLDER: &str = "WA_STORE_TEST_FOLDER";

#[test]
fn a_process_that_drops_its_store_in_the_middle_of_reads_ends_in_order() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        end_while_reading(Path::new(&folder));
    }
    for run in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let this = std::env::current_exe().unwrap();
        let child = Command::new(this)
            .args([
                "--exact",
                "a_process_that_drops_its_store_in_the_middle_of_reads_ends_in_order",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(child.code(), Some(7), "run {run}: {child}");
    }
}

/// Searches on several threads, and ends the process in the middle.
fn end_while_reading(folder: &Path) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let key = DatabaseKey::from_bytes([7; 32]);
        let store = SqliteStore::open(folder.join("wa.db"), key).await.unwrap();
        let mut changes = Changes::default();
        for number in 0..2_000 {
            let chat = Jid::lid("77");
            let key = MessageKey::received(chat.clone(), chat, format!("A{number}"));
            let message = NewMessage::text(key, Timestamp::from_secs(number), "the garden");
            changes.push(Change::Archive(Box::new(message)));
        }
        store.commit(changes).await.unwrap();
        let mut query = SearchQuery::new("garden the");
        query.order = SearchOrder::Ranked;
        let reads = async {
            loop {
                let (a, b) = (store.search(&query), store.search(&query));
                let _ = tokio::join!(a, b, store.search(&query), store.stats());
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(20), reads).await;
        drop(store);
        std::process::exit(7);
    })
}
