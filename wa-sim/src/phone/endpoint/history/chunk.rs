//! The chunks in which a past is uploaded: a first one with the newest messages of every chat and
//! the tables, the push names, then everything else. Each is built by its number alone. Knows
//! nothing of how chunks travel.

use std::{io, ops::Range};

use flate2::{Compression, write::ZlibEncoder};
use prost::Message as _;
use wa_proto::{
    Jid,
    pb::{self, conversation::EndOfHistoryTransferType, history_sync::HistorySyncType},
};

use super::past::{Contact, Past};

/// The most messages of one chunk.
pub(crate) const MAX_CHUNK_MESSAGES: u32 = 2_000;

/// How many messages of each chat the first chunk brings.
const BOOTSTRAP_MESSAGES: u32 = 10;

/// The first chunk and the push names.
const LEADING_CHUNKS: u32 = 2;

/// Every so many chats one is named by phone number, as older chats are; all others by LID.
const BY_PHONE_EVERY: u32 = 4;

/// A chunk that is ready to be encrypted.
pub(crate) struct Chunk {
    pub(crate) kind: HistorySyncType,
    /// From 1.
    pub(crate) order: u32,
    pub(crate) progress: Option<u32>,
    /// The oldest message in it, in unix seconds.
    pub(crate) oldest: Option<u64>,
    /// A zlib stream of the `HistorySync`.
    pub(crate) compressed: Vec<u8>,
}

impl Past {
    pub(crate) fn chunk_count(&self) -> u32 {
        LEADING_CHUNKS + self.recent_chunks()
    }

    /// The chunk of this number, from 0.
    pub(crate) fn chunk(&self, number: u32) -> io::Result<Chunk> {
        let mut sync = pb::HistorySync::default();
        let recent = self.recent_chunks();
        let (kind, progress) = match number.checked_sub(LEADING_CHUNKS) {
            Some(recent_number) => {
                sync.conversations = self.recent(recent_number);
                (HistorySyncType::Recent, Some((recent_number + 1) * 100 / recent.max(1)))
            }
            None if number == 0 => {
                self.bootstrap(&mut sync);
                let complete = recent == 0;
                (HistorySyncType::InitialBootstrap, Some(if complete { 100 } else { 0 }))
            }
            None => {
                sync.pushnames = self.push_names();
                (HistorySyncType::PushName, None)
            }
        };
        let order = number + 1;
        sync.sync_type = kind.into();
        sync.chunk_order = Some(order);
        sync.progress = progress;
        let messages = sync.conversations.iter().flat_map(|chat| &chat.messages);
        let oldest = messages.filter_map(|kept| kept.message.as_ref()?.message_timestamp).min();
        Ok(Chunk { kind, order, progress, oldest, compressed: compress(&sync)? })
    }

    /// How many messages of each chat come after the first chunk.
    fn rest_per_chat(&self) -> u32 {
        self.plan.messages_per_chat.saturating_sub(BOOTSTRAP_MESSAGES)
    }

    fn recent_chunks(&self) -> u32 {
        (self.plan.chats * self.rest_per_chat()).div_ceil(MAX_CHUNK_MESSAGES)
    }

    fn bootstrap(&self, sync: &mut pb::HistorySync) {
        let newest = 0..self.plan.messages_per_chat.min(BOOTSTRAP_MESSAGES);
        for chat in 0..self.plan.chats {
            let contact = self.contact(chat);
            sync.phone_number_to_lid_mappings.push(pb::PhoneNumberToLidMapping {
                pn_jid: Some(contact.by_phone().to_string()),
                lid_jid: Some(contact.by_lid().to_string()),
            });
            sync.conversations.push(self.conversation(chat, newest.clone()));
        }
    }

    fn push_names(&self) -> Vec<pb::Pushname> {
        let names = (0..self.plan.chats).map(|chat| {
            let contact = self.contact(chat);
            pb::Pushname {
                id: Some(self.chat_jid(chat, &contact).to_string()),
                pushname: Some(contact.name),
            }
        });
        names.collect()
    }

    /// What is left, chat by chat, cut into pieces of one size.
    fn recent(&self, number: u32) -> Vec<pb::Conversation> {
        let rest = self.rest_per_chat();
        let all = self.plan.chats * rest;
        let end = ((number + 1) * MAX_CHUNK_MESSAGES).min(all);
        let mut at = number * MAX_CHUNK_MESSAGES;
        let mut conversations = Vec::new();
        while at < end {
            let (chat, first) = (at / rest, at % rest);
            let count = (rest - first).min(end - at);
            let first = BOOTSTRAP_MESSAGES + first;
            conversations.push(self.conversation(chat, first..first + count));
            at += count;
        }
        conversations
    }

    /// A part of a chat, its newest message first.
    fn conversation(&self, chat: u32, part: Range<u32>) -> pb::Conversation {
        use EndOfHistoryTransferType as End;
        let contact = self.contact(chat);
        let jid = self.chat_jid(chat, &contact);
        let ends = part.end >= self.plan.messages_per_chat;
        let end = if ends {
            End::CompleteAndNoMoreMessageRemainOnPrimary
        } else {
            End::CompleteButMoreMessagesRemainOnPrimary
        };
        let last = self.message(chat, 0).timestamp;
        pb::Conversation {
            id: jid.to_string(),
            messages: part.map(|index| self.history_message(chat, index, &jid, &contact)).collect(),
            last_msg_timestamp: Some(last),
            conversation_timestamp: Some(last),
            unread_count: Some(0),
            end_of_history_transfer: Some(ends),
            end_of_history_transfer_type: Some(end.into()),
            name: Some(contact.name.clone()),
            pn_jid: jid.is_lid().then(|| contact.by_phone().to_string()),
            lid_jid: (!jid.is_lid()).then(|| contact.by_lid().to_string()),
            ..Default::default()
        }
    }

    fn history_message(
        &self,
        chat: u32,
        index: u32,
        jid: &Jid,
        contact: &Contact,
    ) -> pb::HistorySyncMsg {
        use pb::web_message_info::Status;
        let past = self.message(chat, index);
        let info = pb::WebMessageInfo {
            key: pb::MessageKey {
                remote_jid: Some(jid.to_string()),
                from_me: Some(past.from_me),
                id: Some(past.id),
                participant: None,
            },
            message: Some(pb::Message { conversation: Some(past.text), ..Default::default() }),
            message_timestamp: Some(past.timestamp),
            status: Some(if past.from_me { Status::Read } else { Status::DeliveryAck }.into()),
            push_name: (!past.from_me).then(|| contact.name.clone()),
            ..Default::default()
        };
        let order = u64::from(self.plan.messages_per_chat - index);
        pb::HistorySyncMsg { message: Some(info), msg_order_id: Some(order) }
    }

    /// The JID under which the chat is known.
    pub(crate) fn chat_jid(&self, chat: u32, contact: &Contact) -> Jid {
        let by_phone = chat % BY_PHONE_EVERY == BY_PHONE_EVERY - 1;
        if by_phone { contact.by_phone() } else { contact.by_lid() }
    }
}

impl Contact {
    pub(crate) fn by_phone(&self) -> Jid {
        Jid::phone(self.number.to_string())
    }

    pub(crate) fn by_lid(&self) -> Jid {
        Jid::lid(self.lid.to_string())
    }
}

fn compress(sync: &pb::HistorySync) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    io::Write::write_all(&mut encoder, &sync.encode_to_vec())?;
    encoder.finish()
}
