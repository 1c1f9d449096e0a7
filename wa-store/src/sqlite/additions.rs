//! What hangs on messages besides edits and reactions, in the tables.

use rusqlite::{Connection, params};
use wa_proto::Jid;

use super::{
    read_archive::place as place_of,
    row_forms::{ADDITION, MESSAGE, SEALED, addition, message, sealed},
    rows::{all, count, one, person, run},
    write::Write,
    write_archive::Place,
};
use crate::{
    Added, AddedKind, Addition, Alteration, Altered, ArchivedMessage, Change, MAX_PAGE,
    MAX_SEALED_PER_TARGET, MessageId, MessageKey, Pin, SealedAddition, Timestamp,
    addition::{encode, pins as pins_at},
    store::Result,
};

impl Write<'_> {
    pub(super) fn apply_additions(&mut self, change: Change) -> Result<()> {
        match change {
            Change::Add(addition) => self.add(&addition),
            Change::PutSealed(sealed) => self.put_sealed(&sealed),
            Change::RemoveSealed { target, author, id } => {
                let (place, author) = (self.place(&target)?, self.person(&author)?);
                self.run(
                    "DELETE FROM sealed WHERE chat = ?1 AND sender = ?2 AND id = ?3
                         AND author = ?4 AND added_by = ?5",
                    [&place.chat, &place.sender, place.id.as_str(), &author, id.as_str()],
                )
            }
            Change::SetSealedTried { target, author, id } => {
                let (place, author) = (self.place(&target)?, self.person(&author)?);
                self.run(
                    "UPDATE sealed SET tried = 1 WHERE chat = ?1 AND sender = ?2 AND id = ?3
                         AND author = ?4 AND added_by = ?5",
                    [&place.chat, &place.sender, place.id.as_str(), &author, id.as_str()],
                )
            }
            Change::ExpireMessages { now } => self.expire(now),
            // Every other change was made before it came here.
            _ => Ok(()),
        }
    }

    fn add(&mut self, addition: &Addition) -> Result<()> {
        let place = self.place(&addition.target)?;
        if self.is_revoked(&place)? {
            return Ok(());
        }
        // A poll comes with its message, and is no news then.
        let is_news = addition.what.kind() != AddedKind::Poll || {
            let sql = "SELECT 1 FROM additions WHERE chat = ?1 AND sender = ?2 AND id = ?3
                           AND kind = 'poll'";
            one(self.db, sql, place.params(), |_| Ok(()))?.is_some()
        };
        if self.put_addition(addition)? && is_news {
            let by = person(self.db, &addition.author)?;
            self.note_altered(&place, Some(by), addition.what.alteration())?;
        }
        Ok(())
    }

    /// Puts an addition into its slot if it is newer than what is there; whether it is.
    fn put_addition(&self, addition: &Addition) -> Result<bool> {
        let place = self.place(&addition.target)?;
        let author = person(self.db, &addition.author)?;
        let changed = run(
            self.db,
            "INSERT INTO additions (chat, sender, id, kind, slot, from_me, author, rank, at,
                 sender_ms, added_by, value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT DO UPDATE SET from_me = excluded.from_me, author = excluded.author,
                 rank = excluded.rank, at = excluded.at, sender_ms = excluded.sender_ms,
                 added_by = excluded.added_by, value = excluded.value
             WHERE (excluded.rank, excluded.at, excluded.sender_ms, excluded.added_by)
                 > (rank, at, sender_ms, added_by)",
            params![
                place.chat,
                place.sender,
                place.id.as_str(),
                addition.what.kind().as_str(),
                addition.what.slot(&author),
                addition.target.from_me,
                author.to_string(),
                addition.what.rank(),
                addition.moment.at.secs(),
                addition.moment.sender_ms,
                addition.moment.id.as_str(),
                encode(&addition.what)
            ],
        )?;
        if changed > 0 && addition.what.kind() == AddedKind::Keep {
            self.note_kept(&place)?;
        }
        Ok(changed > 0)
    }

    fn put_sealed(&mut self, sealed: &SealedAddition) -> Result<()> {
        let place = self.place(&sealed.target)?;
        if self.is_revoked(&place)? {
            return Ok(());
        }
        self.keep_sealed(sealed, false)?;
        self.run(
            "DELETE FROM sealed WHERE rowid IN (
                 SELECT rowid FROM sealed WHERE chat = ?1 AND sender = ?2 AND id = ?3
                 ORDER BY at DESC, sender_ms DESC, added_by DESC LIMIT -1 OFFSET ?4)",
            params![place.chat, place.sender, place.id.as_str(), count(MAX_SEALED_PER_TARGET)],
        )?;
        self.note_openable(&place)
    }

    fn keep_sealed(&self, sealed: &SealedAddition, tried: bool) -> Result<()> {
        let place = self.place(&sealed.target)?;
        self.run(
            "INSERT OR IGNORE INTO sealed (chat, sender, id, author, added_by, target_from_me,
                 from_me, at, sender_ms, tried, raw)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                place.chat,
                place.sender,
                place.id.as_str(),
                self.person(&sealed.author)?,
                sealed.moment.id.as_str(),
                sealed.target.from_me,
                sealed.from_me,
                sealed.moment.at.secs(),
                sealed.moment.sender_ms,
                tried,
                sealed.raw.as_bytes()
            ],
        )
    }

    /// Tells of a message whose sealed additions can be opened.
    pub(super) fn note_openable(&mut self, place: &Place) -> Result<()> {
        let sql = "SELECT s.chat, s.sender, s.id, s.target_from_me FROM sealed s
                   JOIN message_secrets USING (chat, sender, id)
                   WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND NOT tried LIMIT 1";
        if let Some(key) = one(self.db, sql, place.params(), key_row)?
            && !self.committed.openable.contains(&key)
        {
            self.committed.openable.push(key);
        }
        Ok(())
    }

    /// Tells of something that happened to a message, if that has come.
    pub(super) fn note_altered(
        &mut self,
        place: &Place,
        by: Option<Jid>,
        what: Alteration,
    ) -> Result<()> {
        if let Some(message) = self.find(place)?.filter(ArchivedMessage::is_readable) {
            self.committed.altered.push(Altered { key: message.key, by, what });
        }
        Ok(())
    }

    /// Tells of a comment on a message.
    pub(super) fn note_comment(
        &mut self,
        comment: &MessageKey,
        on: Option<&MessageId>,
    ) -> Result<()> {
        let Some(on) = on else { return Ok(()) };
        for target in super::read_archive::messages_by_id(self.db, &comment.chat, on)? {
            let (place, by) = (self.place(&target.key)?, Some(comment.sender.clone()));
            self.note_altered(&place, by, Alteration::Commented)?;
        }
        Ok(())
    }

    fn expire(&mut self, now: Timestamp) -> Result<()> {
        let sql = "SELECT chat, sender, id, from_me FROM messages
                   WHERE expires_at <= ?1 AND expires_at IS NOT NULL AND NOT kept
                   ORDER BY expires_at LIMIT ?2";
        let due = all(self.db, sql, params![now.secs(), count(MAX_EXPIRED)], key_row)?;
        for key in due {
            let place = self.place(&key)?;
            self.delete(&place)?;
            self.committed.altered.push(Altered { key, by: None, what: Alteration::Expired });
        }
        Ok(())
    }

    /// Whether a message stays although its time is over goes by what was added to it.
    fn note_kept(&self, place: &Place) -> Result<()> {
        let is_kept = is_kept(self.db, place.params())?;
        self.run(
            "UPDATE messages SET kept = ?4 WHERE chat = ?1 AND sender = ?2 AND id = ?3",
            params![place.chat, place.sender, place.id.as_str(), is_kept],
        )
    }

    /// Puts what stands under another name of a person where it belongs now.
    pub(super) fn merge_additions(&self, phone: &str, lid: &str) -> Result<()> {
        let concerned = "chat = ?1 OR sender = ?1 OR author = ?1";
        let sql = format!("SELECT {ADDITION} FROM additions WHERE {concerned}");
        let moved = all(self.db, &sql, [phone], addition)?;
        self.run(&format!("DELETE FROM additions WHERE {concerned}"), [phone])?;
        for addition in &moved {
            self.put_addition(addition)?;
        }
        let sql = format!("SELECT {SEALED}, tried FROM sealed WHERE {concerned}");
        let moved = all(self.db, &sql, [phone], |row| Ok((sealed(row)?, row.get(10)?)))?;
        self.run(&format!("DELETE FROM sealed WHERE {concerned}"), [phone])?;
        for (sealed, tried) in &moved {
            self.keep_sealed(sealed, *tried)?;
        }
        // What did not open may open under the other name.
        self.run("UPDATE sealed SET tried = 0 WHERE author = ?1 OR sender = ?1", [lid])
    }
}

