//! The session record: all sessions with one device, the current one and those it replaced. Knows
//! nothing of addresses and of where it is kept.

mod archived;
mod ended;
mod storage;

use std::{borrow::Cow, fmt, sync::Arc};

use rand_core::CryptoRng;
use wa_crypto::PublicKey;

use crate::{
    BundleError, CiphertextMessage, DecryptError, EncryptError, LocalIdentity, PreKey,
    PreKeyBundle, PreKeyId, PreKeyMessageHeader, RegistrationId, SignedPreKey,
    limits::{MAX_ARCHIVED_SESSIONS, MAX_RECORD_SKIPPED_KEYS, MAX_TRIAL_STEPS},
    message::{PreKeyMessage, SignalMessage},
    session::Session,
    x3dh::Responder,
};

use archived::ArchivedSession;
use ended::Ended;
pub(crate) use storage::{StoredForwardChain, bytes32, decode_versioned, encode_versioned};

/// The sessions with one device of another user.
///
/// A value: every operation leaves it as it is and returns the record that follows. Messages are
/// sent in the current session; a message received in an archived one makes that one current
/// again, so that two parties who started sessions at the same time end up in one of them.
///
/// All sessions are with one identity key. A session with another one ends those there were; what
/// ended is recognised, so that a first message that was kept and sent again begins nothing.
/// Hence a record is never replaced by an empty one while its device lives: see
/// [`Self::end_sessions`] and [`Self::replace_identity`].
#[derive(Clone, Default)]
pub struct SessionRecord {
    /// Whom the sessions are with, or were with.
    identity: Option<PublicKey>,
    current: Option<Session>,
    /// The last replaced first.
    archived: Vec<ArchivedSession>,
    ended: Arc<Ended>,
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

    /// How many message keys are kept for late messages, over all sessions.
    pub fn skipped_key_count(&self) -> usize {
        let archived: usize = self.archived.iter().map(ArchivedSession::skipped_keys).sum();
        self.current.as_ref().map_or(0, Session::skipped_keys) + archived
    }

    /// The record without a current session, which still decrypts what was sent in it.
    #[must_use]
    pub fn archive_current(&self) -> Self {
        let mut next = self.clone();
        next.archive();
        next
    }

    /// The record without any session: what was sent in them no longer decrypts, and none of them
    /// begins again. For a device that was removed, or that has another registration id.
    #[must_use]
    pub fn end_sessions(&self) -> Self {
        let mut next = self.clone();
        next.end_all();
        next
    }

    /// The record after the device's identity key was replaced by one that is not known yet:
    /// without any session, and no first message brings the old key back. For a notice that
    /// somebody registered anew; where the new key is known, [`Self::process_bundle`] and
    /// [`Self::decrypt_prekey`] do the same by themselves.
    #[must_use]
    pub fn replace_identity(&self) -> Self {
        let mut next = self.clone();
        next.end_identity();
        next
    }

