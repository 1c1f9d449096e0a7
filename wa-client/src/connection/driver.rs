//! One connection after the other, until there is a reason to stop.
//!
//! Owns the loop; what an end means is decided by [`super::ending`].

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use wa_proto::pb::ClientPayload;
use wa_store::{Change, Changes};

use super::{
    backoff::Backoff,
    connector::ConnectError,
    ending::{Ending, Verdict, verdict},
    handshake, session,
};
use crate::{
    event::{DisconnectReason, Event, PairingFailure},
    inner::{Inner, State},
    payload::{self, RegistrationKeys},
    receive, version,
};

/// Connects, and connects again, until told to stop or sent away by the server.
pub(crate) async fn run(inner: Arc<Inner>, stop: watch::Receiver<bool>) {
    inner.publisher.tell_left(&inner.events);
    let driver = Driver {
        inner: Arc::clone(&inner),
        stop,
        backoff: Backoff::default(),
        version_refreshed: false,
        generation: 0,
    };
    driver.run().await;
    if let Err(error) = inner.publisher.flush(&*inner.store).await {
        tracing::warn!(%error, "it cannot be noted what was told; the next start tells it again");
    }
}

struct Driver {
    inner: Arc<Inner>,
    stop: watch::Receiver<bool>,
    backoff: Backoff,
    /// Whether the version was refreshed since the last login that succeeded.
    version_refreshed: bool,
    generation: u64,
}

impl Driver {
    async fn run(mut self) {
        while self.one_connection().await {}
    }

    /// Makes one connection and deals with its end; whether there is to be another.
    async fn one_connection(&mut self) -> bool {
        self.inner.enter(State::Connecting);
        let inner = Arc::clone(&self.inner);
        // What makes the connection may be the user's own.
        let ending = inner.tasks.caught("connecting", self.connect_once()).await;
        let ending = ending.unwrap_or(Ending::Panicked);
        self.inner.publish_link(None);
        self.backoff.disconnected(Instant::now());
        tracing::info!(?ending, "the connection ended");
        if self.inner.state() == State::Pairing
            && !self.inner.account().is_linked()
            && !matches!(ending, Ending::PairingTimeout | Ending::Requested)
        {
            self.inner.emit(Event::PairingFailed { reason: PairingFailure::ConnectionEnded });
        }
        self.inner.emit(Event::Disconnected { reason: DisconnectReason::from(&ending) });
        let mut next = match *self.stop.borrow() {
            true => Verdict::Stop(None),
            false => verdict(&ending, self.version_refreshed),
        };
        if next == Verdict::RefreshVersion {
            next = self.refresh_version().await;
        }
        self.carry_out(next).await
    }

    /// Does what was decided; whether there is to be another connection.
    async fn carry_out(&mut self, next: Verdict) -> bool {
        match next {
            // The one place where no delay is made.
            Verdict::ReconnectNow | Verdict::RefreshVersion
                if self.backoff.may_be_at_once(Instant::now()) =>
            {
                true
            }
            Verdict::ReconnectNow | Verdict::RefreshVersion => self.wait(false).await,
            Verdict::ReconnectAfterBackoff { rate_limited } => self.wait(rate_limited).await,
            Verdict::Stop(event) => {
                self.inner.enter(if event.is_some() { State::Stopped } else { State::Idle });
                if let Some(event) = event {
                    self.inner.emit(event);
                }
                false
            }
            Verdict::WipeAndStop(event) => {
                wipe(&self.inner).await;
                self.inner.emit(event);
                false
            }
        }
    }

    /// Waits for the next attempt; the user's wish to stop ends the waiting.
    async fn wait(&mut self, rate_limited: bool) -> bool {
        let now = Instant::now();
        if rate_limited {
            self.backoff.rate_limited(now);
        }
        let attempt = self.backoff.attempt();
        let delay = self.backoff.next_delay(now, self.inner.roll());
        self.inner.enter(State::Waiting);
        self.inner.emit(Event::Reconnecting { attempt, delay });
        tokio::select! {
            () = sleep(delay) => true,
            _ = self.stop.wait_for(|stop| *stop) => {
                self.inner.enter(State::Idle);
                false
            }
        }
    }

