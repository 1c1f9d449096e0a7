//! The running hash, chaining key and cipher key of a Noise handshake: the specification's
//! `SymmetricState`. Knows the cryptography and not the messages.
//!
//! Written here rather than taken from a Noise library: those hash message 1's empty payload,
//! which WhatsApp does not, and offer no fallback pattern. The primitives are the workspace's own
//! `wa-crypto`, so that one implementation of each serves the whole client; `snow` is the oracle
//! of the tests.

use std::fmt;

use wa_crypto::{
    DecryptError, PublicKey, SharedSecret, aes_gcm_open, aes_gcm_seal, hkdf_sha256, sha256,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Prologue, transport::nonce};

/// The three patterns between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Neither side knows the other.
    Xx,
    /// The client knows the server's static key.
    Ik,
    /// The client was mistaken about the server's static key.
    XxFallback,
}

impl Pattern {
    const fn protocol_name(self) -> &'static str {
        match self {
            Self::Xx => "Noise_XX_25519_AESGCM_SHA256",
            Self::Ik => "Noise_IK_25519_AESGCM_SHA256",
            Self::XxFallback => "Noise_XXfallback_25519_AESGCM_SHA256",
        }
    }
}

#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SymmetricState {
    hash: [u8; 32],
    chaining_key: [u8; 32],
    /// None until the first agreement.
    cipher_key: Option<[u8; 32]>,
    counter: u32,
    /// Chaining key and hash after each step, for the vectors.
    #[cfg(test)]
    #[zeroize(skip)]
    pub(crate) trace: Vec<([u8; 32], [u8; 32])>,
}

impl SymmetricState {
    /// Begins a transcript with the prologue.
    pub(crate) fn new(pattern: Pattern, prologue: Prologue) -> Self {
        let name = pattern.protocol_name().as_bytes();
        let mut hash = [0; 32];
        match hash.get_mut(..name.len()) {
            Some(beginning) => beginning.copy_from_slice(name),
            None => hash = sha256(&[name]),
        }
        let mut state = Self {
            hash,
            chaining_key: hash,
            cipher_key: None,
            counter: 0,
            #[cfg(test)]
            trace: Vec::new(),
        };
        state.mix_hash(prologue.as_bytes());
        state
    }

    pub(crate) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
        self.record();
    }

    pub(crate) fn mix_public_key(&mut self, key: &PublicKey) {
        self.mix_hash(key.as_bytes());
    }

    /// Mixes an agreement into the chaining key; a new cipher key begins at counter 0.
    pub(crate) fn mix_key(&mut self, shared: &SharedSecret) {
        let (chaining_key, cipher_key) = derive(&self.chaining_key, shared.as_bytes());
        self.chaining_key = *chaining_key;
        self.cipher_key = Some(*cipher_key);
        self.counter = 0;
        self.record();
    }

    /// Encrypts with the hash as additional data and mixes the ciphertext into it. Before the
    /// first agreement there is no key, and the data go as they are.
    pub(crate) fn encrypt_and_hash(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let ciphertext = match &self.cipher_key {
            Some(key) => aes_gcm_seal(key, &nonce(self.counter), &self.hash, plaintext),
            None => plaintext.to_vec(),
        };
        self.counter += 1;
        self.mix_hash(&ciphertext);
        ciphertext
    }

    /// Undoes [`Self::encrypt_and_hash`]; the state is unchanged if that fails.
    pub(crate) fn decrypt_and_hash(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, DecryptError> {
        let plaintext = match &self.cipher_key {
            Some(key) => aes_gcm_open(key, &nonce(self.counter), &self.hash, ciphertext)?,
            None => ciphertext.to_vec(),
        };
        self.counter += 1;
        self.mix_hash(ciphertext);
        Ok(plaintext)
    }

    /// The transport keys: the initiator's, then the responder's.
    pub(crate) fn split(&self) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
        derive(&self.chaining_key, &[])
    }

    #[cfg(not(test))]
    fn record(&mut self) {}

    #[cfg(test)]
    fn record(&mut self) {
        self.trace.push((self.chaining_key, self.hash));
    }
}

impl fmt::Debug for SymmetricState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SymmetricState(…)")
    }
}

/// The specification's HKDF with two outputs.
fn derive(chaining_key: &[u8; 32], input: &[u8]) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
    let output = Zeroizing::new(hkdf_sha256::<64>(chaining_key, input, &[]));
    let (mut first, mut second) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    let (left, right) = output.split_at(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    (first, second)
}
