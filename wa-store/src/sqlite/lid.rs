//! One person, two names: what happens in the tables when a phone number and a LID are found to be
//! the same.

use rusqlite::params;
use wa_proto::{Jid, Server};

use super::{
    rows::{all, one},
    write::Write,
    write_archive::Place,
};
use crate::{
    Chat, Contact,
    id::{bare, device_under_lid},
    store::Result,
};

impl Write<'_> {
    pub(super) fn migrate_to_lid(&self, phone: &Jid, lid: &Jid) -> Result<()> {
        let (phone, lid) = (bare(phone), bare(lid));
        if !phone.is_phone() || !lid.is_lid() {
            return Ok(());
        }
        for server in [Server::User, Server::Hosted, Server::Legacy] {
            let user = Jid { server, ..phone.clone() };
            let new_user = device_under_lid(&user, &lid).to_string();
            let user = user.to_string();
            for table in DEVICE_TABLES {
                let sql = format!("SELECT DISTINCT device FROM {table} WHERE user = ?1");
                let devices = all(self.db, &sql, [&user], |row| row.jid(0))?;
                for device in devices {
                    let moved = device_under_lid(&device, &lid);
                    self.run(
                        &format!(
                            "UPDATE OR IGNORE {table} SET device = ?1, user = ?2
                             WHERE device = ?3 AND user = ?4"
                        ),
                        [
                            &moved.to_string(),
                            &moved.to_user().to_string(),
                            &device.to_string(),
                            &user,
                        ],
                    )?;
                }
                self.run(&format!("DELETE FROM {table} WHERE user = ?1"), [&user])?;
            }
            for table in ["device_lists", "key_index_lists"] {
                let sql = format!("UPDATE OR IGNORE {table} SET user = ?1 WHERE user = ?2");
                self.run(&sql, [&new_user, &user])?;
                self.run(&format!("DELETE FROM {table} WHERE user = ?1"), [&user])?;
            }
        }
        Ok(())
    }

    pub(super) fn learn_lid(&mut self, phone: &Jid, lid: &Jid) -> Result<()> {
        let (phone, lid) = (bare(phone), bare(lid));
        if !phone.is_phone() || !lid.is_lid() {
            return Ok(());
        }
        let (phone, lid) = (phone.to_string(), lid.to_string());
        let known = one(
            self.db,
            "SELECT 1 FROM lids WHERE phone = ?1 AND lid = ?2",
            [&phone, &lid],
            |_| Ok(()),
        )?;
        if known.is_some() {
            return Ok(());
        }
        self.run("DELETE FROM lids WHERE phone = ?1 OR lid = ?2", [&phone, &lid])?;
        self.run("INSERT INTO lids (phone, lid) VALUES (?1, ?2)", [&phone, &lid])?;
        // What is gone of either must not take along what the other has.
        self.finish_removals(&phone)?;
        self.finish_removals(&lid)?;
        self.merge_chats(&phone, &lid)?;
        self.merge_contacts(&phone, &lid)?;
        self.merge_messages(&phone, &lid)?;
        for (table, column) in RENAMED {
            // A chat is renamed before its senders, so that none of theirs has the old name any more.
            let elsewhere = if column == "sender" { " AND sender <> chat" } else { "" };
            let sql = format!(
                "UPDATE OR IGNORE {table} SET {column} = ?1 WHERE {column} = ?2{elsewhere}"
            );
            self.run(&sql, [&lid, &phone])?;
            let sql = format!("DELETE FROM {table} WHERE {column} = ?1{elsewhere}");
            self.run(&sql, [&phone])?;
        }
        self.merge_additions(&phone, &lid)
    }

    fn merge_chats(&self, phone: &str, lid: &str) -> Result<()> {
        let Some(other) = self.find_chat(phone)? else { return Ok(()) };
        self.run("DELETE FROM chats WHERE jid = ?1", [phone])?;
        let merged = match self.find_chat(lid)? {
            Some(mut chat) => {
                chat.merge(&other);
                chat
            }
            None => Chat { jid: parsed(lid)?, ..other },
        };
        self.write_chat(&merged)
    }

    fn merge_contacts(&self, phone: &str, lid: &str) -> Result<()> {
        let Some(other) = self.find_contact(phone)? else { return Ok(()) };
        self.run("DELETE FROM contacts WHERE jid = ?1", [phone])?;
        let merged = match self.find_contact(lid)? {
            Some(mut contact) => {
                contact.fill_from(&other);
                contact
            }
            None => Contact { jid: parsed(lid)?, ..other },
        };
        self.write_contact(&merged)
    }

    /// Moves messages; of one that stood under both names the first that could be read stays.
    fn merge_messages(&self, phone: &str, lid: &str) -> Result<()> {
        // Mostly none stands under both, and all move with one statement.
        let places = all(
            self.db,
            "SELECT o.chat, o.sender, o.id FROM messages o
             WHERE (o.chat = ?1 OR o.sender = ?1) AND EXISTS (
                 SELECT 1 FROM messages n
                 WHERE n.chat IN (o.chat, CASE o.chat WHEN ?1 THEN ?2 WHEN ?2 THEN ?1 END)
                     AND n.id = o.id AND n.seq <> o.seq
                     AND n.sender IN (o.sender, CASE o.sender WHEN ?1 THEN ?2 WHEN ?2 THEN ?1 END))",
            [phone, lid],
            |row| Ok(Place { chat: row.get(0)?, sender: row.get(1)?, id: row.id(2)? }),
        )?;
        let person = |jid: &str| if jid == phone { lid.to_owned() } else { jid.to_owned() };
        for old in places {
            let new =
                Place { chat: person(&old.chat), sender: person(&old.sender), id: old.id.clone() };
            let Some(moved) = self.find(&old)? else { continue };
            if let Some(other) = self.find(&new)? {
                let (worse, better) =
                    if (!other.is_readable(), other.seq) <= (!moved.is_readable(), moved.seq) {
                        (moved, other)
                    } else {
                        (other, moved)
                    };
                self.unindex(worse.seq, worse.text.as_deref())?;
                self.remove_row(worse.seq)?;
                if better.is_readable() {
                    self.remove_placeholder(&old)?;
                    self.remove_placeholder(&new)?;
                }
            }
            self.run(
                "UPDATE messages SET chat = ?4, sender = ?5
                 WHERE chat = ?1 AND sender = ?2 AND id = ?3",
                params![old.chat, old.sender, old.id.as_str(), new.chat, new.sender],
            )?;
        }
        self.run(
            "UPDATE messages SET chat = CASE chat WHEN ?1 THEN ?2 ELSE chat END,
                 sender = CASE sender WHEN ?1 THEN ?2 ELSE sender END
             WHERE chat = ?1 OR sender = ?1",
            [phone, lid],
        )
    }
}