/// How many messages one commit lets go whose time is over.
const MAX_EXPIRED: usize = 64;

fn key_row(row: super::rows::Columns<'_>) -> Result<MessageKey> {
    Ok(MessageKey { chat: row.jid(0)?, sender: row.jid(1)?, id: row.id(2)?, from_me: row.get(3)? })
}

pub(super) fn is_kept(db: &Connection, place: [&str; 3]) -> Result<bool> {
    let sql = format!(
        "SELECT {ADDITION} FROM additions
         WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND kind = 'keep'"
    );
    let keep = one(db, &sql, place, addition)?;
    Ok(keep.is_some_and(|keep| keep.what == Added::Keep { kept: true }))
}

pub(super) fn next_expiry(db: &Connection) -> Result<Option<Timestamp>> {
    let sql = "SELECT expires_at FROM messages WHERE expires_at IS NOT NULL AND NOT kept
               ORDER BY expires_at LIMIT 1";
    one(db, sql, [], |row| row.time(0))
}

pub(super) fn additions(db: &Connection, target: &MessageKey) -> Result<Vec<Addition>> {
    let sql =
        format!("SELECT {ADDITION} FROM additions WHERE chat = ?1 AND sender = ?2 AND id = ?3");
    let Some(place) = place_of(db, target)? else { return Ok(Vec::new()) };
    all(db, &sql, place, addition)
}

