//! One session: the two parties' shared root, our sending chain and their chains. Knows nothing of
//! other sessions with the same device.

mod storage;

use rand_core::CryptoRng;
use wa_crypto::{CheckedPublicKey, KeyPair, PublicKey};

use crate::{
    BundleError, CiphertextMessage, DecryptError, EncryptError, LocalIdentity, MessageError,
    PreKeyBundle, PreKeyId, PreKeyMessageHeader, RegistrationId, SignedPreKeyId,
    limits::MAX_RECEIVER_CHAINS,
    message::{OutgoingPreKeyMessage, OutgoingSignalMessage, SignalMessage},
    ratchet::{FoundSeed, MissingSeed, ReceiverChain, RootKey, SenderChain},
    x3dh::{Initiator, Responder},
};

pub(crate) use storage::StoredSession;

#[derive(Debug, Clone)]
pub(crate) struct Session {
    remote_identity: PublicKey,
    remote_registration_id: RegistrationId,
    /// The initiator's base key, whoever of the two that is.
    base_key: PublicKey,
    root: RootKey,
    sender: SenderChain,
    /// The counter of the last message of the sending chain before this one.
    previous_counter: u32,
    /// The newest first.
    receivers: Vec<ReceiverChain>,
    unanswered: Option<UsedPreKeys>,
}

/// Which of the other's prekeys an initiator used; told with each message until the first answer.
#[derive(Debug, Clone, Copy)]
struct UsedPreKeys {
    prekey: Option<PreKeyId>,
    signed_prekey: SignedPreKeyId,
}

