//! What a phone sends about an earlier message: replies, reactions, edits, deletions. Knows
//! nothing of how it travels.

use wa_proto::{
    Jid, MessageId, MessageKey,
    content::{Content, Edit, MessageContext, Quoted, Reaction, Revoke},
};

use super::{
    Phone, SendError,
    endpoint::{Chat, Endpoint, chat_of},
};
use crate::server::{Server, directory::Addressing};

/// An earlier message as a new one points at it.
struct Earlier {
    key: MessageKey,
    author: Jid,
    message: wa_proto::pb::Message,
    now_ms: Option<i64>,
}

impl Phone {
    /// Answers an earlier message of the chat, which is quoted; answers the new message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn reply(&self, to: &Jid, id: &str, text: impl Into<String>) -> Result<String, SendError> {
        let earlier = self.earlier(to, id)?;
        let quoted = Quoted {
            id: earlier.key.id,
            sender: Some(earlier.author),
            chat: None,
            message: Some(Box::new(earlier.message)),
        };
        let context = MessageContext::quoting(quoted);
        self.send_in_context(to, &Content::from(text.into()), &context)
    }

    /// Puts an emoji on an earlier message of the chat; none takes it back.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn react(&self, to: &Jid, id: &str, emoji: &str) -> Result<String, SendError> {
        let Earlier { key, now_ms, .. } = self.earlier(to, id)?;
        let reaction = Reaction { target: Some(key), emoji: emoji.to_owned(), at_ms: now_ms };
        self.send_content(to, &Content::Reaction(reaction))
    }

    /// Changes the text of an earlier message of one's own.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the message is not there or not one's own.
    pub fn edit(&self, to: &Jid, id: &str, text: impl Into<String>) -> Result<String, SendError> {
        let Earlier { key, now_ms, .. } = self.own_earlier(to, id)?;
        let content = Box::new(Content::from(text.into()));
        self.send_content(to, &Content::Edit(Edit { target: Some(key), content, at_ms: now_ms }))
    }

    /// Deletes an earlier message of one's own for everyone.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the message is not there or not one's own.
    pub fn revoke(&self, to: &Jid, id: &str) -> Result<String, SendError> {
        let Earlier { key, .. } = self.own_earlier(to, id)?;
        self.send_content(to, &Content::Revoke(Revoke { target: Some(key) }))
    }

    fn own_earlier(&self, to: &Jid, id: &str) -> Result<Earlier, SendError> {
        let earlier = self.earlier(to, id)?;
        if earlier.key.from_me { Ok(earlier) } else { Err(SendError::NotOwnMessage) }
    }

    fn earlier(&self, to: &Jid, id: &str) -> Result<Earlier, SendError> {
        self.act(|phone, server| {
            let chat = chat_of(server, to).ok_or(SendError::UnknownRecipient)?;
            find(phone, server, &chat, id).ok_or(SendError::UnknownMessage)
        })
        .ok_or(SendError::UnknownRecipient)?
    }
}

fn find(phone: &Endpoint, server: &Server, chat: &Chat, id: &str) -> Option<Earlier> {
    let kept = phone.messages.iter().rev().find(|kept| kept.id == id && kept.chat == *chat)?;
    let author = server.user_jid(kept.sender.account, Addressing::Lid);
    let (chat, sender) = match chat {
        Chat::Person(account) => (server.user_jid(*account, Addressing::Lid), None),
        Chat::Group(group) => (Jid::group(group.clone()), Some(author.clone())),
    };
    let key = MessageKey {
        chat: Some(chat),
        from_me: kept.sender.account == phone.address.account,
        id: MessageId::new(kept.id.as_str()).ok()?,
        sender,
    };
    let now_ms = i64::try_from(server.now).ok().and_then(|now| now.checked_mul(1_000));
    Some(Earlier { key, author, message: kept.message.clone(), now_ms })
}
