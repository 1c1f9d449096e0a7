//! What a phone shows of its user, and sees of others: that they are there, that they write. Knows
//! nothing of messages.

use wa_proto::{
    Jid, Stanza,
    stanza::{Activity, ChatState, chat_state},
};

use super::{Phone, endpoint::Endpoint};
use crate::server::{Server, directory::Addressing};

/// How many of others' activities a phone remembers.
pub(crate) const MAX_ACTIVITIES: usize = 100;

/// Somebody wrote, or stopped, in a chat of the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhoneActivity {
    /// The chat: a group, or the other person by phone number.
    pub chat: Jid,
    /// Who, by phone number.
    pub by: Jid,
    /// What they do.
    pub activity: Activity,
}

impl Phone {
    /// The phone's user looks at it, or no longer.
    pub fn set_available(&self, available: bool) {
        self.act(|phone, server| server.set_available(phone.address, available));
    }

    /// The phone's user writes in a chat, or stopped.
    pub fn set_typing(&self, chat: &Jid, activity: Activity) {
        self.act(|phone, server| {
            let own = server.device_jid(phone.address, Addressing::of(chat));
            server.receive_from_device(phone.address, &chat_state(&own, chat, activity));
        });
    }

    /// What others did in the phone's chats, in order.
    pub fn activities(&self) -> Vec<PhoneActivity> {
        self.act(|phone, _| phone.activities.iter().cloned().collect()).unwrap_or_default()
    }
}

impl Endpoint {
    /// A `<chatstate>` for this phone.
    pub(crate) fn note_activity(&mut self, server: &Server, node: &wa_proto::Node<'_>) {
        let Stanza::ChatState(ChatState { from, participant, activity, .. }) =
            Stanza::parse(node.clone().into_owned())
        else {
            return;
        };
        let by_number = |jid: &Jid| match server.account_of(jid) {
            Some(account) => server.user_jid(account, Addressing::Phone),
            None => jid.clone(),
        };
        let by = by_number(participant.as_ref().unwrap_or(&from));
        if self.activities.len() == MAX_ACTIVITIES {
            self.activities.pop_front();
        }
        self.activities.push_back(PhoneActivity { chat: by_number(&from), by, activity });
    }
}
