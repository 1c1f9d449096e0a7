//! What only the SQLite store can do wrong: keys, foreign files, permissions, full disks, locks,
//! what it shows in errors, and being killed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    task::Poll,
    time::Duration,
};

use rusqlite::Connection;
use wa_proto::Jid;
use wa_store::{
    AuditBreak, AuditEntry, Change, Changes, DatabaseKey, MessageKey, MessageQuery, NewMessage,
    OpenOptions, OutboxEntry, OutboxState, SearchQuery, Seen, SendFailure, Seq, SqliteStore, Store,
    StoreError, Timestamp, verify_audit,
};

fn key() -> DatabaseKey {
    DatabaseKey::from_bytes([0x5a; 32])
}

fn message(n: u64, text: &str) -> Change {
    let bob = Jid::lid("900200");
    let key = MessageKey::received(bob.clone(), bob, format!("M{n}"));
    let time = Timestamp::from_secs(1_700_000_000 + n as i64);
    Change::Archive(Box::new(NewMessage::text(key, time, text)))
}

/// Opens the file as its key allows, past all of this crate's checks.
fn raw(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\";", *key().to_hex())).unwrap();
    db
}

async fn refusal(path: &Path, key: DatabaseKey) -> StoreError {
    SqliteStore::open(path, key).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    store.commit(Changes::from(message(1, "kept for later"))).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.account().await, Err(StoreError::Closed)));
    assert!(!path.with_extension("db-wal").exists(), "closing writes the log back");

    let store = SqliteStore::open(&path, key()).await.unwrap();
    let page = store.search(&SearchQuery::new("later")).await.unwrap();
    assert_eq!(page.hits.len(), 1);
    let next = store.commit(Changes::from(message(2, "next"))).await.unwrap();
    assert_eq!(next.archived.first().unwrap().message.seq, Seq(2));
}

#[tokio::test]
async fn another_key_is_told_from_a_foreign_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    let wrong = refusal(&path, DatabaseKey::from_bytes([1; 32])).await;
    assert!(matches!(wrong, StoreError::WrongKey { .. }), "{wrong:?}");

    let garbage = folder.path().join("garbage");
    fs::write(&garbage, [0xA5; 9_000]).unwrap();
    let wrong = refusal(&garbage, key()).await;
    assert!(matches!(wrong, StoreError::WrongKey { .. }), "{wrong:?}");

    let plain = folder.path().join("plain.db");
    Connection::open(&plain).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = fs::read(&plain).unwrap();
    let foreign = refusal(&plain, key()).await;
    assert!(matches!(foreign, StoreError::ForeignFile { .. }), "{foreign:?}");
    assert_eq!(fs::read(&plain).unwrap(), before);

    let other = folder.path().join("other.db");
    raw(&other).execute_batch("CREATE TABLE t (x)").unwrap();
    let foreign = refusal(&other, key()).await;
    assert!(matches!(foreign, StoreError::ForeignFile { .. }), "{foreign:?}");
}

/// Takes back what schema 15 brought.
const WITHOUT_SENDING: &str =
    "DROP TABLE audiences; ALTER TABLE sent_messages DROP COLUMN audience;";

#[tokio::test]
async fn why_messages_were_given_up_before_is_read_as_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    let refused = |code| SendFailure::Refused { code };
    let cases = [
        ("404", "15550200@s.whatsapp.net", SendFailure::NotOnWhatsApp),
        ("424", "900200@lid", SendFailure::NoDevice),
        ("451", "900200@lid", SendFailure::NotAllowed),
        ("463", "900200@lid", SendFailure::Restricted),
        ("479", "900200@lid", SendFailure::Malformed),
        ("403", "120363000000000001@g.us", SendFailure::NotInGroup),
        ("403", "120363000000000001@newsletter", refused(403)),
        ("500", "900200@lid", refused(500)),
        ("no number", "900200@lid", SendFailure::Unknown),
    ];
    let db = raw(&path);
    for (place, (reason, chat, _)) in cases.iter().enumerate() {
        db.execute(
            "INSERT INTO outbox (id, chat, payload, created_at, state, reason, attempts)
             VALUES (?1, ?2, x'00', 0, 3, ?3, 1)",
            rusqlite::params![format!("M{place}"), chat, reason],
        )
        .unwrap();
    }
    db.execute_batch(&format!("{WITHOUT_LIFE} {WITHOUT_SENDING} PRAGMA user_version = 14;"))
        .unwrap();
    drop(db);
    let store = SqliteStore::open(&path, key()).await.unwrap();
    for (place, (_, _, expected)) in cases.into_iter().enumerate() {
        let entry = store.outbox_entry(&format!("M{place}").as_str().into()).await.unwrap();
        assert_eq!(entry.unwrap().state, OutboxState::Failed(expected));
    }
}

