//! The session record: all sessions with one device, the current one and those it replaced. Knows
//! nothing of addresses and of where it is kept.

mod archived;
mod decrypt;
mod ended;
mod storage;

use std::{fmt, sync::Arc};

use rand_core::CryptoRng;
use wa_crypto::PublicKey;

use crate::{
    BundleError, CiphertextMessage, EncryptError, LocalIdentity, PreKeyBundle, RegistrationId,
    limits::{MAX_ARCHIVED_SESSIONS, MAX_RECORD_SKIPPED_KEYS},
    session::Session,
};

use archived::ArchivedSession;
pub use decrypt::Decrypted;
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

#[cfg(test)]
mod tests;
