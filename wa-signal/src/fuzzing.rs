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
