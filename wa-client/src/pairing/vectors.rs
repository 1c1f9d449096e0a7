//! Pairing against values that other implementations made.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use wa_crypto::{KeyPair, PrivateKey, PublicKey};

use super::{
    code::{self, PairingCode},
    qr::{QrIdentity, qr_text},
};

#[test]
fn vectors_pairing() {
    let folder = std::env::var("WA_VECTORS_DIR")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into());
    let text = std::fs::read_to_string(format!("{folder}/pairing.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        match case["kind"].as_str().unwrap() {
            "qr" => qr(case),
            "link-code" => link_code(case),
            "code-encoding" => code_encoding(case),
            // What a phone refuses; this side only shows codes.
            "qr-invalid" => {}
            // Those are of wa-adv.
            "adv" | "adv-invalid" => {}
            other => panic!("a kind of case that is not known: {other}"),
        }
    }
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("no text {name} in {case}"))
}

fn bytes(case: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(case, name)).unwrap()
}

fn array<const N: usize>(case: &Value, name: &str) -> [u8; N] {
    bytes(case, name).try_into().unwrap()
}

fn pair(case: &Value, name: &str) -> KeyPair {
    let pair = KeyPair::from_private(PrivateKey::from_bytes(array(&case[name], "private")));
    assert_eq!(pair.public.as_bytes(), &array::<32>(&case[name], "public"));
    pair
}

fn qr(case: &Value) {
    let [noise, identity] =
        ["noise_public", "identity_public"].map(|name| PublicKey::from_bytes(array(case, name)));
    let adv_secret = array(case, "adv_secret");
    let client_type = case["client_type"].as_str();
    let device = QrIdentity {
        noise: &noise,
        identity: &identity,
        adv_secret: &adv_secret,
        client_type: client_type.unwrap_or("1"),
    };
    let shown = qr_text(text(case, "ref"), &device);
    let expected = text(case, "text");
    // Other clients leave out the URL, the client type, or both.
    let shown = match (expected.starts_with("https://"), client_type) {
        (true, Some(_)) => shown,
        (false, Some(_)) => shown.split_once('#').unwrap().1.to_owned(),
        (_, None) => shown.split_once('#').unwrap().1.rsplit_once(',').unwrap().0.to_owned(),
    };
    assert_eq!(shown, expected);
    assert!(shown.contains(&BASE64_STANDARD.encode(adv_secret)));
}

fn link_code(case: &Value) {
    let code = PairingCode::from_bytes(array(case, "code_bytes"));
    assert_eq!(code.as_str(), text(case, "code"));
    let ephemeral = pair(case, "companion_ephemeral");
    let identity = pair(case, "companion_identity");
    let phone_ephemeral = pair(case, "primary_ephemeral");
    let phone_identity = pair(case, "primary_identity").public;

    let (salt, iv) = (array(case, "companion_salt"), array(case, "companion_iv"));
    let wrapped = code::wrap_with(&code, &ephemeral.public, &salt, &iv);
    assert_eq!(wrapped.to_vec(), bytes(case, "wrapped_companion_ephemeral_pub"));
    let wrapped = array(case, "wrapped_primary_ephemeral_pub");
    assert_eq!(code::unwrap_ephemeral(&code, &wrapped), phone_ephemeral.public);

    let secrets = code::FinishSecrets {
        salt: array(case, "bundle_salt"),
        nonce: array(case, "bundle_nonce"),
        random: array(case, "adv_random"),
    };
    let finish = code::finish_with(
        &ephemeral,
        &identity,
        &phone_ephemeral.public,
        &phone_identity,
        &secrets,
    )
    .unwrap();
    assert_eq!(finish.wrapped_key_bundle, bytes(case, "wrapped_key_bundle"));
    assert_eq!(finish.adv_secret.to_vec(), bytes(case, "adv_secret"));
}

fn code_encoding(case: &Value) {
    let code = PairingCode::from_bytes(array(case, "code_bytes"));
    assert_eq!(code.as_str(), text(case, "code"));
}
