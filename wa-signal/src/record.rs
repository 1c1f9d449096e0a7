//! The session record: all sessions with one device, the current one and those it replaced. Knows
//! nothing of addresses and of where it is kept.

mod storage;

use std::fmt;

use rand_core::CryptoRng;
use wa_crypto::PublicKey;

use crate::{
    BundleError, CiphertextMessage, DecryptError, EncryptError, LocalIdentity, PreKey,
    PreKeyBundle, PreKeyId, PreKeyMessageHeader, RegistrationId, SignedPreKey,
    limits::MAX_ARCHIVED_SESSIONS,
    message::{PreKeyMessage, SignalMessage},
    session::Session,
    x3dh::Responder,
};

pub(crate) use storage::{StoredForwardChain, bytes32, decode_versioned, encode_versioned};

/// The sessions with one device of another user.
///
/// A value: every operation leaves it as it is and returns the record that follows. Messages are
/// sent in the current session; a message received in an archived one makes that one current
/// again, so that two parties who started sessions at the same time end up in one of them.
#[derive(Clone, Default)]
pub struct SessionRecord {
    current: Option<Session>,
    /// The last replaced first.
    archived: Vec<Session>,
}

/// What came out of a message, and the record to be stored with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Decrypted {
    /// The plaintext, still padded.
    pub plaintext: Vec<u8>,
    /// The record after this message.
    pub session: SessionRecord,
    /// The one-time prekey that is used up and has to be deleted with the commit.
    pub used_prekey: Option<PreKeyId>,
    /// The identity key the sender has proven. Compare it with the one on file before the commit.
    pub identity: PublicKey,
}

impl SessionRecord {
    /// A record without a session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is a current session, so that [`Self::encrypt`] can work.
    pub const fn has_session(&self) -> bool {
        self.current.is_some()
    }

    /// The other device's registration id, as it told when the current session began.
    pub fn remote_registration_id(&self) -> Option<RegistrationId> {
        self.current.as_ref().map(Session::remote_registration_id)
    }

    /// The other device's identity key in the current session.
    pub fn remote_identity(&self) -> Option<PublicKey> {
        self.current.as_ref().map(|session| *session.remote_identity())
    }

    /// The base key of the current session, which its initiator made. Two retries in a row with
    /// the same one mean that the sessions of the two sides do not meet.
    pub fn base_key(&self) -> Option<PublicKey> {
        self.current.as_ref().map(|session| *session.base_key())
    }

    /// How many replaced sessions are kept.
    pub const fn archived_count(&self) -> usize {
        self.archived.len()
    }

    /// The record without a current session, which still decrypts what was sent in it.
    #[must_use]
    pub fn archive_current(&self) -> Self {
        let mut next = self.clone();
        next.archive();
        next
    }