/// Where a person's devices stand, each under its own address.
const DEVICE_TABLES: [&str; 6] = [
    "sessions",
    "identities",
    "former_identities",
    "device_vouchers",
    "sender_keys",
    "sender_key_holders",
];

/// Where else a person stands. What stands under the LID already stays.
const RENAMED: [(&str, &str); 22] = [
    ("privacy_tokens", "jid"),
    ("sent_messages", "chat"),
    ("retries_sent", "chat"),
    ("retries_sent", "sender"),
    ("retries_answered", "user"),
    ("sessions_recreated", "user"),
    ("base_keys", "user"),
    ("message_secrets", "chat"),
    ("message_secrets", "sender"),
    ("placeholders", "chat"),
    ("placeholders", "sender"),
    ("edits", "chat"),
    ("edits", "sender"),
    ("reactions", "chat"),
    ("reactions", "sender"),
    ("reactions", "reactor"),
    ("labelled_chats", "chat"),
    ("labelled_messages", "chat"),
    ("labelled_messages", "sender"),
    ("muted_status", "jid"),
    ("locked_chats", "jid"),
    ("history_gaps", "place"),
];

fn parsed(jid: &str) -> Result<Jid> {
    jid.parse().map_err(|_| crate::StoreError::Corrupt { what: "a JID" })
}
