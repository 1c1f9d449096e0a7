//! SQL in, records out: the few calls every statement goes through, and how columns are read.
//!
//! Knows nothing of what is asked.

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OptionalExtension, Params, Row, types::FromSql,
};
use wa_crypto::{KeyPair, PrivateKey, PublicKey};
use wa_proto::Jid;
use zeroize::Zeroizing;

use crate::{
    GapPlace, MessageId, SecretBytes, Seq, StoreError, Timestamp, id::bare, store::Result,
};

/// Every statement goes through here, so that a test can look at how each finds its rows.
fn prepare<'a>(db: &'a Connection, sql: &str) -> Result<CachedStatement<'a>> {
    #[cfg(test)]
    super::plans::note(sql);
    db.prepare_cached(sql).map_err(engine)
}

/// Runs a statement; how many rows it changed.
pub(super) fn run(db: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    prepare(db, sql)?.execute(params).map_err(engine)
}

/// The first row a statement gives.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(Columns<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = prepare(db, sql)?;
    let read = statement.query_row(params, |row| Ok(read(Columns(row)))).optional();
    read.map_err(engine)?.transpose()
}

/// All rows a statement gives.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(Columns<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    each(db, sql, params, |row| {
        found.push(read(row)?);
        Ok(true)
    })?;
    Ok(found)
}

/// Goes through the rows a statement gives, for as long as `read` says so.
pub(super) fn each(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(Columns<'_>) -> Result<bool>,
) -> Result<()> {
    let mut statement = prepare(db, sql)?;
    let mut rows = statement.query(params).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        if !read(Columns(row))? {
            break;
        }
    }
    Ok(())
}

/// A row's columns, by their number.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a>(&'a Row<'a>);

impl<'a> Columns<'a> {
    pub(super) fn get<T: FromSql>(self, column: usize) -> Result<T> {
        self.0.get(column).map_err(engine)
    }

    pub(super) fn text(self, column: usize) -> Result<&'a str> {
        let value = self.0.get_ref(column).map_err(engine)?;
        value.as_str().map_err(|_| StoreError::Corrupt { what: "a text" })
    }

    pub(super) fn optional_text(self, column: usize) -> Result<Option<&'a str>> {
        let value = self.0.get_ref(column).map_err(engine)?;
        value.as_str_or_null().map_err(|_| StoreError::Corrupt { what: "a text" })
    }

    pub(super) fn jid(self, column: usize) -> Result<Jid> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt { what: "a JID" })
    }

    pub(super) fn optional_jid(self, column: usize) -> Result<Option<Jid>> {
        match self.get::<Option<String>>(column)? {
            Some(text) => text.parse().map(Some).map_err(|_| StoreError::Corrupt { what: "a JID" }),
            None => Ok(None),
        }
    }

    pub(super) fn id(self, column: usize) -> Result<MessageId> {
        self.text(column).map(MessageId::from)
    }

    pub(super) fn time(self, column: usize) -> Result<Timestamp> {
        self.get(column).map(Timestamp::from_secs)
    }

    pub(super) fn optional_time(self, column: usize) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_secs))
    }

    pub(super) fn seq(self, column: usize) -> Result<Seq> {
        Ok(Seq(self.get::<i64>(column)?.unsigned_abs()))
    }

    pub(super) fn secret(self, column: usize) -> Result<SecretBytes> {
        self.get::<Vec<u8>>(column).map(SecretBytes::new)
    }

    pub(super) fn public_key(self, column: usize) -> Result<PublicKey> {
        let bytes: Vec<u8> = self.get(column)?;
        PublicKey::from_slice(&bytes).map_err(|_| StoreError::Corrupt { what: "a public key" })
    }

    pub(super) fn key_pair(self, column: usize) -> Result<KeyPair> {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(self.get(column)?);
        Ok(KeyPair::from_private(PrivateKey::from_bytes(*bytes)))
    }
}

/// A sequence number as SQLite holds it.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// How many rows, as SQLite takes it.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A person, group or channel in the archive's own form.
pub(super) fn person(db: &Connection, jid: &Jid) -> Result<Jid> {
    let jid = bare(jid);
    if !jid.is_phone() {
        return Ok(jid);
    }
    Ok(lid_of(db, &jid)?.unwrap_or(jid))
}

/// A gap's place as it stands in its table.
pub(super) fn gap_place(db: &Connection, place: &GapPlace) -> Result<String> {
    Ok(match place {
        GapPlace::Chat(chat) => GapPlace::Chat(person(db, chat)?).to_column(),
        chunk @ GapPlace::Chunk { .. } => chunk.to_column(),
    })
}

/// The LID of a phone number, both without device.
pub(super) fn lid_of(db: &Connection, phone: &Jid) -> Result<Option<Jid>> {
    lid_named(db, &phone.to_string())
}

/// The phone number of a LID, both without device.
pub(super) fn phone_of(db: &Connection, lid: &Jid) -> Result<Option<Jid>> {
    phone_named(db, &lid.to_string())
}

/// The same, by the text of the phone number.
pub(super) fn lid_named(db: &Connection, phone: &str) -> Result<Option<Jid>> {
    one(db, "SELECT lid FROM lids WHERE phone = ?1", [phone], |row| row.jid(0))
}

/// The same, by the text of the LID.
pub(super) fn phone_named(db: &Connection, lid: &str) -> Result<Option<Jid>> {
    one(db, "SELECT phone FROM lids WHERE lid = ?1", [lid], |row| row.jid(0))
}

/// What an error of the engine means.
pub(super) fn engine(error: rusqlite::Error) -> StoreError {
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked,
            ErrorCode::DatabaseCorrupt => StoreError::Corrupt { what: "the file's structure" },
            ErrorCode::NotADatabase => StoreError::Corrupt { what: "a page does not decrypt" },
            ErrorCode::ReadOnly => StoreError::ReadOnly,
            _ => StoreError::Engine { code: failure.extended_code },
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreError::Corrupt { what: "a column's type" }
        }
        // What is left are misuses of the binding; SQLITE_MISUSE says so.
        _ => StoreError::Engine { code: 21 },
    }
}
