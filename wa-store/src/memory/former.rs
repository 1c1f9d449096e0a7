//! The identity keys of devices, and those they had before.

use wa_crypto::PublicKey;
use wa_proto::Jid;

use super::state::State;
use crate::{FormerIdentity, former_identity::MAX_FORMER_IDENTITIES};

impl State {
    pub(super) fn accept_identity(&mut self, device: Jid, key: PublicKey) {
        let before = self.identities.insert(device.clone(), key).filter(|before| *before != key);
        let user = device.to_user();
        self.former.retain(|(other, former, kind)| {
            let is_voided = *kind == FormerIdentity::Voided && other.to_user() == user;
            *former != key || *other != device && !is_voided
        });
        for (other, former, kind) in &mut self.former {
            if *other == device && *former != key {
                *kind = FormerIdentity::Replaced;
            }
        }
        if let Some(before) = before {
            self.end_sender_keys(&device);
            self.remember_former(device, before, FormerIdentity::Replaced);
        }
    }

    pub(super) fn void_identities(&mut self, user: &Jid) {
        let gone: Vec<(Jid, PublicKey)> = self
            .identities
            .iter()
            .filter(|(device, _)| device.is_same_user(user))
            .map(|(device, key)| (device.clone(), *key))
            .collect();
        self.sender_keys.retain(|(_, sender), _| !sender.is_same_user(user));
        for (device, key) in gone {
            self.identities.remove(&device);
            let is_known =
                self.former.iter().any(|(other, former, _)| *other == device && *former == key);
            if !is_known {
                self.remember_former(device, key, FormerIdentity::Voided);
            }
        }
    }

    /// What a device told under another identity goes: of a phone, what all the account's devices
    /// told, which that one vouched for.
    fn end_sender_keys(&mut self, device: &Jid) {
        self.sender_keys.retain(|(_, sender), _| {
            let is_theirs = sender.user == device.user && sender.is_lid() == device.is_lid();
            sender != device && !(device.device == 0 && is_theirs)
        });
    }

    fn remember_former(&mut self, device: Jid, key: PublicKey, kind: FormerIdentity) {
        self.former.retain(|(other, former, _)| *other != device || *former != key);
        let same = self.former.iter().filter(|(other, ..)| *other == device).count();
        if same >= MAX_FORMER_IDENTITIES as usize
            && let Some(oldest) = self.former.iter().position(|(other, ..)| *other == device)
        {
            self.former.remove(oldest);
        }
        self.former.push((device, key, kind));
    }

    pub(super) fn former_identity(&self, user: &Jid, key: &PublicKey) -> Option<FormerIdentity> {
        let of_user = self
            .former
            .iter()
            .filter(|(device, former, _)| former == key && device.is_same_user(user));
        let kinds: Vec<FormerIdentity> = of_user.map(|(.., kind)| *kind).collect();
        let is_replaced = kinds.contains(&FormerIdentity::Replaced);
        kinds.first().map(|first| if is_replaced { FormerIdentity::Replaced } else { *first })
    }
}
