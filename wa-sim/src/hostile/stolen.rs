//! A phone that somebody took: its keys as they were then, to speak with in its owner's name. Knows
//! nothing of how what it says is smuggled in.

use std::{collections::BTreeMap, fmt};

use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wa_crypto::{KeyPair, PublicKey};
use wa_proto::{Node, OwnedNode, pb};
use wa_signal::{
    LocalIdentity, PreKeyBundle, RegistrationId, SenderKeyRecord, SessionRecord, padding,
};

use crate::address::DeviceAddress;

/// The keys of a phone, as they were when it was taken.
pub struct StolenPhone {
    identity: KeyPair,
    registration_id: RegistrationId,
    sessions: BTreeMap<DeviceAddress, SessionRecord>,
    /// Its own, by group.
    sender_keys: BTreeMap<String, SenderKeyRecord>,
    rng: ChaCha20Rng,
}

impl StolenPhone {
    pub(crate) fn new(
        identity: KeyPair,
        registration_id: RegistrationId,
        sessions: BTreeMap<DeviceAddress, SessionRecord>,
        sender_keys: BTreeMap<String, SenderKeyRecord>,
        seed: u64,
    ) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Self { identity, registration_id, sessions, sender_keys, rng }
    }

    /// Its identity key.
    pub const fn identity(&self) -> PublicKey {
        self.identity.public
    }

    /// Encrypts in the session that the phone had with a device: the `<enc>`. `None` if it had none.
    pub(crate) fn seal(&mut self, to: DeviceAddress, message: &pb::Message) -> Option<OwnedNode> {
        let padded = padding::pad(message.encode_to_vec(), &mut self.rng);
        let local = LocalIdentity::new(&self.identity, self.registration_id);
        let (session, sealed) = self.sessions.get(&to)?.encrypt(&local, &padded).ok()?;
        self.sessions.insert(to, session);
        Some(enc(sealed.kind_str(), sealed.into_bytes()))
    }

    /// The same in a session that it begins now.
    pub fn seal_first(&mut self, to: &PreKeyBundle, message: &pb::Message) -> Option<OwnedNode> {
        let padded = padding::pad(message.encode_to_vec(), &mut self.rng);
        let local = LocalIdentity::new(&self.identity, self.registration_id);
        let begun = SessionRecord::new().process_bundle(&local, to, &mut self.rng).ok()?;
        let (_, sealed) = begun.encrypt(&local, &padded).ok()?;
        Some(enc(sealed.kind_str(), sealed.into_bytes()))
    }

    /// Encrypts with the sender key that the phone had told a group. `None` if it had told none.
    pub fn seal_for_group(&mut self, group: &str, message: &pb::Message) -> Option<OwnedNode> {
        let padded = padding::pad(message.encode_to_vec(), &mut self.rng);
        let record = self.sender_keys.get(group)?;
        let (record, sealed) = record.encrypt(&padded, &mut self.rng).ok()?;
        self.sender_keys.insert(group.to_owned(), record);
        Some(enc("skmsg", sealed))
    }
}

/// Without keys.
impl fmt::Debug for StolenPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StolenPhone").finish_non_exhaustive()
    }
}

fn enc(kind: &'static str, sealed: Vec<u8>) -> OwnedNode {
    Node::new("enc").attr("v", "2").attr("type", kind).bytes(sealed)
}
