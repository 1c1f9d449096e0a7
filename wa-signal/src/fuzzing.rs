//! Entry points for fuzzing; total functions over any bytes.
//!
//! Each takes foreign bytes to where a client would: parsing, then decryption with fixed keys. Not
//! part of the protocol and of no use to a client.

use std::{convert::Infallible, sync::OnceLock};

use rand_core::{TryCryptoRng, TryRng};
use wa_crypto::{KeyPair, PrivateKey};

use crate::{
    LocalIdentity, PreKey, PreKeyBundle, PreKeyId, PreKeyMessageHeader, RegistrationId,
    SenderKeyRecord, SessionRecord, SignedPreKey, SignedPreKeyId, padding,
};

/// Takes the bytes for a `msg`, a `pkmsg` and a stored session record.
pub fn session_message(bytes: &[u8]) {
    static RECEIVER: OnceLock<Option<Receiver>> = OnceLock::new();
    if let Some(receiver) = RECEIVER.get_or_init(Receiver::fixed) {
        receiver.take(bytes);
    }
    if let Ok(record) = SessionRecord::from_bytes(bytes) {
        let identity = fixed_pair(1);
        let local = LocalIdentity::new(&identity, RegistrationId::new(1));
        let _ = record.encrypt(&local, b"stored");
        let _ = record.decrypt_signal(&local, GARBAGE, &mut FixedRng);
        for next in [record.archive_current(), record.end_sessions(), record.replace_identity()] {
            let _ = SessionRecord::from_bytes(&next.to_bytes());
        }
        let _ = SessionRecord::from_bytes(&record.to_bytes());
    }
    let _ = padding::unpad(bytes);
}

/// Takes the bytes for a `skmsg`, a distribution message and a stored sender-key record.
pub fn sender_key_message(bytes: &[u8]) {
    static SENDER: OnceLock<SenderKeyRecord> = OnceLock::new();
    let own = SENDER.get_or_init(|| SenderKeyRecord::resume(1, 0, &[7; 32], fixed_pair(3)));
    let _ = own.decrypt(bytes);
    if let Ok(told) = own.process_distribution(bytes) {
        let _ = told.decrypt(bytes);
    }
    if let Ok(record) = SenderKeyRecord::from_bytes(bytes) {
        let _ = record.encrypt(b"stored", &mut FixedRng);
        let _ = SenderKeyRecord::from_bytes(&record.to_bytes());
    }
}

/// Somebody who has written and now waits for answers, and for first messages of others.
struct Receiver {
    identity: KeyPair,
    prekey: PreKey,
    signed_prekey: SignedPreKey,
    session: SessionRecord,
}

impl Receiver {
    fn fixed() -> Option<Self> {
        let (identity, other) = (fixed_pair(1), fixed_pair(2));
        let registration_id = RegistrationId::new(1);
        let theirs = SignedPreKey::generate(SignedPreKeyId::FIRST, &other, &mut FixedRng);
        let bundle = PreKeyBundle {
            registration_id,
            identity: other.public,
            signed_prekey: theirs.public(),
            prekey: None,
        };
        let local = LocalIdentity::new(&identity, registration_id);
        let session = SessionRecord::new().process_bundle(&local, &bundle, &mut FixedRng).ok()?;
        let prekey = PreKey::generate(PreKeyId::FIRST, &mut FixedRng);
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, &mut FixedRng);
        Some(Self { prekey, signed_prekey, session, identity })
    }

    fn take(&self, bytes: &[u8]) {
        let local = LocalIdentity::new(&self.identity, RegistrationId::new(1));
        let _ = self.session.decrypt_signal(&local, bytes, &mut FixedRng);
        let _ = PreKeyMessageHeader::parse(bytes);
        let _ = self.session.decrypt_prekey(
            &local,
            Some(&self.prekey),
            Some(&self.signed_prekey),
            bytes,
            &mut FixedRng,
        );
    }
}

/// A `msg` of the right form that nobody made, with the ratchet key of [`fixed_pair`] 2: each
/// session of a record is tried for it.
const GARBAGE: &[u8] = &[
    0x33, 0x0a, 33, 0x05, 0xce, 0x8d, 0x3a, 0xd1, 0xcc, 0xb6, 0x33, 0xec, 0x7b, 0x70, 0xc1, 0x78,
    0x14, 0xa5, 0xc7, 0x6e, 0xcd, 0x02, 0x96, 0x85, 0x05, 0x0d, 0x34, 0x47, 0x45, 0xba, 0x05, 0x87,
    0x0e, 0x58, 0x7d, 0x59, 0x10, 0x07, 0x22, 0x01, 7, 7, 7, 7, 7, 7, 7, 7, 7,
];

fn fixed_pair(byte: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([byte; 32]))
}

/// Always the same bytes, so that a finding can be repeated.
struct FixedRng;

impl TryRng for FixedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x0909_0909)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x0909_0909_0909_0909)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(9);
        Ok(())
    }
}

impl TryCryptoRng for FixedRng {}
