//! The verb `send`: what the caller may say about a message before it goes.
//!
//! Owns the options and their checks. Knows nothing of devices.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use wa_proto::{Content, Jid, MessageId, content::Poll, ids::MessageKey};
use wa_store::Origin;

use super::{
    check::{check_chat, check_content, check_fits, check_group},
    compose::{Composed, compose},
    message_id::message_id,
    said::{Manner, Said},
};
use crate::{
    error::Error,
    inner::Inner,
    lid,
    outbox::{self, Accepted},
};

/// A message that is about to be sent; awaiting it sends it and waits for the server's ack.
///
/// Once it is queued it is never lost: it goes out with this connection or a later one, also
/// after a restart, under the same id. [`Error::Timeout`], [`Error::NotConnected`] and
/// [`Error::Disconnected`] mean that it waits there.
#[must_use = "nothing is sent until this is awaited"]
pub struct SendMessage {
    inner: Arc<Inner>,
    chat: Jid,
    said: Said,
    manner: Manner,
    id: Option<MessageId>,
    media_handle: Option<String>,
    idempotency_key: Option<String>,
    origin: Option<Origin>,
    timeout: Duration,
    queue_only: bool,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its id.
    pub id: MessageId,
    /// When the server took it, in seconds since 1970; `None` if it waits in the outbox, as
    /// [`SendMessage::queue`] asks for, or if the server took it before and the time is not known
    /// any more.
    pub timestamp: Option<u64>,
}

impl SendMessage {
    pub(crate) fn new(inner: Arc<Inner>, chat: Jid, content: Content) -> Self {
        Self::saying(inner, chat, Said::Content(Box::new(content)))
    }

    pub(super) fn saying(inner: Arc<Inner>, chat: Jid, said: Said) -> Self {
        Self {
            inner,
            chat,
            said,
            manner: Manner::default(),
            id: None,
            media_handle: None,
            idempotency_key: None,
            origin: None,
            timeout: ACK_TIMEOUT,
            queue_only: false,
        }
    }

    /// Answers a message of the same chat, which must be in the archive.
    pub fn quoting(mut self, id: MessageId) -> Self {
        self.manner.quoting = Some(id);
        self
    }

