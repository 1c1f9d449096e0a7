//! Parts of a history, written by hand.

#![allow(unreachable_pub, clippy::allow_attributes, reason = "more than one test file uses it")]

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use prost::Message as _;
use wa_proto::{Jid, pb};

/// Somebody by phone number.
pub const ADA_PHONE: &str = "15559990001";
/// The same by LID.
pub const ADA_LID: &str = "90000000000001";

/// A first part with these chats.
pub fn bootstrap(conversations: Vec<pb::Conversation>) -> pb::HistorySync {
    pb::HistorySync {
        sync_type: pb::history_sync::HistorySyncType::InitialBootstrap.into(),
        conversations,
        chunk_order: Some(1),
        progress: Some(100),
        ..Default::default()
    }
}

/// A chat with these messages.
pub fn chat(jid: &Jid, messages: Vec<pb::HistorySyncMsg>) -> pb::Conversation {
    pb::Conversation { id: jid.to_string(), messages, ..Default::default() }
}

/// A text that somebody else wrote.
pub fn text(id: &str, text: &str, timestamp: u64) -> pb::HistorySyncMsg {
    pb::HistorySyncMsg { message: Some(web_text(id, text, timestamp)), msg_order_id: None }
}

/// The same as a status post has it.
pub fn web_text(id: &str, text: &str, timestamp: u64) -> pb::WebMessageInfo {
    pb::WebMessageInfo {
        key: pb::MessageKey { from_me: Some(false), id: Some(id.to_owned()), ..Default::default() },
        message: Some(pb::Message { conversation: Some(text.to_owned()), ..Default::default() }),
        message_timestamp: Some(timestamp),
        ..Default::default()
    }
}

/// A zlib stream, as notices and blobs hold it.
pub fn compressed(sync: &pb::HistorySync) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&sync.encode_to_vec()).unwrap();
    encoder.finish().unwrap()
}
