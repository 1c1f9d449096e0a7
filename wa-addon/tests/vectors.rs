//! The vectors of message cryptography that a message's secret has a part in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::path::PathBuf;

use serde_json::Value;
use wa_addon::{SecretContext, SecretUse, poll_option_hash, reported_content};
use wa_proto::Jid;

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

fn jid(case: &Value, field: &str) -> Jid {
    text(case, field).parse().unwrap()
}

#[test]
fn vectors_message_secrets() {
    let mut checked = 0;
    for case in cases("message-crypto.json") {
        match text(&case, "kind") {
            "poll-vote" => check_poll_vote(&case),
            "poll-vote-invalid" => {
                let (secret, creator, voter) = poll_parties(&case);
                let context = poll_context(&case, &secret, &creator, &voter);
                assert!(context.open(&array(&case, "iv"), &bytes(&case, "ciphertext")).is_err());
            }
            "message-secret" => check_message_secret(&case),
            "reporting-token" => check_reporting_token(&case),
            // Proved where those are made.
            _ => continue,
        }
        checked += 1;
    }
    assert!(checked > 0);
}

fn poll_parties(case: &Value) -> ([u8; 32], Jid, Jid) {
    (array(case, "message_secret"), jid(case, "poll_creator"), jid(case, "voter"))
}

fn poll_context<'a>(
    case: &'a Value,
    secret: &'a [u8; 32],
    creator: &'a Jid,
    voter: &'a Jid,
) -> SecretContext<'a> {
    SecretContext {
        secret,
        message_id: text(case, "poll_message_id"),
        original_sender: creator,
        modification_sender: voter,
        secret_use: SecretUse::PollVote,
    }
}

fn check_poll_vote(case: &Value) {
    let (secret, creator, voter) = poll_parties(case);
    let context = poll_context(case, &secret, &creator, &voter);
    assert_eq!(hex::encode(*context.key()), text(case, "key"));
    let opened = context.open(&array(case, "iv"), &bytes(case, "ciphertext")).unwrap();
    assert_eq!(hex::encode(opened), text(case, "plaintext"));
    let options: Vec<String> = serde_json::from_value(case["options"].clone()).unwrap();
    let hashes: Vec<String> = serde_json::from_value(case["option_hashes"].clone()).unwrap();
    let ours = options.iter().map(|option| hex::encode(poll_option_hash(option)));
    assert_eq!(ours.collect::<Vec<_>>(), hashes);
}

fn check_message_secret(case: &Value) {
    let secret_use = [
        SecretUse::PollVote,
        SecretUse::EventResponse,
        SecretUse::Reaction,
        SecretUse::Comment,
        SecretUse::MessageEdit,
        SecretUse::PollEdit,
        SecretUse::ReportToken,
    ]
    .into_iter()
    .find(|secret_use| secret_use.label() == text(case, "use_case"))
    .unwrap_or_else(|| panic!("a use that is not known: {case}"));
    let (secret, original, modifier) = (
        array(case, "message_secret"),
        jid(case, "original_sender"),
        jid(case, "modification_sender"),
    );
    let context = SecretContext {
        secret: &secret,
        message_id: text(case, "message_id"),
        original_sender: &original,
        modification_sender: &modifier,
        secret_use,
    };
    assert_eq!(hex::encode(*context.key()), text(case, "key"));
    if case["ciphertext"].is_string() {
        let opened = context.open(&array(case, "iv"), &bytes(case, "ciphertext")).unwrap();
        assert_eq!(hex::encode(opened), text(case, "plaintext"));
    }
}

fn check_reporting_token(case: &Value) {
    let (secret, sender, remote) =
        (array(case, "message_secret"), jid(case, "sender"), jid(case, "remote"));
    let context = SecretContext {
        secret: &secret,
        message_id: text(case, "message_id"),
        original_sender: &sender,
        modification_sender: &remote,
        secret_use: SecretUse::ReportToken,
    };
    let content = reported_content(&bytes(case, "message")).unwrap();
    assert_eq!(hex::encode(&content), text(case, "content"));
    let token = context.reporting_token(&content);
    assert_eq!(hex::encode(token), text(case, "token"));
}
