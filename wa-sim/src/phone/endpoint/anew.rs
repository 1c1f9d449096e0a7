//! A phone that is set up anew, and whoever has the one before: new keys for the account, and a copy
//! of the old ones. Knows nothing of what is done with that copy.

use rand_core::Rng as _;
use wa_crypto::KeyPair;
use wa_signal::{RegistrationId, SignedPreKey, SignedPreKeyId};

use super::Endpoint;
use crate::{
    hostile::StolenPhone,
    server::{Server, prekey_shelf::PrekeyShelf},
};

impl Endpoint {
    /// Registers the account again: all keys are new, nobody has a session with this phone, and no
    /// companion is left. Everybody who has to do with the account is told. The messages stay, as
    /// from a copy that was kept.
    pub(crate) fn set_up_anew(&mut self, server: &mut Server) {
        let rng = &mut server.rng;
        self.identity = KeyPair::random(rng);
        self.registration_id = RegistrationId::random(rng);
        self.signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &self.identity, rng);
        self.raw_id = rng.next_u32() >> 1;
        self.prekeys.clear();
        self.sessions.clear();
        self.sender_keys.clear();
        self.told.clear();
        self.asked.clear();
        self.resent.clear();
        let signed = self.signed_prekey.public();
        let shelf = PrekeyShelf::new(self.registration_id, self.identity.public, signed);
        let companions = self.sign_key_indexes(server, &[]);
        server.renew_phone(self.address, shelf, companions);
        self.fill_shelf(server);
        server.announce_identity(self.address);
    }

    /// All its keys, as whoever takes the phone has them.
    pub(crate) fn copy_keys(&self, seed: u64) -> StolenPhone {
        let sessions = self.sessions.clone();
        let own = self.sender_keys.iter().filter(|((_, device), _)| *device == self.address);
        let sender_keys = own.map(|((group, _), record)| (group.clone(), record.clone())).collect();
        StolenPhone::new(self.identity.clone(), self.registration_id, sessions, sender_keys, seed)
    }
}
