//! A message on its way into the archive: whose it is and which earlier ones it may name.
//!
//! Knows nothing of contents.

use wa_proto::{
    Jid,
    stanza::{ChatKind, OwnJids},
};
use wa_store::{MessageKey, Moment, Timestamp};

/// A message on its way into the archive: whose it is, by canonical addresses.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) id: String,
    /// The chat, without device.
    pub(crate) chat: Jid,
    pub(crate) kind: ChatKind,
    /// The device that sent it.
    pub(crate) sender: Jid,
    pub(crate) from_me: bool,
    pub(crate) way: Way,
    /// Whether it may delete what others wrote in a group: the server lets only admins mark a
    /// message as an admin's deletion, and the own phone and this device are believed.
    pub(crate) deletes_as_admin: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) push_name: Option<String>,
    pub(crate) own: OwnJids,
}

/// How a message gets here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the server, as it was sent.
    Live,
    /// This device sends it, and the server does not have it yet.
    Outgoing,
    /// From the phone's past: nobody waits for a receipt, nothing is unread, and the keys it may
    /// carry are long outdated.
    History,
}

impl Arrival {
    /// When it adds something, beside others of the same second.
    pub(super) fn moment(&self, sender_ms: Option<i64>) -> Moment {
        let mut moment = Moment::new(self.timestamp, self.id.as_str());
        moment.sender_ms = sender_ms.unwrap_or_default();
        moment
    }

    /// The message's name in the store.
    pub(crate) fn key(&self) -> MessageKey {
        MessageKey {
            chat: self.chat.clone(),
            sender: self.sender.to_user(),
            id: self.id.as_str().into(),
            from_me: self.from_me,
        }
    }

    /// Whether several people write there.
    pub(super) fn is_group_like(&self) -> bool {
        matches!(self.kind, ChatKind::Group | ChatKind::Broadcast | ChatKind::Status)
    }

    /// The message a key points at, seen from this account. The key is written from the view of
    /// whoever sent it.
    pub(super) fn target(
        &self,
        chat: &Jid,
        target: Option<&wa_proto::MessageKey>,
    ) -> Option<MessageKey> {
        let target = target?;
        let author = if target.from_me {
            self.sender.to_user()
        } else if self.is_group_like() {
            target.sender.as_ref()?.to_user()
        } else if self.from_me {
            chat.clone()
        } else {
            self.own.phone.to_user()
        };
        Some(MessageKey {
            chat: chat.clone(),
            from_me: self.own.is_me(&author),
            sender: author,
            id: target.id.as_str().into(),
        })
    }

    /// Whether the sender of the arrival wrote the target.
    pub(super) fn wrote(&self, target: &MessageKey) -> bool {
        target.from_me == self.from_me && (self.from_me || target.sender.is_same_user(&self.sender))
    }
}
