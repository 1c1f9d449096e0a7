//! Linking by a passkey: the cryptography of it.
//!
//! Pure functions. An ephemeral key is committed to before the phone's is known, both make a key of
//! the two, and a code that both sides show proves that nobody stands between. Knows nothing of the
//! stanzas that carry the values, nor of authenticators.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prost::Message as _;
use rand_core::CryptoRng;
use serde_json::json;
use wa_crypto::{KeyPair, PublicKey, aes_gcm_seal, hkdf_sha256, hmac_sha256, sha256};
use wa_proto::pb;

use super::code::PairingCode;

/// What an authenticator answers to a WebAuthn request: the bytes of each field, not encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyAssertion {
    /// The credential's id.
    pub credential_id: Vec<u8>,
    /// The client data, JSON.
    pub client_data: Vec<u8>,
    /// The authenticator data.
    pub authenticator_data: Vec<u8>,
    /// The signature over both.
    pub signature: Vec<u8>,
    /// The user's handle, if the authenticator tells it.
    pub user_handle: Option<Vec<u8>>,
}

impl PasskeyAssertion {
    /// As the server takes it: WebAuthn's JSON form of a credential.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "id": text(&self.credential_id),
            "rawId": text(&self.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": text(&self.client_data),
                "authenticatorData": text(&self.authenticator_data),
                "signature": text(&self.signature),
                "userHandle": self.user_handle.as_deref().map(text),
            },
        })
        .to_string()
        .into_bytes()
    }
}

impl std::fmt::Debug for PasskeyAssertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyAssertion(…)")
    }
}

/// The key that proves that this device showed a code before the passkey was asked for.
pub(super) fn handoff_key(adv_secret: &[u8; 32]) -> [u8; 32] {
    hkdf_sha256(&[], adv_secret, HANDOFF_INFO)
}

/// The proof itself, over the encoded prologue.
pub(super) fn handoff_proof(key: &[u8; 32], prologue: &[u8]) -> [u8; 32] {
    hmac_sha256(key, &[prologue])
}

/// This device's half: an ephemeral key, and the nonce that opens its commitment.
pub(super) struct Prologue {
    ephemeral: KeyPair,
    pub(super) nonce: [u8; 32],
    pairing_ref: String,
    platform: pb::device_props::PlatformType,
}

impl Prologue {
    pub(super) fn new(
        pairing_ref: String,
        platform: pb::device_props::PlatformType,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let ephemeral = KeyPair::random(rng);
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        Self { ephemeral, nonce, pairing_ref, platform }
    }

    /// The encoded `ProloguePayload`.
    pub(super) fn payload(&self) -> Vec<u8> {
        let identity = pb::CompanionEphemeralIdentity {
            public_key: Some(self.ephemeral.public.as_bytes().to_vec().into()),
            device_type: Some(self.platform.into()),
            r#ref: Some(self.pairing_ref.clone()),
        }
        .encode_to_vec();
        let hash = sha256(&[&identity, &self.nonce]).to_vec().into();
        pb::ProloguePayload {
            companion_ephemeral_identity: Some(identity.into()),
            commitment: Some(pb::CompanionCommitment { hash: Some(hash) }),
        }
        .encode_to_vec()
    }

    /// The code that both sides show, and the key under which the identity goes; `None` if the
    /// phone's half is malformed.
    pub(super) fn agree(&self, primary: &[u8]) -> Option<(PairingCode, [u8; 32])> {
        let primary = pb::PrimaryEphemeralIdentity::decode(primary).ok()?;
        let public = PublicKey::from_bytes(primary.public_key?.as_ref().try_into().ok()?);
        let nonce: [u8; 32] = primary.nonce?.as_ref().try_into().ok()?;
        let shared = self.ephemeral.private.agree(&public).ok()?;
        let salt =
            format!("Companion Pairing {} with ref {}", i32::from(self.platform), self.pairing_ref);
        let key = hkdf_sha256(salt.as_bytes(), shared.as_bytes(), IDENTITY_INFO);
        let digest = sha256(&[&self.nonce, public.as_bytes()]);
        let mut code = [0; 5];
        for (byte, (nonce, digest)) in code.iter_mut().zip(nonce.iter().zip(digest)) {
            *byte = nonce ^ digest;
        }
        Some((PairingCode::from_bytes(code), key))
    }
}

/// This device's identity, sealed for the phone: an encoded `EncryptedPairingRequest`.
pub(super) fn seal_identity(
    key: &[u8; 32],
    noise: &PublicKey,
    identity: &PublicKey,
    adv_secret: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    let request = pb::PairingRequest {
        companion_public_key: Some(noise.as_bytes().to_vec().into()),
        companion_identity_key: Some(identity.as_bytes().to_vec().into()),
        adv_secret: Some(adv_secret.to_vec().into()),
    };
    let mut iv = [0; 12];
    rng.fill_bytes(&mut iv);
    pb::EncryptedPairingRequest {
        encrypted_payload: Some(aes_gcm_seal(key, &iv, &[], &request.encode_to_vec()).into()),
        iv: Some(iv.to_vec().into()),
    }
    .encode_to_vec()
}

const HANDOFF_INFO: &[u8] = b"shortcake-passkey-handoff-v1";
const IDENTITY_INFO: &[u8] = b"Pairing Information Encryption Key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_written_as_webauthn_does() {
        let assertion = PasskeyAssertion {
            credential_id: vec![0xfb, 0xff],
            client_data: b"{}".to_vec(),
            authenticator_data: vec![1],
            signature: vec![2],
            user_handle: None,
        };
        let json: serde_json::Value = serde_json::from_slice(&assertion.to_json()).unwrap();
        assert_eq!(json["rawId"], "-_8");
        assert_eq!(json["response"]["clientDataJSON"], "e30");
        assert!(json["response"]["userHandle"].is_null());
    }
}
