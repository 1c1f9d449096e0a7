//! The verb `send`: what the caller may say about a message before it goes.
//!
//! Owns the options and their checks. Knows nothing of devices.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use rand_core::Rng as _;
use wa_proto::{
    Content, Jid, MessageId,
    content::{MessageContext, MessageSecret},
    ids::MessageKey,
};

use super::{
    check::{check_chat, check_content, check_group},
    message_id::message_id,
    quote::quote,
};
use crate::{error::Error, inner::Inner, lid, outbox};

/// A message that is about to be sent; awaiting it sends it and waits for the server's ack.
///
/// Once it is queued it is never lost: it goes out with this connection or a later one, also
/// after a restart, under the same id. [`Error::Timeout`], [`Error::NotConnected`] and
/// [`Error::Disconnected`] mean that it waits there.
#[must_use = "nothing is sent until this is awaited"]
pub struct SendMessage {
    inner: Arc<Inner>,
    chat: Jid,
    content: Content,
    id: Option<MessageId>,
    quoting: Option<MessageId>,
    mentions: Vec<Jid>,
    idempotency_key: Option<String>,
    timeout: Duration,
    queue_only: bool,
    parent: Option<MessageKey>,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its id.
    pub id: MessageId,
    /// When the server took it, in seconds since 1970; `None` if it waits in the outbox, as
    /// [`SendMessage::queue`] asks for.
    pub timestamp: Option<u64>,
}

impl SendMessage {
    pub(crate) fn new(inner: Arc<Inner>, chat: Jid, content: Content) -> Self {
        Self {
            inner,
            chat,
            content,
            id: None,
            quoting: None,
            mentions: Vec::new(),
            idempotency_key: None,
            timeout: ACK_TIMEOUT,
            queue_only: false,
            parent: None,
        }
    }

    /// Answers a message of the same chat, which must be in the archive.
    pub fn quoting(mut self, id: MessageId) -> Self {
        self.quoting = Some(id);
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

    /// Mentions people; the text names them as `@` and the user part of their JID.
    pub fn mentions(mut self, people: impl IntoIterator<Item = Jid>) -> Self {
        self.mentions.extend(people);
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
    pub(crate) fn saying(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// The message belongs to another, as a picture to its album.
    pub(crate) fn within(mut self, parent: Option<MessageKey>) -> Self {
        self.parent = parent;
        self
    }

    /// Whether it could be sent, as far as that can be told beforehand.
    ///
    /// # Errors
    /// What sending it would end in.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.inner.account().jid.as_ref().ok_or(Error::NotLinked)?;
        check_chat(&self.chat)?;
        check_content(&self.content)
    }

    async fn run(self) -> Result<Sent, Error> {
        let inner = Arc::clone(&self.inner);
        let (timeout, queue_only) = (self.timeout, self.queue_only);
        let id = match self.sent_before().await? {
            Some(id) => id,
            None => self.enqueue().await?,
        };
        if queue_only {
            outbox::pump_in_background(&inner);
            return Ok(Sent { id, timestamp: None });
        }
        let acked = outbox::wait_for_ack(&inner, &id, timeout).await?;
        Ok(Sent { id, timestamp: Some(acked) })
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

    async fn enqueue(self) -> Result<MessageId, Error> {
        let inner = &*self.inner;
        let account = inner.account();
        let own = account.jid.as_ref().ok_or(Error::NotLinked)?;
        let chat = check_chat(&self.chat)?;
        if chat.is_group() {
            check_group(inner, &chat).await?;
        }
        check_content(&self.content)?;
        let chat = lid::canonical(&*inner.store, &chat).await?;
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let id = inner.with_rng(|rng| message_id(inner.clock.unix(), own, rng));
                MessageId::new(id).map_err(|_| Error::Internal("a made id is invalid"))?
            }
        };
        let secret = inner.with_rng(|rng| {
            let mut secret = [0; 32];
            rng.fill_bytes(&mut secret);
            secret
        });
        let mut context = MessageContext::default();
        context.message_secret = Some(MessageSecret::new(secret.to_vec()));
        context.mentions = self.mentions;
        context.parent = self.parent;
        if let Some(quoted) = &self.quoting {
            context.quoted = Some(quote(inner, &chat, quoted).await?);
        }
        let message = self.content.to_message(&context)?;
        let queued = outbox::Queued {
            id: id.clone(),
            chat,
            content: self.content,
            message,
            idempotency_key: self.idempotency_key,
        };
        outbox::enqueue(inner, queued).await?;
        Ok(id)
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
        f.debug_struct("SendMessage").field("content", &self.content).finish_non_exhaustive()
    }
}

/// How long the server has for its ack.
const ACK_TIMEOUT: Duration = Duration::from_secs(60);
