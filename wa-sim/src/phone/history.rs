//! The past a phone can be given, which it uploads for the companions that are linked from then
//! on. Knows nothing of how.

use wa_proto::{
    Jid, pb, pb::message::peer_data_operation_request_message::HistorySyncOnDemandRequest,
};

use super::{Phone, endpoint::Past};
use crate::{Damage, address::DeviceAddress};

/// The most chats of a history.
pub const MAX_HISTORY_CHATS: u32 = 200;

/// The most messages of each chat of a history.
pub const MAX_HISTORY_MESSAGES: u32 = 5_000;

/// How much past a phone is given. The same plan at the same time is the same past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPlan {
    /// With how many contacts, 1 to [`MAX_HISTORY_CHATS`].
    pub chats: u32,
    /// How many messages with each, 1 to [`MAX_HISTORY_MESSAGES`].
    pub messages_per_chat: u32,
    /// Names, numbers, texts and times come from it.
    pub seed: u64,
    /// How many messages of each chat are given unasked, the newest; the rest is given to those
    /// who were linked for everything, and to those who ask. `None` gives all.
    pub given: Option<u32>,
    /// Whether there is more in it than texts with single persons: groups, pictures, reactions,
    /// stars, words of the chat itself, status posts, chats known under two names, settings,
    /// tokens.
    pub mixed: bool,
}

impl HistoryPlan {
    /// Texts with so many people, so many with each, all of which are given unasked.
    pub const fn new(chats: u32, messages_per_chat: u32, seed: u64) -> Self {
        Self { chats, messages_per_chat, seed, given: None, mixed: false }
    }

    /// Gives only the newest so many messages of each chat unasked.
    #[must_use]
    pub const fn giving(mut self, messages: u32) -> Self {
        self.given = Some(messages);
        self
    }

    /// Has more in it than texts with single persons.
    #[must_use]
    pub const fn mixed(mut self) -> Self {
        self.mixed = true;
        self
    }
}

/// A part of a history of the caller's making, for [`Phone::upload_history`].
#[derive(Debug, Clone)]
pub struct HistoryUpload {
    pub(crate) sync: pb::HistorySync,
    pub(crate) inline: bool,
    pub(crate) session: Option<String>,
    pub(crate) damage: Option<Damage>,
}

impl HistoryUpload {
    /// A part as it is, left with the media host.
    pub const fn new(sync: pb::HistorySync) -> Self {
        Self { sync, inline: false, session: None, damage: None }
    }

    /// Comes within its notice.
    #[must_use]
    pub const fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    /// Answers the request with this id.
    #[must_use]
    pub fn answering(mut self, request: impl Into<String>) -> Self {
        self.session = Some(request.into());
        self
    }

    /// Something is wrong with it, the first time it is told.
    #[must_use]
    pub const fn damaged(mut self, damage: Damage) -> Self {
        self.damage = Some(damage);
        self
    }
}

/// A phone was given no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// No chat, or more than [`MAX_HISTORY_CHATS`].
    #[error("a history has 1 to {MAX_HISTORY_CHATS} chats")]
    Chats,
    /// No message, or more than [`MAX_HISTORY_MESSAGES`], in each chat.
    #[error("a history has 1 to {MAX_HISTORY_MESSAGES} messages in each chat")]
    Messages,
}

/// A message of a phone's history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryMessage {
    /// Its id.
    pub id: String,
    /// The chat, as the history names it: mostly by LID.
    pub chat: Jid,
    /// The other person's name.
    pub contact: String,
    /// Whether the account wrote it.
    pub from_me: bool,
    /// The text.
    pub text: String,
    /// When it was sent, in unix seconds.
    pub timestamp: u64,
}

impl Phone {
    /// Gives the phone a past, in place of the one it has. It is uploaded for every companion that
    /// logs in for the first time from then on; a phone without a past uploads nothing.
    ///
    /// # Errors
    /// [`HistoryError`] if the plan is beyond a limit.
    pub fn fill_history(&self, plan: HistoryPlan) -> Result<(), HistoryError> {
        if !(1..=MAX_HISTORY_CHATS).contains(&plan.chats) {
            return Err(HistoryError::Chats);
        }
        if !(1..=MAX_HISTORY_MESSAGES).contains(&plan.messages_per_chat) {
            return Err(HistoryError::Messages);
        }
        self.act(|phone, server| phone.past = Some(Past { plan, end: server.now }));
        Ok(())
    }

    /// Tells a companion of a part of a history that the caller made; answers the id of the message
    /// that tells it. `None` if there is no such companion, or no room with the media host.
    pub fn upload_history(&self, device: u16, upload: HistoryUpload) -> Option<String> {
        let to = DeviceAddress::new(self.number, device);
        self.act(|phone, server| {
            server.device(to)?;
            phone.tell_made(server, to, upload)
        })?
    }

    /// What companions asked of the phone's history, the oldest first, with the ids of the messages
    /// that asked. The last hundred.
    pub fn history_requests(&self) -> Vec<(String, HistorySyncOnDemandRequest)> {
        let asked = self.act(|phone, _| phone.history_requests.iter().cloned().collect());
        asked.unwrap_or_default()
    }

    /// A message of the phone's history: the chats are numbered from 0, the messages from 0, the
    /// newest. `None` if there is none.
    pub fn history_message(&self, chat: u32, index: u32) -> Option<HistoryMessage> {
        let past = self.act(|phone, _| phone.past)??;
        if chat >= past.plan.chats || index >= past.plan.messages_per_chat {
            return None;
        }
        let contact = past.contact(chat);
        let message = past.message(chat, index);
        Some(HistoryMessage {
            id: message.id,
            chat: past.chat_jid(chat, &contact, 0),
            contact: contact.name,
            from_me: message.from_me,
            text: message.text,
            timestamp: message.timestamp,
        })
    }
}
