//! The vectors of message cryptography: what is derived from messages, apart from sessions.

use std::path::PathBuf;

use rand_core::TryRng;
use serde_json::Value;
use wa_proto::Jid;
use wa_signal::padding;

use crate::{devices::participant_hash::participant_hash, send::message_id::message_id_from};

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

fn array<const N: usize>(case: &Value, field: &str) -> [u8; N] {
    bytes(case, field).try_into().unwrap()
}

/// Gives one byte, over and over.
struct Fixed(u8);

impl TryRng for Fixed {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

#[test]
fn vectors_message_crypto() {
    for case in cases("message-crypto.json") {
        match text(&case, "kind") {
            "padding" => check_padding(&case),
            "padding-invalid" => assert!(padding::unpad(&bytes(&case, "padded")).is_err()),
            // Implementations disagree; information only.
            "padding-loose" => {}
            // Proved by wa-media, which seals them.
            kind if kind.starts_with("media-retry") => {}
            "participant-hash" => {
                let jids: Vec<Jid> = serde_json::from_value::<Vec<String>>(case["jids"].clone())
                    .unwrap()
                    .iter()
                    .map(|jid| jid.parse().unwrap())
                    .collect();
                assert_eq!(participant_hash(&jids), text(&case, "phash"));
            }
            "message-id" => {
                let time = case["unix_time"].as_u64().unwrap();
                let id = message_id_from(time, text(&case, "user"), &array(&case, "random"));
                assert_eq!(id, text(&case, "id"));
            }
            // What a message's secret seals is proved where that is derived.
            "poll-vote" | "poll-vote-invalid" | "message-secret" | "reporting-token" => {}
            other => panic!("a kind of case that is not known: {other}"),
        }
    }
}

fn check_padding(case: &Value) {
    let message = bytes(case, "message");
    let padded = bytes(case, "padded");
    assert_eq!(padding::unpad(&padded).unwrap(), message);
    let [random] = array(case, "random_byte");
    assert_eq!(padding::pad(message, &mut Fixed(random)), padded);
}
