//! The verbs `send_media` and `send_album`: upload, then send as any message is sent.
//!
//! A file is uploaded before its message is queued, because the message tells where it is. Once it
//! is queued, it is never lost; see [`SendMessage`].

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use wa_proto::{Content, Jid, MessageId, Server, ids::MessageKey};
use wa_store::Origin;

use super::{
    MediaError, OutgoingMedia,
    outgoing::described,
    preview::Preview,
    source::Spool,
    upload::{self, MAX_UPLOAD},
};
use crate::{
    error::Error,
    inner::Inner,
    send::{SendMessage, Sent},
};

/// A file that is about to be sent; awaiting it uploads it, sends it and waits for the server's
/// ack. The options are those of [`SendMessage`].
#[must_use = "nothing is sent until this is awaited"]
#[derive(Debug)]
pub struct SendMedia {
    inner: Arc<Inner>,
    chat: Jid,
    media: OutgoingMedia,
    message: SendMessage,
}

impl SendMedia {
    pub(crate) fn new(inner: Arc<Inner>, chat: Jid, media: OutgoingMedia) -> Self {
        let message = SendMessage::new(Arc::clone(&inner), chat.clone(), media.draft());
        Self { inner, chat, media, message }
    }

    /// Answers a message of the same chat, which must be in the archive.
    pub fn quoting(mut self, id: MessageId) -> Self {
        self.message = self.message.quoting(id);
        self
    }

    /// Sends under this id rather than a fresh one; see [`SendMessage::with_id`].
    pub fn with_id(mut self, id: MessageId) -> Self {
        self.message = self.message.with_id(id);
        self
    }

    /// Gives this act of sending a name; see [`SendMessage::idempotency_key`]. What was sent
    /// under it before is not uploaded again either.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.message = self.message.idempotency_key(key);
        self
    }

    /// Notes who asks for it; see [`SendMessage::origin`].
    pub fn origin(mut self, origin: Origin) -> Self {
        self.message = self.message.origin(origin);
        self
    }

    /// Mentions people in the caption.
    pub fn mentions(mut self, people: impl IntoIterator<Item = Jid>) -> Self {
        self.message = self.message.mentions(people);
        self
    }

    /// How long to wait for the server's ack once the file is uploaded; a minute unless said
    /// otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.message = self.message.timeout(limit);
        self
    }

    /// Does not wait for the ack: returns once the file is uploaded and the message on disk.
    pub fn queue(mut self) -> Self {
        self.message = self.message.queue();
        self
    }

    async fn run(self) -> Result<Sent, Error> {
        let Self { inner, chat, media, message } = self;
        media.check().map_err(Error::InvalidInput)?;
        message.check()?;
        if message.sent_before().await?.is_some() {
            return message.await;
        }
        let (content, handle) = uploaded(&inner, &chat, media).await?;
        let message = message.with_content(content);
        match handle.filter(|_| is_open(&chat)) {
            Some(handle) => message.media_handle(handle).await,
            None => message.await,
        }
    }
}

impl IntoFuture for SendMedia {
    type Output = Result<Sent, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Whether everybody may read what is sent there, so that its files are not encrypted.
fn is_open(chat: &Jid) -> bool {
    chat.server == Server::Newsletter
}

/// Uploads a file as such a chat has it, and says what a message tells of it and what the media
/// host calls it.
async fn uploaded(
    inner: &Inner,
    chat: &Jid,
    media: OutgoingMedia,
) -> Result<(Content, Option<String>), Error> {
    let OutgoingMedia { media_type, source, told } = media;
    let made = Preview::make(media_type, &told, source).await.map_err(MediaError::Io)?;
    let (source, preview) = made;
    let spool = match is_open(chat) {
        true => Spool::plain(inner, source, MAX_UPLOAD).await?,
        false => Spool::encrypted(inner, media_type, source, MAX_UPLOAD).await?,
    };
    let uploaded = upload::upload(inner, media_type, &spool).await?;
    let content = described(told, preview, &uploaded, &spool);
    Ok((content, uploaded.handle))
}

/// Sends pictures and videos that are shown together: first what says how many they are, then each
/// as part of it. Nothing is sent before all are uploaded. Gives what was sent, in that order.
///
/// # Errors
/// [`Error::InvalidInput`] for fewer than two files, more than [`MAX_ALBUM`], or other kinds; or
/// those of [`SendMedia`].
pub(crate) async fn send_album(
    inner: &Arc<Inner>,
    chat: Jid,
    files: Vec<OutgoingMedia>,
) -> Result<Vec<Sent>, Error> {
    if !(2..=MAX_ALBUM).contains(&files.len()) {
        return Err(Error::InvalidInput("an album has 2 to 30 pictures and videos"));
    }
    if !files.iter().all(OutgoingMedia::fits_album) {
        return Err(Error::InvalidInput("an album holds pictures and videos only"));
    }
    if is_open(&chat) {
        return Err(Error::Unsupported("channels have no albums: send the files one by one"));
    }
    let message = |content| SendMessage::new(Arc::clone(inner), chat.clone(), content);
    for file in &files {
        file.check().map_err(Error::InvalidInput)?;
        message(file.draft()).check()?;
    }
    let videos = files.iter().filter(|file| file.is_video()).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let album = Content::Album { images: count(files.len() - videos), videos: count(videos) };
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        contents.push(uploaded(inner, &chat, file).await?.0);
    }
    let mut sent = vec![message(album).await?];
    let parent = sent.iter().map(|first| first.id.clone()).next();
    for content in contents {
        let parent = parent.clone().map(|id| MessageKey {
            chat: Some(chat.to_user()),
            from_me: true,
            id,
            sender: None,
        });
        sent.push(message(content).within(parent).await?);
    }
    Ok(sent)
}

/// The most files of an album.
pub const MAX_ALBUM: usize = 30;
