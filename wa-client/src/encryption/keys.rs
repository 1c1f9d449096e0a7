//! The keys with which sessions begin that do not exist yet.
//!
//! Owns which devices lack a session, asking for their keys once and without holding any lock, and
//! whose keys the server says for good that there are none. Knows nothing of what is encrypted.

use std::collections::{HashMap, HashSet};

use wa_proto::Jid;
use wa_store::StoreError;

use super::Turn;
use crate::{
    devices::vouching,
    draft::{Draft, read_session},
    error::Error,
    inner::Inner,
    send::{bundle::VerifiedBundle, sessions},
};

/// What is known of the keys of the devices of one message.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    bundles: HashMap<Jid, VerifiedBundle>,
    asked: HashSet<Jid>,
    absent: HashSet<Jid>,
}

impl Keys {
    /// A turn at the sessions with these devices, in which each has a session or keys to begin one
    /// with, as far as the server gives any.
    ///
    /// # Errors
    /// If the server could not be asked, or the store failed.
    pub(crate) async fn turn(&mut self, inner: &Inner, devices: &[Jid]) -> Result<Turn, Error> {
        loop {
            let turn = Turn::take(inner, devices).await?;
            let missing = self.missing(inner, &turn).await?;
            if missing.is_empty() {
                return Ok(turn);
            }
            drop(turn);
            self.fetch(inner, &missing).await?;
        }
    }

    /// The devices of a turn that have no session, or one that their account does not vouch for,
    /// and of which no keys were asked for yet.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn missing(&self, inner: &Inner, turn: &Turn) -> Result<Vec<Jid>, StoreError> {
        let devices: Vec<Jid> =
            turn.names().filter(|device| !self.asked.contains(*device)).cloned().collect();
        let known = inner.store.sessions(&devices).await?;
        let draft = Draft::new(&*inner.store);
        let mut missing = Vec::new();
        for device in devices {
            let record = known.get(&device).map(|record| read_session(record.as_bytes()));
            let record = record.filter(|record| record.has_session());
            let is_usable = match record.and_then(|record| record.remote_identity()) {
                Some(identity) => {
                    vouching::still_proven(&draft, inner, &device, &identity).await?.is_ok()
                }
                None => false,
            };
            if !is_usable {
                missing.push(device);
            }
        }
        Ok(missing)
    }

    /// Asks the server for keys. Nobody's turn may be held meanwhile.
    ///
    /// # Errors
    /// If the server could not be asked, or the store failed.
    pub(crate) async fn fetch(&mut self, inner: &Inner, devices: &[Jid]) -> Result<(), Error> {
        let fetched = sessions::fetch(inner, devices, false).await?;
        self.asked.extend(devices.iter().cloned());
        self.asked.extend(fetched.bundles.keys().cloned());
        self.bundles.extend(fetched.bundles);
        self.absent.extend(fetched.absent);
        Ok(())
    }

    /// The keys of a device, by the address its keys are kept under.
    pub(crate) fn bundle(&self, device: &Jid) -> Option<&VerifiedBundle> {
        self.bundles.get(device)
    }

    /// Whether the server says that there are no keys of a device.
    pub(crate) fn is_absent(&self, device: &Jid) -> bool {
        self.absent.contains(device)
    }

    /// Why a device was not written to: for good if the server says that it has no keys of it, else
    /// a later attempt may reach it.
    pub(crate) fn unreached(&self, device: &Jid) -> Error {
        match self.is_absent(device) {
            true => Error::NoDeviceReached,
            false => Error::KeysUnavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_definite_answer_fails_a_message_for_good() {
        let mut keys = Keys::default();
        keys.absent.insert(Jid::lid("7"));
        assert!(matches!(keys.unreached(&Jid::lid("7")), Error::NoDeviceReached));
        assert!(matches!(keys.unreached(&Jid::lid("8")), Error::KeysUnavailable));
    }
}
