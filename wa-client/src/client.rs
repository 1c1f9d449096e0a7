//! The client: what a program holds.
//!
//! Owns connecting and disconnecting; messages are sent and received by modules of their own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};
use wa_proto::{Content, Jid, MessageId, Request, request::RemoveCompanionDevice};
use wa_store::Store;

use crate::{
    History,
    builder::ClientBuilder,
    chats::Chats,
    connection,
    contacts::{Contacts, SharedSettings},
    error::Error,
    event::{Event, EventStream, LogoutReason},
    groups::Groups,
    inner::{Inner, State},
    media::{self, Download, MediaFile, MediaSource, MediaType, OutgoingMedia, SendMedia, Upload},
    receipts::{self, Mark},
    request::RequestError,
    send::{SendMessage, Sent},
};

/// One linked device. Clones are cheap and are the same client.
///
/// The connection ends when the last clone is dropped; [`Client::disconnect`] ends it with a
/// goodbye.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    inner: Arc<Inner>,
    driver: Mutex<Option<Driver>>,
}

#[derive(Debug)]
struct Driver {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Client {
    /// Begins to make a client; the store is the one thing that has no default.
    pub fn builder(store: Arc<dyn Store>) -> ClientBuilder {
        ClientBuilder::new(store)
    }

    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { shared: Arc::new(Shared { inner, driver: Mutex::new(None) }) }
    }

