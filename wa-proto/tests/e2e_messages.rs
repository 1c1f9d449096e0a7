//! Messages made by other implementations, and messages made to harm.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by panicking"
)]

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::Value;
use wa_proto::content::{
    Contact, Edit, Location, MAX_WRAPPERS, MessageContext, MessageSecret, Poll, PollVote, Protocol,
    Quoted, Reaction, Revoke, Sealed, Wrapper, device_sent,
};
use wa_proto::pb::{self, message::FutureProofMessage};
use wa_proto::{Content, MessageId, MessageKey, Unwrapped};

fn vectors() -> Vec<Value> {
    let folder = std::env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join("e2e-messages.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn encoded(case: &Value) -> Bytes {
    hex::decode(case["encoded"].as_str().unwrap()).unwrap().into()
}

#[test]
fn vectors_e2e_messages() {
    for case in vectors() {
        let bytes = encoded(&case);
        let kind = case["kind"].as_str().unwrap();
        if kind == "invalid" {
            assert!(Unwrapped::decode(bytes).is_err(), "{case}");
            continue;
        }
        let message = pb::Message::decode(bytes.clone()).unwrap();
        assert_eq!(pb::Message::decode(Bytes::from(message.encode_to_vec())).unwrap(), message);

        let unwrapped = Unwrapped::decode(bytes).unwrap();
        assert_eq!(unwrapped.kind().as_str(), kind, "{case}");
        assert_eq!(unwrapped.content.text().unwrap_or_default(), case["text"], "{case}");
        check_details(&case, &unwrapped);
    }
}

/// What only some cases say.
fn check_details(case: &Value, unwrapped: &Unwrapped) {
    let context = &unwrapped.context;
    if let Some(target) = case["target"].as_str() {
        assert_eq!(unwrapped.content.target().unwrap().id.as_str(), target, "{case}");
    }
    if let Some(destination) = case["destination"].as_str() {
        assert_eq!(unwrapped.destination.as_ref().unwrap().to_string(), destination, "{case}");
        assert!(unwrapped.is_device_sent(), "{case}");
    }
    if let Some(name) = case["file_name"].as_str() {
        assert_eq!(unwrapped.content.media().unwrap().file_name.as_deref(), Some(name), "{case}");
    }
    if let (Some(version), Content::Poll(poll)) = (case["version"].as_u64(), &unwrapped.content) {
        assert_eq!(u64::from(poll.version), version, "{case}");
    }
    if case["link_preview"] == true {
        assert_eq!(unwrapped.content.media_type(), Some("url"), "{case}");
    }
    if let Some(mentions) = case["mentions"].as_array() {
        let read: Vec<_> = context.mentions.iter().map(ToString::to_string).collect();
        assert_eq!(read, *mentions, "{case}");
    }
    if case["forwarded"] == true {
        assert!(context.is_forwarded && context.forwarding_score > 0, "{case}");
    }
    if let Some(seconds) = case["expiration"].as_u64() {
        let read = match &unwrapped.content {
            Content::Protocol(Protocol::EphemeralSetting { expiration, .. }) => Some(*expiration),
            _ => context.expiration,
        };
        assert_eq!(read.map(u64::from), Some(seconds), "{case}");
        assert!(unwrapped.is_ephemeral(), "{case}");
    }
    if let Some(wrapper) = case["wrapper"].as_str() {
        let names: Vec<_> =
            unwrapped.wrappers.iter().map(|wrapper| wrapper_name(*wrapper)).collect();
        assert_eq!(names.join(" > "), wrapper, "{case}");
    }
    if let Some(quoted) = case.get("quoted") {
        let read = context.quoted.as_ref().unwrap();
        assert_eq!(read.id.as_str(), quoted["id"], "{case}");
        assert_eq!(read.sender.as_ref().unwrap().to_string(), quoted["participant"], "{case}");
        let content = read.content().unwrap();
        assert_eq!(content.kind().as_str(), quoted["kind"], "{case}");
        assert_eq!(content.text().unwrap_or_default(), quoted["text"], "{case}");
    }
}

fn wrapper_name(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::DeviceSent => "device-sent",
        Wrapper::Ephemeral => "ephemeral",
        Wrapper::ViewOnce => "view-once",
        Wrapper::ViewOnceV2 => "view-once-v2",
        Wrapper::ViewOnceV2Extension => "view-once-v2-extension",
        Wrapper::DocumentWithCaption => "document-with-caption",
        Wrapper::GroupMentioned => "group-mentioned",
        Wrapper::Edited => "edited",
        other => panic!("no name for {other:?}"),
    }
}

#[test]
fn seeds_of_the_message_fuzzer_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/message");
    let mut seeds = 0;
    for entry in fs::read_dir(folder).unwrap() {
        wa_proto::fuzzing::message(&fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0);
}

