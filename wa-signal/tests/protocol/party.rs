//! What the tests of this crate share: a party with its keys, and randomness that is recorded.

use std::{collections::VecDeque, convert::Infallible, path::PathBuf};

use curve25519_dalek::{MontgomeryPoint, constants::EIGHT_TORSION};
use rand_chacha::ChaCha12Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use wa_crypto::{KeyPair, PublicKey};
use wa_signal::{
    CiphertextMessage, DecryptError, Decrypted, LocalIdentity, PreKey, PreKeyBundle, PreKeyId,
    PreKeyMessageHeader, RegistrationId, SessionRecord, SignedPreKey, SignedPreKeyId,
};

/// The folder of the vectors.
pub(crate) fn vectors_dir() -> PathBuf {
    std::env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from)
}

pub(crate) fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

/// The points of small order, as keys.
pub(crate) fn small_order_keys() -> [PublicKey; 8] {
    EIGHT_TORSION.map(|point| PublicKey::from_bytes(point.to_montgomery().to_bytes()))
}

/// A key with each of the seven points of small order added to it. X25519 gives one secret for all.
pub(crate) fn with_small_order_parts(key: PublicKey) -> impl Iterator<Item = PublicKey> {
    let point = MontgomeryPoint(*key.as_bytes()).to_edwards(0).unwrap();
    let [_, seven @ ..] = EIGHT_TORSION;
    seven
        .into_iter()
        .map(move |small| PublicKey::from_bytes((point + small).to_montgomery().to_bytes()))
}

/// Hands out recorded bytes in order, and panics when asked for more.
#[derive(Default)]
pub(crate) struct RecordedRng(VecDeque<u8>);

impl RecordedRng {
    pub(crate) fn new(parts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(parts.into_iter().flatten().collect())
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for RecordedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0.pop_front().expect("more randomness was drawn than was recorded");
        }
        Ok(())
    }
}

impl TryCryptoRng for RecordedRng {}

/// One device: its keys and its sessions with one other.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: RegistrationId,
    pub(crate) signed_prekey: SignedPreKey,
    pub(crate) prekeys: Vec<PreKey>,
    pub(crate) next_prekey: PreKeyId,
    pub(crate) session: SessionRecord,
}

impl Party {
    pub(crate) fn new(rng: &mut ChaCha12Rng) -> Self {
        let identity = KeyPair::random(rng);
        Self {
            registration_id: RegistrationId::random(rng),
            signed_prekey: SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, rng),
            identity,
            prekeys: Vec::new(),
            next_prekey: PreKeyId::FIRST,
            session: SessionRecord::new(),
        }
    }

    pub(crate) fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity::new(&self.identity, self.registration_id)
    }

    /// A bundle without a one-time prekey.
    pub(crate) fn bare_bundle(&self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: self.registration_id,
            identity: self.identity.public,
            signed_prekey: self.signed_prekey.public(),
            prekey: None,
        }
    }

    /// A bundle with a one-time prekey made for it.
    pub(crate) fn bundle(&mut self, rng: &mut ChaCha12Rng) -> PreKeyBundle {
        let prekey = PreKey::generate(self.next_prekey, rng);
        self.next_prekey = self.next_prekey.next();
        let bundle = PreKeyBundle { prekey: Some(prekey.public()), ..self.bare_bundle() };
        self.prekeys.push(prekey);
        bundle
    }

    pub(crate) fn start(&mut self, bundle: &PreKeyBundle, rng: &mut ChaCha12Rng) {
        self.session = self.session.process_bundle(&self.local(), bundle, rng).unwrap();
    }

    pub(crate) fn send(&mut self, plaintext: &[u8]) -> CiphertextMessage {
        let (session, message) = self.session.encrypt(&self.local(), plaintext).unwrap();
        self.session = session;
        message
    }

    /// Decrypts without a commit.
    pub(crate) fn open(
        &self,
        message: &CiphertextMessage,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Decrypted, DecryptError> {
        match message {
            CiphertextMessage::Signal(bytes) => {
                self.session.decrypt_signal(&self.local(), bytes, rng)
            }
            CiphertextMessage::PreKey(bytes) => {
                let header = PreKeyMessageHeader::parse(bytes)?;
                let prekey = self.prekeys.iter().find(|key| Some(key.id) == header.prekey_id);
                let signed = Some(&self.signed_prekey);
                self.session.decrypt_prekey(&self.local(), prekey, signed, bytes, rng)
            }
        }
    }

    /// Decrypts and commits; after a failure nothing may have changed.
    pub(crate) fn receive(
        &mut self,
        message: &CiphertextMessage,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Vec<u8>, DecryptError> {
        let before = self.session.to_bytes();
        let opened = self.open(message, rng);
        assert_eq!(*self.session.to_bytes(), *before, "decrypting changed the record in place");
        let opened = opened?;
        self.prekeys.retain(|key| Some(key.id) != opened.used_prekey);
        // Each commit goes through the stored form.
        self.session = SessionRecord::from_bytes(&opened.session.to_bytes()).unwrap();
        assert_eq!(*self.session.to_bytes(), *opened.session.to_bytes());
        Ok(opened.plaintext)
    }
}

/// Two parties of whom the first has started a session and the other has answered.
pub(crate) fn acquainted(rng: &mut ChaCha12Rng) -> (Party, Party) {
    let (mut alice, mut bob) = (Party::new(rng), Party::new(rng));
    let bundle = bob.bundle(rng);
    alice.start(&bundle, rng);
    let first = alice.send(b"first");
    assert_eq!(bob.receive(&first, rng).unwrap(), b"first");
    let answer = bob.send(b"answer");
    assert_eq!(alice.receive(&answer, rng).unwrap(), b"answer");
    (alice, bob)
}
