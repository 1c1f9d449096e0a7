//! What can go wrong with a store.
//!
//! No error holds message text, a key or a number; a path is the user's own.

use std::{io, path::PathBuf};

use crate::MessageId;

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database, and it was not to be made.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The key does not open the file: it is another database's key, or the file is none that was
    /// ever encrypted. The two cannot be told apart, because an encrypted file has no signature.
    #[error("the database key does not open {}; it belongs to another database, or the file is no database", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// The file is shorter than any database: it was emptied or written over. A new account is
    /// never made in its place.
    #[error(
        "{} is no database any more: it has {length} bytes, so it was emptied or written over",
        path.display()
    )]
    Overwritten {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        length: u64,
    },
    /// The file is a database of another program.
    #[error("{} is a database of another program", path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program wrote the database.
    #[error(
        "the database has schema {found}, and this version knows none after {supported}; use the newer version"
    )]
    NewerSchema {
        /// The schema of the file.
        found: u32,
        /// The newest schema known here.
        supported: u32,
    },
    /// There is no room left. Nothing of the commit was written.
    #[error("the disk is full; nothing was written")]
    DiskFull,
    /// Another process holds the database.
    #[error("another process holds the database")]
    Locked,
    /// The file is damaged.
    #[error("the database is damaged ({what})")]
    Corrupt {
        /// Where the damage showed.
        what: &'static str,
    },
    /// The store was opened for reading.
    #[error("the database was opened for reading only")]
    ReadOnly,
    /// The file system refused.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refused for another reason.
    #[error("the database refused (SQLite code {code})")]
    Engine {
        /// SQLite's extended result code.
        code: i32,
    },
    /// The device was unlinked and nothing may be written until an account is stored.
    #[error("this device was unlinked")]
    Unlinked,
    /// A message was handed over for sending under a name that is taken.
    #[error("a message was already handed over under this idempotency key, as {id}")]
    IdempotencyKeyTaken {
        /// The message that has the name.
        id: MessageId,
    },
    /// A search text beyond the limits.
    #[error("the search text is too long")]
    SearchTooLong,
    /// A search text that says only what to leave out.
    #[error(
        "the search says only what to leave out; add a word that is to be found, or list the messages \
         of the chat instead"
    )]
    SearchOnlyExcludes,
    /// The cursor is not one a search with this order gave.
    #[error("this is no cursor of such a search")]
    BadCursor,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether it is the disk's or the file's fault, or the store's that is closed, so that nothing
    /// can be kept; and not that of what was to be read or written, so that something else can.
    pub const fn stops_receiving(&self) -> bool {
        match self {
            Self::IdempotencyKeyTaken { .. } | Self::SearchTooLong | Self::BadCursor => false,
            Self::Engine { code } => !matches!(*code & 0xff, 1 | 18..=21 | 25),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_or_failed_disk_stops_receiving() {
        // By SQLite's codes: an error in a statement, too big, a constraint, a mismatch, a misuse.
        for code in [1, 18, 19, 787, 2067, 20, 21, 25] {
            assert!(!StoreError::Engine { code }.stops_receiving(), "{code}");
        }
        // No memory, interrupted, read or write failed, cannot open.
        for code in [7, 9, 10, 266, 778, 14] {
            assert!(StoreError::Engine { code }.stops_receiving(), "{code}");
        }
        for error in [StoreError::DiskFull, StoreError::ReadOnly, StoreError::Closed] {
            assert!(error.stops_receiving(), "{error}");
        }
    }
}
