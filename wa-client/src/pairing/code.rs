//! Linking by a code that is typed into the phone: the cryptography of it.
//!
//! Pure functions. Knows nothing of the stanzas that carry the values, nor of who asks for the
//! code. The code is a password for wrapping each side's ephemeral key; the server, which relays
//! both, would have to guess it.

use rand_core::CryptoRng;
use wa_crypto::{
    InvalidPublicKey, KeyPair, PublicKey, SharedSecret, aes_ctr_apply, aes_gcm_seal, hkdf_sha256,
    pbkdf2_sha256,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Eight characters that a person reads here and types there.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PairingCode(String);

impl PairingCode {
    /// Makes a code from fresh randomness: 40 bits.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 5];
        rng.fill_bytes(&mut bytes);
        Self::from_bytes(bytes)
    }

    /// Writes 40 bits as eight characters of [`ALPHABET`], five bits each, high ones first.
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let text = (0..8)
            .rev()
            .filter_map(|place| {
                let index = usize::try_from(bits >> (5 * place) & 31).ok()?;
                ALPHABET.get(index).copied().map(char::from)
            })
            .collect();
        Self(text)
    }

    /// A code of the user's own choice: eight letters and digits, a dash between them or not.
    ///
    /// # Errors
    /// [`InvalidPairingCode`] if it is anything else.
    pub fn from_text(text: &str) -> Result<Self, InvalidPairingCode> {
        let code: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let is_valid = code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_valid { Ok(Self(code)) } else { Err(InvalidPairingCode) }
    }

    /// As people are shown it: two groups of four.
    pub fn grouped(&self) -> String {
        let (head, tail) = self.0.split_at(self.0.len() / 2);
        format!("{head}-{tail}")
    }

    /// The eight characters, for the person; shown in two groups of four by convention.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self, salt: &[u8; 32]) -> [u8; 32] {
        pbkdf2_sha256(self.0.as_bytes(), salt, CODE_ROUNDS)
    }
}

impl std::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairingCode(…)")
    }
}

/// A text is no pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pairing code has eight letters and digits")]
pub struct InvalidPairingCode;

/// Wraps an ephemeral public key: salt, IV, and the key under AES-CTR.
pub fn wrap_ephemeral(
    code: &PairingCode,
    ephemeral: &PublicKey,
    rng: &mut impl CryptoRng,
) -> [u8; WRAPPED_KEY_LEN] {
    let (mut salt, mut iv) = ([0; 32], [0; 16]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut iv);
    wrap_with(code, ephemeral, &salt, &iv)
}

pub(super) fn wrap_with(
    code: &PairingCode,
    ephemeral: &PublicKey,
    salt: &[u8; 32],
    iv: &[u8; 16],
) -> [u8; WRAPPED_KEY_LEN] {
    let mut key = *ephemeral.as_bytes();
    aes_ctr_apply(&code.key(salt), iv, &mut key);
    let mut wrapped = [0; WRAPPED_KEY_LEN];
    let (head, tail) = wrapped.split_at_mut(32);
    let (middle, tail) = tail.split_at_mut(16);
    head.copy_from_slice(salt);
    middle.copy_from_slice(iv);
    tail.copy_from_slice(&key);
    wrapped
}

/// Unwraps the other side's ephemeral public key. A wrong code gives a wrong key, which shows
/// only when the secrets derived from it do not match.
pub fn unwrap_ephemeral(code: &PairingCode, wrapped: &[u8; WRAPPED_KEY_LEN]) -> PublicKey {
    let (mut salt, mut iv, mut key) = ([0; 32], [0; 16], [0; 32]);
    let (head, tail) = wrapped.split_at(32);
    let (middle, tail) = tail.split_at(16);
    salt.copy_from_slice(head);
    iv.copy_from_slice(middle);
    key.copy_from_slice(tail);
    aes_ctr_apply(&code.key(&salt), &iv, &mut key);
    PublicKey::from_bytes(key)
}

/// What the companion has once it knows the phone's keys.
pub struct CompanionFinish {
    /// The key bundle for the phone: salt, nonce, and both identities with the randomness.
    pub wrapped_key_bundle: Vec<u8>,
    /// The secret under which the phone will authenticate the device identity.
    pub adv_secret: [u8; 32],
}

impl std::fmt::Debug for CompanionFinish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CompanionFinish(…)")
    }
}

/// What finishing takes from randomness.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct FinishSecrets {
    pub(super) salt: [u8; 32],
    pub(super) nonce: [u8; 12],
    pub(super) random: [u8; 32],
}

/// Finishes linking by code, from the companion's side.
///
/// # Errors
/// [`InvalidPublicKey`] if one of the phone's keys is one that nobody can have made.
pub fn finish(
    ephemeral: &KeyPair,
    identity: &KeyPair,
    phone_ephemeral: &PublicKey,
    phone_identity: &PublicKey,
    rng: &mut impl CryptoRng,
) -> Result<CompanionFinish, InvalidPublicKey> {
    let mut secrets = FinishSecrets { salt: [0; 32], nonce: [0; 12], random: [0; 32] };
    rng.fill_bytes(&mut secrets.salt);
    rng.fill_bytes(&mut secrets.nonce);
    rng.fill_bytes(&mut secrets.random);
    finish_with(ephemeral, identity, phone_ephemeral, phone_identity, &secrets)
}

pub(super) fn finish_with(
    ephemeral: &KeyPair,
    identity: &KeyPair,
    phone_ephemeral: &PublicKey,
    phone_identity: &PublicKey,
    secrets: &FinishSecrets,
) -> Result<CompanionFinish, InvalidPublicKey> {
    let ephemeral_shared = ephemeral.private.agree(phone_ephemeral)?;
    let identity_shared = identity.private.agree(phone_identity)?;
    let wrapped_key_bundle = seal_bundle(
        &ephemeral_shared,
        &secrets.salt,
        &secrets.nonce,
        [identity.public.as_bytes(), phone_identity.as_bytes(), &secrets.random],
    );
    let adv_secret = adv_secret(&ephemeral_shared, &identity_shared, &secrets.random);
    Ok(CompanionFinish { wrapped_key_bundle, adv_secret })
}

fn seal_bundle(
    ephemeral_shared: &SharedSecret,
    salt: &[u8; 32],
    nonce: &[u8; 12],
    parts: [&[u8]; 3],
) -> Vec<u8> {
    let mut key: [u8; 32] = hkdf_sha256(salt, ephemeral_shared.as_bytes(), BUNDLE_INFO);
    let mut plaintext = parts.concat();
    let sealed = aes_gcm_seal(&key, nonce, &[], &plaintext);
    key.zeroize();
    plaintext.zeroize();
    [salt.as_slice(), nonce, &sealed].concat()
}

fn adv_secret(
    ephemeral_shared: &SharedSecret,
    identity_shared: &SharedSecret,
    random: &[u8; 32],
) -> [u8; 32] {
    let parts: [&[u8]; 3] = [ephemeral_shared.as_bytes(), identity_shared.as_bytes(), random];
    let mut input = parts.concat();
    let secret = hkdf_sha256(&[], &input, ADV_INFO);
    input.zeroize();
    secret
}

/// The characters of a code: no 0, I, O or U, which people confuse.
pub const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";
/// The length of a wrapped ephemeral key: salt, IV, key.
pub const WRAPPED_KEY_LEN: usize = 32 + 16 + 32;
const CODE_ROUNDS: u32 = 1 << 17;
const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const ADV_INFO: &[u8] = b"adv_secret";
