//! What a record recognises of the sessions and identities that are gone, so that none comes back
//! through a message that was kept and sent again. Holds digests and public keys, no secret.

use std::collections::VecDeque;

use wa_crypto::{PublicKey, sha256};

use crate::limits::{MAX_ENDED_SESSIONS, MAX_REPLACED_IDENTITIES};

/// A session's digest: of the identity and the base key that its first message names.
pub(super) type SessionDigest = [u8; 16];

/// The sessions that are no longer kept, and the identity keys that were replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// The last ended first.
    sessions: VecDeque<SessionDigest>,
    /// The last replaced first.
    identities: VecDeque<PublicKey>,
}

impl Ended {
    /// Puts stored parts together; `None` if there are more than are kept.
    pub(super) fn from_parts(
        sessions: VecDeque<SessionDigest>,
        identities: VecDeque<PublicKey>,
    ) -> Option<Self> {
        let fits =
            sessions.len() <= MAX_ENDED_SESSIONS && identities.len() <= MAX_REPLACED_IDENTITIES;
        fits.then_some(Self { sessions, identities })
    }

    pub(super) fn sessions(&self) -> impl ExactSizeIterator<Item = &SessionDigest> {
        self.sessions.iter()
    }

    pub(super) fn identities(&self) -> impl ExactSizeIterator<Item = &PublicKey> {
        self.identities.iter()
    }

    pub(super) fn has_session(&self, identity: &PublicKey, base_key: &PublicKey) -> bool {
        self.sessions.contains(&digest(identity, base_key))
    }

    pub(super) fn has_identity(&self, identity: &PublicKey) -> bool {
        self.identities.contains(identity)
    }

    pub(super) fn add_session(&mut self, identity: &PublicKey, base_key: &PublicKey) {
        self.sessions.push_front(digest(identity, base_key));
        self.sessions.truncate(MAX_ENDED_SESSIONS);
    }

    pub(super) fn add_identity(&mut self, identity: PublicKey) {
        self.readmit(&identity);
        self.identities.push_front(identity);
        self.identities.truncate(MAX_REPLACED_IDENTITIES);
    }

    /// The identity is the device's again.
    pub(super) fn readmit(&mut self, identity: &PublicKey) {
        self.identities.retain(|replaced| replaced != identity);
    }
}

fn digest(identity: &PublicKey, base_key: &PublicKey) -> SessionDigest {
    let mut digest = [0; 16];
    let hash = sha256(&[identity.as_bytes(), base_key.as_bytes()]);
    digest.copy_from_slice(hash.split_at(16).0);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u16) -> PublicKey {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        PublicKey::from_bytes(bytes)
    }

    #[test]
    fn the_last_thousand_sessions_are_recognised_by_identity_and_base_key() {
        let mut ended = Ended::default();
        for number in 0..1_001 {
            ended.add_session(&key(7), &key(number));
        }
        assert_eq!(ended.sessions().len(), 1_000);
        assert!(!ended.has_session(&key(7), &key(0)));
        assert!(ended.has_session(&key(7), &key(1)) && ended.has_session(&key(7), &key(1_000)));
        assert!(!ended.has_session(&key(8), &key(1)));
    }

    #[test]
    fn a_stored_record_recognises_no_more_than_a_living_one() {
        let parts = |sessions, identities| {
            let sessions = std::iter::repeat_n([0; 16], sessions).collect();
            Ended::from_parts(sessions, std::iter::repeat_n(key(1), identities).collect())
        };
        assert!(parts(1_000, 100).is_some());
        assert!(parts(1_001, 0).is_none() && parts(0, 101).is_none());
    }

    #[test]
    fn the_last_hundred_identities_are_recognised_each_once_until_readmitted() {
        let mut ended = Ended::default();
        for number in (0..101).chain([100, 50]) {
            ended.add_identity(key(number));
        }
        assert_eq!(ended.identities().len(), 100);
        assert!(!ended.has_identity(&key(0)) && ended.has_identity(&key(1)));
        ended.readmit(&key(50));
        assert!(!ended.has_identity(&key(50)) && ended.has_identity(&key(51)));
    }
}
