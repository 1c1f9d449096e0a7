//! How changes alter the archive: messages, what hangs on them, chats and people.
//!
//! Knows nothing of keys and queues.

use rusqlite::params;
use wa_proto::Jid;

use super::{
    additions::is_kept,
    removal::{Removal, is_being_removed},
    row_forms::{CONTACT, MESSAGE, contact, message, status_column},
    rows::{number, one, run},
    write::Write,
};
use crate::{
    Alteration, ArchivedMessage, Change, Chat, ChatUpdate, Contact, ContactUpdate, Edit, MessageId,
    MessageKey, MessageKind, NewMessage, Placeholder, PrivacyToken, Reaction, Timestamp,
    store::Result,
};

/// A message's chat, sender and id as they stand in the tables.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) chat: String,
    pub(super) sender: String,
    pub(super) id: MessageId,
}

impl Place {
    pub(super) fn params(&self) -> [&str; 3] {
        [&self.chat, &self.sender, self.id.as_str()]
    }
}

/// The tables of what hangs on a message.
const STRIPPED: [&str; 6] =
    ["placeholders", "message_secrets", "edits", "reactions", "additions", "sealed"];

impl Write<'_> {
    /// What belongs to people, chats and messages.
    pub(super) fn apply_archive(&mut self, change: Change) -> Result<()> {
        match change {
            Change::LearnLid { phone, lid } => self.learn_lid(&phone, &lid),
            Change::Sync(change) => self.apply_sync(change),
            Change::PutMessageSecret { key, secret } => self.put_secret(&key, secret.as_bytes()),
            Change::PutPrivacyToken { jid, token } => self.put_token(&jid, &token),
            Change::DeletePrivacyToken(jid) => {
                self.run("DELETE FROM privacy_tokens WHERE jid = ?1", [self.person(&jid)?])
            }
            Change::PutContact(update) => self.put_contact(&update),
            Change::PutChat(update) => self.put_chat(&update),
            Change::Archive(new) => self.archive(&new),
            Change::SetStatus { key, status, server_timestamp } => {
                let place = self.place(&key)?;
                self.run(
                    "UPDATE messages SET status = max(status, ?4),
                         server_timestamp = coalesce(?5, server_timestamp)
                     WHERE chat = ?1 AND sender = ?2 AND id = ?3",
                    params![
                        place.chat,
                        place.sender,
                        place.id.as_str(),
                        status_column(status),
                        server_timestamp.map(Timestamp::secs)
                    ],
                )
            }
            Change::MarkByAssistant(key) => {
                let place = self.place(&key)?;
                self.run(
                    "UPDATE messages SET by_assistant = 1
                     WHERE chat = ?1 AND sender = ?2 AND id = ?3 AND from_me",
                    place.params(),
                )
            }
            Change::Edit(edit) => self.edit(&edit),
            Change::Revoke { key, by, at } => self.revoke(&key, &by, at),
            Change::React(reaction) => self.react(&reaction),
            Change::SetStarred { key, starred } => {
                let place = self.place(&key)?;
                self.run(
                    "UPDATE messages SET starred = ?4
                     WHERE chat = ?1 AND sender = ?2 AND id = ?3",
                    params![place.chat, place.sender, place.id.as_str(), starred],
                )
            }
            other => self.apply_placeholders_and_deletions(other),
        }
    }

    fn apply_placeholders_and_deletions(&mut self, change: Change) -> Result<()> {
        match change {
            Change::PutPlaceholder(placeholder) => self.put_placeholder(&placeholder),
            Change::NotePlaceholderRequested { key, at } => {
                let place = self.place(&key)?;
                self.run(
                    "UPDATE placeholders SET requested_at = ?4, attempts = attempts + 1
                     WHERE chat = ?1 AND sender = ?2 AND id = ?3",
                    params![place.chat, place.sender, place.id.as_str(), at.secs()],
                )
            }
            Change::RemovePlaceholder(key) => self.remove_placeholder(&self.place(&key)?),
            Change::DeleteMessage(key) => self.delete(&self.place(&key)?),
            Change::DeleteChat(jid) => {
                let jid = self.person(&jid)?;
                self.remove_messages(&Removal::whole(&jid))?;
                self.run("DELETE FROM chats WHERE jid = ?1", [&jid])
            }
            Change::DeleteMessagesBefore(time) => self.remove_messages_before(time),
            other => self.apply_additions(other),
        }
    }

    /// Where a message stands. One that is being taken out is out from here on: whatever comes now
    /// comes to a place that is empty.
    pub(super) fn place(&self, key: &MessageKey) -> Result<Place> {
        let (chat, sender) = (self.person(&key.chat)?, self.person(&key.sender)?);
        let place = Place { chat, sender, id: key.id.clone() };
        if self.removing && is_being_removed(self.db, place.params())? {
            self.delete(&place)?;
        }
        Ok(place)
    }

    pub(super) fn is_revoked(&self, place: &Place) -> Result<bool> {
        Ok(self.find(place)?.is_some_and(|message| message.revoked.is_some()))
    }

    pub(super) fn canonical(&self, key: &MessageKey) -> Result<MessageKey> {
        Ok(MessageKey {
            chat: super::rows::person(self.db, &key.chat)?,
            sender: super::rows::person(self.db, &key.sender)?,
            ..key.clone()
        })
    }

    pub(super) fn find(&self, place: &Place) -> Result<Option<ArchivedMessage>> {
        let sql = format!(
            "SELECT {MESSAGE} FROM messages m WHERE m.chat = ?1 AND m.sender = ?2 AND m.id = ?3"
        );
        one(self.db, &sql, place.params(), message)
    }

    fn put_secret(&mut self, key: &MessageKey, secret: &[u8]) -> Result<()> {
        let place = self.place(key)?;
        if self.is_revoked(&place)? {
            return Ok(());
        }
        let true_sender = key.sender.to_user().to_string();
        self.run(
            "INSERT OR REPLACE INTO message_secrets (chat, sender, id, true_sender, secret)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![place.chat, place.sender, place.id.as_str(), true_sender, secret],
        )?;
        self.note_openable(&place)
    }

    fn archive(&mut self, new: &NewMessage) -> Result<()> {
        let key = self.canonical(&new.key)?;
        let place = self.place(&key)?;
        let before = self.find(&place)?;
        if let Some(tombstone) = before.as_ref().filter(|before| before.is_bare_tombstone()) {
            let mut tombstone = tombstone.clone();
            tombstone.complete(new);
            self.remove_row(tombstone.seq)?;
            self.insert(&place, &tombstone)?;
        }
        if let Some(before) = &before
            && (!before.is_fillable() || new.kind == MessageKind::UNREADABLE)
        {
            self.committed.duplicates.push(key);
            return Ok(());
        }
        let seq = self.next_seq();
        let mut message = ArchivedMessage::from_new(seq, key.clone(), new);
        if let Some(before) = &before {
            message.fill(before);
            self.remove_row(before.seq)?;
            self.remove_placeholder(&place)?;
        } else {
            self.run(
                "INSERT INTO chats (jid, unread, marked_unread, archived) VALUES (?1, ?2, 0, 0)
                 ON CONFLICT (jid) DO UPDATE SET unread = unread + excluded.unread
                 WHERE excluded.unread > 0",
                params![place.chat, u32::from(new.unread)],
            )?;
        }
        self.insert(&place, &message)?;
        self.index(seq, message.text.as_deref())?;
        self.committed.note_archived(message, before.map(|before| before.seq));
        self.apply_edits(&place)?;
        if new.kind == MessageKind::COMMENT {
            self.note_comment(&key, new.reply_to.as_ref())?;
        }
        Ok(())
    }

    fn insert(&self, place: &Place, message: &ArchivedMessage) -> Result<()> {
        self.count_message();
        let is_kept = message.expires_at.is_some() && is_kept(self.db, place.params())?;
        self.run(
            "INSERT INTO messages (seq, chat, sender, id, from_me, timestamp, server_timestamp,
                 kind, status, starred, reply_to, push_name, text, media, raw, expires_at,
                 view_once, forwarding_score, revoked_at, revoked_by, kept)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19, ?20, ?21)",
            params![
                number(message.seq),
                place.chat,
                place.sender,
                place.id.as_str(),
                message.key.from_me,
                message.timestamp.secs(),
                message.server_timestamp.map(Timestamp::secs),
                message.kind.as_str(),
                status_column(message.status),
                message.starred,
                message.reply_to.as_ref().map(MessageId::as_str),
                message.push_name,
                message.text,
                message.media,
                message.raw.as_bytes(),
                message.expires_at.map(Timestamp::secs),
                message.view_once,
                message.forwarding_score,
                message.revoked.as_ref().map(|(at, _)| at.secs()),
                message.revoked.as_ref().map(|(_, by)| by.to_string()),
                is_kept
            ],
        )
    }

    fn put_placeholder(&mut self, placeholder: &Placeholder) -> Result<()> {
        let key = self.canonical(&placeholder.key)?;
        let place = self.place(&key)?;
        match self.find(&place)? {
            Some(message) if !message.is_fillable() => {
                self.committed.duplicates.push(key);
                return Ok(());
            }
            Some(_) => {}
            None => {
                let kind = MessageKind::UNREADABLE;
                let mut message = NewMessage::new(key, placeholder.timestamp, kind);
                message.push_name.clone_from(&placeholder.push_name);
                self.archive(&message)?;
            }
        }
        self.run(
            "INSERT OR REPLACE INTO placeholders (chat, sender, id, from_me, timestamp, push_name,
                 reason, requested_at, attempts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                place.chat,
                place.sender,
                place.id.as_str(),
                placeholder.key.from_me,
                placeholder.timestamp.secs(),
                placeholder.push_name,
                placeholder.reason,
                placeholder.requested_at.map(Timestamp::secs),
                placeholder.attempts
            ],
        )
    }

    pub(super) fn remove_placeholder(&self, place: &Place) -> Result<()> {
        self.run(
            "DELETE FROM placeholders WHERE chat = ?1 AND sender = ?2 AND id = ?3",
            place.params(),
        )
    }

    fn edit(&mut self, edit: &Edit) -> Result<()> {
        let place = self.place(&edit.target)?;
        if self.is_revoked(&place)? {
            return Ok(());
        }
        let inserted = run(
            self.db,
            "INSERT OR IGNORE INTO edits (chat, sender, id, edit_id, edited_at, sender_ms, text,
                 raw)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                place.chat,
                place.sender,
                place.id.as_str(),
                edit.id.as_str(),
                edit.edited_at.secs(),
                edit.sender_ms,
                edit.text,
                edit.raw.as_bytes()
            ],
        )?;
        if inserted > 0 {
            let by = super::rows::person(self.db, &edit.target.sender)?;
            self.note_altered(&place, Some(by), Alteration::Edited)?;
        }
        self.apply_edits(&place)
    }

    /// Gives a message the text of its last edit.
    fn apply_edits(&self, place: &Place) -> Result<()> {
        let last = one(
            self.db,
            "SELECT text, edited_at FROM edits WHERE chat = ?1 AND sender = ?2 AND id = ?3
             ORDER BY edited_at DESC, sender_ms DESC, edit_id DESC LIMIT 1",
            place.params(),
            |row| Ok((row.get::<Option<String>>(0)?, row.get::<i64>(1)?)),
        )?;
        let Some((text, edited_at)) = last else { return Ok(()) };
        let Some(message) = self.find(place)?.filter(ArchivedMessage::is_readable) else {
            return Ok(());
        };
        self.unindex(message.seq, message.text.as_deref())?;
        self.run(
            "UPDATE messages SET text = ?2, edited_at = ?3,
                 original_text = CASE WHEN edited_at IS NULL THEN text ELSE original_text END
             WHERE seq = ?1",
            params![number(message.seq), text, edited_at],
        )?;
        self.index(message.seq, text.as_deref())
    }

    fn revoke(&mut self, key: &MessageKey, by: &Jid, at: Timestamp) -> Result<()> {
        let place = self.place(key)?;
        let message = self.find(&place)?;
        if message.is_none() {
            let mut tombstone = NewMessage::new(key.clone(), at, MessageKind::REVOKED);
            tombstone.unread = false;
            self.archive(&tombstone)?;
        }
        self.strip(&place)?;
        let by = super::rows::person(self.db, by)?;
        let earlier = message.as_ref().and_then(|message| message.revoked.clone());
        if let Some(message) = message {
            self.unindex(message.seq, message.text.as_deref())?;
            if earlier.is_none() {
                self.note_altered(&place, Some(by.clone()), Alteration::Revoked)?;
            }
        }
        // Whoever took it back first did, whichever is heard of first.
        let (at, by) = match earlier {
            Some(earlier) => earlier.min((at, by)),
            None => (at, by),
        };
        self.run(
            "UPDATE messages SET text = NULL, original_text = NULL, raw = x'', media = NULL,
                 edited_at = NULL, revoked_at = ?4, revoked_by = ?5
             WHERE chat = ?1 AND sender = ?2 AND id = ?3",
            params![place.chat, place.sender, place.id.as_str(), at.secs(), by.to_string()],
        )
    }

    fn react(&mut self, reaction: &Reaction) -> Result<()> {
        let place = self.place(&reaction.target)?;
        if self.is_revoked(&place)? {
            return Ok(());
        }
        let reactor = super::rows::person(self.db, &reaction.sender)?;
        let replaced = run(
            self.db,
            "INSERT INTO reactions (chat, sender, id, reactor, target_from_me, emoji, timestamp,
                 sender_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET emoji = excluded.emoji, timestamp = excluded.timestamp,
                 sender_ms = excluded.sender_ms, target_from_me = excluded.target_from_me
             WHERE (excluded.timestamp, excluded.sender_ms, excluded.emoji)
                 > (timestamp, sender_ms, emoji)",
            params![
                place.chat,
                place.sender,
                place.id.as_str(),
                reactor.to_string(),
                reaction.target.from_me,
                reaction.emoji,
                reaction.timestamp.secs(),
                reaction.sender_ms
            ],
        )?;
        if replaced > 0 {
            self.note_altered(&place, Some(reactor), Alteration::Reacted)?;
        }
        Ok(())
    }

    /// Removes what hangs on a message.
    fn strip(&self, place: &Place) -> Result<()> {
        for table in STRIPPED {
            let sql = format!("DELETE FROM {table} WHERE chat = ?1 AND sender = ?2 AND id = ?3");
            self.run(&sql, place.params())?;
        }
        Ok(())
    }

    pub(super) fn delete(&self, place: &Place) -> Result<()> {
        self.strip(place)?;
        if let Some(message) = self.find(place)? {
            self.unindex(message.seq, message.text.as_deref())?;
            self.remove_row(message.seq)?;
        }
        Ok(())
    }

    fn put_token(&self, jid: &Jid, token: &PrivacyToken) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO privacy_tokens (jid, token, timestamp, issued_at)
             VALUES (?1, ?2, ?3, ?4)",
            params![
                self.person(jid)?,
                token.token.as_bytes(),
                token.timestamp.secs(),
                token.issued_at.map(Timestamp::secs)
            ],
        )
    }

    pub(super) fn find_contact(&self, jid: &str) -> Result<Option<Contact>> {
        let sql = format!("SELECT {CONTACT} FROM contacts c WHERE c.jid = ?1");
        one(self.db, &sql, [jid], contact)
    }

    fn put_contact(&mut self, update: &ContactUpdate) -> Result<()> {
        let jid = super::rows::person(self.db, &update.jid)?;
        let known = self.find_contact(&jid.to_string())?;
        let is_new = known.is_none();
        let mut contact = known.unwrap_or_else(|| Contact::new(jid.clone()));
        let changed = contact.apply(update);
        if changed && !self.committed.contacts_changed.contains(&jid) {
            self.committed.contacts_changed.push(jid);
        }
        if changed || is_new { self.write_contact(&contact) } else { Ok(()) }
    }

    pub(super) fn write_contact(&self, contact: &Contact) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO contacts (jid, full_name, first_name, push_name, business_name,
                 redacted_phone, username)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                contact.jid.to_string(),
                contact.full_name,
                contact.first_name,
                contact.push_name,
                contact.business_name,
                contact.redacted_phone,
                contact.username
            ],
        )
    }

    pub(super) fn find_chat(&self, jid: &str) -> Result<Option<Chat>> {
        one(
            self.db,
            "SELECT jid, name, unread, marked_unread, muted_until, pinned_at, archived,
                 ephemeral_secs, ephemeral_set_at
             FROM chats WHERE jid = ?1",
            [jid],
            |row| {
                Ok(Chat {
                    name: row.get(1)?,
                    unread: row.get(2)?,
                    marked_unread: row.get(3)?,
                    muted_until: row.optional_time(4)?,
                    pinned_at: row.optional_time(5)?,
                    archived: row.get(6)?,
                    ephemeral_secs: row.get(7)?,
                    ephemeral_set_at: row.optional_time(8)?,
                    ..Chat::new(row.jid(0)?)
                })
            },
        )
    }

    fn put_chat(&self, update: &ChatUpdate) -> Result<()> {
        let jid = super::rows::person(self.db, &update.jid)?;
        let mut chat = self.find_chat(&jid.to_string())?.unwrap_or_else(|| Chat::new(jid));
        chat.apply(update);
        self.write_chat(&chat)
    }

    pub(super) fn write_chat(&self, chat: &Chat) -> Result<()> {
        run(
            self.db,
            "INSERT OR REPLACE INTO chats (jid, name, unread, marked_unread, muted_until,
                 pinned_at, archived, ephemeral_secs, ephemeral_set_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                chat.jid.to_string(),
                chat.name,
                chat.unread,
                chat.marked_unread,
                chat.muted_until.map(Timestamp::secs),
                chat.pinned_at.map(Timestamp::secs),
                chat.archived,
                chat.ephemeral_secs,
                chat.ephemeral_set_at.map(Timestamp::secs)
            ],
        )
        .map(drop)
    }
}