    /// Sends under this id rather than a fresh one. The same id is sent once, however often this
    /// is called.
    pub fn with_id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }

    /// Gives this act of sending a name: with the same name nothing is sent again, also after a
    /// restart; the first message is the answer.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Notes who asks for it; kept with the message for [`crate::TransmitGate`], and for whoever
    /// wants to know later what an assistant sent.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Of a forward: only if the message that is passed on still is what it was, by
    /// [`forward_digest`](crate::forward_digest). Its sender may have edited it since.
    pub fn if_unchanged(mut self, digest: [u8; 32]) -> Self {
        if let Said::Forward { unchanged_since, .. } = &mut self.said {
            *unchanged_since = Some(digest);
        }
        self
    }

    /// Mentions people; the text names them as `@` and the user part of their JID.
    pub fn mentions(mut self, people: impl IntoIterator<Item = Jid>) -> Self {
        self.manner.mentions.extend(people);
        self
    }

    /// Mentions everybody in the group; the text names them as `@all`.
    pub fn mentions_everyone(mut self) -> Self {
        self.manner.mentions_everyone = true;
        self
    }

    /// Of a picture, a video or audio: it can be looked at or listened to once.
    pub fn view_once(mut self) -> Self {
        self.manner.view_once = true;
        self
    }

    /// Of a file in a channel: what the media host calls it, as
    /// [`Uploaded::handle`](crate::media::Uploaded::handle) says. [`crate::Client::send_media`]
    /// knows it by itself.
    pub fn media_handle(mut self, handle: impl Into<String>) -> Self {
        self.media_handle = Some(handle.into());
        self
    }

    /// Of a poll: how many options a vote may choose; 0 for any number.
    pub fn selectable(mut self, options: u32) -> Self {
        if let Said::Content(content) = &mut self.said
            && let Content::Poll(poll) = &mut **content
        {
            let (question, names) = (poll.question.clone(), poll.options.clone());
            *poll = Poll::new(question, names, options);
        }
        self
    }

    /// Of an answer to an event: how many people come along.
    pub fn guests(mut self, count: u32) -> Self {
        if let Said::Answer { guests, .. } = &mut self.said {
            *guests = count;
        }
        self
    }

    /// Of an edit: sends it also when the time for edits is over. Others may not show it.
    pub fn even_if_late(mut self) -> Self {
        if let Said::Edit { late, .. } = &mut self.said {
            *late = true;
        }
        self
    }

    /// How long to wait for the server's ack; a minute unless said otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Does not wait: returns once the message is on disk. [`crate::Event::SendStatus`] tells the
    /// rest.
    pub fn queue(mut self) -> Self {
        self.queue_only = true;
        self
    }

    /// Says something else, about which nothing else changes.
    pub(crate) fn with_content(mut self, content: Content) -> Self {
        self.said = Said::Content(Box::new(content));
        self
    }

    /// The message belongs to another, as a picture to its album.
    pub(crate) fn within(mut self, parent: Option<MessageKey>) -> Self {
        self.manner.parent = parent;
        self
    }

    /// Whether it could be sent, as far as that can be told beforehand.
    ///
    /// # Errors
    /// What sending it would end in.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.inner.account().jid.as_ref().ok_or(Error::NotLinked)?;
        check_chat(&self.chat)?;
        match &self.said {
            Said::Content(content) => {
                check_fits(&self.chat, content)?;
                check_content(content)
            }
            _ => Ok(()),
        }
    }

    async fn run(self) -> Result<Sent, Error> {
        let inner = Arc::clone(&self.inner);
        let (timeout, queue_only) = (self.timeout, self.queue_only);
        if let Some(id) = self.sent_before().await? {
            if queue_only {
                outbox::wake_all(&inner);
                return Ok(Sent { id, timestamp: None });
            }
            let timestamp = outbox::wait_for_ack(&inner, &id, timeout).await?;
            return Ok(Sent { id, timestamp });
        }
        let (id, accepted) = self.hand_over().await?;
        let timestamp = match queue_only {
            true => None,
            false => accepted.wait(&inner, timeout).await?,
        };
        Ok(Sent { id, timestamp })
    }

    /// The message that was handed over before under the same id or name.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn sent_before(&self) -> Result<Option<MessageId>, Error> {
        let store = &self.inner.store;
        let mut entry = None;
        if let Some(key) = &self.idempotency_key {
            entry = store.outbox_by_idempotency_key(key).await?;
        }
        if let (None, Some(id)) = (&entry, &self.id) {
            entry = store.outbox_entry(&id.as_str().into()).await?;
        }
        Ok(entry.and_then(|entry| MessageId::new(entry.id.as_str()).ok()))
    }

    async fn hand_over(self) -> Result<(MessageId, Accepted), Error> {
        let inner = &self.inner;
        let account = inner.account();
        let own = account.jid.as_ref().ok_or(Error::NotLinked)?;
        let chat = check_chat(&self.chat)?;
        if chat.is_group() {
            check_group(inner, &chat).await?;
        }
        let chat = lid::canonical(&*inner.store, &chat).await?;
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let id = inner.with_rng(|rng| message_id(inner.clock.unix(), own, rng));
                MessageId::new(id).map_err(|_| Error::Internal("a made id is invalid"))?
            }
        };
        let Composed { content, context } = compose(inner, &chat, self.said, self.manner).await?;
        let message = content.to_message(&context)?;
        let queued = outbox::Queued {
            id: id.clone(),
            chat,
            content,
            message,
            media_handle: self.media_handle,
            idempotency_key: self.idempotency_key,
            origin: self.origin,
        };
        let accepted = outbox::hand_over(inner, queued).await?;
        Ok((id, accepted))
    }
}

impl IntoFuture for SendMessage {
    type Output = Result<Sent, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for SendMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendMessage").field("said", &self.said.name()).finish_non_exhaustive()
    }
}

/// How long the server has for its ack.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(60);
