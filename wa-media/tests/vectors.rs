//! Bytes made by independent implementations.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::path::PathBuf;

use serde_json::Value;
use wa_media::{
    Digests, Encryptor, MediaKey, MediaRetrySeal, MediaType, Verifier, decrypt, encrypt,
};

fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("WA_VECTORS_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors")),
        PathBuf::from,
    );
    let text = std::fs::read(folder.join(file)).unwrap();
    let mut file: Value = serde_json::from_slice(&text).unwrap();
    let cases: Vec<Value> = serde_json::from_value(file["cases"].take()).unwrap();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("no {field} in {case}"))
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(case, field)).unwrap()
}

fn key(case: &Value) -> MediaKey {
    MediaKey::try_from(bytes(case, "media_key").as_slice()).unwrap()
}

fn media_type(case: &Value) -> MediaType {
    let name = text(case, "type");
    let found = MediaType::ALL.into_iter().find(|media_type| media_type.as_str() == name);
    let found = found.unwrap_or_else(|| panic!("a type that is not known: {name}"));
    assert_eq!(found.hkdf_info(), text(case, "hkdf_info"));
    found
}

fn plaintext(case: &Value) -> Vec<u8> {
    match case["generator"].as_object() {
        Some(rule) => {
            let byte = u8::try_from(rule["repeat_byte"].as_u64().unwrap()).unwrap();
            vec![byte; usize::try_from(rule["count"].as_u64().unwrap()).unwrap()]
        }
        None => bytes(case, "plaintext"),
    }
}

#[test]
fn vectors_media() {
    let mut opened = 0;
    for case in cases("media.json") {
        let (key, media_type) = (key(&case), media_type(&case));
        if case["invalid"].is_string() {
            let blob = bytes(&case, "encrypted");
            let refused = decrypt(&key, media_type, Digests::default(), &blob);
            assert!(refused.is_err(), "{}", case["invalid"]);
            let mut verifier = Verifier::new(&key, media_type);
            verifier.update(&blob);
            assert!(verifier.finish(None).is_err(), "{}", case["invalid"]);
            continue;
        }
        let file = plaintext(&case);
        let (blob, sealed) = encrypt(&key, media_type, &file);
        assert_eq!(hex::encode(sealed.sha256), text(&case, "file_sha256"));
        assert_eq!(hex::encode(sealed.enc_sha256), text(&case, "file_enc_sha256"));
        assert_eq!(Some(sealed.length), case["file_length"].as_u64());
        assert_eq!(Some(sealed.enc_length), case["enc_length"].as_u64());
        assert_eq!(hex::encode(&blob[blob.len() - 10..]), text(&case, "mac"));
        if case["encrypted"].is_string() {
            assert_eq!(blob, bytes(&case, "encrypted"));
        }
        assert_eq!(decrypt(&key, media_type, Digests::of(&sealed), &blob).unwrap(), file);
        opened += 1;
    }
    assert!(opened > 20);
}

#[test]
fn vectors_media_retries() {
    let mut seen = 0;
    for case in cases("message-crypto.json") {
        let kind = text(&case, "kind");
        if !kind.starts_with("media-retry") {
            continue;
        }
        let key = key(&case);
        let seal = MediaRetrySeal { media_key: &key, message_id: text(&case, "message_id") };
        let iv: [u8; 12] = bytes(&case, "iv").try_into().unwrap();
        let ciphertext = bytes(&case, "ciphertext");
        match kind {
            "media-retry-receipt" | "media-retry-notification" => {
                let plaintext = bytes(&case, "plaintext");
                assert_eq!(seal.open(&iv, &ciphertext).unwrap(), plaintext);
                assert_eq!(seal.seal(&iv, &plaintext), ciphertext);
            }
            "media-retry-notification-invalid" => assert!(seal.open(&iv, &ciphertext).is_err()),
            other => panic!("a kind of case that is not known: {other}"),
        }
        seen += 1;
    }
    assert!(seen > 2);
}

/// Computed by a separate program, whose rule gives the sidecar that WhatsApp itself made for a
/// video.
#[test]
fn the_streaming_sidecar_is_the_one_whatsapp_makes() {
    let mut encryptor = Encryptor::new(&MediaKey::from([7; 32]), MediaType::Video);
    let mut blob = Vec::new();
    for piece in vec![0xc6; 150_000].chunks(4_097) {
        encryptor.update(piece, &mut blob);
    }
    let sidecar = encryptor.finish(&mut blob).sidecar.unwrap();
    assert_eq!(hex::encode(sidecar), SIDECAR);
    let still = Encryptor::new(&MediaKey::from([7; 32]), MediaType::Image);
    assert_eq!(still.finish(&mut Vec::new()).sidecar, None);
}

const SIDECAR: &str = "dcd3484543d44e294d758c97d2b9dae64888d1d3a5d7ef4e707d57e49040";
