//! Opening a database file: whose it is, whether the key fits, which schema it has.
//!
//! Knows nothing of what the tables hold.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use zeroize::Zeroizing;

use super::{DatabaseKey, check, index, rows::engine};
use crate::{StoreError, store::Result};

/// The schemas, in order; the first is version 1.
pub(super) const MIGRATIONS: [&str; 18] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_groups.sql"),
    include_str!("../../migrations/0003_app_state.sql"),
    include_str!("../../migrations/0004_additions.sql"),
    include_str!("../../migrations/0005_history.sql"),
    include_str!("../../migrations/0006_usernames.sql"),
    include_str!("../../migrations/0007_audit.sql"),
    include_str!("../../migrations/0008_message_count.sql"),
    include_str!("../../migrations/0009_audit_chain.sql"),
    include_str!("../../migrations/0010_own_messages.sql"),
    include_str!("../../migrations/0011_device_vouchers.sql"),
    include_str!("../../migrations/0012_origin.sql"),
    include_str!("../../migrations/0013_former_identities.sql"),
    include_str!("../../migrations/0014_unconfirmed.sql"),
    include_str!("../../migrations/0015_sending.sql"),
    include_str!("../../migrations/0016_fewer_pages.sql"),
    include_str!("../../migrations/0017_journal.sql"),
    include_str!("../../migrations/0018_life.sql"),
];

/// Says in the file's header that it is one of ours ("WAst").
const APPLICATION_ID: i32 = 0x5741_7374;

/// What a SQLite file that is not encrypted begins with.
const PLAIN_HEADER: [u8; 16] = *b"SQLite format 3\0";

/// Held while a connection is opened: two that are a process's first at the same moment were seen to
/// fail with SQLite's bare "logic error" now and then.
static OPENING: Mutex<()> = Mutex::new(());

/// The size of a page, in bytes: no database of ours is smaller.
const PAGE: u64 = 4096;

/// How long the log stays after it was written back, in bytes; one long commit makes it longer.
const LOG_LIMIT: u64 = 4 * 1024 * 1024;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 160;

/// How to open a database.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Whether a database is made where there is none.
    pub create: bool,
    /// Whether nothing may be written; for tools that look into an archive.
    pub read_only: bool,
    /// How long to wait for another process that holds the database.
    pub busy_timeout: Duration,
    /// The most pages of 4 KiB the file may grow to; `None` for what the disk holds.
    pub max_pages: Option<u32>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: true,
            read_only: false,
            busy_timeout: Duration::from_secs(5),
            max_pages: None,
        }
    }
}

/// What it takes to open a further connection to the same file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) key: DatabaseKey,
    pub(super) options: OpenOptions,
}

