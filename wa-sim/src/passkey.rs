//! Passkeys: what an account has registered with the server, and what an authenticator signs with
//! it. Knows nothing of stanzas and phones.
//!
//! The forms are WebAuthn's (<https://www.w3.org/TR/webauthn-2/>), and what is checked is what its
//! section 7.2 has a server check: the challenge, the origin, the site, that the person was there
//! and recognised, and the signature (ES256).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    SecretKey,
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    },
    pkcs8::EncodePrivateKey as _,
};
use rand_core::Rng;
use serde::Deserialize;
use serde_json::json;
use wa_crypto::sha256;

/// The site that passkeys of WhatsApp belong to.
pub(crate) const RP_ID: &str = "whatsapp.com";

/// The only page on which they may be used to link a device.
const ORIGIN: &str = "https://web.whatsapp.com";

/// The person is there (1) and was recognised (4).
const PRESENT_AND_VERIFIED: u8 = 1 | 4;

/// A passkey with its private half, as the person's authenticator keeps it.
#[derive(Clone)]
pub struct Passkey {
    id: [u8; 16],
    user: [u8; 16],
    key: SecretKey,
}

/// The public half of a passkey, as the server keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    id: [u8; 16],
    key: VerifyingKey,
}

/// What a client is asked to have signed.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    text: String,
}

impl Passkey {
    pub(crate) fn new(rng: &mut impl Rng) -> Self {
        let (mut id, mut user, mut scalar) = ([0; 16], [0; 16], [0; 32]);
        rng.fill_bytes(&mut id);
        rng.fill_bytes(&mut user);
        loop {
            rng.fill_bytes(&mut scalar);
            // All but one in four thousand million are a key.
            if let Ok(key) = SecretKey::from_slice(&scalar) {
                return Self { id, user, key };
            }
        }
    }

    pub(crate) fn credential(&self) -> Credential {
        Credential { id: self.id, key: *SigningKey::from(&self.key).verifying_key() }
    }

    /// The credential's id.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// The name under which the account is known to the authenticator.
    pub fn user_handle(&self) -> &[u8] {
        &self.user
    }

    /// The private key as PKCS #8, which a browser's virtual authenticator takes.
    pub fn private_key(&self) -> Vec<u8> {
        self.key.to_pkcs8_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default()
    }

    /// Signs a request (`PublicKeyCredentialRequestOptions`, as JSON) on a page of this origin, as a
    /// browser does once the person has agreed; the credential as JSON. `None` if the request
    /// cannot be read.
    pub fn sign(&self, options: &str, origin: &str) -> Option<String> {
        let options: serde_json::Value = serde_json::from_str(options).ok()?;
        let client_data = json!({
            "type": "webauthn.get",
            "challenge": options.get("challenge")?.as_str()?,
            "origin": origin,
            "crossOrigin": false,
        })
        .to_string();
        let mut data = sha256(&[options.get("rpId")?.as_str()?.as_bytes()]).to_vec();
        data.push(PRESENT_AND_VERIFIED);
        data.extend([0; 4]);
        let signed = [&data[..], &sha256(&[client_data.as_bytes()])].concat();
        let signature: Signature = SigningKey::from(&self.key).sign(&signed);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let credential = json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": text(client_data.as_bytes()),
                "authenticatorData": text(&data),
                "signature": text(signature.to_der().as_bytes()),
                "userHandle": text(&self.user),
            },
        });
        Some(credential.to_string())
    }
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passkey(…)")
    }
}

impl Challenge {
    pub(crate) fn new(rng: &mut impl Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self { text: URL_SAFE_NO_PAD.encode(bytes) }
    }

    /// The request as the server words it: JSON, ten minutes, any passkey of the account.
    pub(crate) fn options(&self) -> String {
        json!({
            "challenge": self.text,
            "timeout": 600_000,
            "rpId": RP_ID,
            "allowCredentials": [],
            "userVerification": "required",
            "extensions": { "uvm": true },
        })
        .to_string()
    }

    /// Whether one of these passkeys signed this challenge on WhatsApp's own page, with the person
    /// there and recognised.
    pub(crate) fn is_signed(&self, assertion: &[u8], credentials: &[Credential]) -> bool {
        self.check(assertion, credentials).is_some()
    }

    fn check(&self, assertion: &[u8], credentials: &[Credential]) -> Option<()> {
        let assertion: Assertion = serde_json::from_slice(assertion).ok()?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let id = bytes(&assertion.raw_id)?;
        let credential = credentials.iter().find(|credential| credential.id[..] == id[..])?;
        let client_data = bytes(&assertion.response.client_data)?;
        let said: ClientData = serde_json::from_slice(&client_data).ok()?;
        let is_said = said.kind == "webauthn.get"
            && said.challenge == self.text
            && said.origin == ORIGIN
            && !said.cross_origin;
        let data = bytes(&assertion.response.authenticator_data)?;
        let (site, rest) = data.split_first_chunk::<32>()?;
        let is_verified = rest.first()? & PRESENT_AND_VERIFIED == PRESENT_AND_VERIFIED;
        if !(is_said && is_verified && *site == sha256(&[RP_ID.as_bytes()])) {
            return None;
        }
        let signature = Signature::from_der(&bytes(&assertion.response.signature)?).ok()?;
        let signed = [&data[..], &sha256(&[&client_data])].concat();
        credential.key.verify(&signed, &signature).ok()
    }
}

#[derive(Deserialize)]
struct Assertion {
    #[serde(rename = "rawId")]
    raw_id: String,
    response: AssertionResponse,
}

#[derive(Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "authenticatorData")]
    authenticator_data: String,
    signature: String,
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng as _};

    use super::*;

    fn case() -> (Passkey, Challenge, ChaCha12Rng) {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        (Passkey::new(&mut rng), Challenge::new(&mut rng), rng)
    }

    #[test]
    fn only_the_accounts_own_passkey_signs_and_only_on_whatsapps_own_page() {
        let (passkey, challenge, mut rng) = case();
        let registered = [passkey.credential()];
        let signed = passkey.sign(&challenge.options(), ORIGIN).unwrap();
        assert!(challenge.is_signed(signed.as_bytes(), &registered));
        assert!(!challenge.is_signed(signed.as_bytes(), &[]), "no passkey is registered");

        let elsewhere = passkey.sign(&challenge.options(), "https://web.whatsapp.com.evil.example");
        assert!(!challenge.is_signed(elsewhere.unwrap().as_bytes(), &registered));
        let other_site = challenge.options().replace(RP_ID, "evil.example");
        let other_site = passkey.sign(&other_site, ORIGIN).unwrap();
        assert!(!challenge.is_signed(other_site.as_bytes(), &registered));
        assert!(!Challenge::new(&mut rng).is_signed(signed.as_bytes(), &registered));

        // Another key under the same id.
        let forger = Passkey { id: passkey.id, ..Passkey::new(&mut rng) };
        let forged = forger.sign(&challenge.options(), ORIGIN).unwrap();
        assert!(!challenge.is_signed(forged.as_bytes(), &registered));
    }
}
