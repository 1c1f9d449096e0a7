//! Reading the archive: messages, what hangs on them, chats and people.
//!
//! Knows nothing of keys and queues, nor of search.

use rusqlite::{Connection, ToSql, params};
use wa_proto::Jid;

use super::{
    removal::{being_removed, is_being_removed},
    row_forms::{CONTACT, MESSAGE, contact as contact_row, message as message_row},
    rows::{Columns, all, count, number, one, person, phone_of},
    scope::time_at,
    walk::{self, Spot, Walk},
};
use crate::{
    ArchivedMessage, Chat, Contact, MAX_PAGE, MessageFilter, MessageId, MessageKey, MessageQuery,
    MessageSecret, PrivacyToken, Reaction, SecretBytes, Seq, Stats, TextVersion, store::Result,
};

/// Chat, sender and id as they stand in the tables; nothing of a message that is gone and still being
/// taken out, with all that hangs on it.
pub(super) fn place(db: &Connection, key: &MessageKey) -> Result<Option<[String; 3]>> {
    let (chat, sender) = (person(db, &key.chat)?, person(db, &key.sender)?);
    let place = [chat.to_string(), sender.to_string(), key.id.as_str().to_owned()];
    Ok((!is_being_removed(db, place.each_ref().map(String::as_str))?).then_some(place))
}

pub(super) fn message_secret(db: &Connection, key: &MessageKey) -> Result<Option<MessageSecret>> {
    let sql = "SELECT true_sender, secret FROM message_secrets
               WHERE chat = ?1 AND sender = ?2 AND id = ?3";
    let Some(place) = place(db, key)? else { return Ok(None) };
    one(db, sql, place, |row| Ok(MessageSecret { sender: row.jid(0)?, secret: row.secret(1)? }))
}

pub(super) fn privacy_token(db: &Connection, jid: &Jid) -> Result<Option<PrivacyToken>> {
    let sql = "SELECT token, timestamp, issued_at FROM privacy_tokens WHERE jid = ?1";
    one(db, sql, [person(db, jid)?.to_string()], |row| {
        Ok(PrivacyToken {
            token: row.secret(0)?,
            timestamp: row.time(1)?,
            issued_at: row.optional_time(2)?,
        })
    })
}

pub(super) fn nct_salt(db: &Connection) -> Result<Option<SecretBytes>> {
    one(db, "SELECT nct_salt FROM meta WHERE nct_salt IS NOT NULL", [], |row| row.secret(0))
}

pub(super) fn setting(db: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    one(db, "SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
}

/// Gives a contact both its names.
fn named(db: &Connection, contact: Contact) -> Result<Contact> {
    let jid = contact.jid.clone();
    let (phone, lid) = if jid.is_lid() {
        (phone_of(db, &jid)?, Some(jid))
    } else {
        (jid.is_phone().then_some(jid), None)
    };
    Ok(Contact { phone, lid, ..contact })
}

pub(super) fn contact(db: &Connection, jid: &Jid) -> Result<Option<Contact>> {
    let sql = format!("SELECT {CONTACT} FROM contacts c WHERE c.jid = ?1");
    let found = one(db, &sql, [person(db, jid)?.to_string()], contact_row)?;
    found.map(|contact| named(db, contact)).transpose()
}

pub(super) fn contacts(db: &Connection) -> Result<Vec<Contact>> {
    let sql = format!("SELECT {CONTACT} FROM contacts c");
    all(db, &sql, [], |row| named(db, contact_row(row)?))
}

/// A chat's own columns, its person's phone number, its contact's columns, its newest message.
const CHAT: &str = "SELECT h.jid, h.name, h.unread, h.marked_unread, h.muted_until, h.pinned_at,
         h.archived, h.ephemeral_secs, l.phone,
         coalesce(nullif(c.full_name, ''), nullif(c.first_name, ''), nullif(c.business_name, ''),
             nullif(c.push_name, ''), nullif(c.username, '')),
         (SELECT m.seq FROM live_messages m WHERE m.chat = h.jid
          ORDER BY m.timestamp DESC, m.seq DESC LIMIT 1),
         (SELECT max(m.timestamp) FROM live_messages m WHERE m.chat = h.jid),
         h.ephemeral_set_at
     FROM chats h LEFT JOIN lids l ON l.lid = h.jid LEFT JOIN contacts c ON c.jid = h.jid";

fn chat_row(row: Columns<'_>) -> Result<Chat> {
    let jid = row.jid(0)?;
    let own_name: Option<String> = row.get(1)?;
    let last = row.get::<Option<i64>>(10)?.map(|seq| Seq(seq.unsigned_abs()));
    let phone = row.optional_jid(8)?.or_else(|| jid.is_phone().then(|| jid.clone()));
    Ok(Chat {
        phone,
        name: own_name.map_or_else(|| row.get(9), |name| Ok(Some(name)))?,
        last_message: last.zip(row.optional_time(11)?),
        unread: row.get(2)?,
        marked_unread: row.get(3)?,
        muted_until: row.optional_time(4)?,
        pinned_at: row.optional_time(5)?,
        archived: row.get(6)?,
        ephemeral_secs: row.get(7)?,
        ephemeral_set_at: row.optional_time(12)?,
        ..Chat::new(jid)
    })
}

pub(super) fn chat(db: &Connection, jid: &Jid) -> Result<Option<Chat>> {
    let sql = format!("{CHAT} WHERE h.jid = ?1");
    one(db, &sql, [person(db, jid)?.to_string()], chat_row)
}

pub(super) fn chats(db: &Connection) -> Result<Vec<Chat>> {
    all(db, CHAT, [], chat_row)
}

pub(super) fn message(db: &Connection, key: &MessageKey) -> Result<Option<ArchivedMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM live_messages m WHERE m.chat = ?1 AND m.sender = ?2 AND m.id = ?3"
    );
    let Some(place) = place(db, key)? else { return Ok(None) };
    one(db, &sql, place, message_row)
}

