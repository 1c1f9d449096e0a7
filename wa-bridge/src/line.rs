//! The one connection of an account: made on demand, watched, and replaced when a device is linked
//! anew.
//!
//! Knows nothing of calls and policies.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::{broadcast, watch},
    task::AbortHandle,
    time::{Instant, timeout_at},
};
use wa_client::{
    Client, ClientBuilder, DisconnectReason, EVENT_BUFFER, Event, HistoryDepth, Platform,
    TransmitGate,
};
use wa_store::{Change, Changes, Store};

mod passkey;

use crate::{
    api::{AccountView, HistoryWanted, LinkState},
    endpoint::Endpoint,
    failure::{Cause, Failure, ending, remedy},
};

/// How many attempts in a row may fail before a call gives up: somebody waits for it.
const MAX_ATTEMPTS: u32 = 3;

/// The setting of the store that says how much of its past the phone is asked for.
const HISTORY_DEPTH: &str = "wa-bridge/history-depth";

/// The connection of an account.
pub(crate) struct Line {
    store: Arc<dyn Store>,
    endpoint: Endpoint,
    /// Has the last word on what leaves.
    gate: Arc<dyn TransmitGate>,
    slot: RwLock<Slot>,
    state: watch::Sender<LineState>,
    events: broadcast::Sender<Event>,
}

struct Slot {
    client: Client,
    watcher: AbortHandle,
}

/// How the connection stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineState {
    pub(crate) connected: bool,
    /// All that waited on the server was received.
    pub(crate) drained: bool,
    /// What ended it for good.
    pub(crate) ended: Option<Failure>,
    /// When something was last heard from the server.
    pub(crate) heard: Option<Instant>,
    /// How many attempts failed since it last held.
    failed_attempts: u32,
    last_end: Option<DisconnectReason>,
    /// What to show while a device is being linked; counted, so that one can wait for the next.
    pub(crate) link: Option<(u64, LinkState)>,
    /// The revision at which this link began: one number for each attempt.
    pub(crate) attempt: u64,
    /// When the step with a passkey that is shown is given up.
    step_ends: Option<Instant>,
}

impl Line {
    /// Makes the client; does not connect.
    pub(crate) async fn new(
        store: Arc<dyn Store>,
        endpoint: Endpoint,
        gate: Arc<dyn TransmitGate>,
    ) -> Result<Self, Failure> {
        let (state, events) =
            (watch::Sender::new(LineState::default()), broadcast::Sender::new(EVENT_BUFFER));
        let depth = history_depth(store.as_ref()).await?;
        let builder = builder(&store, &endpoint, &gate).history(depth);
        let slot = RwLock::new(start(builder, &state, &events).await?);
        Ok(Self { store, endpoint, gate, slot, state, events })
    }

    /// The client; a cheap clone.
    pub(crate) fn client(&self) -> Client {
        self.slot.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// How the connection stands now.
    pub(crate) fn state(&self) -> LineState {
        self.state.borrow().clone()
    }

    /// Every event from now on, also those of a client that replaces this one.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Begins to connect, unless the server has ended it for good.
    ///
    /// # Errors
    /// Why it has.
    pub(crate) fn connect(&self) -> Result<(), Failure> {
        if let Some(ended) = self.state().ended {
            return Err(ended);
        }
        self.client().connect().map_err(ending::of_error)
    }

    /// Tries again what had ended for good; a person may have mended it.
    pub(crate) fn forget_ending(&self) {
        self.state.send_modify(|state| {
            state.ended = None;
            state.failed_attempts = 0;
        });
    }

    /// Connects, and waits until messages can be sent.
    ///
    /// # Errors
    /// Why they cannot; [`Cause::TimedOut`] at the deadline.
    pub(crate) async fn online(&self, deadline: Instant) -> Result<Client, Failure> {
        self.connect()?;
        self.until(deadline, |state| state.connected).await?;
        Ok(self.client())
    }

    /// Connects, and waits until all that had waited on the server was received.
    ///
    /// # Errors
    /// Why that cannot be; [`Cause::TimedOut`] at the deadline.
    pub(crate) async fn caught_up(&self, deadline: Instant) -> Result<Client, Failure> {
        self.connect()?;
        self.until(deadline, |state| state.connected && state.drained).await?;
        Ok(self.client())
    }

    /// Waits for the answer to what the client was asked, for as long as it can come.
    ///
    /// # Errors
    /// The answer's own; why it cannot come; [`Cause::TimedOut`] at the deadline.
    pub(crate) async fn ask<T, E: Into<Failure>>(
        &self,
        deadline: Instant,
        asked: impl IntoFuture<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            answer = asked.into_future() => answer.map_err(Into::into),
            failure = self.hopeless(deadline) => Err(failure),
        }
    }

    /// Waits until nothing more can be hoped for.
    async fn hopeless(&self, deadline: Instant) -> Failure {
        match self.until(deadline, |_| false).await {
            Err(failure) => failure,
            Ok(_) => std::future::pending().await,
        }
    }