#[test]
fn every_truncation_and_bit_of_a_real_message_is_survived() {
    for case in vectors().iter().step_by(7) {
        let bytes = encoded(case);
        for end in 0..bytes.len() {
            wa_proto::fuzzing::message(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1 << (at % 8);
            wa_proto::fuzzing::message(&damaged);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        wa_proto::fuzzing::message(&bytes);
    }

    /// Tags of fields that `Message` has, followed by whatever: gets deeper than random bytes.
    #[test]
    fn arbitrary_fields_are_survived(
        fields in prop::collection::vec((1_u32..130, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let mut bytes = Vec::new();
        for (number, value) in fields {
            prost::encoding::bytes::encode(number, &value, &mut bytes);
        }
        wa_proto::fuzzing::message(&bytes);
    }
}

fn wrap(message: pb::Message) -> pb::Message {
    let wrapper = FutureProofMessage { message: Some(Box::new(message)) };
    pb::Message { ephemeral_message: Some(Box::new(wrapper)), ..Default::default() }
}

#[test]
fn wrappers_are_opened_up_to_a_limit() {
    let text = pb::Message { conversation: Some("deep".into()), ..Default::default() };
    let wrapped = (0..MAX_WRAPPERS).fold(text, |message, _| wrap(message));
    let unwrapped = Unwrapped::from_message(wrapped.clone());
    assert_eq!(unwrapped.content.text(), Some("deep"));
    assert_eq!(unwrapped.wrappers.len(), MAX_WRAPPERS);

    let unwrapped = Unwrapped::from_message(wrap(wrapped));
    assert_eq!(unwrapped.content, Content::Unknown { field: 40 });
}

#[test]
fn edits_of_edits_count_as_wrappers() {
    let text = pb::Message { conversation: Some("deep".into()), ..Default::default() };
    let mut message = (0..40).fold(text, |message, _| {
        let mut edit = pb::message::ProtocolMessage {
            edited_message: Some(Box::new(message)),
            ..Default::default()
        };
        edit.set_type(pb::message::protocol_message::Type::MessageEdit);
        pb::Message { protocol_message: Some(Box::new(edit)), ..Default::default() }
    });
    let mut content = Unwrapped::from_message(message.clone()).content;
    while let Content::Edit(edit) = content {
        content = *edit.content;
    }
    assert_eq!(content, Content::Unknown { field: 12 });

    for _ in 0..40 {
        message = wrap(message);
    }
    assert!(
        Unwrapped::decode(message.encode_to_vec()).is_err(),
        "nests beyond the decoder's limit"
    );
}

#[test]
fn a_field_of_the_future_is_reported_by_its_number() {
    let mut future = Vec::new();
    prost::encoding::string::encode(4321, &"from the future".to_owned(), &mut future);
    let unwrapped = Unwrapped::decode(future.clone()).unwrap();
    assert_eq!(unwrapped.content, Content::Unknown { field: 4321 });

    // Inside a view-once message: field 37, and in it field 1.
    let mut inner = Vec::new();
    prost::encoding::bytes::encode(1, &future, &mut inner);
    let mut wrapped = Vec::new();
    prost::encoding::bytes::encode(37, &inner, &mut wrapped);
    let unwrapped = Unwrapped::decode(wrapped).unwrap();
    assert_eq!(unwrapped.content, Content::Unknown { field: 4321 });
    assert!(unwrapped.is_view_once());
}

#[test]
fn a_described_field_that_nothing_reads_is_reported_by_its_number() {
    let chat = pb::message::Chat { id: Some("1".into()), ..Default::default() };
    let message = pb::Message { chat: Some(chat), ..Default::default() };
    assert_eq!(Unwrapped::from_message(message).content, Content::Unknown { field: 11 });
}

#[test]
fn a_sender_key_beside_a_wrapper_is_kept() {
    let text = pb::Message { conversation: Some("hi".into()), ..Default::default() };
    let distribution = pb::message::SenderKeyDistributionMessage {
        group_id: Some("120363030678070938@g.us".into()),
        axolotl_sender_key_distribution_message: Some(Bytes::from_static(b"key")),
    };
    let message = pb::Message { sender_key_distribution_message: Some(distribution), ..wrap(text) };
    let unwrapped = Unwrapped::from_message(message);
    assert_eq!(unwrapped.content.text(), Some("hi"));
    assert_eq!(unwrapped.sender_keys[0].message, b"key".as_slice());
}

fn key(id: &str) -> Option<MessageKey> {
    let chat = Some("33611301079-1689168753@g.us".parse().unwrap());
    Some(MessageKey { chat, from_me: true, id: MessageId::new(id).unwrap(), sender: None })
}

fn sealed() -> Sealed {
    let (payload, iv) = (Bytes::from_static(b"ciphertext"), Bytes::from_static(b"twelve bytes"));
    Sealed { target: key("A1"), payload, iv }
}

#[test]
fn an_own_device_learns_where_a_message_went_and_its_secret() {
    let mut context = MessageContext::default();
    context.message_secret = Some(MessageSecret::new(vec![7; 32]));
    let destination = "33611301079-1689168753@g.us".parse().unwrap();
    let message = Content::from("hi").to_message(&context).unwrap();
    let wrapped = device_sent(&destination, message);
    assert!(wrapped.message_context_info.is_some());

    let unwrapped = Unwrapped::from_message(wrapped);
    assert_eq!(unwrapped.content, Content::from("hi"));
    assert_eq!(unwrapped.destination, Some(destination));
    assert_eq!(unwrapped.context, context);
}

#[test]
fn what_is_sent_reads_back_the_same() {
    let edited = Content::from("better");
    let mut poll_v4 = Poll::new("?", vec!["a".into()], 0);
    poll_v4.version = 4;
    let contents = [
        Content::from("hi"),
        Content::Reaction(Reaction { target: key("A1"), emoji: "👍".into(), at_ms: Some(7) }),
        Content::Reaction(Reaction { target: key("A1"), emoji: String::new(), at_ms: Some(7) }),
        Content::Edit(Edit { target: key("A1"), content: Box::new(edited), at_ms: Some(7) }),
        Content::Revoke(Revoke { target: key("A1") }),
        Content::Location(Location { latitude: 48.8, longitude: 2.3, ..Default::default() }),
        Content::Contact(Contact { name: "A".into(), vcard: "BEGIN:VCARD".into() }),
        Content::Poll(Poll::new("?", vec!["a".into(), "b".into()], 1)),
        Content::Poll(Poll::new("?", vec!["a".into(), "b".into()], 0)),
        Content::Poll(poll_v4),
        Content::PollVote(PollVote { sealed: sealed(), at_ms: Some(7) }),
        Content::EncryptedReaction(sealed()),
        Content::EncryptedComment(sealed()),
        Content::EventResponse(sealed()),
        Content::Protocol(Protocol::EphemeralSetting { expiration: 86_400, set_at: None }),
    ];
    for content in contents {
        let message = content.to_message(&MessageContext::default()).unwrap();
        let decoded = pb::Message::decode(message.encode_to_vec().as_slice()).unwrap();
        assert_eq!(decoded, message);
        assert_eq!(Unwrapped::from_message(decoded).content, content);
    }
}

#[test]
fn media_that_was_read_is_sent_with_every_field_it_was_read_from() {
    for case in vectors() {
        let Ok(unwrapped) = Unwrapped::decode(encoded(&case)) else { continue };
        if unwrapped.content.media().is_none() {
            continue;
        }
        if let Ok(message) = unwrapped.content.to_message(&unwrapped.context) {
            let again = Unwrapped::from_message(message);
            assert!(again.content == unwrapped.content, "{case}");
            assert!(again.context == unwrapped.context, "{case}");
        }
    }
}

#[test]
fn a_reply_quotes_mentions_and_expires() {
    let mut context = MessageContext::quoting(Quoted {
        id: MessageId::new("3EB07A679511BEB9DA7D40").unwrap(),
        sender: Some("23486968944@s.whatsapp.net".parse().unwrap()),
        chat: None,
        message: Some(Box::new(Content::from("first").to_message(&Default::default()).unwrap())),
    });
    context.mentions = vec!["44772187393@s.whatsapp.net".parse().unwrap()];
    context.expiration = Some(604_800);
    context.message_secret = Some(MessageSecret::new(vec![7; 32]));
    let message = Content::from("second").to_message(&context).unwrap();
    assert!(message.conversation.is_none(), "only the long form carries context");

    let unwrapped = Unwrapped::from_message(message);
    assert_eq!(unwrapped.context, context);
    assert_eq!(unwrapped.context.quoted.unwrap().content(), Some(Content::from("first")));
}

#[test]
fn an_edit_is_wrapped_and_keeps_its_mentions_inside() {
    let mut context = MessageContext::default();
    context.mentions = vec!["44772187393@s.whatsapp.net".parse().unwrap()];
    let content = Box::new(Content::from("hello @44772187393"));
    let edit = Content::Edit(Edit { target: key("A1"), content, at_ms: Some(7) });
    let unwrapped = Unwrapped::from_message(edit.to_message(&context).unwrap());
    assert_eq!(unwrapped.wrappers, [Wrapper::Edited]);
    assert_eq!(unwrapped.content, edit);
    assert_eq!(unwrapped.context.mentions, context.mentions);
}

#[test]
fn what_only_others_send_is_refused() {
    let content = Content::Placeholder;
    let error = content.to_message(&MessageContext::default()).unwrap_err();
    assert_eq!(error.to_string(), "content of kind placeholder cannot be sent");
}

#[test]
fn debug_shows_no_text_and_no_key() {
    for case in vectors() {
        let Ok(unwrapped) = Unwrapped::decode(encoded(&case)) else { continue };
        let shown = format!("{unwrapped:?} {:?}", unwrapped.content.media());
        if let Some(text) = unwrapped.content.text() {
            assert!(!shown.contains(text), "{case}");
        }
        if let Some(secret) = &unwrapped.context.message_secret {
            assert!(!shown.contains(&format!("{:?}", secret.as_bytes())), "{case}");
        }
    }
}
