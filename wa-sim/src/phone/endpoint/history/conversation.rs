//! A past as protobufs: chats with their settings, messages with what hangs on them, names, status
//! posts. Knows nothing of chunks.

use std::ops::Range;

use wa_proto::{
    Jid,
    pb::{
        self,
        conversation::EndOfHistoryTransferType as End,
        web_message_info::{Status, StubType},
    },
};

use super::past::{Contact, Past, PastMessage};
use crate::phone::endpoint::media::Uploaded;

/// Every so many chats one is named by phone number, as older chats are; all others by LID.
const BY_PHONE_EVERY: u32 = 4;

/// In a mixed past every so many chats one is a group.
const GROUP_EVERY: u32 = 5;

/// How many status posts a mixed past has.
const STATUSES: u32 = 5;

impl Past {
    fn is_group(&self, chat: u32) -> bool {
        self.plan.mixed && chat % GROUP_EVERY == GROUP_EVERY - 1
    }

    /// The JID under which the chat is known. In a mixed past one chat goes by its LID in the first
    /// chunk (`part` 0) and by its phone number in later ones.
    pub(crate) fn chat_jid(&self, chat: u32, contact: &Contact, part: u32) -> Jid {
        if self.is_group(chat) {
            return Jid::group(format!("120363{:012}", contact.number));
        }
        let is_split = self.plan.mixed && chat == 0 && part > 0;
        let by_phone = chat % BY_PHONE_EVERY == BY_PHONE_EVERY - 1 || is_split;
        if by_phone { contact.by_phone() } else { contact.by_lid() }
    }

    /// Whether a JID, of either form, names a chat.
    pub(super) fn is_chat(&self, chat: u32, jid: &Jid) -> bool {
        let contact = self.contact(chat);
        *jid == self.chat_jid(chat, &contact, 0)
            || (!self.is_group(chat) && (*jid == contact.by_phone() || *jid == contact.by_lid()))
    }

    pub(super) fn lid_mapping(&self, chat: u32) -> Option<pb::PhoneNumberToLidMapping> {
        let contact = self.contact(chat);
        (!self.is_group(chat)).then(|| pb::PhoneNumberToLidMapping {
            pn_jid: Some(contact.by_phone().to_string()),
            lid_jid: Some(contact.by_lid().to_string()),
        })
    }

    pub(super) fn push_names(&self) -> Vec<pb::Pushname> {
        let names = (0..self.plan.chats).map(|chat| {
            let contact = self.contact(chat);
            let person = match self.is_group(chat) {
                true => contact.by_lid(),
                false => self.chat_jid(chat, &contact, 0),
            };
            pb::Pushname { id: Some(person.to_string()), pushname: Some(contact.name) }
        });
        names.collect()
    }

    /// What people posted as their status during the last day.
    pub(super) fn statuses(&self) -> Vec<pb::WebMessageInfo> {
        let posts = (0..STATUSES.min(self.plan.chats)).map(|chat| {
            let contact = self.contact(chat);
            let author = contact.by_lid();
            let mut info = self.info(self.message(chat, 0), &Jid::status(), &contact);
            info.key.id = info.key.id.map(|id| format!("5{id}"));
            info.key.from_me = Some(false);
            info.key.participant = Some(author.to_string());
            info.message_timestamp = Some(self.end.saturating_sub(u64::from(chat) * 600));
            info
        });
        posts.collect()
    }

    /// A part of a chat, its newest message first.
    pub(super) fn conversation(
        &self,
        chat: u32,
        messages: Range<u32>,
        picture: Option<&Uploaded>,
        part: u32,
    ) -> pb::Conversation {
        let contact = self.contact(chat);
        let jid = self.chat_jid(chat, &contact, part);
        let ends = messages.end >= self.plan.messages_per_chat;
        let end = if ends {
            End::CompleteAndNoMoreMessageRemainOnPrimary
        } else {
            End::CompleteButMoreMessagesRemainOnPrimary
        };
        let last = self.message(chat, 0).timestamp;
        let messages =
            messages.map(|index| self.history_message(chat, index, &jid, &contact, picture));
        let mut conversation = pb::Conversation {
            id: jid.to_string(),
            messages: messages.collect(),
            last_msg_timestamp: Some(last),
            conversation_timestamp: Some(last),
            unread_count: Some(0),
            end_of_history_transfer: Some(ends),
            end_of_history_transfer_type: Some(end.into()),
            name: Some(contact.name.clone()),
            pn_jid: jid.is_lid().then(|| contact.by_phone().to_string()),
            lid_jid: jid.is_phone().then(|| contact.by_lid().to_string()),
            ..Default::default()
        };
        if self.plan.mixed {
            self.mix_settings(chat, &mut conversation);
        }
        conversation
    }