    /// Waits until the connection stands as it should.
    pub(crate) async fn until(
        &self,
        deadline: Instant,
        stands: impl Fn(&LineState) -> bool,
    ) -> Result<LineState, Failure> {
        let started = Instant::now();
        let mut states = self.state.subscribe();
        loop {
            let state = states.borrow_and_update().clone();
            if stands(&state) {
                return Ok(state);
            }
            if let Some(ended) = state.ended {
                return Err(ended);
            }
            if let (true, Some(reason)) = (state.failed_attempts >= MAX_ATTEMPTS, &state.last_end) {
                return Err(ending::unreachable(reason));
            }
            match timeout_at(deadline, states.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Failure::new(Cause::Failed, "the client stopped")),
                Err(_) => return Err(timed_out(&state, started.elapsed())),
            }
        }
    }

    /// Makes a new client to link a device with, in place of the one there is, and connects.
    pub(crate) async fn begin_link(
        &self,
        history: HistoryWanted,
        device_name: Option<&str>,
    ) -> Result<Client, Failure> {
        let depth = match history {
            HistoryWanted::None => HistoryDepth::None,
            HistoryWanted::Recent => HistoryDepth::Recent,
            HistoryWanted::Full => HistoryDepth::Full,
        };
        remember_history_depth(self.store.as_ref(), depth).await?;
        let mut builder = builder(&self.store, &self.endpoint, &self.gate).history(depth);
        if let Some(name) = device_name {
            builder = builder.os(name.to_owned());
        }
        self.client().disconnect().await;
        let slot = start(builder, &self.state, &self.events).await?;
        let client = slot.client.clone();
        let before = std::mem::replace(
            &mut *self.slot.write().unwrap_or_else(PoisonError::into_inner),
            slot,
        );
        before.watcher.abort();
        self.state.send_modify(|state| {
            let revision = state.link.as_ref().map_or(0, |(revision, _)| *revision);
            *state = LineState {
                link: Some((revision + 1, LinkState::Starting)),
                attempt: revision + 1,
                ..LineState::default()
            };
        });
        client.connect().map_err(ending::of_error)?;
        Ok(client)
    }

    /// A link cannot come about.
    pub(crate) fn fail_link(&self, failure: Failure) {
        self.state.send_modify(|state| state.ended = Some(failure));
    }

    /// Ends the connection in order.
    pub(crate) async fn close(&self) {
        self.client().disconnect().await;
        self.slot.read().unwrap_or_else(PoisonError::into_inner).watcher.abort();
    }
}

fn builder(
    store: &Arc<dyn Store>,
    endpoint: &Endpoint,
    gate: &Arc<dyn TransmitGate>,
) -> ClientBuilder {
    let builder = Client::builder(Arc::clone(store)).transmit_gate(Arc::clone(gate));
    endpoint.apply(builder).platform(Platform::Desktop)
}

/// Makes a client, and has what it tells watched.
async fn start(
    builder: ClientBuilder,
    state: &watch::Sender<LineState>,
    events: &broadcast::Sender<Event>,
) -> Result<Slot, Failure> {
    let client = builder.build().await.map_err(ending::of_error)?;
    let (mut stream, own) = (client.events(), client.clone());
    let (state, events) = (state.clone(), events.clone());
    let watcher = tokio::spawn(async move {
        while let Some(event) = stream.next().await {
            state.send_modify(|state| state.take_in(&event, &own));
            passkey::follow(&event, &state, &own);
            // An error means that nobody listens, which is everybody's right.
            let _ = events.send(event);
        }
    });
    Ok(Slot { client, watcher: watcher.abort_handle() })
}

impl LineState {
    fn take_in(&mut self, event: &Event, client: &Client) {
        // A connection that is lost or tried again is not the server's word.
        if !matches!(event, Event::Disconnected { .. } | Event::Reconnecting { .. }) {
            self.heard = Some(Instant::now());
        }
        match event {
            Event::Connected => {
                self.failed_attempts = 0;
                self.connected = true;
                self.ended = None;
                if self.link.is_some() {
                    self.show(linked(client));
                }
            }
            Event::Disconnected { reason } => {
                self.connected = false;
                self.drained = false;
                self.last_end = Some(reason.clone());
                self.take_in_passkey(event);
            }
            Event::Reconnecting { .. } => self.failed_attempts += 1,
            Event::OfflineSyncCompleted { .. } => self.drained = true,
            Event::Qr { code, expires_in } => {
                self.show(LinkState::Scan { code: code.clone(), expires_in: expires_in.as_secs() })
            }
            Event::PairingCode { code, expires_in } => {
                self.show(LinkState::Type { code: code.clone(), expires_in: expires_in.as_secs() })
            }
            Event::QrScannedWithoutMultidevice => self.show(LinkState::PhoneTooOld),
            Event::PairingSucceeded { .. } => self.show(LinkState::Accepted),
            _ => self.take_in_passkey(event),
        }
        if let Some(failure) = ending::of_event(event) {
            self.connected = false;
            self.ended = Some(failure);
        }
    }

    fn show(&mut self, shown: LinkState) {
        let revision = self.link.as_ref().map_or(0, |(revision, _)| *revision);
        self.link = Some((revision + 1, shown));
    }
}

fn linked(client: &Client) -> LinkState {
    let account = AccountView::of_client(client);
    LinkState::Linked { account, already: false }
}

fn timed_out(state: &LineState, waited: Duration) -> Failure {
    if let (false, Some(reason)) = (state.connected, &state.last_end) {
        return ending::unreachable(reason);
    }
    let message = format!("nothing came from the server within {} seconds", waited.as_secs());
    Failure::new(Cause::TimedOut, message).remedy(remedy::TIME)
}

async fn history_depth(store: &dyn Store) -> Result<HistoryDepth, Failure> {
    Ok(match store.setting(HISTORY_DEPTH).await?.as_deref() {
        Some(b"none") => HistoryDepth::None,
        Some(b"full") => HistoryDepth::Full,
        _ => HistoryDepth::Recent,
    })
}

/// The phone gives its past long after the link, to whichever process is connected then.
async fn remember_history_depth(store: &dyn Store, depth: HistoryDepth) -> Result<(), Failure> {
    let value = match depth {
        HistoryDepth::None => Some(b"none".to_vec()),
        HistoryDepth::Full => Some(b"full".to_vec()),
        _ => None,
    };
    let setting = Change::PutSetting { name: HISTORY_DEPTH.into(), value };
    store.commit(Changes::from(setting)).await?;
    Ok(())
}