    /// What every part of the client shares.
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.shared.inner
    }

    /// Every event from now on.
    pub fn events(&self) -> EventStream {
        self.shared.inner.events.subscribe()
    }

    /// How far the client has come.
    pub fn state(&self) -> State {
        self.shared.inner.state()
    }

    /// This device by phone number, once it is linked.
    pub fn jid(&self) -> Option<Jid> {
        self.shared.inner.account().jid.clone()
    }

    /// This device by LID, once it is linked and the account has one.
    pub fn lid(&self) -> Option<Jid> {
        self.shared.inner.account().lid.clone()
    }

    /// Begins to connect, and to keep connected, and returns at once; [`Client::events`] and
    /// [`Client::wait_until_connected`] tell how it went. Does nothing if that is under way.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::LoggedOut`] if this device was unlinked.
    pub fn connect(&self) -> Result<(), Error> {
        let mut driver = self.shared.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state() == State::LoggedOut {
            return Err(Error::LoggedOut);
        }
        if driver
            .as_ref()
            .is_some_and(|driver| !driver.task.is_finished() && !*driver.stop.borrow())
        {
            return Ok(());
        }
        let before = driver.take();
        let (stop, stopped) = watch::channel(false);
        let inner = Arc::clone(&self.shared.inner);
        inner.enter(State::Connecting);
        let task = tokio::spawn(async move {
            // The last connection says goodbye before the next begins.
            if let Some(Driver { task, stop: _stop }) = before {
                let _ = task.await;
            }
            connection::run(inner, stopped).await;
        });
        *driver = Some(Driver { stop, task });
        Ok(())
    }

    /// Waits until messages can be sent.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`; [`Error::NotConnected`] if no connection is being made;
    /// [`Error::LoggedOut`]; [`Error::Refused`] if the server sent this client away.
    pub async fn wait_until_connected(&self, limit: Duration) -> Result<(), Error> {
        match self.shared.inner.wait_for_link(limit).await {
            Ok(_) => Ok(()),
            Err(_) if self.state() == State::Stopped => {
                Err(Error::Refused("see the events for the reason"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at the outbox again: what a [`TransmitGate`](crate::TransmitGate) had wait may leave
    /// by now.
    pub fn flush_outbox(&self) {
        crate::outbox::wake_all(self.inner());
    }

    /// Ends the connection, or the waiting for the next one, and makes no other. What waits to be
    /// sent, acks and receipts, is sent first.
    pub async fn disconnect(&self) {
        let driver = self.shared.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Driver { stop, task }) = driver {
            stop.send_replace(true);
            // An error means that it had panicked, and is over as well.
            let _ = task.await;
        }
    }

    /// Asks the server something of `wa-proto`'s requests, for what has no verb here.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request<R: Request + Sync>(
        &self,
        request: &R,
    ) -> Result<R::Response, RequestError> {
        self.shared.inner.request(request).await
    }

    /// Sends something to a chat: a text, or any [`Content`]. Options are chained, and awaiting
    /// waits for the server's ack: `client.send(chat, "hi").quoting(id).await`.
    pub fn send(&self, chat: Jid, content: impl Into<Content>) -> SendMessage {
        SendMessage::new(Arc::clone(&self.shared.inner), chat, content.into())
    }

    /// Uploads a file and sends it to a chat:
    /// `client.send_media(chat, OutgoingMedia::image(path).caption("here")).await`. For a channel,
    /// which everybody may read, it is uploaded without encryption.
    pub fn send_media(&self, chat: Jid, media: OutgoingMedia) -> SendMedia {
        SendMedia::new(Arc::clone(&self.shared.inner), chat, media)
    }

    /// Uploads pictures and videos and sends them to a chat, to be shown together. Gives what was
    /// sent: the message that announces them, and then each.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two or more than [`media::MAX_ALBUM`] files, or
    /// files of other kinds; [`Error::Media`]; those of [`Client::send`].
    pub async fn send_album(
        &self,
        chat: Jid,
        files: Vec<OutgoingMedia>,
    ) -> Result<Vec<Sent>, Error> {
        media::send_album(&self.shared.inner, chat, files).await
    }

    /// Uploads a file without sending it; awaiting it gives what a message has to tell of it.
    pub fn upload(&self, media_type: MediaType, source: impl Into<MediaSource>) -> Upload {
        Upload::new(Arc::clone(&self.shared.inner), media_type, source.into())
    }

    /// Downloads the file of a message: `client.download(file).to_file("picture.jpg").await`.
    /// Nothing of it is seen before every checksum was found right.
    pub fn download(&self, file: MediaFile) -> Download {
        Download::new(Arc::clone(&self.shared.inner), file)
    }

    /// The account's groups.
    pub fn groups(&self) -> Groups {
        Groups::new(Arc::clone(&self.shared.inner))
    }

    /// The history: older messages, and where some are missing.
    pub fn history(&self) -> History {
        History::new(Arc::clone(&self.shared.inner))
    }

    /// What is done with chats and the messages in them, on all devices of the account.
    pub fn chats(&self) -> Chats {
        Chats::new(Arc::clone(&self.shared.inner))
    }

    /// The address book.
    pub fn contacts(&self) -> Contacts {
        Contacts::new(Arc::clone(&self.shared.inner))
    }

    /// The settings that all devices of the account share: the own name and others.
    pub fn shared_settings(&self) -> SharedSettings {
        SharedSettings::new(Arc::clone(&self.shared.inner))
    }

    /// Posts something to the account's status: to the people in the user's address book, as
    /// [`crate::Privacy::status_audience`] narrows them. It lives for a day. The options are those
    /// of [`Client::send`].
    pub fn post_status(&self, content: impl Into<Content>) -> SendMessage {
        self.send(Jid::status(), content)
    }

    /// Tells the senders that these messages of a chat were read. Without a connection they learn
    /// it with the next.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_read(&self, chat: &Jid, ids: &[MessageId]) -> Result<(), Error> {
        receipts::mark(&self.shared.inner, chat, ids, Mark::Read).await
    }

    /// Tells the senders that these messages of a chat were played: voice messages, video notes and
    /// what can be viewed once. Without a connection they learn it with the next.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_played(&self, chat: &Jid, ids: &[MessageId]) -> Result<(), Error> {
        receipts::mark(&self.shared.inner, chat, ids, Mark::Played).await
    }

    /// Unlinks this device: tells the server, forgets the credentials, keeps the archive.
    ///
    /// # Errors
    /// If the server could not be told; then the device stays linked. [`Error::NotLinked`] if it
    /// is not.
    pub async fn logout(&self) -> Result<(), Error> {
        let inner = &self.shared.inner;
        let Some(jid) = self.jid() else { return Err(Error::NotLinked) };
        inner.request(&RemoveCompanionDevice { device: jid }).await?;
        connection::wipe(inner).await;
        self.disconnect().await;
        inner.emit(Event::LoggedOut { reason: LogoutReason::Requested });
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let driver = self.driver.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = driver {
            driver.task.abort();
        }
        self.inner.abort_background();
    }
}