impl Source {
    /// Checks the file, or makes it, brings its schema up to date, and gives the connection that
    /// writes (in a read-only store, one more that reads).
    pub(super) fn open(&self) -> Result<Connection> {
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        if self.check_file()? {
            self.make()?;
        }
        let mut db = self.connect(&self.path)?;
        self.check_owner(&db)?;
        if !self.options.read_only {
            // A commit must be on the disk before anything is acknowledged, and WAL syncs its log
            // at each commit only with FULL.
            db.execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA journal_size_limit = {LOG_LIMIT};"
            ))
            .map_err(engine)?;
            if let Some(pages) = self.options.max_pages {
                db.pragma_update(None, "max_page_count", pages).map_err(engine)?;
            }
            migrate(&db)?;
            index::begin_anew_if_outdated(&db)?;
            check::at_start(&mut db)?;
        }
        Ok(db)
    }

    /// Writes the whole database anew, without free pages, so that it gives room back by itself from
    /// then on. Nobody may have it open.
    pub(super) fn compact(&self) -> Result<()> {
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_file()?;
        let db = self.connect(&self.path)?;
        self.check_owner(&db)?;
        // In WAL mode the pragma has no effect on a database that is there.
        db.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;
             PRAGMA auto_vacuum = INCREMENTAL; VACUUM;",
        )
        .map_err(engine)?;
        db.close().map_err(|(_, error)| engine(error))
    }

    /// Everything that is wrong with the file.
    pub(super) fn check(&self) -> Result<Vec<String>> {
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_file()?;
        Ok(check::whole(&self.connect(&self.path)?))
    }

    /// Makes the database under another name, and gives it its own when it is one. So a file of
    /// that name that is empty never is one that was begun: somebody emptied it.
    fn make(&self) -> Result<()> {
        let mut part = self.path.clone().into_os_string();
        part.push(".new");
        let part = PathBuf::from(part);
        remove(&part)?;
        create_file(&part)?;
        let db = self.connect(&part)?;
        // It has to be said before the first page is written: then what is deleted gives its room back.
        db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;").map_err(engine)?;
        migrate(&db)?;
        db.close().map_err(|(_, error)| engine(error))?;
        // Unlike renaming, this replaces nothing; not every file system can.
        match fs::hard_link(&part, &self.path) {
            Ok(()) => remove(&part),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => remove(&part),
            Err(_) => fs::rename(&part, &self.path).map_err(|source| self.io(source)),
        }
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Connection> {
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        let db = self.connect(&self.path)?;
        db.execute_batch("PRAGMA query_only = ON;").map_err(engine)?;
        Ok(db)
    }

    fn connect(&self, path: &Path) -> Result<Connection> {
        let mode = if self.options.read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let db = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| self.cannot_open(error))?;
        let key = Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", *self.key.to_hex()));
        // SQLCipher would tell the terminal about every page that does not decrypt.
        db.execute_batch("PRAGMA cipher_log_level = NONE;").map_err(engine)?;
        db.execute_batch(&key).map_err(engine)?;
        db.busy_timeout(self.options.busy_timeout).map_err(engine)?;
        self.check_key(&db)?;
        db.execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF;",
        )
        .map_err(engine)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(db)
    }

    /// Whether a file is to be made; refuses one that cannot be ours.
    fn check_file(&self) -> Result<bool> {
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            // Opening a pipe waits for whoever fills it.
            return Err(self.io(io::Error::other("it is no ordinary file")));
        }
        let mut file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if self.options.create && !self.options.read_only {
                    Ok(true)
                } else {
                    Err(StoreError::Missing { path: self.path.clone() })
                };
            }
            Err(source) => return Err(self.io(source)),
        };
        let metadata = file.metadata().map_err(|source| self.io(source))?;
        if metadata.is_file() && metadata.len() < PAGE {
            let (path, length) = (self.path.clone(), metadata.len());
            return Err(StoreError::Overwritten { path, length });
        }
        let mut header = Vec::new();
        file.by_ref().take(16).read_to_end(&mut header).map_err(|source| self.io(source))?;
        if header == PLAIN_HEADER {
            return Err(StoreError::ForeignFile { path: self.path.clone() });
        }
        Ok(false)
    }

    /// The first read of a page decrypts it, or fails to.
    fn check_key(&self, db: &Connection) -> Result<()> {
        match db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == ErrorCode::NotADatabase =>
            {
                Err(StoreError::WrongKey { path: self.path.clone() })
            }
            other => other.map_err(engine),
        }
    }

    /// A database without tables becomes ours; another's is left alone, and so is a newer one.
    fn check_owner(&self, db: &Connection) -> Result<()> {
        let owner: i32 = pragma(db, "application_id")?;
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(engine)?;
        if owner != APPLICATION_ID && (tables > 0 || self.options.read_only) {
            return Err(StoreError::ForeignFile { path: self.path.clone() });
        }
        let found: u32 = pragma(db, "user_version")?;
        if found > supported() {
            return Err(StoreError::NewerSchema { found, supported: supported() });
        }
        Ok(())
    }

    fn cannot_open(&self, error: rusqlite::Error) -> StoreError {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::CannotOpen => {
                self.io(io::Error::other("the file cannot be opened"))
            }
            _ => engine(error),
        }
    }

    fn io(&self, source: io::Error) -> StoreError {
        StoreError::Io { path: self.path.clone(), source }
    }
}

/// Brings the schema up to date, one version per transaction.
fn migrate(db: &Connection) -> Result<()> {
    let found: u32 = pragma(db, "user_version")?;
    for (version, sql) in (1_u32..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let transaction = db.unchecked_transaction().map_err(engine)?;
        transaction.execute_batch(sql).map_err(engine)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(engine)?;
        transaction.pragma_update(None, "user_version", version).map_err(engine)?;
        transaction.commit().map_err(engine)?;
        tracing::debug!(version, "database schema brought up to date");
    }
    Ok(())
}

fn supported() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

fn pragma<T: rusqlite::types::FromSql>(db: &Connection, name: &str) -> Result<T> {
    db.pragma_query_value(None, name, |row| row.get(0)).map_err(engine)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes an empty file nobody else can read, and the folders above it where there are none.
fn create_file(path: &Path) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { path, source }
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed(folder))?;
    }
    let mut file = fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop).map_err(failed(path))
}
