//! Sender keys: how one device writes to a group with one ciphertext for all. Knows nothing of
//! groups, and of the sessions through which distribution messages travel.

mod message;
mod message_key;
mod state;
mod storage;

use std::{fmt, sync::Arc};

use rand_core::CryptoRng;
use wa_crypto::KeyPair;
use zeroize::Zeroizing;

use crate::{
    SenderKeyEncryptError, SenderKeyError,
    limits::{MAX_SENDER_KEY_SKIPPED, MAX_SENDER_KEY_STATES},
    ratchet::ChainKey,
};
use message::{DistributionMessage, SenderKeyMessage};
use state::SenderKeyState;

/// The sender keys of one device in one group, its own or as told by another.
///
/// A value: every operation leaves it as it is and returns the record that follows.
#[derive(Clone, Default)]
pub struct SenderKeyRecord {
    /// The newest first. Shared: only the one that advances is copied.
    states: Vec<Arc<SenderKeyState>>,
}

impl SenderKeyRecord {
    /// A record without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a key of one's own, at iteration 0. Draws 4 bytes for its id (31 bits), 32 for the
    /// chain key and 32 for the signing key.
    pub fn create(rng: &mut impl CryptoRng) -> Self {
        let id = rng.next_u32() >> 1;
        let mut chain_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(chain_key.as_mut());
        Self::resume(id, 0, &chain_key, KeyPair::random(rng))
    }

    /// Goes on with a key of one's own that was made elsewhere and whose next message has the
    /// given iteration.
    pub fn resume(id: u32, iteration: u32, chain_key: &[u8; 32], signing: KeyPair) -> Self {
        let chain = ChainKey::new(*chain_key, iteration);
        Self { states: vec![Arc::new(SenderKeyState::own(id, chain, signing))] }
    }

    /// Whether there is any key.
    pub const fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The id of the newest key.
    pub fn key_id(&self) -> Option<u32> {
        self.states.first().map(|state| state.id())
    }

    /// The bytes of the SenderKeyDistributionMessage that lets others read from the next message
    /// on. As secret as the key: it travels through sessions only.
    ///
    /// # Errors
    /// [`SenderKeyEncryptError::NoOwnKey`] if the newest key is not one's own.
    pub fn distribution_message(&self) -> Result<Vec<u8>, SenderKeyEncryptError> {
        let state = self.own_state()?;
        Ok(DistributionMessage::of(state).encode())
    }

    /// The record after its sender told a key. The same key told again changes nothing, except
    /// that an earlier beginning makes earlier messages readable, and one that is out of reach
    /// moves the chain there.
    ///
    /// # Errors
    /// [`SenderKeyError`] if the message is malformed.
    pub fn process_distribution(&self, bytes: &[u8]) -> Result<Self, SenderKeyError> {
        let told = DistributionMessage::parse(bytes)?;
        let mut states = self.states.clone();
        let known = states
            .iter()
            .position(|state| state.id() == told.id)
            .map(|at| states.remove(at))
            .filter(|state| *state.signing_key() == told.signing_key);
        let state = match known {
            Some(mut state) => {
                Arc::make_mut(&mut state).hear_again(told.chain);
                state
            }
            None => Arc::new(SenderKeyState::told(told.id, told.chain, told.signing_key)),
        };
        states.insert(0, state);
        states.truncate(MAX_SENDER_KEY_STATES);
        let mut next = Self { states };
        next.bound_skipped_keys();
        Ok(next)
    }

    /// Encrypts a plaintext, already padded, with the newest key, and signs it. Draws 64 bytes.
    ///
    /// # Errors
    /// [`SenderKeyEncryptError`] if that key is not one's own or is used up.
    pub fn encrypt(
        &self,
        plaintext: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), SenderKeyEncryptError> {
        let (state, message) = self.own_state()?.encrypt(plaintext, rng)?;
        let mut next = self.clone();
        if let Some(newest) = next.states.first_mut() {
            *newest = Arc::new(state);
        }
        Ok((next, message))
    }

    /// Checks the signature of a `skmsg` and decrypts it; gives the record that follows and the
    /// plaintext, still padded.
    ///
    /// # Errors
    /// [`SenderKeyError`]
    pub fn decrypt(&self, bytes: &[u8]) -> Result<(Self, Vec<u8>), SenderKeyError> {
        let message = SenderKeyMessage::parse(bytes)?;
        let mut next = self.clone();
        let state = next
            .states
            .iter_mut()
            .find(|state| state.id() == message.id)
            .ok_or(SenderKeyError::NoSenderKey(message.id))?;
        let (advanced, plaintext) = state.decrypt(&message)?;
        *state = Arc::new(advanced);
        next.bound_skipped_keys();
        Ok((next, plaintext))
    }

    /// How many message keys are kept for late messages, over all keys of the sender.
    pub fn skipped_key_count(&self) -> usize {
        self.states.iter().map(|state| state.messages.skipped().len()).sum()
    }

    /// Drops skipped keys beyond [`MAX_SENDER_KEY_SKIPPED`], those of the oldest key first.
    fn bound_skipped_keys(&mut self) {
        let mut excess = self.skipped_key_count().saturating_sub(MAX_SENDER_KEY_SKIPPED);
        for state in self.states.iter_mut().rev() {
            if excess == 0 {
                return;
            }
            excess -= Arc::make_mut(state).messages.drop_lowest(excess);
        }
    }

    fn own_state(&self) -> Result<&SenderKeyState, SenderKeyEncryptError> {
        let newest = self.states.first().filter(|state| state.is_own());
        newest.map(Arc::as_ref).ok_or(SenderKeyEncryptError::NoOwnKey)
    }
}

/// Shows the ids of the keys, and nothing of them.
impl fmt::Debug for SenderKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.states.iter().map(|state| state.id());
        f.write_str("SenderKeyRecord")?;
        f.debug_list().entries(ids).finish()
    }
}
