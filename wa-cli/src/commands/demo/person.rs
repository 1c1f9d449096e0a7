//! A person of the demo: a phone in the simulation, and a computer that is a real client.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use wa_bridge::ending;
use wa_client::{Client, Error, Event, EventStream, Sent, media::MediaFile};
use wa_proto::{Jid, MessageId};
use wa_sim::{Phone, Serving};
use wa_store::{ArchivedMessage, DatabaseKey, MessageStatus, SqliteStore, Store, StoreError};

use super::stage::hold;
use crate::failure::{Cause, Failure};

/// How long anything may take before the demo gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The largest file that is downloaded here, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A person whose computer is on.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) phone: Phone,
    pub(super) client: Client,
    pub(super) store: Arc<SqliteStore>,
    events: EventStream,
    disk: Disk,
}

/// A person whose computer is off.
pub(super) struct Off {
    name: String,
    pub(super) phone: Phone,
    disk: Disk,
}

/// The encrypted database and its key.
struct Disk {
    database: PathBuf,
    key: [u8; 32],
}

impl Person {
    /// Turns a new computer on.
    pub(super) async fn new(
        name: &str,
        phone: Phone,
        folder: &Path,
        serving: &Serving,
    ) -> Result<Self, Failure> {
        let disk = Disk { database: folder.join(format!("{name}.db")), key: rand::random() };
        Off { name: name.into(), phone, disk }.start(serving).await
    }

    /// The first code the computer shows.
    pub(super) async fn qr(&mut self) -> Result<String, Failure> {
        let code = self.wait("a code to scan", |event| match event {
            Event::Qr { code, .. } => Some(code.clone()),
            _ => None,
        });
        code.await
    }

    pub(super) async fn until_connected(&mut self) -> Result<(), Failure> {
        self.wait("the login", |event| matches!(event, Event::Connected).then_some(())).await
    }

    /// Waits until what the server kept meanwhile has been received.
    pub(super) async fn until_drained(&mut self) -> Result<(), Failure> {
        self.wait("the end of the backlog", |event| {
            matches!(event, Event::OfflineSyncCompleted { .. }).then_some(())
        })
        .await
    }

    /// Sends a text, and waits for the server's ack.
    pub(super) async fn send(&self, to: &Self, text: &str) -> Result<String, Failure> {
        self.send_to(to.phone.jid(), text).await
    }

    /// The same, to somebody whose computer may be off.
    pub(super) async fn send_to(&self, to: Jid, text: &str) -> Result<String, Failure> {
        acked(self.client.send(to, text)).await
    }

    /// Sends a text that quotes a message.
    pub(super) async fn reply(&self, to: &Self, text: &str, id: &str) -> Result<String, Failure> {
        acked(self.client.send(to.phone.jid(), text).quoting(message_id(id)?)).await
    }

    /// Tells the other person that a message was read.
    pub(super) async fn mark_read(&self, other: &Self, id: &str) -> Result<(), Failure> {
        let ids = [message_id(id)?];
        self.client.mark_read(&other.phone.jid(), &ids).await.map_err(ending::of_error)
    }

    /// Waits until a message of a chat is in the archive.
    pub(super) async fn archived_in(
        &mut self,
        chat: &Jid,
        id: &str,
    ) -> Result<ArchivedMessage, Failure> {
        self.look(chat, id, |_| true).await
    }

    /// Downloads the file of a message.
    pub(super) async fn download(&self, message: &ArchivedMessage) -> Result<Vec<u8>, Failure> {
        let file = MediaFile::from_archive(message);
        let file = file.ok_or_else(|| Failure::new(Cause::Failed, "the message has no file"))?;
        Ok(self.client.download(file).to_bytes(MAX_FILE).await?)
    }

