//! Which of a record's sessions a message is of, and what follows from it. Knows nothing of how a
//! session decrypts.

use std::{borrow::Cow, fmt};

use rand_core::CryptoRng;
use wa_crypto::PublicKey;

use super::SessionRecord;
use crate::{
    DecryptError, LocalIdentity, PreKey, PreKeyId, PreKeyMessageHeader, SignedPreKey,
    limits::MAX_TRIAL_STEPS,
    message::{PreKeyMessage, SignalMessage},
    session::Session,
    x3dh::Responder,
};

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
        let Some(current) = &self.current else {
            return self.decrypt_archived(local, &message, rng, false, DecryptError::NoSession);
        };
        match current.decrypt(local, &message, rng) {
            Ok((session, plaintext)) => {
                Ok(self.decrypted(Place::Current, session, plaintext, None))
            }
            Err(error) => {
                let is_known = current.has_chain(&message.ratchet_key);
                self.decrypt_archived(local, &message, rng, is_known, error)
            }
        }
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

    /// Decrypts in the archived sessions that have the message's ratchet key. If no session has
    /// it, tries them all, as far as [`MAX_TRIAL_STEPS`] reach.
    fn decrypt_archived(
        &self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        rng: &mut impl CryptoRng,
        mut is_known: bool,
        mut worst: DecryptError,
    ) -> Result<Decrypted, DecryptError> {
        if self.archived.is_empty() {
            return Err(worst);
        }
        let archived: Vec<_> = self.archived_sessions().collect();
        for (place, session) in &archived {
            if !session.has_chain(&message.ratchet_key) {
                continue;
            }
            is_known = true;
            match session.decrypt(local, message, rng) {
                Ok((session, plaintext)) => {
                    return Ok(self.decrypted(*place, session, plaintext, None));
                }
                Err(error) => worst = more_telling(worst, error),
            }
        }
        if is_known {
            return Err(worst);
        }
        let theirs = message.ratchet_key.check()?;
        let mut steps = MAX_TRIAL_STEPS;
        for (place, session) in &archived {
            let Some(left) = steps.checked_sub(message.counter) else { break };
            steps = left;
            match session.decrypt_after_ratchet(local, message, &theirs, rng) {
                Ok((session, plaintext)) => {
                    return Ok(self.decrypted(*place, session, plaintext, None));
                }
                Err(error) => worst = more_telling(worst, error),
            }
        }
        Err(more_telling(worst, DecryptError::BadMac))
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

/// Of two sessions' errors the one that says more about the message; the first if both say alike.
const fn more_telling(one: DecryptError, other: DecryptError) -> DecryptError {
    if telling(&other) > telling(&one) { other } else { one }
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
mod tests {
    use wa_crypto::InvalidPublicKey;

    use super::*;
    use crate::MessageError;

    #[test]
    fn of_two_errors_the_one_that_is_about_the_message_is_told() {
        let from_session_to_message = [
            DecryptError::NoSession,
            DecryptError::BadMac,
            DecryptError::InvalidKey(InvalidPublicKey::NotOnCurve),
            DecryptError::FutureMessage,
            DecryptError::InvalidMessage(MessageError::TooShort),
            DecryptError::KeyDiscarded,
            DecryptError::DuplicateMessage,
        ];
        for (at, less) in from_session_to_message.into_iter().enumerate() {
            for more in from_session_to_message.into_iter().skip(at + 1) {
                assert_eq!(more_telling(less, more), more);
                assert_eq!(more_telling(more, less), more);
            }
        }
        let alike = [MessageError::TooShort, MessageError::Protobuf].map(DecryptError::from);
        assert_eq!(more_telling(alike[0], alike[1]), alike[0], "the first of two that say alike");
    }
}