impl Session {
    /// Starts a session from a bundle. Draws the base key, then the first ratchet key.
    pub(crate) fn initiate(
        local: &LocalIdentity<'_>,
        bundle: &PreKeyBundle,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, BundleError> {
        let signed_prekey = &bundle.signed_prekey;
        signed_prekey.verify(&bundle.identity).map_err(|_| BundleError::BadSignature)?;
        let base = KeyPair::random(rng);
        let (root, chain, theirs) =
            Initiator { identity: local.identity, base: &base }.agree(bundle)?;
        // The other's signed prekey stands for its first ratchet key.
        let ratchet = KeyPair::random(rng);
        let receiver = ReceiverChain::new(*theirs.key(), chain);
        let (root, chain) = root.step(&ratchet.private, &theirs);
        Ok(Self {
            remote_identity: bundle.identity,
            remote_registration_id: bundle.registration_id,
            base_key: base.public,
            root,
            sender: SenderChain::new(ratchet, chain),
            previous_counter: 0,
            receivers: vec![receiver],
            unanswered: Some(UsedPreKeys {
                prekey: bundle.prekey.map(|prekey| prekey.id),
                signed_prekey: signed_prekey.id,
            }),
        })
    }

    /// The session a prekey message asks for, as it is before that message is decrypted.
    pub(crate) fn respond(
        header: &PreKeyMessageHeader,
        identity: &CheckedPublicKey,
        base_key: &CheckedPublicKey,
        keys: &Responder<'_>,
    ) -> Self {
        let (root, chain) = keys.agree(identity, base_key);
        Self {
            remote_identity: *identity.key(),
            remote_registration_id: header.registration_id,
            base_key: *base_key.key(),
            root,
            sender: SenderChain::new(keys.signed_prekey.clone(), chain),
            previous_counter: 0,
            receivers: Vec::new(),
            unanswered: None,
        }
    }

    pub(crate) const fn remote_identity(&self) -> &PublicKey {
        &self.remote_identity
    }

    pub(crate) const fn remote_registration_id(&self) -> RegistrationId {
        self.remote_registration_id
    }

    pub(crate) const fn base_key(&self) -> &PublicKey {
        &self.base_key
    }

    /// The session after one more message was sent, and that message.
    pub(crate) fn encrypt(
        &self,
        local: &LocalIdentity<'_>,
        plaintext: &[u8],
    ) -> Result<(Self, CiphertextMessage), EncryptError> {
        let (seed, sender) = self.sender.step().ok_or(EncryptError::ChainExhausted)?;
        let message = OutgoingSignalMessage {
            sender: &local.identity.public,
            receiver: &self.remote_identity,
            ratchet_key: &self.sender.ratchet().public,
            counter: seed.index(),
            previous_counter: self.previous_counter,
        }
        .seal(&seed.message_keys(), plaintext);
        let message = match &self.unanswered {
            None => CiphertextMessage::Signal(message),
            Some(used) => CiphertextMessage::PreKey(
                OutgoingPreKeyMessage {
                    prekey_id: used.prekey,
                    signed_prekey_id: used.signed_prekey,
                    base_key: &self.base_key,
                    identity: &local.identity.public,
                    registration_id: local.registration_id,
                }
                .wrap(message),
            ),
        };
        Ok((Self { sender, ..self.clone() }, message))
    }

    /// Whether a message with this ratchet key is one of this session's, by a chain that is there.
    pub(crate) fn has_chain(&self, ratchet_key: &PublicKey) -> bool {
        self.receivers.iter().any(|receiver| receiver.ratchet_key() == ratchet_key)
    }

    /// The session after a message was received, and that message's plaintext. Draws a ratchet
    /// key if the message brings one of the other's, and only after its code held.
    pub(crate) fn decrypt(
        &self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), DecryptError> {
        match self.receivers.iter().position(|r| *r.ratchet_key() == message.ratchet_key) {
            Some(at) => self.decrypt_in_chain(at, local, message),
            None => self.decrypt_after_ratchet(local, message, &message.ratchet_key.check()?, rng),
        }
    }

    /// The same for a message of the receiver chain at this place.
    fn decrypt_in_chain(
        &self,
        at: usize,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
    ) -> Result<(Self, Vec<u8>), DecryptError> {
        let receiver = self.receivers.get(at).ok_or(DecryptError::BadMac)?;
        let (found, plaintext) = open(receiver, &self.remote_identity, local, message)?;
        let mut next = Self { unanswered: None, ..self.clone() };
        if let Some(receiver) = next.receivers.get_mut(at) {
            receiver.take(found);
        }
        Ok((next, plaintext))
    }

    /// The same for a message that brings the other's new ratchet key: a receiver chain for it
    /// and, once the message holds, a new ratchet key and sending chain of ours.
    pub(crate) fn decrypt_after_ratchet(
        &self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        theirs: &CheckedPublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), DecryptError> {
        let (root, chain) = self.root.step(&self.sender.ratchet().private, theirs);
        let mut receiver = ReceiverChain::new(*theirs.key(), chain);
        let (found, plaintext) = open(&receiver, &self.remote_identity, local, message)?;
        receiver.take(found);

        let ours = KeyPair::random(rng);
        let (root, chain) = root.step(&ours.private, theirs);
        let kept = self.receivers.iter().take(MAX_RECEIVER_CHAINS - 1).cloned();
        let next = Self {
            remote_identity: self.remote_identity,
            remote_registration_id: self.remote_registration_id,
            base_key: self.base_key,
            root,
            sender: SenderChain::new(ours, chain),
            previous_counter: self.sender.chain().index().saturating_sub(1),
            receivers: [receiver].into_iter().chain(kept).collect(),
            unanswered: None,
        };
        Ok((next, plaintext))
    }

    /// How many skipped message keys the session keeps.
    pub(crate) fn skipped_keys(&self) -> usize {
        self.receivers.iter().map(|receiver| receiver.messages().skipped().len()).sum()
    }

    /// Drops the `count` oldest of the skipped message keys, or all there are.
    pub(crate) fn drop_oldest_skipped(&mut self, count: usize) {
        let mut left = count;
        for receiver in self.receivers.iter_mut().rev() {
            left -= receiver.drop_oldest(left);
        }
    }
}

/// Finds a message's key in its chain, verifies and decrypts.
fn open(
    receiver: &ReceiverChain,
    sender: &PublicKey,
    local: &LocalIdentity<'_>,
    message: &SignalMessage<'_>,
) -> Result<(FoundSeed, Vec<u8>), DecryptError> {
    let found = receiver.find(message.counter).map_err(|missing| match missing {
        MissingSeed::Used => DecryptError::DuplicateMessage,
        MissingSeed::Discarded => DecryptError::KeyDiscarded,
        MissingSeed::TooFar => DecryptError::FutureMessage,
    })?;
    let keys = found.seed().message_keys();
    keys.verify(sender, &local.identity.public, message.authenticated, &message.mac)
        .map_err(|_| DecryptError::BadMac)?;
    let plaintext = keys
        .decrypt(&message.ciphertext)
        .map_err(|_| DecryptError::InvalidMessage(MessageError::Ciphertext))?;
    Ok((found, plaintext))
}

#[cfg(test)]
mod tests;
