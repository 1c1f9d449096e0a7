//! One sender key: its id, its chain, and the key its messages are signed with.

use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PrivateKey, PublicKey};

use super::{message::SenderKeyMessage, message_key::GroupMessageKeys};
use crate::{
    MessageError, SenderKeyEncryptError, SenderKeyError,
    limits::{MAX_SENDER_KEY_SKIPPED, MAX_SENDER_KEY_STEPS},
    ratchet::{ChainKey, ForwardChain, MissingSeed},
};

#[derive(Debug, Clone)]
pub(super) struct SenderKeyState {
    pub(super) id: u32,
    pub(super) messages: ForwardChain,
    pub(super) signing: SigningKey,
}

/// The role of a key's holder: its owner signs, everybody else verifies.
#[derive(Debug, Clone)]
pub(super) enum SigningKey {
    Own(KeyPair),
    Told(PublicKey),
}

impl SenderKeyState {
    pub(super) fn own(id: u32, chain: ChainKey, signing: KeyPair) -> Self {
        Self { id, messages: ForwardChain::new(chain), signing: SigningKey::Own(signing) }
    }

    pub(super) fn told(id: u32, chain: ChainKey, signing_key: PublicKey) -> Self {
        Self { id, messages: ForwardChain::new(chain), signing: SigningKey::Told(signing_key) }
    }

    pub(super) const fn id(&self) -> u32 {
        self.id
    }

    pub(super) const fn chain(&self) -> &ChainKey {
        self.messages.chain()
    }

    pub(super) const fn is_own(&self) -> bool {
        matches!(self.signing, SigningKey::Own(_))
    }

    pub(super) const fn signing_key(&self) -> &PublicKey {
        match &self.signing {
            SigningKey::Own(pair) => &pair.public,
            SigningKey::Told(key) => key,
        }
    }

    pub(super) const fn signing_private(&self) -> Option<&PrivateKey> {
        match &self.signing {
            SigningKey::Own(pair) => Some(&pair.private),
            SigningKey::Told(_) => None,
        }
    }

    /// Takes the same key told again, from another iteration on. What can be reached from the
    /// chain as it is stays as it is, so that no message key comes back.
    pub(super) fn hear_again(&mut self, chain: ChainKey) {
        if self.is_own() {
            return;
        }
        let here = self.messages.chain().index();
        if chain.index() <= here {
            self.messages.extend_back(chain, MAX_SENDER_KEY_STEPS, MAX_SENDER_KEY_SKIPPED);
        } else if chain.index() - here > MAX_SENDER_KEY_STEPS {
            self.messages.jump(chain);
        }
    }

    pub(super) fn encrypt(
        &self,
        plaintext: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), SenderKeyEncryptError> {
        let SigningKey::Own(signing) = &self.signing else {
            return Err(SenderKeyEncryptError::NoOwnKey);
        };
        let (seed, chain) = self.chain().step().ok_or(SenderKeyEncryptError::ChainExhausted)?;
        let ciphertext = GroupMessageKeys::from(&seed).encrypt(plaintext);
        let message = SenderKeyMessage::sign(self.id, seed.index(), ciphertext, signing, rng);
        Ok((Self::own(self.id, chain, signing.clone()), message))
    }

    /// The state after a message was received, and that message's plaintext.
    pub(super) fn decrypt(
        &self,
        message: &SenderKeyMessage<'_>,
    ) -> Result<(Self, Vec<u8>), SenderKeyError> {
        self.signing_key()
            .verify(message.signed, &message.signature)
            .map_err(|_| SenderKeyError::BadSignature)?;
        let found =
            self.messages.find(message.iteration, MAX_SENDER_KEY_STEPS).map_err(|missing| {
                match missing {
                    MissingSeed::Used => SenderKeyError::DuplicateMessage,
                    MissingSeed::Discarded => SenderKeyError::KeyDiscarded,
                    MissingSeed::TooFar => SenderKeyError::FutureMessage,
                }
            })?;
        let plaintext = GroupMessageKeys::from(found.seed())
            .decrypt(&message.ciphertext)
            .map_err(|_| SenderKeyError::InvalidMessage(MessageError::Ciphertext))?;
        let mut next = self.clone();
        next.messages.take(found, MAX_SENDER_KEY_SKIPPED);
        Ok((next, plaintext))
    }
}