    fn mix_settings(&self, chat: u32, conversation: &mut pb::Conversation) {
        conversation.archived = Some(chat % 7 == 1);
        conversation.pinned = Some(if chat == 2 { 1_700_000_000 } else { 0 });
        conversation.mute_end_time = Some(if chat == 3 { u64::MAX >> 1 } else { 0 });
        conversation.unread_count = Some(if chat == 0 { 3 } else { 0 });
        conversation.ephemeral_expiration = Some(if chat == 1 { 604_800 } else { 0 });
        if !self.is_group(chat) {
            conversation.tc_token = Some(vec![u8::try_from(chat % 256).unwrap_or(0); 11].into());
            conversation.tc_token_timestamp = Some(self.end.saturating_sub(3600));
        }
    }

    fn history_message(
        &self,
        chat: u32,
        index: u32,
        jid: &Jid,
        contact: &Contact,
        picture: Option<&Uploaded>,
    ) -> pb::HistorySyncMsg {
        let mut info = self.info(self.message(chat, index), jid, contact);
        if self.plan.mixed {
            mix(&mut info, chat + index, jid, contact, picture);
        }
        let order = u64::from(self.plan.messages_per_chat - index);
        pb::HistorySyncMsg { message: Some(info), msg_order_id: Some(order) }
    }

    fn info(&self, past: PastMessage, jid: &Jid, contact: &Contact) -> pb::WebMessageInfo {
        let participant = (!past.from_me && !jid.is_person()).then(|| contact.by_lid().to_string());
        pb::WebMessageInfo {
            key: pb::MessageKey {
                remote_jid: Some(jid.to_string()),
                from_me: Some(past.from_me),
                id: Some(past.id),
                participant,
            },
            message: Some(pb::Message { conversation: Some(past.text), ..Default::default() }),
            message_timestamp: Some(past.timestamp),
            status: Some(if past.from_me { Status::Read } else { Status::DeliveryAck }.into()),
            push_name: (!past.from_me).then(|| contact.name.clone()),
            ..Default::default()
        }
    }
}

/// Makes of some texts something else, and hangs something on others.
fn mix(
    info: &mut pb::WebMessageInfo,
    number: u32,
    jid: &Jid,
    contact: &Contact,
    picture: Option<&Uploaded>,
) {
    match (number % 23, picture) {
        (5, _) => {
            let key = pb::MessageKey {
                remote_jid: Some(jid.to_string()),
                from_me: Some(false),
                participant: (!jid.is_person()).then(|| contact.by_lid().to_string()),
                ..Default::default()
            };
            info.reactions.push(pb::Reaction {
                key: Some(key),
                text: Some("🎉".to_owned()),
                sender_timestamp_ms: info
                    .message_timestamp
                    .and_then(|at| i64::try_from(at * 1000 + 5000).ok()),
                ..Default::default()
            });
        }
        (7, _) => info.starred = Some(true),
        (9, _) => info.message_secret = Some(vec![9; 32].into()),
        (11, Some(picture)) => {
            let caption = info.message.take().and_then(|message| message.conversation);
            let image = pb::message::ImageMessage {
                mimetype: Some("image/jpeg".to_owned()),
                caption,
                file_sha256: Some(picture.file_sha256.to_vec().into()),
                file_length: Some(picture.file_length),
                media_key: Some(picture.media_key.to_vec().into()),
                file_enc_sha256: Some(picture.file_enc_sha256.to_vec().into()),
                direct_path: Some(picture.direct_path.clone()),
                ..Default::default()
            };
            info.message =
                Some(pb::Message { image_message: Some(Box::new(image)), ..Default::default() });
        }
        (13, _) => {
            info.message = None;
            let stub = if jid.is_group() {
                info.message_stub_parameters.push(contact.by_lid().to_string());
                StubType::GroupParticipantAdd
            } else {
                StubType::E2eEncrypted
            };
            info.message_stub_type = Some(stub.into());
        }
        _ => {}
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
