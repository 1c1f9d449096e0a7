//! Whole histories against the reader that takes them in pieces.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::*;

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Read = (Vec<HistoryItem>, Result<pb::HistorySync, HistoryError>);

fn read(blob: &[u8], piece: usize) -> Read {
    let mut reader = HistoryReader::new();
    let mut items = Vec::new();
    for mut part in blob.chunks(piece) {
        loop {
            match reader.next(&mut part) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Err(error)),
            }
        }
        assert!(part.is_empty(), "everything that is given is taken");
    }
    (items, reader.finish())
}

fn text(id: &str, body: &str) -> pb::HistorySyncMsg {
    let info = pb::WebMessageInfo {
        key: pb::MessageKey { id: Some(id.into()), ..Default::default() },
        message: Some(pb::Message { conversation: Some(body.into()), ..Default::default() }),
        ..Default::default()
    };
    pb::HistorySyncMsg { message: Some(info), msg_order_id: Some(1) }
}

fn sample() -> pb::HistorySync {
    let chat = |id: &str, messages| pb::Conversation {
        id: id.into(),
        messages,
        name: Some("name".into()),
        lid_jid: Some("7@lid".into()),
        ..Default::default()
    };
    pb::HistorySync {
        sync_type: pb::history_sync::HistorySyncType::Recent.into(),
        chunk_order: Some(3),
        progress: Some(40),
        conversations: vec![
            chat("1@s.whatsapp.net", vec![text("A", "one"), text("B", &"long ".repeat(30_000))]),
            chat("2@lid", Vec::new()),
        ],
        status_v3_messages: text("S", "status").message.into_iter().collect(),
        pushnames: vec![pb::Pushname { id: Some("1@lid".into()), pushname: Some("Ada".into()) }],
        past_participants: vec![pb::PastParticipants::default()],
        nct_salt: Some(vec![9; 32].into()),
        ..Default::default()
    }
}

#[test]
fn items_come_one_by_one_however_the_blob_is_cut() {
    let blob = compressed(&sample().encode_to_vec());
    let (whole, head) = read(&blob, blob.len());
    let shown: Vec<_> = whole.iter().map(|item| format!("{item:?}")).collect();
    assert_eq!(shown, ["Message", "Message", "Chat", "Chat", "Message", "PushName"]);
    let head = head.unwrap();
    assert_eq!((head.chunk_order, head.progress, head.sync_type), (Some(3), Some(40), 3));
    assert_eq!(head.nct_salt.as_deref(), Some(&[9; 32][..]));
    for piece in [1, 7, 1000] {
        assert_eq!(read(&blob, piece).0, whole);
    }
    let HistoryItem::Message(second) = &whole[1] else { panic!("a message") };
    assert_eq!(second.chat.as_deref(), Some("1@s.whatsapp.net"));
    assert_eq!(second.info.key.id.as_deref(), Some("B"));
    let message = pb::Message::decode(second.message.as_deref().unwrap()).unwrap();
    assert_eq!(message.conversation.unwrap().len(), 150_000);
    let HistoryItem::Chat(chat) = &whole[2] else { panic!("a chat") };
    assert_eq!((chat.lid_jid.as_deref(), chat.messages.len()), (Some("7@lid"), 0));
}

#[test]
fn a_blob_that_is_cut_off_is_said_to_be() {
    let blob = compressed(&sample().encode_to_vec());
    for end in [0, 1, blob.len() / 2, blob.len() - 1] {
        assert_eq!(read(&blob[..end], 64).1, Err(HistoryError::Truncated), "at {end}");
    }
    let bytes = sample().encode_to_vec();
    let inner = compressed(&bytes[..bytes.len() - 3]);
    assert_eq!(read(&inner, 64).1, Err(HistoryError::Truncated));
}

#[test]
fn damage_is_an_error_and_no_panic() {
    let blob = compressed(&sample().encode_to_vec());
    let mut damaged = blob.clone();
    damaged[0] ^= 0xff;
    assert_eq!(read(&damaged, 64).1, Err(HistoryError::Compression));
    // A chat that announces less than a message in it.
    let wrong = [0x12, 0x04, 0x12, 0x20, 0, 0];
    assert_eq!(read(&compressed(&wrong), 64).1, Err(HistoryError::Malformed));
    // Field 0, a group, a number without end.
    for wrong in [&[0, 0][..], &[0x13], &[0xff; 12]] {
        assert_eq!(read(&compressed(wrong), 64).1, Err(HistoryError::Malformed));
    }
}

#[test]
fn a_message_that_is_no_protobuf_does_not_spoil_the_others() {
    let mut bytes = Vec::new();
    // A chat "x" with a message whose key is a number.
    let chat = [&[0x0a, 1, b'x'][..], &[0x12, 4, 0x0a, 2, 0x08, 1]].concat();
    prost::encoding::bytes::encode(CONVERSATIONS, &chat, &mut bytes);
    bytes.extend(sample().encode_to_vec());
    let (items, head) = read(&compressed(&bytes), 64);
    assert_eq!(items[0], HistoryItem::Unreadable);
    assert_eq!(items.len(), 8);
    assert!(head.is_ok());
}

#[test]
fn an_item_beyond_the_bound_is_passed_over_without_keeping_it() {
    let mut bytes = Vec::new();
    let long = vec![b'a'; MAX_ITEM_LEN + 10];
    prost::encoding::bytes::encode(STATUS_MESSAGES, &long, &mut bytes);
    bytes.extend(sample().encode_to_vec());
    let blob = compressed(&bytes);
    let mut reader = HistoryReader::new();
    let mut part = blob.as_slice();
    assert_eq!(reader.next(&mut part), Ok(Some(HistoryItem::Unreadable)));
    let mut rest = 0;
    while let Some(item) = reader.next(&mut part).unwrap() {
        rest += usize::from(item != HistoryItem::Unreadable);
    }
    assert_eq!(rest, 6);
    assert!(reader.finish().is_ok());
}

#[test]
fn a_bomb_is_refused_long_before_it_is_inflated() {
    // A field nobody wants, of a gigabyte.
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[0x92, 0x03]).unwrap();
    encoder.write_all(&[0x80, 0x80, 0x80, 0x80, 0x04]).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..256 {
        encoder.write_all(&zeros).unwrap();
    }
    let blob = encoder.finish().unwrap();
    assert!(blob.len() < 1 << 20);
    assert_eq!(read(&blob, 1 << 12).1, Err(HistoryError::TooLarge));
}

proptest! {
    #[test]
    fn arbitrary_fields_are_survived(
        fields in prop::collection::vec((1_u32..22, prop::collection::vec(any::<u8>(), 0..60)), 0..8),
        piece in 1_usize..50,
    ) {
        let mut bytes = Vec::new();
        for (number, value) in fields {
            prost::encoding::bytes::encode(number, &value, &mut bytes);
        }
        let blob = compressed(&bytes);
        let whole = read(&blob, blob.len());
        prop_assert_eq!(read(&blob, piece), whole);
    }
}
