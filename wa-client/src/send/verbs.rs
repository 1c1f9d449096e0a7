//! The client's verbs for single messages: say something about an earlier one, or something of a
//! kind that has more to it than a text.
//!
//! Owns their names and arguments; [`compose`](super::compose) knows what each becomes.

use std::{sync::Arc, time::Duration};

use wa_proto::{
    Content, Jid,
    content::{Event, Poll},
};
use wa_store::{Attendance, MessageKey};

use super::{SendMessage, said::Said};
use crate::client::Client;

/// Every verb gives a [`SendMessage`], with its options, its queue and its errors. What a verb says
/// about a message is refused with [`Error::InvalidInput`](crate::Error::InvalidInput) if the
/// message does not allow it.
impl Client {
    fn say(&self, chat: &Jid, said: Said) -> SendMessage {
        SendMessage::saying(Arc::clone(self.inner()), chat.clone(), said)
    }

    /// Puts an emoji on a message, in place of an earlier one; an empty emoji takes it back.
    pub fn react(&self, message: &MessageKey, emoji: impl Into<String>) -> SendMessage {
        let (target, emoji) = (message.clone(), emoji.into());
        self.say(&message.chat, Said::Reaction { target, emoji })
    }

    /// Gives an own message another text, or own media another caption. Clients allow that for
    /// 20 minutes; [`SendMessage::even_if_late`] tries it later too.
    pub fn edit(&self, message: &MessageKey, text: impl Into<String>) -> SendMessage {
        let (target, text) = (message.clone(), text.into());
        self.say(&message.chat, Said::Edit { target, text, late: false })
    }

    /// Takes back an own message for everyone; in a group also somebody else's, which the server
    /// allows to admins alone.
    pub fn revoke(&self, message: &MessageKey) -> SendMessage {
        self.say(&message.chat, Said::Revoke { target: message.clone() })
    }

    /// Asks a question with two to twelve options, of which a vote may choose any number unless
    /// [`SendMessage::selectable`] says otherwise.
    pub fn send_poll<O: Into<String>>(
        &self,
        chat: Jid,
        question: impl Into<String>,
        options: impl IntoIterator<Item = O>,
    ) -> SendMessage {
        let options = options.into_iter().map(Into::into).collect();
        self.send(chat, Content::Poll(Poll::new(question, options, 0)))
    }

    /// Votes in a poll, in place of an earlier vote; no options take it back.
    pub fn vote<O: Into<String>>(
        &self,
        poll: &MessageKey,
        options: impl IntoIterator<Item = O>,
    ) -> SendMessage {
        let options = options.into_iter().map(Into::into).collect();
        self.say(&poll.chat, Said::Vote { poll: poll.clone(), options })
    }

    /// Announces an event.
    pub fn send_event(&self, chat: Jid, event: Event) -> SendMessage {
        self.send(chat, Content::Event(Box::new(event)))
    }

    /// Answers an event, in place of an earlier answer; [`SendMessage::guests`] brings people.
    pub fn answer_event(&self, event: &MessageKey, attendance: Attendance) -> SendMessage {
        let answer = Said::Answer { event: event.clone(), attendance, guests: 0 };
        self.say(&event.chat, answer)
    }

    /// Pins a message for everyone in the chat. Clients offer a day, a week and 30 days.
    pub fn pin(&self, message: &MessageKey, lifetime: Duration) -> SendMessage {
        let seconds = Some(u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX));
        self.say(&message.chat, Said::Pin { target: message.clone(), seconds })
    }

    /// Takes a pin away.
    pub fn unpin(&self, message: &MessageKey) -> SendMessage {
        self.say(&message.chat, Said::Pin { target: message.clone(), seconds: None })
    }

    /// Keeps a disappearing message, for everyone in the chat.
    pub fn keep(&self, message: &MessageKey) -> SendMessage {
        self.say(&message.chat, Said::Keep { target: message.clone(), kept: true })
    }

    /// Lets a kept message disappear after all.
    pub fn unkeep(&self, message: &MessageKey) -> SendMessage {
        self.say(&message.chat, Said::Keep { target: message.clone(), kept: false })
    }

    /// Passes a message on to another chat, marked as forwarded. Media is not uploaded again.
    pub fn forward(&self, message: &MessageKey, to: Jid) -> SendMessage {
        self.say(&to, Said::Forward { source: message.clone(), unchanged_since: None })
    }

    /// Comments on a message, as communities do under announcements.
    pub fn comment(&self, message: &MessageKey, text: impl Into<String>) -> SendMessage {
        let (target, text) = (message.clone(), text.into());
        self.say(&message.chat, Said::Comment { target, text })
    }

    /// Makes the messages of a chat with one person disappear after a time, or no longer. Clients
    /// offer a day, a week and 90 days. Messages sent from then on carry the timer by themselves.
    pub fn set_disappearing(&self, chat: Jid, after: Option<Duration>) -> SendMessage {
        let after = after.unwrap_or_default();
        let seconds = u32::try_from(after.as_secs()).unwrap_or(u32::MAX);
        self.say(&chat, Said::Timer { seconds })
    }
}