/// Takes back what schema 16 brought.
const WITH_ORDERED_MARKS: &str = "DROP TABLE seen; DROP INDEX message_secrets_sender;
    CREATE TABLE seen (hash BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX seen_at ON seen (at);
    CREATE INDEX message_secrets_sender ON message_secrets (sender);";

#[tokio::test]
async fn marks_of_what_was_seen_outlive_a_new_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    raw(&path)
        .execute_batch(&format!(
            "{WITHOUT_LIFE} {WITH_ORDERED_MARKS}
             INSERT INTO seen VALUES (unhex('{}'), 1700000000); PRAGMA user_version = 15;",
            "07".repeat(32)
        ))
        .unwrap();
    let store = SqliteStore::open(&path, key()).await.unwrap();
    assert!(store.is_seen(&Seen([7; 32])).await.unwrap());
    let mut alike = [7; 32];
    alike[31] = 8;
    assert!(!store.is_seen(&Seen(alike)).await.unwrap(), "only the beginning is the same");
    let (seen, at) = (Seen(alike), Timestamp::from_secs(1_700_000_001));
    store.commit(Changes::from(Change::MarkSeen { seen, at })).await.unwrap();
    store.close().await.unwrap();
    let store = SqliteStore::open(&path, key()).await.unwrap();
    assert!(store.is_seen(&seen).await.unwrap());
    assert!(store.is_seen(&Seen([7; 32])).await.unwrap());
}

/// Takes back what schema 18 brought.
const WITHOUT_LIFE: &str = "DROP VIEW live_messages; DROP TABLE removals; DROP INDEX messages_expiry;
    ALTER TABLE messages DROP COLUMN kept; DROP INDEX messages_kind; DROP INDEX messages_by_assistant;
    DROP INDEX messages_own;
    CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at IS NOT NULL;
    ALTER TABLE meta DROP COLUMN index_version; ALTER TABLE meta DROP COLUMN index_done;
    ALTER TABLE meta DROP COLUMN index_from; DROP INDEX retries_sent_at; DROP INDEX retries_sent_sender;
    DROP INDEX sent_messages_id; DROP INDEX sent_messages_audience; DROP INDEX sealed_untried; DROP INDEX retries_answered_at;
    DROP INDEX sessions_recreated_at; DROP INDEX base_keys_at; DROP INDEX privacy_tokens_at;
    DROP INDEX device_lists_at; DROP INDEX sync_key_requests_at; DROP INDEX placeholders_at;
    DROP INDEX prekeys_waiting; ALTER TABLE sent_messages DROP COLUMN waited_until;
    DROP INDEX outbox_finished; ALTER TABLE outbox DROP COLUMN waited_until; DROP TABLE left_groups;
    DROP TABLE upkeep;";

fn audited(at_ms: i64, detail: &str) -> Change {
    let mut entry = AuditEntry::new(at_ms, "client: robot", "messages/send", "accepted");
    entry.chat = Some(Jid::lid("900200"));
    entry.detail = Some(detail.into());
    entry.digest = Some([7; 32]);
    Change::Audit(Box::new(entry))
}

/// A database with five entries in its audit, and the newest one's hash.
async fn with_audit(path: &Path) -> [u8; 32] {
    let store = SqliteStore::open(path, key()).await.unwrap();
    store.commit((1..=5).map(|n| audited(n * 1_000, "3EB0")).collect()).await.unwrap();
    let proof = verify_audit(&store, None).await.unwrap();
    assert_eq!((proof.entries, proof.broken), (5, None));
    store.close().await.unwrap();
    proof.newest.unwrap().1
}

