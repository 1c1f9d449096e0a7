//! What of the tables is within a scope.
//!
//! Knows nothing of the rules; see [`crate::scope`].

use std::collections::HashSet;

use rusqlite::Connection;
use wa_proto::Jid;

use super::{
    read, read_archive,
    read_archive::Conditions,
    rows::{Columns, all, lid_of, number, one},
};
use crate::{
    Chat, Contact, Scope, Seq, Stats, StoreError,
    scope::{Authors, ChatKey, Known, Visible, VisibleMessages},
    store::Result,
};

/// The tables, as far as a scope depends on them.
struct Tables<'a>(&'a Connection);

impl Tables<'_> {
    fn keys(&self, sql: &str) -> Result<Vec<ChatKey>> {
        all(self.0, sql, [], |row| self.key(&row.jid(0)?))
    }
}

impl Known for Tables<'_> {
    fn key(&self, jid: &Jid) -> Result<ChatKey> {
        ChatKey::new(jid, |phone| lid_of(self.0, phone))
    }

    fn own(&self) -> Result<Vec<ChatKey>> {
        let account = read::account(self.0)?;
        let own = account.into_iter().flat_map(|account| [account.jid, account.lid]).flatten();
        own.map(|own| self.key(&own)).collect()
    }

    fn address_book(&self) -> Result<Vec<ChatKey>> {
        self.keys("SELECT jid FROM contacts WHERE full_name <> '' OR first_name <> ''")
    }

    fn written_to(&self) -> Result<Vec<ChatKey>> {
        // From one chat to the next in the index: there may be many messages in each.
        self.keys(
            "WITH RECURSIVE written(chat) AS (
                 SELECT min(chat) FROM live_messages WHERE from_me AND NOT by_assistant
                 UNION ALL
                 SELECT (SELECT min(chat) FROM live_messages
                         WHERE from_me AND NOT by_assistant AND chat > written.chat)
                 FROM written WHERE written.chat IS NOT NULL)
             SELECT chat FROM written WHERE chat IS NOT NULL",
        )
    }

    fn chats(&self) -> Result<Vec<ChatKey>> {
        self.keys("SELECT jid FROM chats")
    }

    fn has_author(&self, chat: &ChatKey, passes: &dyn Fn(&ChatKey) -> bool) -> Result<bool> {
        let sql = "SELECT DISTINCT sender FROM live_messages WHERE chat = ?1";
        let senders = all(self.0, sql, [chat.jid().to_string()], |row| self.key(&row.jid(0)?))?;
        Ok(senders.iter().any(passes))
    }

    fn creator(&self, group: &ChatKey) -> Result<Option<ChatKey>> {
        let sql = "SELECT creator FROM groups WHERE jid = ?1";
        let creator = one(self.0, sql, [group.jid().to_string()], |row| row.optional_jid(0))?;
        creator.flatten().map(|creator| self.key(&creator)).transpose()
    }
}

/// Addresses as one value that a statement can take apart again.
fn list<'a>(keys: impl IntoIterator<Item = &'a ChatKey>) -> Result<String> {
    let jids: Vec<_> = keys.into_iter().map(|key| key.jid().to_string()).collect();
    serde_json::to_string(&jids).map_err(|_| StoreError::Corrupt { what: "a JID" })
}

impl Conditions {
    /// Leaves out what is not within a scope; of the table `m`, which has a chat, a sender and
    /// whether this account wrote it.
    pub(super) fn within(&mut self, db: &Connection, scope: Option<&Scope>) -> Result<()> {
        match scope.filter(|scope| !scope.is_everything()) {
            Some(scope) => self.visible(&VisibleMessages::new(scope, &Tables(db))?),
            None => Ok(()),
        }
    }

    fn visible(&mut self, visible: &VisibleMessages) -> Result<()> {
        // The plus keeps the planner from going through all visible chats for one page.
        self.add("+m.chat IN (SELECT value FROM json_each(?))", [Box::new(list(visible.chats())?)]);
        for authors in visible.visible().authors() {
            let (which, keys) = match authors {
                Authors::AllBut(keys) if keys.is_empty() => continue,
                Authors::AllBut(keys) => ("NOT IN", list(keys)?),
                Authors::These(keys) => ("IN", list(keys)?),
            };
            let sql = format!(
                "(m.from_me OR m.sender = m.chat OR
                  +m.sender {which} (SELECT value FROM json_each(?)))"
            );
            self.add(&sql, [Box::new(keys)]);
        }
        Ok(())
    }
}

pub(super) fn chats_among(db: &Connection, scope: &Scope, jids: &[Jid]) -> Result<HashSet<Jid>> {
    Visible::new(scope, &Tables(db))?.chats_among(jids, &Tables(db))
}

pub(super) fn authors_among(db: &Connection, scope: &Scope, jids: &[Jid]) -> Result<HashSet<Jid>> {
    Visible::new(scope, &Tables(db))?.authors_among(jids, &Tables(db))
}

