//! One session: the two parties' shared root, our sending chain and their chains. Knows nothing of
//! other sessions with the same device.

mod storage;

use rand_core::CryptoRng;
use wa_crypto::{KeyPair, NotContributory, PublicKey};

use crate::{
    BundleError, CiphertextMessage, DecryptError, EncryptError, LocalIdentity, MessageError,
    PreKeyBundle, PreKeyId, PreKeyMessageHeader, RegistrationId, SignedPreKeyId,
    limits::MAX_RECEIVER_CHAINS,
    message::{OutgoingPreKeyMessage, OutgoingSignalMessage, SignalMessage},
    ratchet::{MissingSeed, ReceiverChain, RootKey, SenderChain},
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
        let (root, chain) = Initiator { identity: local.identity, base: &base }.agree(bundle)?;
        // The other's signed prekey stands for its first ratchet key.
        let ratchet = KeyPair::random(rng);
        let receiver = ReceiverChain::new(signed_prekey.key, chain);
        let (root, chain) = root.step(&ratchet.private, &signed_prekey.key)?;
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
        keys: &Responder<'_>,
    ) -> Result<Self, NotContributory> {
        let (root, chain) = keys.agree(&header.identity, &header.base_key)?;
        Ok(Self {
            remote_identity: header.identity,
            remote_registration_id: header.registration_id,
            base_key: header.base_key,
            root,
            sender: SenderChain::new(keys.signed_prekey.clone(), chain),
            previous_counter: 0,
            receivers: Vec::new(),
            unanswered: None,
        })
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

    /// The session after a message was received, and that message's plaintext. Draws a ratchet
    /// key if the message brings one of the other's, and only after its code held.
    pub(crate) fn decrypt(
        &self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), DecryptError> {
        let known = self.receivers.iter().position(|r| *r.ratchet_key() == message.ratchet_key);
        let mut next = self.clone();
        let plaintext = match known.and_then(|at| next.receivers.get_mut(at)) {
            Some(receiver) => open(receiver, &self.remote_identity, local, message)?,
            None => next.ratchet(local, message, rng)?,
        };
        next.unanswered = None;
        Ok((next, plaintext))
    }

    /// Takes the other's new ratchet key: a receiver chain for it and, once the message holds, a
    /// new ratchet key and sending chain of ours.
    fn ratchet(
        &mut self,
        local: &LocalIdentity<'_>,
        message: &SignalMessage<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, DecryptError> {
        let theirs = &message.ratchet_key;
        let (root, chain) = self.root.step(&self.sender.ratchet().private, theirs)?;
        let mut receiver = ReceiverChain::new(*theirs, chain);
        let plaintext = open(&mut receiver, &self.remote_identity, local, message)?;

        let ours = KeyPair::random(rng);
        let (root, chain) = root.step(&ours.private, theirs)?;
        self.root = root;
        self.previous_counter = self.sender.chain().index().saturating_sub(1);
        self.sender = SenderChain::new(ours, chain);
        self.receivers.insert(0, receiver);
        self.receivers.truncate(MAX_RECEIVER_CHAINS);
        Ok(plaintext)
    }
}

/// Takes a message's key out of its chain, verifies and decrypts.
fn open(
    receiver: &mut ReceiverChain,
    sender: &PublicKey,
    local: &LocalIdentity<'_>,
    message: &SignalMessage<'_>,
) -> Result<Vec<u8>, DecryptError> {
    let keys = receiver
        .take(message.counter)
        .map_err(|missing| match missing {
            MissingSeed::Used => DecryptError::DuplicateMessage,
            MissingSeed::Discarded => DecryptError::KeyDiscarded,
            MissingSeed::TooFar => DecryptError::FutureMessage,
        })?
        .message_keys();
    keys.verify(sender, &local.identity.public, message.authenticated, &message.mac)
        .map_err(|_| DecryptError::BadMac)?;
    keys.decrypt(&message.ciphertext)
        .map_err(|_| DecryptError::InvalidMessage(MessageError::Ciphertext))
}