#[tokio::test]
async fn whoever_changes_the_audit_in_the_file_breaks_its_chain() {
    let unlocked = "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;";
    for (forgery, broken) in [
        ("UPDATE audit SET caller = 'person: wa-cli' WHERE seq = 3", (3, AuditBreak::Changed)),
        ("UPDATE audit SET chat = NULL WHERE seq = 5", (5, AuditBreak::Changed)),
        ("UPDATE audit SET digest = zeroblob(32) WHERE seq = 1", (1, AuditBreak::Changed)),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", (2, AuditBreak::Changed)),
        ("UPDATE audit SET to_stranger = 1 WHERE seq = 4", (4, AuditBreak::Changed)),
        ("DELETE FROM audit WHERE seq = 3", (4, AuditBreak::Missing)),
        ("DELETE FROM audit WHERE seq = 1", (2, AuditBreak::Missing)),
        ("UPDATE audit SET hash = NULL WHERE seq = 2", (3, AuditBreak::Changed)),
        ("UPDATE audit_anchor SET hash = randomblob(32)", (1, AuditBreak::Changed)),
        (
            "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 5",
            (5, AuditBreak::Changed),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wa.db");
        with_audit(&path).await;
        raw(&path).execute_batch(&format!("{unlocked} {forgery};")).unwrap();
        let store = SqliteStore::open(&path, key()).await.unwrap();
        let proof = verify_audit(&store, None).await.unwrap();
        assert_eq!(proof.broken, Some(broken), "{forgery}");
    }
}

#[tokio::test]
async fn an_end_that_is_cut_off_is_told_by_a_hash_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let kept = with_audit(&path).await;
    let store = SqliteStore::open(&path, key()).await.unwrap();
    store.commit(Changes::from(audited(6_000, "later"))).await.unwrap();
    assert_eq!(verify_audit(&store, Some(kept)).await.unwrap().found, Some(true));
    store.close().await.unwrap();
    raw(&path)
        .execute_batch("DROP TRIGGER audit_is_not_deleted; DELETE FROM audit WHERE seq > 4;")
        .unwrap();
    let store = SqliteStore::open(&path, key()).await.unwrap();
    let proof = verify_audit(&store, Some(kept)).await.unwrap();
    assert_eq!((proof.found, proof.broken, proof.entries), (Some(false), None, 4));
}

#[tokio::test]
async fn nothing_that_is_young_is_deleted_from_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    with_audit(&path).await;
    let db = raw(&path);
    assert!(db.execute_batch("DELETE FROM audit WHERE seq = 1").is_err());
    assert!(db.execute_batch("UPDATE audit SET caller = 'x'").is_err());
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    raw(&path).pragma_update(None, "user_version", 4_000).unwrap();
    match refusal(&path, key()).await {
        StoreError::NewerSchema { found, supported } => {
            assert_eq!(found, 4_000);
            assert!(supported < found);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_file_and_a_folder_in_its_place_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = SqliteStore::open_read_only(folder.path().join("no.db"), key()).await;
    assert!(matches!(missing.unwrap_err(), StoreError::Missing { .. }));
    let taken = refusal(folder.path(), key()).await;
    assert!(matches!(taken, StoreError::Io { .. }), "{taken:?}");
    fs::write(folder.path().join("file"), "").unwrap();
    let below = refusal(&folder.path().join("file/wa.db"), key()).await;
    assert!(matches!(below, StoreError::Io { .. }), "{below:?}");
}

#[tokio::test]
async fn a_full_disk_writes_nothing_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let mut options = OpenOptions::default();
    options.max_pages = Some(u32::try_from(pages).unwrap() + 32);
    let store = SqliteStore::open_with(&path, key(), options).await.unwrap();
    store.commit(Changes::from(message(1, "fits"))).await.unwrap();
    let big = (2..80).map(|n| message(n, &"does not fit ".repeat(500))).collect();
    let full = store.commit(big).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    assert_eq!(store.stats().await.unwrap().messages, 1);
    let small = store.commit(Changes::from(message(2, "fits too"))).await.unwrap();
    assert_eq!(small.archived.first().unwrap().message.seq, Seq(2));
}

#[tokio::test]
async fn a_database_another_process_holds_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let mut options = OpenOptions::default();
    options.busy_timeout = Duration::from_millis(50);
    let store = SqliteStore::open_with(&path, key(), options.clone()).await.unwrap();
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = store.commit(Changes::from(message(1, "waits"))).await;
    assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(Changes::from(message(1, "goes"))).await.unwrap();
    store.close().await.unwrap();

    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let locked = SqliteStore::open_with(&path, key(), options).await.map(drop);
    assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
}

