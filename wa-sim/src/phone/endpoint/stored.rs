//! The messages a phone remembers, its own and others'. Knows nothing of how they travel.

use wa_proto::{Jid, content::Unwrapped, pb};

use super::Endpoint;
use crate::{
    address::{DeviceAddress, PhoneNumber},
    phone::MessageStatus,
    server::Server,
};

/// Where a message belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chat {
    Person(PhoneNumber),
    Group(String),
    /// The status posts.
    Status,
}

/// The scope of the sender keys with which status posts are encrypted; that of a group is its id.
pub(super) const STATUS: &str = "status";

/// The chat that has many readers and this scope of sender keys.
pub(super) fn shared_chat(scope: &str) -> Chat {
    if scope == STATUS { Chat::Status } else { Chat::Group(scope.to_owned()) }
}

/// Its address.
pub(super) fn shared_jid(scope: &str) -> Jid {
    if scope == STATUS { Jid::status() } else { Jid::group(scope.to_owned()) }
}

#[derive(Clone)]
pub(crate) struct StoredMessage {
    pub(crate) id: String,
    pub(crate) chat: Chat,
    pub(crate) sender: DeviceAddress,
    pub(crate) timestamp: u64,
    pub(crate) message: pb::Message,
    pub(crate) status: MessageStatus,
}

impl Endpoint {
    /// Keeps a message, unless it is there already.
    pub(super) fn store(&mut self, server: &Server, message: StoredMessage) {
        let same = |kept: &StoredMessage| {
            kept.id == message.id && kept.sender == message.sender && kept.chat == message.chat
        };
        if self.messages.iter().any(same) {
            return;
        }
        self.fetch_file(&message.id, &message.message);
        while self.messages.len() >= server.remembered {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    /// A message of one's own, to be sent again.
    pub(super) fn own_message(&self, id: &str) -> Option<&StoredMessage> {
        self.messages
            .iter()
            .rev()
            .find(|kept| kept.id == id && kept.sender.account == self.address.account)
    }

    /// Moves the status of a message of one's own forward, never back.
    pub(super) fn advance_status(&mut self, id: &str, status: MessageStatus) {
        let own = self.address.account;
        let kept =
            self.messages.iter_mut().rev().find(|kept| kept.id == id && kept.sender.account == own);
        if let Some(kept) = kept {
            kept.status = kept.status.max(status);
        }
    }
}

/// What kind of message it is, and what a person sees of it as text.
pub(crate) fn describe(message: &pb::Message) -> (&'static str, Option<String>) {
    let content = Unwrapped::from_message(message.clone()).content;
    (content.kind().as_str(), content.text().map(str::to_owned))
}
