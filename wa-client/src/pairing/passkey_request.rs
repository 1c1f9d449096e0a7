//! What a passkey is asked to sign, and whether an answer is one to it.
//!
//! Pure functions. The server has the last word on an answer, but takes one only: what can be seen
//! to be wrong with it is found here first, while the person can still mend it. The form is
//! WebAuthn's `PublicKeyCredentialRequestOptions` as JSON, binary fields in URL-safe base64; in
//! life `{"challenge", "timeout": 600000, "rpId": "whatsapp.com", "allowCredentials": [],
//! "userVerification": "required", "extensions": {"uvm": true}}` (WhiskeySockets/Baileys#2672 and
//! #2689, tulir/whatsmeow#1185). Knows nothing of browsers and stanzas.

use std::time::Duration;

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use wa_crypto::sha256;

use super::passkey::PasskeyAssertion;

/// The page on which WhatsApp lets a passkey be used to link a device.
pub const PASSKEY_ORIGIN: &str = "https://web.whatsapp.com";

/// What a passkey is asked to sign, with what is needed to tell whether it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRequest {
    challenge: Vec<u8>,
    site: String,
    lifetime: Duration,
    allowed: Vec<Vec<u8>>,
    needs_verification: bool,
}

/// What is wrong with a request for a passkey, or with the answer to one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasskeyProblem {
    /// The request is malformed.
    #[error("what WhatsApp wants signed cannot be read")]
    Request,
    /// The request is for a passkey of another site than WhatsApp's.
    #[error("the passkey of another site than WhatsApp's is asked for")]
    OtherSiteAsked,
    /// The text is no answer.
    #[error("this is not what the passkey helper shows as its answer, or not all of it")]
    NoAnswer,
    /// Something else was signed: as a rule, the request of an earlier attempt.
    #[error("this is the answer to another request")]
    OtherRequest,
    /// It was signed on another page.
    #[error("this was signed on another page than {PASSKEY_ORIGIN}")]
    OtherOrigin,
    /// It was signed with the passkey of another site, or one that the server did not name.
    #[error("this was signed with a passkey that is not this account's")]
    OtherPasskey,
    /// The browser did not make sure who was there.
    #[error("the browser did not make sure that it was you")]
    Unverified,
}

impl PasskeyRequest {
    /// Reads the options of [`crate::Event::PasskeyRequested`].
    ///
    /// # Errors
    /// [`PasskeyProblem::Request`], [`PasskeyProblem::OtherSiteAsked`].
    pub fn parse(options: &str) -> Result<Self, PasskeyProblem> {
        if options.len() > MAX_TEXT {
            return Err(PasskeyProblem::Request);
        }
        let options: Options =
            serde_json::from_str(options).map_err(|_| PasskeyProblem::Request)?;
        let bytes = |text: &str| decode(text).ok_or(PasskeyProblem::Request);
        let challenge = bytes(&options.challenge)?;
        if challenge.len() < MIN_CHALLENGE {
            return Err(PasskeyProblem::Request);
        }
        let site = options.rp_id.unwrap_or_else(|| WHATSAPP_WEB.to_owned());
        if ![WHATSAPP, WHATSAPP_WEB].contains(&site.as_str()) {
            return Err(PasskeyProblem::OtherSiteAsked);
        }
        let allowed = options.allow_credentials.iter().map(|allowed| bytes(&allowed.id));
        let lifetime = options.timeout.map_or(DEFAULT_LIFETIME, Duration::from_millis);
        Ok(Self {
            challenge,
            site,
            lifetime: lifetime.clamp(MIN_LIFETIME, MAX_LIFETIME),
            allowed: allowed.collect::<Result<_, _>>()?,
            needs_verification: options.user_verification.as_deref() == Some("required"),
        })
    }

    /// How long the server waits for the answer: its own word, within one and ten minutes.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Whether an assertion answers this request, as far as that can be seen without the key.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, assertion: &PasskeyAssertion) -> Result<(), PasskeyProblem> {
        let said: ClientData =
            serde_json::from_slice(&assertion.client_data).map_err(|_| PasskeyProblem::NoAnswer)?;
        if said.kind != "webauthn.get" {
            return Err(PasskeyProblem::NoAnswer);
        }
        if decode(&said.challenge).as_ref() != Some(&self.challenge) {
            return Err(PasskeyProblem::OtherRequest);
        }
        if said.origin != PASSKEY_ORIGIN || said.cross_origin {
            return Err(PasskeyProblem::OtherOrigin);
        }
        let data = assertion.authenticator_data.split_first_chunk::<32>();
        let (site, [flags, ..]) = data.ok_or(PasskeyProblem::NoAnswer)? else {
            return Err(PasskeyProblem::NoAnswer);
        };
        let is_allowed = self.allowed.is_empty() || self.allowed.contains(&assertion.credential_id);
        if *site != sha256(&[self.site.as_bytes()]) || !is_allowed {
            return Err(PasskeyProblem::OtherPasskey);
        }
        let is_verified = flags & VERIFIED != 0 || !self.needs_verification;
        if flags & PRESENT == 0 || !is_verified {
            return Err(PasskeyProblem::Unverified);
        }
        Ok(())
    }
}