#[tokio::test]
async fn a_read_only_store_reads_beside_a_writer_and_never_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let writer = SqliteStore::open(&path, key()).await.unwrap();
    let reader = SqliteStore::open_read_only(&path, key()).await.unwrap();
    writer.commit(Changes::from(message(1, "seen by both"))).await.unwrap();
    assert_eq!(reader.messages(&MessageQuery::default()).await.unwrap().len(), 1);
    let refused = reader.commit(Changes::from(message(2, "never"))).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly)), "{refused:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile/wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    store.commit(Changes::from(message(1, "mine"))).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in [path.clone(), path.with_extension("db-wal"), path.with_extension("db-shm")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn neither_file_nor_errors_nor_debug_show_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    let change = message(1, "xylophone secrets");
    let query = SearchQuery::new("xylophone");
    let mut shown = format!("{change:?} {query:?} {store:?}");
    store.commit(Changes::from(change)).await.unwrap();
    let page = store.search(&query).await.unwrap();
    assert_eq!(page.hits.len(), 1);
    shown += &format!("{page:?}");
    store.close().await.unwrap();
    shown += &format!("{:?}", store.search(&query).await);
    assert!(!shown.contains("xylo") && !shown.contains("secret"), "{shown}");
    assert!(!shown.contains("5a5a") && !shown.contains("90, 90"), "{shown}");

    let file = fs::read(&path).unwrap();
    for word in [&b"xylophone"[..], b"CREATE TABLE", b"SQLite format", b"900200"] {
        assert!(!file.windows(word.len()).any(|part| part == word));
    }
}

/// The commits of the child that is killed: each one message and one setting, which must be there
/// together or not at all.
fn paired(n: u64) -> Changes {
    let counter =
        Change::PutSetting { name: "n".to_owned(), value: Some(n.to_be_bytes().to_vec()) };
    Changes::from(message(n, &format!("message number {n}"))).with(counter)
}

const CHILD: &str = "WA_STORE_KILLED_CHILD";

