//! What a phone sends about an earlier message: replies, reactions, edits, deletions. Knows
//! nothing of how it travels.

use prost::Message as _;
use rand_core::Rng as _;
use wa_addon::{SecretContext, SecretUse, poll_option_hash};
use wa_proto::{
    Jid, MessageId, MessageKey,
    content::{
        Comment, Content, Edit, Event, Keep, MessageContext, MessageSecret, Pin, PollVote,
        Protocol, Quoted, Reaction, Revoke, Sealed, Unwrapped,
    },
    pb::message::{EventResponseMessage, PollVoteMessage},
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

    /// Votes in a poll of the chat, in place of an earlier vote; options are given by their texts,
    /// and need not be the poll's.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such poll.
    pub fn vote(&self, to: &Jid, id: &str, options: &[&str]) -> Result<String, SendError> {
        let hashes = options.iter().map(|option| poll_option_hash(option).to_vec().into());
        let vote = PollVoteMessage { selected_options: hashes.collect() };
        let (sealed, at_ms) = self.seal(to, id, SecretUse::PollVote, &vote.encode_to_vec())?;
        self.send_content(to, &Content::PollVote(PollVote { sealed, at_ms }))
    }

    /// Announces an event that begins at a time in unix seconds.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to.
    pub fn send_event(&self, to: &Jid, name: &str, starts_at: i64) -> Result<String, SendError> {
        let mut event = Event::default();
        event.name = name.to_owned();
        event.starts_at = Some(starts_at);
        self.send_in_context(to, &Content::Event(Box::new(event)), &self.secret_context())
    }

    /// Answers an event of the chat: 1 going, 2 not going, 3 maybe.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such event.
    pub fn answer_event(&self, to: &Jid, id: &str, response: i32) -> Result<String, SendError> {
        let Earlier { now_ms, .. } = self.earlier(to, id)?;
        let answer = EventResponseMessage {
            response: Some(response),
            timestamp_ms: now_ms,
            extra_guest_count: None,
        };
        let answer = answer.encode_to_vec();
        let (sealed, _) = self.seal(to, id, SecretUse::EventResponse, &answer)?;
        self.send_content(to, &Content::EventResponse(sealed))
    }

    /// Pins a message for everyone, for so many seconds; none take the pin away.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn pin(&self, to: &Jid, id: &str, seconds: Option<u32>) -> Result<String, SendError> {
        let Earlier { key, now_ms, .. } = self.earlier(to, id)?;
        let pin = Pin { target: Some(key), pinned: seconds.is_some(), at_ms: now_ms };
        let mut context = MessageContext::default();
        context.add_on_seconds = seconds;
        self.send_in_context(to, &Content::Pin(pin), &context)
    }

    /// Keeps a disappearing message, or no longer.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn keep(&self, to: &Jid, id: &str, kept: bool) -> Result<String, SendError> {
        let Earlier { key, now_ms, .. } = self.earlier(to, id)?;
        self.send_content(to, &Content::Keep(Keep { target: Some(key), kept, at_ms: now_ms }))
    }

    /// Comments on a message.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn comment(&self, to: &Jid, id: &str, text: &str) -> Result<String, SendError> {
        let Earlier { key, .. } = self.earlier(to, id)?;
        let content = Box::new(Content::from(text));
        self.send_content(to, &Content::Comment(Comment { target: Some(key), content }))
    }

    /// Passes a message of one chat on to another, marked as forwarded.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the phone has no such message.
    pub fn forward(&self, from: &Jid, id: &str, to: &Jid) -> Result<String, SendError> {
        let Earlier { message, .. } = self.earlier(from, id)?;
        let unwrapped = Unwrapped::from_message(message);
        let mut context = MessageContext::default();
        context.is_forwarded = true;
        context.forwarding_score = unwrapped.context.forwarding_score.saturating_add(1);
        self.send_in_context(to, &unwrapped.content, &context)
    }

    /// Makes the messages of a chat with a person disappear after so many seconds; 0 lets them
    /// stay. The texts the phone sends there from then on carry the timer.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to.
    pub fn set_timer(&self, to: &Jid, seconds: u32) -> Result<String, SendError> {
        let now = self.act(|_, server| server.now).and_then(|now| i64::try_from(now).ok());
        let timer = Protocol::EphemeralSetting { expiration: seconds, set_at: now };
        self.send_content(to, &Content::Protocol(timer))
    }

    /// Seals something with the secret of an earlier message, as a member of its chat by LID.
    fn seal(
        &self,
        to: &Jid,
        id: &str,
        secret_use: SecretUse,
        plaintext: &[u8],
    ) -> Result<(Sealed, Option<i64>), SendError> {
        let Earlier { key, author, message, now_ms } = self.earlier(to, id)?;
        let secret = Unwrapped::from_message(message).context.message_secret;
        let secret = secret.and_then(|secret| <[u8; 32]>::try_from(secret.as_bytes()).ok());
        let secret = secret.ok_or(SendError::NoSecret)?;
        let own = self.lid();
        let context = SecretContext {
            secret: &secret,
            message_id: id,
            original_sender: &author,
            modification_sender: &own,
            secret_use,
        };
        let (iv, payload) = self.sim.with(|world| context.seal(plaintext, &mut world.server.rng));
        let (iv, payload) = (iv.to_vec().into(), payload.into());
        Ok((Sealed { target: Some(key), payload, iv }, now_ms))
    }

    /// A context with a fresh secret, for what others add to.
    pub(super) fn secret_context(&self) -> MessageContext {
        let mut secret = vec![0; 32];
        self.sim.with(|world| world.server.rng.fill_bytes(&mut secret));
        let mut context = MessageContext::default();
        context.message_secret = Some(MessageSecret::new(secret));
        context
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
        Chat::Status => (Jid::status(), Some(author.clone())),
    };
    let key = MessageKey {
        chat: Some(chat),
        from_me: kept.sender.account == phone.address.account,
        id: MessageId::new(kept.id.as_str()).ok()?,
        sender,
    };
    // What a phone says within one second has an order as well.
    let said = i64::try_from(phone.messages.len()).unwrap_or_default() % 1_000;
    let now_ms = i64::try_from(server.now).ok().and_then(|now| now.checked_mul(1_000));
    let now_ms = now_ms.map(|now| now.saturating_add(said));
    Some(Earlier { key, author, message: kept.message.clone(), now_ms })
}