    /// Looks into the archive after every event until what is looked for is there.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        look: impl AsyncFn(&dyn Store) -> Result<Option<T>, StoreError>,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self.store.as_ref()).await? {
                return Ok(found);
            }
            // Every change in the archive is an event after it.
            let _ = self.next(deadline, what).await?;
        }
    }

    /// Waits until a message of the chat with somebody is in the archive.
    pub(super) async fn archived(
        &mut self,
        other: &Self,
        id: &str,
    ) -> Result<ArchivedMessage, Failure> {
        self.look(&other.phone.jid(), id, |_| true).await
    }

    /// Waits until a message got that far; answers how far it is.
    pub(super) async fn reached(
        &mut self,
        other: &Self,
        id: &str,
        status: MessageStatus,
    ) -> Result<MessageStatus, Failure> {
        let chat = other.phone.jid();
        Ok(self.look(&chat, id, |message| message.status >= status).await?.status)
    }

    /// Waits until the phone shows a message.
    pub(super) async fn on_phone(&self, id: &str) -> Result<(), Failure> {
        let shown = self.phone.wait_for_message(|message| message.id == id, PATIENCE).await;
        hold(shown.is_some(), "the phone shows the message")
    }

    /// Turns the computer off, in order.
    pub(super) async fn shut_down(self) -> Result<Off, Failure> {
        self.client.disconnect().await;
        self.store.close().await?;
        Ok(Off { name: self.name, phone: self.phone, disk: self.disk })
    }

    async fn look(
        &mut self,
        chat: &Jid,
        id: &str,
        wanted: impl Fn(&ArchivedMessage) -> bool,
    ) -> Result<ArchivedMessage, Failure> {
        let look = async |store: &dyn Store| {
            let found = store.messages_by_id(chat, &id.into()).await?;
            Ok(found.into_iter().find(&wanted))
        };
        self.until("a message or its receipt", look).await
    }

    async fn wait<T>(
        &mut self,
        what: &str,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<T, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = wanted(&self.next(deadline, what).await?) {
                return Ok(found);
            }
        }
    }

    async fn next(&mut self, deadline: Instant, what: &str) -> Result<Event, Failure> {
        let event = timeout_at(deadline, self.events.next()).await.map_err(|_| {
            Failure::new(Cause::TimedOut, format!("{} waited in vain for {what}", self.name))
        })?;
        let event = event.ok_or_else(|| Failure::new(Cause::Failed, "a client stopped"))?;
        match ending::of_event(&event) {
            Some(failure) => Err(failure),
            None => Ok(event),
        }
    }
}

impl Off {
    /// Turns the computer on: opens its database and connects.
    pub(super) async fn start(self, serving: &Serving) -> Result<Person, Failure> {
        let key = DatabaseKey::from_bytes(self.disk.key);
        let store = Arc::new(SqliteStore::open(&self.disk.database, key).await?);
        let client = Client::builder(Arc::clone(&store) as Arc<dyn Store>)
            .server(serving.ws_url.clone())
            .noise_root(serving.noise_root)
            .version_source(None)
            .media_ca_pem(serving.media_ca.as_str())
            .build()
            .await
            .map_err(ending::of_error)?;
        let events = client.events();
        client.connect().map_err(ending::of_error)?;
        let Self { name, phone, disk } = self;
        Ok(Person { name, phone, client, store, events, disk })
    }

    /// Looks for texts in the bytes on the disk, and tries another key.
    pub(super) async fn check_sealed(&self, texts: [&str; 3]) -> Result<(), Failure> {
        let bytes = std::fs::read(&self.disk.database).map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot read the database: {error}"))
        })?;
        hold(!bytes.starts_with(b"SQLite format 3"), "the file does not even say what it is")?;
        let shows = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let earlier = ["Tea at the café", "nanosecond"];
        let shown = texts.into_iter().chain(earlier).any(shows);
        hold(!shown, "no text stands in the file")?;
        let wrong = DatabaseKey::from_bytes(self.disk.key.map(|byte| !byte));
        match SqliteStore::open(&self.disk.database, wrong).await {
            Err(StoreError::WrongKey { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => hold(false, "another key does not open it"),
        }
    }
}

/// Waits for the server's ack, and gives the message's id.
pub(super) async fn acked(
    message: impl IntoFuture<Output = Result<Sent, Error>>,
) -> Result<String, Failure> {
    let sent = message.await?;
    hold(sent.timestamp.is_some(), "the server acknowledged the message")?;
    Ok(sent.id.to_string())
}

fn message_id(id: &str) -> Result<MessageId, Failure> {
    MessageId::new(id).map_err(|_| Failure::new(Cause::Failed, "a message id is none"))
}