    /// Starts a session from a bundle and makes it current. Draws the base key, then the first
    /// ratchet key: 32 bytes each.
    ///
    /// Whether to trust the bundle's identity is for the caller to decide, before this. One that
    /// is another than the record's replaces it; one that was replaced before is the device's
    /// again, for the bundle was asked for just now.
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
        Arc::make_mut(&mut next.ended).readmit(&bundle.identity);
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
        Ok((self.with_current(session), message))
    }

    /// Decrypts a `msg`. Its ratchet key says of which session it is; one with a ratchet key that
    /// no session knows is tried in the current session, then in the archived ones, the newest
    /// first. Draws 32 bytes for a ratchet key if the message brings a new one of the sender's.
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
        let tried = match &self.current {
            Some(current) => match current.decrypt(local, &message, rng) {
                Ok((session, plaintext)) => {
                    return Ok(self.decrypted(Place::Current, session, plaintext, None));
                }
                Err(error) if current.has_chain(&message.ratchet_key) => return Err(error),
                Err(error) => error,
            },
            None => DecryptError::NoSession,
        };
        self.decrypt_archived(local, &message, rng, tried)
    }

    /// Decrypts a `pkmsg`, whose [`PreKeyMessageHeader`] names the prekeys to load. If its session
    /// exists already, the prekeys are not looked at and may be gone. Draws 32 bytes for a ratchet
    /// key if the message brings a new one of the sender's.
    ///
    /// The session is recognised by the sender's identity with its base key, or with the ratchet
    /// key of the message within, which the code covers.
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
            *session.remote_identity() == header.identity
                && (*session.base_key() == header.base_key
                    || session.has_chain(&message.ratchet_key))
        });
        if let Some((place, session)) = existing {
            let (session, plaintext) = session.decrypt(local, &message, rng)?;
            return Ok(self.decrypted(place, session, plaintext, None));
        }
        if self.ended.has_session(&header.identity, &header.base_key) {
            return Err(DecryptError::EndedSession);
        }
        if self.ended.has_identity(&header.identity) {
            return Err(DecryptError::ReplacedIdentity);
        }
        let (identity, base_key) = (header.identity.check()?, header.base_key.check()?);
        let keys = responder(local, prekey, signed_prekey, &header)?;
        let session = Session::respond(&header, &identity, &base_key, &keys);
        let (session, plaintext) = session.decrypt(local, &message, rng)?;
        Ok(self.decrypted(Place::New, session, plaintext, header.prekey_id))
    }

    /// Looks for an archived session with the message's ratchet key, and else tries them all, as
    /// far as [`MAX_TRIAL_STEPS`] reach.
    fn decrypt_archived(
        &self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        rng: &mut impl CryptoRng,
        mut worst: DecryptError,
    ) -> Result<Decrypted, DecryptError> {
        let archived: Vec<_> = self.archived_sessions().collect();
        if let Some((place, session)) =
            archived.iter().find(|(_, session)| session.has_chain(&message.ratchet_key))
        {
            let (session, plaintext) = session.decrypt(local, message, rng)?;
            return Ok(self.decrypted(*place, session, plaintext, None));
        }
        if archived.is_empty() {
            return Err(worst);
        }
        let theirs = message.ratchet_key.check()?;
        let mut steps = MAX_TRIAL_STEPS;
        for (place, session) in &archived {
            match steps.checked_sub(message.counter) {
                Some(left) => steps = left,
                None => break,
            }
            match session.decrypt_after_ratchet(local, message, &theirs, rng) {
                Ok((session, plaintext)) => {
                    return Ok(self.decrypted(*place, session, plaintext, None));
                }
                Err(error) if telling(&error) > telling(&worst) => worst = error,
                Err(_) => {}
            }
        }
        Err(if telling(&worst) == 0 { DecryptError::BadMac } else { worst })
    }

    /// All sessions, the current one first, each with its place.
    fn sessions(&self) -> impl Iterator<Item = (Place, Cow<'_, Session>)> {
        let current = self.current.iter().map(|session| (Place::Current, Cow::Borrowed(session)));
        let archived = self.archived_sessions();
        current.chain(archived.map(|(place, session)| (place, Cow::Owned(session))))
    }

    /// The archived sessions, each with its place; what cannot be read is passed over.
    fn archived_sessions(&self) -> impl Iterator<Item = (Place, Session)> {
        let archived = self.archived.iter().enumerate();
        archived.filter_map(|(at, archived)| Some((Place::Archived(at), archived.open().ok()?)))
    }

    /// The outcome of a message in the session that was at `place`.
    fn decrypted(
        &self,
        place: Place,
        session: Session,
        plaintext: Vec<u8>,
        used_prekey: Option<PreKeyId>,
    ) -> Decrypted {
        let identity = *session.remote_identity();
        let mut next = match place {
            Place::Current => self.with_current(session),
            Place::Archived(at) => {
                let mut next = self.clone();
                next.archived.remove(at);
                next.make_current(session);
                next
            }
            Place::New => {
                let mut next = self.clone();
                next.make_current(session);
                next
            }
        };
        next.bound_skipped_keys();
        Decrypted { plaintext, session: next, used_prekey, identity }
    }

    /// The record with the current session advanced.
    fn with_current(&self, session: Session) -> Self {
        Self {
            identity: self.identity,
            current: Some(session),
            archived: self.archived.clone(),
            ended: Arc::clone(&self.ended),
        }
    }

    fn make_current(&mut self, session: Session) {
        let identity = *session.remote_identity();
        if self.identity.is_some_and(|known| known != identity) {
            self.end_identity();
        }
        self.archive();
        self.identity = Some(identity);
        self.current = Some(session);
    }

    fn archive(&mut self) {
        let Some(session) = self.current.take() else { return };
        self.archived.insert(0, ArchivedSession::new(&session));
        while self.archived.len() > MAX_ARCHIVED_SESSIONS {
            if let Some(session) = self.archived.pop().and_then(|oldest| oldest.open().ok()) {
                self.end(&session);
            }
        }
    }

    fn end(&mut self, session: &Session) {
        Arc::make_mut(&mut self.ended).add_session(session.remote_identity(), session.base_key());
    }

    fn end_all(&mut self) {
        self.archive();
        for archived in std::mem::take(&mut self.archived).iter().rev() {
            if let Ok(session) = archived.open() {
                self.end(&session);
            }
        }
    }

    fn end_identity(&mut self) {
        self.end_all();
        if let Some(identity) = self.identity.take() {
            Arc::make_mut(&mut self.ended).add_identity(identity);
        }
    }

    /// Drops the oldest of the skipped keys beyond [`MAX_RECORD_SKIPPED_KEYS`]: those of the
    /// session replaced first, and in a session those of the oldest chain.
    fn bound_skipped_keys(&mut self) {
        let mut excess = self.skipped_key_count().saturating_sub(MAX_RECORD_SKIPPED_KEYS);
        for archived in self.archived.iter_mut().rev() {
            if excess == 0 {
                return;
            }
            let before = archived.skipped_keys();
            if before > 0
                && let Some(fewer) = archived.without_oldest_skipped(excess)
            {
                excess -= before.saturating_sub(fewer.skipped_keys()).min(excess);
                *archived = fewer;
            }
        }
        if let Some(current) = &mut self.current {
            current.drop_oldest_skipped(excess);
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
    /// Nowhere yet.
    New,
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
        DecryptError::InvalidKey(_) => 2,
        DecryptError::FutureMessage => 3,
        DecryptError::InvalidMessage(_) => 4,
        DecryptError::KeyDiscarded => 5,
        _ => 6,
    }
}

#[cfg(test)]
mod tests;