pub(super) fn message_by_seq(db: &Connection, seq: Seq) -> Result<Option<ArchivedMessage>> {
    let sql = format!("SELECT {MESSAGE} FROM live_messages m WHERE m.seq = ?1");
    one(db, &sql, [number(seq)], message_row)
}

pub(super) fn messages_by_id(
    db: &Connection,
    chat: &Jid,
    id: &MessageId,
) -> Result<Vec<ArchivedMessage>> {
    let sql = format!(
        "SELECT {MESSAGE} FROM live_messages m WHERE m.chat = ?1 AND m.id = ?2 ORDER BY m.seq"
    );
    all(db, &sql, [&person(db, chat)?.to_string(), id.as_str()], message_row)
}

pub(super) fn messages_with_id(db: &Connection, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
    // A look into each chat's index; there are few chats, and no index has ids alone.
    let sql = format!(
        "SELECT {MESSAGE} FROM chats c CROSS JOIN live_messages m ON m.chat = c.jid
         WHERE m.id = ?1 ORDER BY m.seq LIMIT {MAX_PAGE}"
    );
    all(db, &sql, [id.as_str()], message_row)
}

pub(super) fn messages_after(
    db: &Connection,
    seq: Seq,
    limit: usize,
) -> Result<Vec<ArchivedMessage>> {
    let sql =
        format!("SELECT {MESSAGE} FROM live_messages m WHERE m.seq > ?1 ORDER BY m.seq LIMIT ?2");
    all(db, &sql, [number(seq), count(limit.min(MAX_PAGE))], message_row)
}

/// Conditions, and the values for their question marks.
#[derive(Default)]
pub(super) struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// Adds a condition with one question mark for each value.
    pub(super) fn add<const N: usize>(&mut self, sql: &str, values: [Box<dyn ToSql>; N]) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    pub(super) fn filter(&mut self, db: &Connection, filter: &MessageFilter) -> Result<()> {
        if let Some(chat) = &filter.chat {
            self.add("m.chat = ?", [Box::new(person(db, chat)?.to_string())]);
        }
        if let Some(sender) = &filter.sender {
            self.add("m.sender = ?", [Box::new(person(db, sender)?.to_string())]);
        }
        if let Some(kind) = &filter.kind {
            self.add("m.kind = ?", [Box::new(kind.as_str().to_owned())]);
        }
        if let Some(from_me) = filter.from_me {
            self.add("m.from_me = ?", [Box::new(from_me)]);
        }
        if let Some(by_assistant) = filter.by_assistant {
            self.add("m.by_assistant = ?", [Box::new(by_assistant)]);
        }
        if let Some(since) = filter.since {
            self.add("m.timestamp >= ?", [Box::new(since.secs())]);
        }
        if let Some(until) = filter.until {
            self.add("m.timestamp < ?", [Box::new(until.secs())]);
        }
        if let Some(id) = &filter.id {
            self.add("m.id = ?", [Box::new(id.as_str().to_owned())]);
        }
        self.within(db, filter.scope.as_deref())
    }

    /// The conditions as they stand in a statement, and their values.
    pub(super) fn parts(self) -> (String, Vec<Box<dyn ToSql>>) {
        (self.sql, self.values)
    }

    /// A whole statement and its values.
    pub(super) fn finish(
        self,
        select: &str,
        rest: &str,
    ) -> (String, rusqlite::ParamsFromIter<Vec<Box<dyn ToSql>>>) {
        (format!("{select}{}{rest}", self.sql), rusqlite::params_from_iter(self.values))
    }
}

