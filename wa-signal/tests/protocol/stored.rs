//! Records that an earlier version wrote: what was kept in them is still there.

use std::fs;

use serde_json::Value;
use wa_crypto::{KeyPair, PrivateKey};
use wa_signal::{
    CiphertextMessage, DecryptError, LocalIdentity, RegistrationId, SenderKeyError,
    SenderKeyRecord, SessionRecord,
};

use crate::party::{rng, vectors_dir};

#[test]
fn records_of_storage_format_1_are_read_and_written_anew() {
    let text = fs::read_to_string(vectors_dir().join("stored-records.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut kinds = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let record = bytes(case, "record");
        assert_eq!(record[0], 1);
        match case["kind"].as_str().unwrap() {
            "session" => session(case, &record),
            "sender-key" => sender_key(case, &record),
            "own-sender-key" => {
                let own = SenderKeyRecord::from_bytes(&record).unwrap();
                assert_eq!(own.distribution_message().unwrap(), bytes(case, "skdm"));
            }
            other => panic!("unknown kind {other}"),
        }
        kinds.push(case["kind"].clone());
    }
    assert_eq!(kinds, ["session", "session", "sender-key", "own-sender-key"]);
}

fn session(case: &Value, record: &[u8]) {
    let identity = PrivateKey::from_bytes(bytes(case, "identity_private").try_into().unwrap());
    let identity = KeyPair::from_private(identity);
    let id = RegistrationId::new(case["registration_id"].as_u64().unwrap().try_into().unwrap());
    let local = LocalIdentity::new(&identity, id);
    let old = SessionRecord::from_bytes(record).unwrap();
    let written = old.to_bytes();
    assert_eq!(written[0], 2);
    let again = SessionRecord::from_bytes(&written).unwrap();
    assert_eq!(*again.to_bytes(), *written);
    for record in [old, again] {
        assert_eq!(record.archived_count() as u64, case["archived"].as_u64().unwrap());
        let next = record.encrypt(&local, b"").unwrap().1;
        assert_eq!(next.kind_str(), case["next_type"]);
        for message in case["messages"].as_array().unwrap() {
            let ciphertext = bytes(message, "ciphertext");
            let opened = match message["type"].as_str().unwrap() {
                "msg" => record.decrypt_signal(&local, &ciphertext, &mut rng(1)),
                _ => record.decrypt_prekey(&local, None, None, &ciphertext, &mut rng(1)),
            };
            let opened = opened.map(|opened| opened.plaintext);
            match message.get("plaintext") {
                Some(_) => assert_eq!(opened, Ok(bytes(message, "plaintext")), "{message}"),
                None => assert_eq!(opened, Err(DecryptError::DuplicateMessage), "{message}"),
            }
        }
    }
}

fn sender_key(case: &Value, record: &[u8]) {
    let old = SenderKeyRecord::from_bytes(record).unwrap();
    let again = SenderKeyRecord::from_bytes(&old.to_bytes()).unwrap();
    for record in [old, again] {
        for message in case["messages"].as_array().unwrap() {
            let opened = record.decrypt(&bytes(message, "ciphertext")).map(|(_, text)| text);
            match message.get("plaintext") {
                Some(_) => assert_eq!(opened, Ok(bytes(message, "plaintext"))),
                None => assert_eq!(opened, Err(SenderKeyError::DuplicateMessage)),
            }
        }
    }
}

#[test]
fn a_stored_record_with_more_archived_sessions_than_are_kept_is_refused() {
    let text = fs::read_to_string(vectors_dir().join("stored-records.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let record = bytes(&file["cases"][0], "record");
    // The archived session that the record ends with, forty times: field 2, its length, itself.
    let last = fields(&record[1..]).into_iter().rfind(|field| field[0] == 0x12).unwrap().to_vec();
    let begin = record.len() - last.len();
    let many = |count| [&record[..begin], &last.repeat(count)].concat();
    let forty = SessionRecord::from_bytes(&many(38)).unwrap();
    assert_eq!(forty.archived_count(), 40);
    assert!(SessionRecord::from_bytes(&many(39)).is_err());
}

/// The length-delimited fields of a protobuf, each with its tag and length.
fn fields(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let length_end = 1 + bytes[1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
        let length = bytes[1..=length_end]
            .iter()
            .rev()
            .fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
        let (field, rest) = bytes.split_at(length_end + 1 + length);
        fields.push(field);
        bytes = rest;
    }
    fields
}

#[test]
fn what_was_skipped_and_what_ended_outlives_a_restart() {
    let rng = &mut rng(2);
    let (mut alice, mut bob) = crate::party::acquainted(rng);
    let late = alice.send(b"late");
    bob.receive(&alice.send(b"next"), rng).unwrap();
    assert_eq!(bob.session.skipped_key_count(), 1);
    bob.session = SessionRecord::from_bytes(&bob.session.to_bytes()).unwrap();
    assert_eq!(bob.receive(&late, rng).unwrap(), b"late");
    assert!(matches!(late, CiphertextMessage::Signal(_)));
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(value[field].as_str().unwrap()).unwrap()
}
