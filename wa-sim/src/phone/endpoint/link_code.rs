//! The phone's part in linking by a typed code: two ephemeral keys wrapped with the code, and the
//! secret that both sides make of them. Knows nothing of how the wrapped keys travel.

use rand_core::Rng as _;
use wa_crypto::{
    KeyPair, PublicKey, SharedSecret, aes_ctr_apply, aes_gcm_open, hkdf_sha256, pbkdf2_sha256,
};

use super::Endpoint;
use crate::server::{CodeHello, Server, WRAPPED_KEY};

/// The rounds by which a code becomes a key.
const CODE_ROUNDS: u32 = 131_072;

/// The characters of a code.
const CODE_LEN: usize = 8;

const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const ADV_SECRET_INFO: &[u8] = b"adv_secret";

/// A code was typed; the client's answer is due.
pub(crate) struct TypedCode {
    reference: String,
    shared: SharedSecret,
}

/// What a client's answer says.
pub(crate) struct CodeBundle {
    pub(crate) identity: PublicKey,
    pub(crate) adv_secret: [u8; 32],
}

/// The code as it is derived from: 8 letters and digits, without the dash people see.
pub(crate) fn normal_code(typed: &str) -> Option<String> {
    let code: String =
        typed.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    let plausible = code.len() == CODE_LEN && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plausible.then_some(code)
}

impl Endpoint {
    /// Types a code: the phone's own wrapped key, for the client. That the code was wrong shows
    /// only in the client's answer.
    pub(crate) fn type_code(
        &mut self,
        server: &mut Server,
        code: &str,
        hello: &CodeHello,
    ) -> Option<Vec<u8>> {
        let theirs = PublicKey::from_bytes(apply_code(code, &hello.wrapped_ephemeral)?);
        let ephemeral = KeyPair::random(&mut server.rng);
        let shared = ephemeral.private.agree(&theirs).ok()?;
        let mut wrapped = [0; WRAPPED_KEY];
        server.rng.fill_bytes(&mut wrapped);
        if let Some(key) = wrapped.last_chunk_mut::<32>() {
            *key = *ephemeral.public.as_bytes();
        }
        let sealed = apply_code(code, &wrapped)?;
        if let Some(key) = wrapped.last_chunk_mut::<32>() {
            *key = sealed;
        }
        self.typed_code = Some(TypedCode { reference: hello.reference.clone(), shared });
        Some(wrapped.to_vec())
    }

    /// Opens the client's answer: salt, nonce, and under AES-GCM the identities of both and a
    /// random number. `None` if the code was another or the answer is to something else.
    pub(crate) fn open_code_bundle(
        &mut self,
        reference: &str,
        bundle: &[u8],
    ) -> Option<CodeBundle> {
        let typed = self.typed_code.take_if(|typed| typed.reference == reference)?;
        let (salt, rest) = bundle.split_first_chunk::<32>()?;
        let (nonce, sealed) = rest.split_first_chunk::<12>()?;
        let key = hkdf_sha256::<32>(salt, typed.shared.as_bytes(), BUNDLE_INFO);
        let opened = aes_gcm_open(&key, nonce, &[], sealed).ok()?;
        let (identity, rest) = opened.split_first_chunk::<32>()?;
        let (own, random) = rest.split_first_chunk::<32>()?;
        if own != self.identity.public.as_bytes() {
            return None;
        }
        let identity = PublicKey::from_bytes(*identity);
        let identities = self.identity.private.agree(&identity).ok()?;
        let input = [&typed.shared.as_bytes()[..], identities.as_bytes(), random].concat();
        let adv_secret = hkdf_sha256::<32>(&[0; 32], &input, ADV_SECRET_INFO);
        Some(CodeBundle { identity, adv_secret })
    }

    pub(crate) fn identity_key(&self) -> PublicKey {
        self.identity.public
    }
}

/// Wraps or unwraps the key in `salt ‖ iv ‖ key`.
fn apply_code(code: &str, wrapped: &[u8; WRAPPED_KEY]) -> Option<[u8; 32]> {
    let (salt, rest) = wrapped.split_first_chunk::<32>()?;
    let (iv, key) = rest.split_first_chunk::<16>()?;
    let mut key: [u8; 32] = key.try_into().ok()?;
    let code_key = pbkdf2_sha256::<32>(code.as_bytes(), salt, CODE_ROUNDS);
    aes_ctr_apply(&code_key, iv, &mut key);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_typed_with_or_without_its_dash_and_in_either_case() {
        assert_eq!(normal_code("abcd-1234").as_deref(), Some("ABCD1234"));
        assert_eq!(normal_code("ABCD1234").as_deref(), Some("ABCD1234"));
        assert_eq!(normal_code("ABCD123"), None);
        assert_eq!(normal_code("ABCD123!"), None);
    }

    #[test]
    fn wrapping_twice_is_unwrapping() {
        let mut wrapped = [7; WRAPPED_KEY];
        let sealed = apply_code("ABCD1234", &wrapped).unwrap();
        assert_ne!(sealed, [7; 32]);
        wrapped[48..].copy_from_slice(&sealed);
        assert_eq!(apply_code("ABCD1234", &wrapped).unwrap(), [7; 32]);
    }
}