pub(super) fn messages(db: &Connection, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
    if !query.order.is_of_commits() && walk::is_worth_it(&query.filter) {
        return messages_by_walk(db, query);
    }
    let mut conditions = Conditions::default();
    conditions.filter(db, &query.filter)?;
    for (anchor, sign) in [(query.before, "<"), (query.after, ">")] {
        let Some(seq) = anchor else { continue };
        if query.order.is_of_commits() {
            conditions.add(&format!("m.seq {sign} ?"), [Box::new(number(seq))]);
        } else {
            let time = time_at(db, seq, query.filter.scope.as_deref())?;
            let place: [Box<dyn ToSql>; 2] = [Box::new(time.secs()), Box::new(number(seq))];
            conditions.add(&format!("(m.timestamp, m.seq) {sign} (?, ?)"), place);
        }
    }
    let direction = if query.order.is_backwards() { "DESC" } else { "ASC" };
    let by_time = match query.order.is_of_commits() {
        true => String::new(),
        false => format!("m.timestamp {direction}, "),
    };
    let limit = query.limit.min(MAX_PAGE);
    let (sql, values) = conditions.finish(
        &format!("SELECT {MESSAGE} FROM live_messages m"),
        &format!(" ORDER BY {by_time}m.seq {direction} LIMIT {limit}"),
    );
    all(db, &sql, values, message_row)
}

/// Where several parts of a filter have to meet.
fn messages_by_walk(db: &Connection, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
    let scope = query.filter.scope.as_deref();
    let anchor = |seq: Option<Seq>| {
        let spot = |seq| Ok(Spot { time: time_at(db, seq, scope)?, seq });
        seq.map(spot).transpose()
    };
    let (before, after) = (anchor(query.before)?, anchor(query.after)?);
    let backwards = query.order.is_backwards();
    let (behind, end) = if backwards { (before, after) } else { (after, before) };
    let is_over =
        |spot: Spot| end.is_some_and(|end| if backwards { spot <= end } else { spot >= end });
    let limit = query.limit.min(MAX_PAGE);
    let mut walk = Walk::new(db, &query.filter, backwards, behind)?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(block) = walk.block(limit.clamp(16, 256))?
    {
        for (spot, _) in block {
            if is_over(spot) || found.len() == limit {
                return Ok(found);
            }
            found.extend(message_by_seq(db, spot.seq)?);
        }
    }
    Ok(found)
}

pub(super) fn text_versions(db: &Connection, key: &MessageKey) -> Result<Vec<TextVersion>> {
    let Some(place) = place(db, key)? else { return Ok(Vec::new()) };
    let sql = "SELECT timestamp, CASE WHEN edited_at IS NULL THEN text ELSE original_text END,
                   edited_at IS NOT NULL
               FROM live_messages WHERE chat = ?1 AND sender = ?2 AND id = ?3";
    let first = one(db, sql, place.clone(), |row| {
        Ok((TextVersion { since: row.time(0)?, text: row.get(1)? }, row.get::<bool>(2)?))
    })?;
    let Some((first, edited)) = first else { return Ok(Vec::new()) };
    let mut versions = vec![first];
    if edited {
        let sql = "SELECT edited_at, text FROM edits WHERE chat = ?1 AND sender = ?2 AND id = ?3
                   ORDER BY edited_at, sender_ms, edit_id";
        versions.extend(all(db, sql, place, |row| {
            Ok(TextVersion { since: row.time(0)?, text: row.get(1)? })
        })?);
    }
    Ok(versions)
}

pub(super) fn reactions(db: &Connection, target: &MessageKey) -> Result<Vec<Reaction>> {
    let sql = "SELECT chat, sender, id, target_from_me, reactor, emoji, timestamp, sender_ms
               FROM reactions
               WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND emoji <> ''";
    let Some(place) = place(db, target)? else { return Ok(Vec::new()) };
    let mut reactions = all(db, sql, place, |row| {
        let key = MessageKey {
            chat: row.jid(0)?,
            sender: row.jid(1)?,
            id: row.id(2)?,
            from_me: row.get(3)?,
        };
        Ok(Reaction {
            target: key,
            sender: row.jid(4)?,
            emoji: row.get(5)?,
            timestamp: row.time(6)?,
            sender_ms: row.get(7)?,
        })
    })?;
    reactions.sort_by(|a, b| (a.timestamp, &a.sender).cmp(&(b.timestamp, &b.sender)));
    Ok(reactions)
}

/// The greatest sequence number given so far.
pub(super) fn last_seq(db: &Connection) -> Result<Seq> {
    Ok(one(db, "SELECT last_seq FROM meta", [], |row| row.seq(0))?.unwrap_or_default())
}

pub(super) fn stats(db: &Connection) -> Result<Stats> {
    let sql = "SELECT messages, (SELECT count(*) FROM chats),
                   (SELECT count(*) FROM contacts), (SELECT count(*) FROM sessions),
                   (SELECT count(*) FROM outbox WHERE state < 2),
                   (SELECT count(*) FROM placeholders), last_seq
               FROM meta";
    let counted = one(db, sql, params![], |row| {
        let count = |column| Ok(row.get::<i64>(column)?.unsigned_abs());
        Ok(Stats {
            messages: count(0)?.saturating_sub(being_removed(db)?),
            chats: count(1)?,
            contacts: count(2)?,
            sessions: count(3)?,
            outbox_pending: count(4)?,
            placeholders: count(5)?,
            last_seq: row.seq(6)?,
        })
    })?;
    Ok(counted.unwrap_or_default())
}
