//! Device identities that other implementations made.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use serde_json::Value;
use wa_adv::{AccountKey, Address, SignedDeviceIdentity, open_identity};
use wa_crypto::{KeyPair, PrivateKey};

fn cases(kind: &str) -> Vec<Value> {
    let folder = std::env::var("WA_VECTORS_DIR")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into());
    let text = std::fs::read_to_string(format!("{folder}/pairing.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == kind);
    let cases: Vec<Value> = cases.cloned().collect();
    assert!(!cases.is_empty());
    cases
}

fn bytes(case: &Value, name: &str) -> Vec<u8> {
    hex::decode(case[name].as_str().unwrap()).unwrap()
}

fn secret(case: &Value) -> [u8; 32] {
    bytes(case, "adv_secret").try_into().unwrap()
}

fn pair(case: &Value, name: &str) -> KeyPair {
    let private = bytes(&case[name], "private").try_into().unwrap();
    KeyPair::from_private(PrivateKey::from_bytes(private))
}

#[test]
fn vectors_device_identities() {
    for case in cases("adv") {
        let companion = pair(&case, "companion_identity");
        let account = AccountKey::new(pair(&case, "account_signature_key").public);
        let sealed = open_identity(&bytes(&case, "device_identity_hmac"), &secret(&case)).unwrap();
        assert_eq!(sealed.claimed_account_key(), Some(account));
        let details = sealed.claimed_details();
        assert_eq!(u64::from(details.key_index), case["key_index"].as_u64().unwrap());
        let is_hosted = case["account_type"] == "HOSTED";
        assert_eq!((details.account_is_hosted, details.device_is_hosted), (is_hosted, is_hosted));

        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let ours = sealed.countersign(&companion, &mut rng).unwrap();
        ours.verify(&companion.public, Address::Ordinary, &account).unwrap();
        let theirs = SignedDeviceIdentity::decode(&bytes(&case, "with_account_key")).unwrap();
        let verified = theirs.verify(&companion.public, Address::Ordinary, &account).unwrap();
        assert_eq!(verified.key_index(), details.key_index);
        assert_eq!(verified.is_hosted(), is_hosted);
        assert_eq!(theirs.encode(), bytes(&case, "with_account_key"));
        assert_eq!(theirs.encode_for_phone(), bytes(&case, "self_signed_identity"));
        for name in ["self_signed_identity", "self_signed_identity_whatsmeow"] {
            let nameless = SignedDeviceIdentity::decode(&bytes(&case, name)).unwrap();
            nameless.verify(&companion.public, Address::Ordinary, &account).unwrap();
        }
    }
}

#[test]
fn vectors_forged_device_identities() {
    for case in cases("adv-invalid") {
        let companion = pair(&case, "companion_identity");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let opened = open_identity(&bytes(&case, "device_identity_hmac"), &secret(&case));
        let accepted = opened.is_ok_and(|sealed| sealed.countersign(&companion, &mut rng).is_ok());
        assert!(!accepted, "{}", case["name"]);
    }
}