pub(super) fn pins(db: &Connection, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>> {
    let sql = format!("SELECT {ADDITION} FROM additions WHERE chat = ?1 AND kind = 'pin'");
    let pins = all(db, &sql, [person(db, chat)?.to_string()], addition)?;
    let mut there = Vec::with_capacity(pins.len());
    for pin in pins {
        if place_of(db, &pin.target)?.is_some() {
            there.push(pin);
        }
    }
    Ok(pins_at(there, now))
}

pub(super) fn comments(db: &Connection, target: &MessageKey) -> Result<Vec<ArchivedMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM live_messages m
         WHERE m.chat = ?1 AND m.reply_to = ?2 AND m.kind = 'comment'
         ORDER BY m.timestamp, m.seq LIMIT {MAX_PAGE}"
    );
    all(db, &sql, [&person(db, &target.chat)?.to_string(), target.id.as_str()], message)
}

pub(super) fn sealed_on(db: &Connection, target: &MessageKey) -> Result<Vec<SealedAddition>> {
    let sql = format!(
        "SELECT {SEALED} FROM sealed WHERE chat = ?1 AND sender = ?2 AND id = ?3
         ORDER BY at, sender_ms, added_by"
    );
    let Some(place) = place_of(db, target)? else { return Ok(Vec::new()) };
    all(db, &sql, place, sealed)
}

pub(super) fn openable(db: &Connection, limit: usize) -> Result<Vec<MessageKey>> {
    let sql = "SELECT DISTINCT s.chat, s.sender, s.id, s.target_from_me FROM sealed s
               JOIN message_secrets USING (chat, sender, id) WHERE NOT s.tried LIMIT ?1";
    let keys = all(db, sql, [count(limit)], key_row)?;
    keys.into_iter().filter_map(|key| there(db, key).transpose()).collect()
}

/// A message, unless it is gone and still being taken out.
fn there(db: &Connection, key: MessageKey) -> Result<Option<MessageKey>> {
    Ok(place_of(db, &key)?.map(|_| key))
}
