//! Histories made by an independent implementation, read piece by piece.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use proptest::prelude::*;
use prost::Message as _;
use serde_json::Value;
use wa_proto::{
    history::{HistoryError, HistoryItem, HistoryReader},
    pb,
};

fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/history-sync.json");
    let whole: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    whole["cases"].as_array().unwrap().clone()
}

fn cases(kind: &str) -> Vec<Value> {
    vectors().into_iter().filter(|case| case["kind"] == kind).collect()
}

fn blob(case: &Value) -> Vec<u8> {
    hex::decode(case["compressed"].as_str().unwrap()).unwrap()
}

fn read(blob: &[u8], piece: usize) -> Result<(Vec<HistoryItem>, pb::HistorySync), HistoryError> {
    let mut reader = HistoryReader::new();
    let mut items = Vec::new();
    for mut part in blob.chunks(piece) {
        while let Some(item) = reader.next(&mut part)? {
            items.push(item);
        }
    }
    Ok((items, reader.finish()?))
}

/// The chats with the ids and texts of their messages, in the order of the blob.
fn shown(items: &[HistoryItem]) -> Vec<(String, Vec<(String, bool)>)> {
    let mut chats = Vec::new();
    let mut messages = Vec::new();
    for item in items {
        match item {
            HistoryItem::Message(message) if message.chat.is_some() => {
                let key = &message.info.key;
                messages.push((key.id.clone().unwrap(), key.from_me()));
            }
            HistoryItem::Chat(chat) => {
                chats.push((chat.id.clone(), std::mem::take(&mut messages)));
            }
            _ => {}
        }
    }
    chats
}

#[test]
fn every_history_holds_what_its_maker_put_in() {
    let cases = cases("history");
    assert!(cases.len() >= 7);
    for case in cases {
        let (items, head) = read(&blob(&case), 100).unwrap();
        let summary = &case["summary"];
        assert_eq!(head.sync_type().as_str_name(), summary["sync_type"], "{}", case["name"]);
        assert_eq!(u64::from(head.progress()), summary["progress"]);
        let expected: Vec<_> = summary["conversations"].as_array().unwrap().iter().collect();
        let chats = shown(&items);
        assert_eq!(chats.len(), expected.len());
        for ((id, messages), expected) in chats.iter().zip(expected) {
            assert_eq!(id, expected["id"].as_str().unwrap());
            let told: Vec<_> = expected["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|told| {
                    (told["id"].as_str().unwrap().to_owned(), told["from_me"].as_bool().unwrap())
                })
                .collect();
            assert_eq!(*messages, told, "{}", case["name"]);
        }
        let count =
            |wanted: fn(&HistoryItem) -> bool| items.iter().filter(|item| wanted(item)).count();
        let names = count(|item| matches!(item, HistoryItem::PushName(_)));
        assert_eq!(names, summary["pushnames"].as_object().unwrap().len());
        let mappings = count(|item| matches!(item, HistoryItem::LidMapping(_)));
        assert_eq!(mappings, summary["lid_mappings"].as_array().unwrap().len());
        let statuses =
            count(|item| matches!(item, HistoryItem::Message(post) if post.chat.is_none()));
        assert_eq!(statuses, summary["statuses"].as_array().unwrap().len());
        assert_eq!(count(|item| *item == HistoryItem::Unreadable), 0);
    }
}

#[test]
fn texts_are_those_that_were_said() {
    for case in cases("history") {
        let (items, _) = read(&blob(&case), 4096).unwrap();
        let mut said = Vec::new();
        for item in &items {
            let HistoryItem::Message(message) = item else { continue };
            let bytes = message.message.as_deref().unwrap_or_default();
            said.extend(pb::Message::decode(bytes).unwrap().conversation);
        }
        let chats = case["summary"]["conversations"].as_array().unwrap();
        for told in chats.iter().flat_map(|chat| chat["messages"].as_array().unwrap()) {
            if told["kind"] == "conversation" {
                let text = told["text"].as_str().unwrap();
                assert!(said.iter().any(|said| said == text), "{text}");
            }
        }
    }
}

#[test]
fn what_is_no_history_is_said_to_be_none() {
    let errors: Vec<_> = cases("invalid")
        .iter()
        .map(|case| (case["name"].clone(), read(&blob(case), 16).unwrap_err()))
        .collect();
    assert_eq!(errors.len(), 4);
    for (name, error) in errors {
        match name.as_str().unwrap() {
            "not zlib" | "checksum wrong" => assert_eq!(error, HistoryError::Compression),
            "zlib cut short" => assert_eq!(error, HistoryError::Truncated),
            "zlib of bad protobuf" => {
                assert!(matches!(error, HistoryError::Malformed | HistoryError::Truncated));
            }
            name => panic!("a new case: {name}"),
        }
    }
}

#[test]
fn seeds_of_the_history_fuzzer_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/history");
    let mut seeds = 0;
    for seed in fs::read_dir(folder).unwrap() {
        wa_proto::fuzzing::history(&fs::read(seed.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 5);
}

#[test]
fn every_truncation_and_bit_of_a_real_history_is_survived() {
    let case = cases("history").remove(2);
    let bytes = blob(&case);
    for end in 0..bytes.len() {
        wa_proto::fuzzing::history(&bytes[..end]);
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        wa_proto::fuzzing::history(&damaged);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        wa_proto::fuzzing::history(&bytes);
    }
}
