//! The identity keys of devices, and those they had before.

use rusqlite::{Connection, params};
use wa_crypto::PublicKey;
use wa_proto::{Jid, Server};

use super::{rows::one, write::Write};
use crate::{FormerIdentity, former_identity::MAX_FORMER_IDENTITIES, store::Result};

impl Write<'_> {
    pub(super) fn accept_identity(&self, device: &Jid, key: &PublicKey) -> Result<()> {
        self.end_sender_keys(device, key.as_bytes())?;
        let (user, device, key) =
            (device.to_user().to_string(), device.to_string(), key.as_bytes());
        self.run(
            "UPDATE former_identities SET replaced = 1 WHERE device = ?1 AND key <> ?2",
            params![device, key],
        )?;
        self.run(
            "INSERT OR REPLACE INTO former_identities (device, user, key, replaced)
                 SELECT device, user, key, 1 FROM identities WHERE device = ?1 AND key <> ?2",
            params![device, key],
        )?;
        self.run(
            "DELETE FROM former_identities
             WHERE user = ?1 AND key = ?2 AND (replaced = 0 OR device = ?3)",
            params![user, key, device],
        )?;
        self.run(
            "DELETE FROM former_identities WHERE device = ?1 AND rowid NOT IN (
                 SELECT rowid FROM former_identities WHERE device = ?1
                 ORDER BY rowid DESC LIMIT ?2)",
            params![device, MAX_FORMER_IDENTITIES],
        )?;
        self.run(
            "INSERT INTO identities (device, user, key) VALUES (?1, ?2, ?3)
             ON CONFLICT (device) DO UPDATE SET key = excluded.key",
            params![device, user, key],
        )
    }

    pub(super) fn void_identities(&self, user: &Jid) -> Result<()> {
        let user = user.to_user().to_string();
        self.run(
            "INSERT OR IGNORE INTO former_identities (device, user, key, replaced)
                 SELECT device, user, key, 0 FROM identities WHERE user = ?1",
            [&user],
        )?;
        self.run("DELETE FROM sender_keys WHERE user = ?1", [&user])?;
        self.run("DELETE FROM identities WHERE user = ?1", [&user])
    }

    /// Where a device had another identity than this key, what it told under that one goes: of a
    /// phone, what all the account's devices told, which that one vouched for.
    fn end_sender_keys(&self, device: &Jid, key: &[u8; 32]) -> Result<()> {
        let hosted = if device.is_lid() { Server::HostedLid } else { Server::Hosted };
        let hosted = Jid::new(device.user.clone(), hosted).to_string();
        let user = device.to_user().to_string();
        self.run(
            "DELETE FROM sender_keys
             WHERE user IN (?3, ?4) AND (device = ?1 OR ?2)
                 AND EXISTS (SELECT 1 FROM identities WHERE device = ?1 AND key <> ?5)",
            params![device.to_string(), device.device == 0, user, hosted, key],
        )
    }
}

pub(super) fn former_identity(
    db: &Connection,
    user: &Jid,
    key: &PublicKey,
) -> Result<Option<FormerIdentity>> {
    let sql = "SELECT replaced FROM former_identities WHERE user = ?1 AND key = ?2
               ORDER BY replaced DESC LIMIT 1";
    let params = params![user.to_user().to_string(), key.as_bytes()];
    let is_replaced: Option<bool> = one(db, sql, params, |row| row.get(0))?;
    Ok(is_replaced.map(|is_replaced| match is_replaced {
        true => FormerIdentity::Replaced,
        false => FormerIdentity::Voided,
    }))
}