    /// Makes one connection and serves it to its end.
    async fn connect_once(&mut self) -> Ending {
        let Some(payload) = client_payload(&self.inner, self.backoff.attempt()).await else {
            return Ending::Storage;
        };
        let inner = Arc::clone(&self.inner);
        let opening = async {
            let connecting = inner.settings.connector.connect(&inner.settings.target);
            let wire = match timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(Ok(wire)) => wire,
                Ok(Err(ConnectError::HttpStatus(status))) => {
                    return Err(Ending::HttpStatus(status));
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "cannot connect");
                    return Err(Ending::Unreachable);
                }
                Err(_) => return Err(Ending::Unreachable),
            };
            handshake::secure(&inner, wire, &payload).await
        };
        let secured = tokio::select! {
            secured = opening => match secured {
                Ok(secured) => secured,
                Err(ending) => return ending,
            },
            _ = self.stop.wait_for(|stop| *stop) => return Ending::Requested,
        };
        self.generation += 1;
        self.inner.enter(if self.inner.account().is_linked() {
            State::LoggingIn
        } else {
            State::Pairing
        });
        let (backoff, refreshed) = (&mut self.backoff, &mut self.version_refreshed);
        let logged_in = || {
            backoff.connected(Instant::now());
            *refreshed = false;
        };
        session::serve(&self.inner, secured, self.generation, &mut self.stop, logged_in).await
    }

    /// Looks for a newer version than the one the server refused.
    async fn refresh_version(&mut self) -> Verdict {
        let outdated = Verdict::Stop(Some(Event::ClientOutdated));
        self.version_refreshed = true;
        let Some(source) = &self.inner.settings.version_source else { return outdated };
        let found = tokio::select! {
            found = self.inner.tasks.caught("version", source.current()) => found,
            _ = self.stop.wait_for(|stop| *stop) => return Verdict::Stop(None),
        };
        let Some(found) = found else { return outdated };
        match found {
            Ok(found) if found != self.inner.version() => {
                self.inner.use_version(found);
                if let Err(error) = version::keep(self.inner.store.as_ref(), found).await {
                    tracing::warn!(%error, "cannot keep the version that was found");
                }
                self.inner.emit(Event::VersionRefreshed { version: found.to_string() });
                Verdict::ReconnectNow
            }
            Ok(_) => outdated,
            Err(error) => {
                tracing::warn!(%error, "cannot find out the current version");
                outdated
            }
        }
    }
}

/// What this device says about itself: that it is linked, or that it wants to be.
async fn client_payload(inner: &Inner, attempt: u32) -> Option<ClientPayload> {
    let account = inner.account();
    let version = inner.version();
    if let Some(jid) = &account.jid {
        return payload::login(&version, jid, attempt);
    }
    let signed = match inner.store.signed_prekeys().await {
        Ok(signed) => signed.into_iter().next()?,
        Err(error) => {
            tracing::error!(%error, "cannot read the signed prekey");
            return None;
        }
    };
    let keys = RegistrationKeys {
        registration_id: account.registration_id,
        identity: account.identity.public,
        signed_prekey_id: signed.id,
        signed_prekey: signed.pair.public,
        signed_prekey_signature: signed.signature,
    };
    Some(payload::registration(&version, &inner.settings.description, &keys, attempt))
}

/// Forgets the device's credentials, and bars this client from bringing anything back.
pub(crate) async fn wipe(inner: &Inner) {
    inner.enter(State::LoggedOut);
    if let Err(error) = receive::later::forget(inner).await {
        tracing::error!(%error, "cannot forget what the phone told");
    }
    if let Err(error) = inner.store.commit(Changes::from(Change::Unlink)).await {
        tracing::error!(%error, "cannot forget the credentials of the unlinked device");
    }
}

/// How long a connector may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