impl PasskeyAssertion {
    /// Reads the JSON form of a credential, as `PublicKeyCredential.toJSON()` writes it: `rawId` or
    /// `id`, and below `response` `clientDataJSON`, `authenticatorData`, `signature` and perhaps
    /// `userHandle`, each in base64.
    ///
    /// # Errors
    /// [`PasskeyProblem::NoAnswer`].
    pub fn from_json(json: &str) -> Result<Self, PasskeyProblem> {
        if json.len() > MAX_TEXT {
            return Err(PasskeyProblem::NoAnswer);
        }
        let credential: Credential =
            serde_json::from_str(json).map_err(|_| PasskeyProblem::NoAnswer)?;
        let bytes = |text: &str| {
            decode(text).filter(|bytes| !bytes.is_empty()).ok_or(PasskeyProblem::NoAnswer)
        };
        let Response { client_data, authenticator_data, signature, user_handle } =
            credential.response;
        Ok(Self {
            credential_id: bytes(credential.raw_id.as_deref().unwrap_or(&credential.id))?,
            client_data: bytes(&client_data)?,
            authenticator_data: bytes(&authenticator_data)?,
            signature: bytes(&signature)?,
            user_handle: user_handle
                .filter(|text| !text.is_empty())
                .as_deref()
                .map(bytes)
                .transpose()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    challenge: String,
    rp_id: Option<String>,
    timeout: Option<u64>,
    #[serde(default)]
    allow_credentials: Vec<Allowed>,
    user_verification: Option<String>,
}

#[derive(Deserialize)]
struct Allowed {
    id: String,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    id: String,
    raw_id: Option<String>,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

/// Base64 in either alphabet, padded or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.replace('+', "-").replace('/', "_");
    GeneralPurpose::new(&URL_SAFE, config).decode(text).ok()
}

const WHATSAPP: &str = "whatsapp.com";
const WHATSAPP_WEB: &str = "web.whatsapp.com";

/// The longest request or answer, in bytes; in life they have less than a tenth.
const MAX_TEXT: usize = 16 << 10;

/// The shortest challenge that nobody guesses, in bytes (WebAuthn, section 13.4.3).
const MIN_CHALLENGE: usize = 16;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(5 * 60);
const MIN_LIFETIME: Duration = Duration::from_secs(60);
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Flags of the authenticator data: a person was there, and was recognised.
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = r#"{"challenge":"AAECAwQFBgcICQoLDA0ODw","timeout":600000,
        "rpId":"whatsapp.com","allowCredentials":[],"userVerification":"required",
        "extensions":{"uvm":true}}"#;

    fn answer(challenge: &str, origin: &str, site: &str, flags: u8) -> PasskeyAssertion {
        let client_data =
            format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}"}}"#);
        let mut data = sha256(&[site.as_bytes()]).to_vec();
        data.push(flags);
        PasskeyAssertion {
            credential_id: vec![1],
            client_data: client_data.into(),
            authenticator_data: data,
            signature: vec![2],
            user_handle: None,
        }
    }

    #[test]
    fn an_answer_that_the_server_would_refuse_is_named_before_it_is_used_up() {
        let request = PasskeyRequest::parse(OPTIONS).unwrap();
        let challenge = "AAECAwQFBgcICQoLDA0ODw";
        let check =
            |challenge, origin, site, flags| request.check(&answer(challenge, origin, site, flags));
        assert_eq!(check(challenge, PASSKEY_ORIGIN, WHATSAPP, 5), Ok(()));
        for (wrong, expected) in [
            (check("AAAA", PASSKEY_ORIGIN, WHATSAPP, 5), PasskeyProblem::OtherRequest),
            (check(challenge, "https://evil.example", WHATSAPP, 5), PasskeyProblem::OtherOrigin),
            (
                check(challenge, "https://web.whatsapp.com.evil.example", WHATSAPP, 5),
                PasskeyProblem::OtherOrigin,
            ),
            (check(challenge, PASSKEY_ORIGIN, "evil.example", 5), PasskeyProblem::OtherPasskey),
            (check(challenge, PASSKEY_ORIGIN, WHATSAPP, 1), PasskeyProblem::Unverified),
            (check(challenge, PASSKEY_ORIGIN, WHATSAPP, 4), PasskeyProblem::Unverified),
        ] {
            assert_eq!(wrong, Err(expected));
        }
    }

    #[test]
    fn a_server_gets_no_signature_for_another_site_and_no_answer_that_anybody_could_guess() {
        let other = OPTIONS.replace("whatsapp.com", "bank.example");
        assert_eq!(PasskeyRequest::parse(&other), Err(PasskeyProblem::OtherSiteAsked));
        let short = OPTIONS.replace("AAECAwQFBgcICQoLDA0ODw", "AAEC");
        for wrong in [short.as_str(), "", "[]", r#"{"rpId":"whatsapp.com"}"#, "{\"challenge\":3}"] {
            assert_eq!(PasskeyRequest::parse(wrong), Err(PasskeyProblem::Request), "{wrong}");
        }
        let long = OPTIONS.replace("600000", "999999999999");
        assert_eq!(PasskeyRequest::parse(&long).unwrap().lifetime(), Duration::from_secs(600));
    }

    #[test]
    fn what_a_browser_writes_is_read_in_either_alphabet_and_anything_else_refused() {
        let json = r#"{"id":"-_8","type":"public-key","clientExtensionResults":{},"response":
            {"clientDataJSON":"e30","authenticatorData":"+/8=","signature":"AQ","userHandle":null}}"#;
        let read = PasskeyAssertion::from_json(json).unwrap();
        assert_eq!(read.credential_id, [0xfb, 0xff]);
        assert_eq!((&read.authenticator_data, &read.user_handle), (&vec![0xfb, 0xff], &None));
        for wrong in ["", "{}", &json.replace("\"AQ\"", "\"\""), &json.replace("e30", "!")] {
            let refused = PasskeyAssertion::from_json(wrong);
            assert_eq!(refused, Err(PasskeyProblem::NoAnswer), "{wrong}");
        }
    }
}