pub(super) fn chats_within(db: &Connection, scope: Option<&Scope>) -> Result<Vec<Chat>> {
    let mut chats = read_archive::chats(db)?;
    let Some(scope) = scope.filter(|scope| !scope.is_everything()) else { return Ok(chats) };
    let visible = VisibleMessages::new(scope, &Tables(db))?;
    let mut seen = Vec::with_capacity(chats.len());
    for chat in chats.drain(..) {
        if visible.chats().contains(&Tables(db).key(&chat.jid)?) {
            seen.push(as_seen(db, &visible, chat)?);
        }
    }
    Ok(seen)
}

pub(super) fn chat_within(db: &Connection, scope: &Scope, jid: &Jid) -> Result<Option<Chat>> {
    let Some(chat) = read_archive::chat(db, jid)? else { return Ok(None) };
    if scope.is_everything() {
        return Ok(Some(chat));
    }
    let visible = VisibleMessages::new(scope, &Tables(db))?;
    match visible.chats().contains(&Tables(db).key(jid)?) {
        true => as_seen(db, &visible, chat).map(Some),
        false => Ok(None),
    }
}

/// A chat with only what is within the scope as last message and unread.
fn as_seen(db: &Connection, visible: &VisibleMessages, mut chat: Chat) -> Result<Chat> {
    if visible.visible().has_all_authors() || chat.jid.is_person() {
        return Ok(chat);
    }
    let jid = chat.jid.to_string();
    let mut conditions = Conditions::default();
    conditions.add("m.chat = ?", [Box::new(jid.clone())]);
    conditions.visible(visible)?;
    let (sql, values) = conditions.finish(
        "SELECT m.seq, m.timestamp FROM live_messages m",
        " ORDER BY m.timestamp DESC, m.seq DESC LIMIT 1",
    );
    chat.last_message = one(db, &sql, values, |row| Ok((row.seq(0)?, row.time(1)?)))?;
    if chat.unread > 0 {
        let sql = "SELECT sender FROM live_messages WHERE chat = ?1 AND NOT from_me
                   ORDER BY timestamp DESC, seq DESC LIMIT ?2";
        let key = Tables(db).key(&chat.jid)?;
        let is_seen = |row: Columns<'_>| {
            let author = Tables(db).key(&row.jid(0)?)?;
            Ok(visible.visible().has_message_of(&key, &author, false))
        };
        let received = all(db, sql, rusqlite::params![jid, chat.unread], is_seen)?;
        let hidden = received.into_iter().filter(|is_seen| !is_seen).count();
        chat.unread = chat.unread.saturating_sub(u32::try_from(hidden).unwrap_or(u32::MAX));
    }
    Ok(chat)
}

pub(super) fn contacts_within(db: &Connection, scope: Option<&Scope>) -> Result<Vec<Contact>> {
    let contacts = read_archive::contacts(db)?;
    let Some(scope) = scope.filter(|scope| !scope.is_everything()) else { return Ok(contacts) };
    let visible = Visible::new(scope, &Tables(db))?;
    let mut seen = Vec::with_capacity(contacts.len());
    for contact in contacts {
        if visible.has_chat(&Tables(db).key(&contact.jid)?, &Tables(db))? {
            seen.push(contact);
        }
    }
    Ok(seen)
}

pub(super) fn stats_within(db: &Connection, scope: &Scope) -> Result<Stats> {
    let whole = read_archive::stats(db)?;
    if scope.is_everything() {
        return Ok(whole);
    }
    let visible = VisibleMessages::new(scope, &Tables(db))?;
    let counted = |table: &str| {
        let mut conditions = Conditions::default();
        conditions.visible(&visible)?;
        let (sql, values) = conditions.finish(&format!("SELECT count(*) FROM {table} m"), "");
        Ok(one(db, &sql, values, |row| row.get::<i64>(0))?.unwrap_or_default().unsigned_abs())
    };
    let mut outbox_pending = 0;
    for chat in all(db, "SELECT chat FROM outbox WHERE state < 2", [], |row| row.jid(0))? {
        let key = Tables(db).key(&chat)?;
        outbox_pending += u64::from(visible.visible().has_chat(&key, &Tables(db))?);
    }
    let mut newest = Conditions::default();
    newest.visible(&visible)?;
    let (sql, values) =
        newest.finish("SELECT m.seq FROM live_messages m", " ORDER BY m.seq DESC LIMIT 1");
    Ok(Stats {
        messages: counted("live_messages")?,
        chats: visible.chats().len().try_into().unwrap_or(u64::MAX),
        contacts: contacts_within(db, Some(scope))?.len().try_into().unwrap_or(u64::MAX),
        outbox_pending,
        placeholders: counted("placeholders")?,
        last_seq: one(db, &sql, values, |row| row.seq(0))?.unwrap_or(Seq(0)),
        ..whole
    })
}

/// The time of a message; of one that is gone or without the scope, that of the one committed before
/// it.
pub(super) fn time_at(
    db: &Connection,
    seq: Seq,
    scope: Option<&Scope>,
) -> Result<crate::Timestamp> {
    let mut conditions = Conditions::default();
    conditions.add("m.seq <= ?", [Box::new(number(seq))]);
    conditions.within(db, scope)?;
    let (sql, values) = conditions
        .finish("SELECT m.timestamp FROM live_messages m", " ORDER BY m.seq DESC LIMIT 1");
    Ok(one(db, &sql, values, |row| row.time(0))?.unwrap_or_default())
}