/// Runs only when the test below starts this program again.
#[tokio::test]
async fn child_that_is_killed() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = SqliteStore::open(path, key()).await.unwrap();
    let from = store.stats().await.unwrap().last_seq.0 + 1;
    for n in from..from + 1_000_000 {
        store.commit(paired(n)).await.unwrap();
        println!("\ncommitted {n}");
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_being_killed_at_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let mut acknowledged = 0;
    for round in 1..=6_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut of_this_round = 0;
        while let Some(Ok(line)) = lines.next() {
            let Some(n) = line.strip_prefix("committed ") else { continue };
            acknowledged = n.parse::<u64>().unwrap();
            of_this_round += 1;
            if of_this_round == round * 7 {
                std::thread::sleep(Duration::from_micros(round * 331));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(of_this_round >= round * 7, "the child ended by itself");

        let store = SqliteStore::open(&path, key()).await.unwrap();
        let there = store.stats().await.unwrap();
        assert!(there.last_seq.0 >= acknowledged, "{} of {acknowledged}", there.last_seq);
        assert_eq!(there.messages, there.last_seq.0);
        let counter = store.setting("n").await.unwrap().unwrap();
        assert_eq!(counter, there.last_seq.0.to_be_bytes());
        let last = format!("\"message number {}\"", there.last_seq);
        assert_eq!(store.search(&SearchQuery::new(last)).await.unwrap().hits.len(), 1);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_was_emptied_is_an_error_and_never_a_new_account() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    for (length, left) in [(0, Vec::new()), (100, vec![7; 100]), (4_095, vec![0; 4_095])] {
        fs::write(&path, &left).unwrap();
        let read_only = SqliteStore::open_read_only(&path, key()).await.map(drop).unwrap_err();
        for error in [refusal(&path, key()).await, read_only] {
            match error {
                StoreError::Overwritten { length: told, .. } => assert_eq!(told, length),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(fs::read(&path).unwrap(), left, "it is left for whoever can mend it");
    }
    fs::write(&path, vec![0; 9_000]).unwrap();
    assert!(matches!(refusal(&path, key()).await, StoreError::WrongKey { .. }));
}

#[tokio::test]
async fn a_database_whose_making_was_interrupted_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    fs::write(folder.path().join("wa.db.new"), "half of one").unwrap();
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_place_of_a_database_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(matches!(refusal(&path, key()).await, StoreError::Io { .. }));
}

/// How many transactions stand in the log: each ends with a frame that says how large the file is.
fn transactions(path: &Path) -> usize {
    let log = fs::read(path.with_extension("db-wal")).unwrap();
    let (header, frames) = log.split_at(32);
    let is_end = |frame: &&[u8]| frame[8..16] == header[16..24] && frame[4..8] != [0; 4];
    frames.chunks_exact(24 + 4096).filter(is_end).count()
}

/// A message in the outbox under a key by which it is known again.
fn queued(id: &str, idempotency_key: &str) -> Change {
    Change::PutOutbox(Box::new(OutboxEntry {
        id: id.into(),
        chat: Jid::lid("900200"),
        payload: [1; 8].into(),
        created_at: Timestamp::from_secs(1),
        state: OutboxState::Queued,
        attempts: 0,
        idempotency_key: Some(idempotency_key.to_owned()),
        origin: None,
    }))
}

#[tokio::test]
async fn commits_that_wait_share_a_transaction_and_one_that_fails_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = SqliteStore::open(&path, key()).await.unwrap();
    store.commit(Changes::from(queued("FIRST", "taken"))).await.unwrap();
    let before = transactions(&path);
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut commits: Vec<_> = (1..=40)
        .map(|n| {
            let mut changes = Changes::from(message(n, "one of many"));
            if n == 20 {
                changes.push(queued("SECOND", "taken"));
            }
            store.commit(changes)
        })
        .collect();
    for commit in &mut commits {
        let asked = std::future::poll_fn(|context| Poll::Ready(commit.as_mut().poll(context)));
        assert!(asked.await.is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    let mut last = Seq(0);
    for (n, commit) in (1..=40).zip(commits) {
        match commit.await {
            Err(StoreError::IdempotencyKeyTaken { .. }) if n == 20 => {}
            Ok(committed) if n != 20 => {
                let row = &committed.archived.first().unwrap().message;
                assert_eq!((row.key.id.as_str(), row.seq.0), (&*format!("M{n}"), last.0 + 1));
                last = row.seq;
            }
            other => panic!("{n}: {other:?}"),
        }
    }
    // The first may have begun before the others were there.
    assert!(transactions(&path) - before <= 2, "{}", transactions(&path) - before);
    assert_eq!(store.stats().await.unwrap().messages, 39);
    assert!(store.outbox_entry(&"SECOND".into()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_commit_that_fills_the_disk_does_not_take_those_behind_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    SqliteStore::open(&path, key()).await.unwrap().close().await.unwrap();
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let mut options = OpenOptions::default();
    options.max_pages = Some(u32::try_from(pages).unwrap() + 32);
    let store = SqliteStore::open_with(&path, key(), options).await.unwrap();
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = store.commit(Changes::from(message(1, "waits")));
    let mut big = store.commit((2..80).map(|n| message(n, &"does not fit ".repeat(500))).collect());
    let mut small = store.commit(Changes::from(message(90, "fits")));
    for commit in [&mut first, &mut big, &mut small] {
        let asked = std::future::poll_fn(|context| Poll::Ready(commit.as_mut().poll(context)));
        assert!(asked.await.is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    // What shared a transaction with the large one may be refused with it, but is then not there.
    let first = first.await;
    assert!(matches!(big.await, Err(StoreError::DiskFull)));
    small.await.unwrap();
    let there = store.stats().await.unwrap().messages;
    assert_eq!(there, if first.is_ok() { 2 } else { 1 });
}

/// A database with messages, and where the tree of a table begins in its file.
async fn with_messages(path: &Path, table: &str) -> usize {
    let store = SqliteStore::open(path, key()).await.unwrap();
    for n in 0..40 {
        let batch = (n * 50..n * 50 + 50).map(|n| message(n, &format!("word{n} and more of it")));
        store.commit(batch.collect()).await.unwrap();
    }
    store.close().await.unwrap();
    let page: u32 = raw(path)
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0))
        .unwrap();
    (page as usize - 1) * 4096
}

/// Damages a byte, and what opening the file ends in.
async fn damaged(path: &Path, place: usize) -> Result<(), StoreError> {
    let mut bytes = fs::read(path).unwrap();
    *bytes.get_mut(place + 1_000).unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    SqliteStore::open(path, key()).await.map(drop)
}

#[tokio::test]
async fn damage_where_the_keys_are_is_found_before_anything_is_done_with_them() {
    for table in ["sessions", "outbox", "prekeys", "account"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wa.db");
        let place = with_messages(&path, table).await;
        let error = damaged(&path, place).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{table}: {error:?}");
    }
}

#[tokio::test]
async fn damage_anywhere_is_found_by_the_check_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    // The index of words is read by who searches, and not at a start.
    let place = with_messages(&path, "message_terms_data").await;
    assert_eq!(SqliteStore::check(&path, key()).await.unwrap(), Vec::<String>::new());
    damaged(&path, place).await.unwrap();
    let found = SqliteStore::check(&path, key()).await.unwrap();
    let page = format!("page {}", place / 4096 + 1);
    assert!(found.iter().any(|line| line.contains(&page)), "{found:?}");
    assert!(found.iter().all(|line| !line.contains("word")), "{found:?}");
}
