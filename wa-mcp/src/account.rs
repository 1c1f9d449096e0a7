//! The account behind the server: opened when it is first needed, and opened again when that did
//! not work. The server itself is up without it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex, broadcast};
use wa_bridge::{Bridge, BridgeOptions, Caller, ClientName, Failure, api::EventView};

/// How many changes wait for a slow subscriber.
const CHANGES: usize = 256;

/// How long to wait before the account's events are asked for again after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// The account behind the server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Account {
    shared: Arc<Shared>,
    /// The assistant on whose behalf calls are made, where it is not the server's own.
    client: Option<ClientName>,
}

struct Shared {
    options: BridgeOptions,
    bridge: Mutex<Option<Bridge>>,
    /// What changes, as far as the server's own caller may read it.
    changes: broadcast::Sender<Changed>,
    /// The same for each assistant that has subscribed to something.
    followed: SyncMutex<HashMap<ClientName, broadcast::Sender<Changed>>>,
}

/// A chat in which something is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The chat's address.
    pub(crate) chat: String,
    /// Whether it is a new message, and not a change of what was there.
    pub(crate) is_message: bool,
}

impl Account {
    pub(crate) fn new(options: BridgeOptions) -> Self {
        let (bridge, changes) = (Mutex::new(None), broadcast::Sender::new(CHANGES));
        let followed = SyncMutex::default();
        Self { shared: Arc::new(Shared { options, bridge, changes, followed }), client: None }
    }

    /// The same account, for calls of this assistant.
    pub(crate) fn on_behalf_of(&self, client: ClientName) -> Self {
        Self { client: Some(client), ..self.clone() }
    }

    /// The way to the account.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn bridge(&self) -> Result<Bridge, Failure> {
        let mut bridge = self.shared.bridge.lock().await;
        let bridge = match &*bridge {
            Some(bridge) => bridge.clone(),
            None => {
                let opened = Bridge::open(self.shared.options.clone()).await?;
                bridge.insert(opened).clone()
            }
        };
        let Some(client) = &self.client else { return Ok(bridge) };
        let own = &self.shared.options.caller;
        let mut caller = Caller::client(client.clone());
        caller.tightening.clone_from(&own.tightening);
        caller.time_limit = own.time_limit;
        Ok(bridge.on_behalf_of(caller))
    }

    /// What changes from now on, as far as whoever asks may read it: each assistant hears of the
    /// chats that its own policy lets it read.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Changed> {
        let Some(client) = &self.client else { return self.shared.changes.subscribe() };
        let mut followed = self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = followed.get(client) {
            return changes.subscribe();
        }
        let (changes, receiver) = broadcast::channel(CHANGES);
        followed.insert(client.clone(), changes.clone());
        tokio::spawn(self.clone().follow_for(client.clone(), changes));
        receiver
    }

    /// Tells an assistant what changes, for as long as it wants to know.
    async fn follow_for(self, client: ClientName, changes: broadcast::Sender<Changed>) {
        while self.is_followed(&client, &changes) {
            let failed = tokio::select! {
                done = self.follow(&changes) => done.err(),
                () = changes.closed() => continue,
            };
            if let Some(failure) = failed {
                tracing::warn!(cause = ?failure.cause, "the account cannot be followed now");
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = changes.closed() => {}
            }
        }
    }

    /// Whether anybody still wants to know what changes for an assistant; else it is forgotten.
    fn is_followed(&self, client: &ClientName, changes: &broadcast::Sender<Changed>) -> bool {
        let mut followed = self.shared.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // Who subscribes does so under the same lock.
        if changes.receiver_count() > 0 {
            return true;
        }
        followed.remove(client);
        false
    }

    /// Opens the account, keeps it, and tells what changes: also takes it over when its owner ends.
    pub(crate) async fn keep(self) {
        loop {
            if let Err(failure) = self.follow(&self.shared.changes).await {
                tracing::warn!(cause = ?failure.cause, "the account cannot be followed now");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&self, changes: &broadcast::Sender<Changed>) -> Result<(), Failure> {
        let mut events = self.bridge().await?.events(None);
        while let Some(event) = events.next().await? {
            let is_message = matches!(event, EventView::Message { .. });
            if let Some(chat) = event.chat() {
                let changed = Changed { chat: chat.to_owned(), is_message };
                // An error means that nobody has subscribed.
                let _ = changes.send(changed);
            }
        }
        Ok(())
    }

    /// Lets go of the account.
    pub(crate) async fn close(&self) {
        let bridge = self.shared.bridge.lock().await.take();
        if let Some(bridge) = bridge
            && let Err(failure) = bridge.close().await
        {
            tracing::warn!(cause = ?failure.cause, "the account was not closed in order");
        }
    }
}
