//! What a record leaves alone: archived sessions stay the bytes they are.

use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use wa_crypto::KeyPair;

use super::{storage::StoredRecord, *};
use crate::{DecryptError, SignedPreKey, SignedPreKeyId, session::StoredSession};

/// One who writes, and one who reads.
struct Pair {
    rng: ChaCha12Rng,
    writer: KeyPair,
    reader: KeyPair,
    signed_prekey: SignedPreKey,
    sending: SessionRecord,
    receiving: SessionRecord,
}

impl Pair {
    fn new() -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(5);
        let (writer, reader) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &reader, &mut rng);
        let (sending, receiving) = (SessionRecord::new(), SessionRecord::new());
        Self { rng, writer, reader, signed_prekey, sending, receiving }
    }

    /// Starts a session and reads its first message, of which `skipped` came before.
    fn begin(&mut self, skipped: usize) -> Vec<u8> {
        let bundle = PreKeyBundle {
            registration_id: RegistrationId::new(2),
            identity: self.reader.public,
            signed_prekey: self.signed_prekey.public(),
            prekey: None,
        };
        let local = LocalIdentity::new(&self.writer, RegistrationId::new(1));
        self.sending = self.sending.process_bundle(&local, &bundle, &mut self.rng).unwrap();
        for _ in 0..skipped {
            self.send();
        }
        let message = self.send();
        self.receiving = self.open(&message).unwrap().session;
        message
    }

    fn send(&mut self) -> Vec<u8> {
        let local = LocalIdentity::new(&self.writer, RegistrationId::new(1));
        let (sending, message) = self.sending.encrypt(&local, b"text").unwrap();
        self.sending = sending;
        message.into_bytes()
    }

    fn open(&mut self, message: &[u8]) -> Result<Decrypted, DecryptError> {
        let local = LocalIdentity::new(&self.reader, RegistrationId::new(2));
        let signed = Some(&self.signed_prekey);
        self.receiving.decrypt_prekey(&local, None, signed, message, &mut self.rng)
    }
}

#[test]
fn an_archived_session_is_neither_read_nor_copied_while_another_advances() {
    let mut pair = Pair::new();
    pair.begin(0);
    pair.begin(0);
    let unreadable = ArchivedSession::from_parts(vec![0xff; 10], 0);
    pair.receiving.archived.push(unreadable);
    let stored = pair.receiving.to_bytes();
    let before = SessionRecord::from_bytes(&stored).unwrap();
    assert_eq!(before.to_bytes(), stored);
    pair.receiving = before.clone();
    let next = pair.send();
    let after = pair.open(&next).unwrap().session;
    assert_eq!(after.archived.len(), 2);
    for (before, after) in before.archived.iter().zip(&after.archived) {
        assert_eq!(before.bytes().as_ptr(), after.bytes().as_ptr());
    }
    assert_eq!(after.archived[1].bytes(), [0xff; 10]);
}

#[test]
fn an_archived_session_that_cannot_be_read_hides_no_other() {
    let mut pair = Pair::new();
    let first = pair.begin(0);
    pair.begin(0);
    pair.receiving.archived.insert(0, ArchivedSession::from_parts(vec![0xff; 10], 0));
    assert_eq!(pair.open(&first).unwrap_err(), DecryptError::DuplicateMessage);
}

/// Before there was a bound, a record could hold 400,000 skipped keys.
#[test]
fn a_stored_record_with_more_skipped_keys_than_are_kept_is_read_and_loses_the_oldest() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.begin(900);
    }
    assert_eq!(pair.receiving.skipped_key_count(), 2_000);
    assert_eq!(
        pair.receiving.archived.iter().map(ArchivedSession::skipped_keys).sum::<usize>(),
        1_100
    );
    let full = pair.receiving.archived[0].open().unwrap();
    let stored = StoredRecord::of_format_1(None, vec![StoredSession::from(&full); 3]);
    let bytes = [vec![1], stored.encode_to_vec()].concat();
    let read = SessionRecord::from_bytes(&bytes).unwrap();
    assert_eq!(read.skipped_key_count(), 2_000);
    let kept: Vec<_> = read.archived.iter().map(ArchivedSession::skipped_keys).collect();
    assert_eq!(kept, [900, 900, 200]);
    assert_eq!(read.identity, Some(pair.writer.public));
}

/// Format 1 put no bounds on whom the archived sessions of a record are with.
#[test]
fn archived_sessions_of_format_1_with_another_identity_end() {
    let mut pair = Pair::new();
    let first = pair.begin(0);
    let old = pair.receiving.current.clone().unwrap();
    pair.writer = KeyPair::random(&mut pair.rng);
    pair.begin(0);
    let current = pair.receiving.current.as_ref().map(StoredSession::from);
    let stored = StoredRecord::of_format_1(current, vec![StoredSession::from(&old)]);
    let bytes = [vec![1], stored.encode_to_vec()].concat();
    pair.receiving = SessionRecord::from_bytes(&bytes).unwrap();
    assert_eq!(pair.receiving.archived_count(), 0);
    assert_eq!(pair.open(&first).unwrap_err(), DecryptError::EndedSession);
}