    /// Starts a session from a bundle and makes it current. Draws the base key, then the first
    /// ratchet key: 32 bytes each.
    ///
    /// Whether to trust the bundle's identity is for the caller to decide, before this.
    ///
    /// # Errors
    /// [`BundleError`] if the signed prekey is not the identity's, or a key is none.
    pub fn process_bundle(
        &self,
        local: &LocalIdentity<'_>,
        bundle: &PreKeyBundle,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, BundleError> {
        let session = Session::initiate(local, bundle, rng)?;
        let mut next = self.clone();
        next.make_current(session);
        Ok(next)
    }

    /// Encrypts a plaintext, already padded, in the current session. Draws nothing.
    ///
    /// # Errors
    /// [`EncryptError`] if there is no session or its chain is used up.
    pub fn encrypt(
        &self,
        local: &LocalIdentity<'_>,
        plaintext: &[u8],
    ) -> Result<(Self, CiphertextMessage), EncryptError> {
        let current = self.current.as_ref().ok_or(EncryptError::NoSession)?;
        let (session, message) = current.encrypt(local, plaintext)?;
        let next = Self { current: Some(session), archived: self.archived.clone() };
        Ok((next, message))
    }

    /// Decrypts a `msg`, in the current session or else in the archived ones, the newest first.
    /// Draws 32 bytes for a ratchet key if the message brings a new one of the sender's.
    ///
    /// # Errors
    /// [`DecryptError`]; of several sessions' errors the one that says most about the message,
    /// so that a message handled before is a duplicate and not a wrong code.
    pub fn decrypt_signal(
        &self,
        local: &LocalIdentity<'_>,
        bytes: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Decrypted, DecryptError> {
        let message = SignalMessage::parse(bytes)?;
        let mut worst = DecryptError::NoSession;
        for (place, session) in self.sessions() {
            match session.decrypt(local, &message, rng) {
                Ok((session, plaintext)) => {
                    return Ok(self.decrypted(Some(place), session, plaintext, None));
                }
                Err(error) if telling(&error) > telling(&worst) => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    /// Decrypts a `pkmsg`, whose [`PreKeyMessageHeader`] names the prekeys to load. If its session
    /// exists already, the prekeys are not looked at and may be gone. Draws 32 bytes for a ratchet
    /// key if the message brings a new one of the sender's.
    ///
    /// # Errors
    /// [`DecryptError`]
    pub fn decrypt_prekey(
        &self,
        local: &LocalIdentity<'_>,
        prekey: Option<&PreKey>,
        signed_prekey: Option<&SignedPreKey>,
        bytes: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Decrypted, DecryptError> {
        let PreKeyMessage { header, message } = PreKeyMessage::parse(bytes)?;
        let message = SignalMessage::parse(&message)?;
        let existing = self.sessions().find(|(_, session)| {
            *session.base_key() == header.base_key && *session.remote_identity() == header.identity
        });
        if let Some((place, session)) = existing {
            let (session, plaintext) = session.decrypt(local, &message, rng)?;
            return Ok(self.decrypted(Some(place), session, plaintext, None));
        }
        let keys = responder(local, prekey, signed_prekey, &header)?;
        let session = Session::respond(&header, &keys)?;
        let (session, plaintext) = session.decrypt(local, &message, rng)?;
        Ok(self.decrypted(None, session, plaintext, header.prekey_id))
    }

    /// All sessions, the current one first, each with its place.
    fn sessions(&self) -> impl Iterator<Item = (Place, &Session)> {
        let archived = self.archived.iter().enumerate();
        let current = self.current.iter().map(|session| (Place::Current, session));
        current.chain(archived.map(|(at, session)| (Place::Archived(at), session)))
    }

    /// The outcome of a message in the session that was at `place`, or in a new one.
    fn decrypted(
        &self,
        place: Option<Place>,
        session: Session,
        plaintext: Vec<u8>,
        used_prekey: Option<PreKeyId>,
    ) -> Decrypted {
        let identity = *session.remote_identity();
        let mut next = self.clone();
        match place {
            Some(Place::Current) => next.current = Some(session),
            Some(Place::Archived(at)) => {
                next.archived.remove(at);
                next.make_current(session);
            }
            None => next.make_current(session),
        }
        Decrypted { plaintext, session: next, used_prekey, identity }
    }

    fn make_current(&mut self, session: Session) {
        self.archive();
        self.current = Some(session);
    }

    fn archive(&mut self) {
        if let Some(session) = self.current.take() {
            self.archived.insert(0, session);
            self.archived.truncate(MAX_ARCHIVED_SESSIONS);
        }
    }
}

/// Shows how many sessions there are, and nothing of them.
impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("current", &self.current.is_some())
            .field("archived", &self.archived.len())
            .finish()
    }
}

/// Shows everything but the plaintext.
impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted")
            .field("plaintext", &format_args!("{} bytes", self.plaintext.len()))
            .field("session", &self.session)
            .field("used_prekey", &self.used_prekey)
            .field("identity", &self.identity)
            .finish()
    }
}

/// Where in the record a session is.
#[derive(Clone, Copy)]
enum Place {
    Current,
    Archived(usize),
}

/// The prekeys a header names, out of those the caller loaded.
fn responder<'a>(
    local: &LocalIdentity<'a>,
    prekey: Option<&'a PreKey>,
    signed_prekey: Option<&'a SignedPreKey>,
    header: &PreKeyMessageHeader,
) -> Result<Responder<'a>, DecryptError> {
    let signed_prekey = signed_prekey
        .filter(|key| key.id == header.signed_prekey_id)
        .ok_or(DecryptError::MissingSignedPreKey(header.signed_prekey_id))?;
    let prekey = match header.prekey_id {
        None => None,
        Some(id) => Some(prekey.filter(|key| key.id == id).ok_or(DecryptError::MissingPreKey(id))?),
    };
    Ok(Responder {
        identity: local.identity,
        signed_prekey: &signed_prekey.pair,
        prekey: prekey.map(|key| &key.pair),
    })
}

/// How much a session's error says about the message, rather than about the session.
const fn telling(error: &DecryptError) -> u8 {
    match error {
        DecryptError::NoSession => 0,
        DecryptError::BadMac => 1,
        DecryptError::NotContributory => 2,
        DecryptError::FutureMessage => 3,
        DecryptError::InvalidMessage(_) => 4,
        DecryptError::KeyDiscarded => 5,
        _ => 6,
    }
}
