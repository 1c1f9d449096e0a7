//! One connection for one command: made, waited for, and closed in order.
//!
//! Knows nothing of what the command does with it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wa_client::{Client, ClientBuilder, DisconnectReason, Event, EventStream};

use crate::{
    account::OpenAccount,
    ending,
    failure::{Cause, Failure},
    server::Server,
};

/// How many attempts in a row may fail before a command gives up: a person waits for it.
const MAX_ATTEMPTS: u32 = 3;

/// A client that is connecting or connected.
pub(crate) struct Session {
    pub(crate) client: Client,
    events: EventStream,
    /// When to give up, and how long that was from the start.
    deadline: Option<(Instant, Duration)>,
    failed_attempts: u32,
    connected: bool,
    drained: bool,
}

impl Session {
    /// Begins to connect. Without a limit, only what the server does ends the waiting.
    pub(crate) async fn open(
        account: &OpenAccount,
        limit: Option<Duration>,
        settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Failure> {
        let builder = Client::builder(std::sync::Arc::clone(&account.store));
        let client = settings(Server::from_process()?.apply(builder))
            .build()
            .await
            .map_err(ending::of_error)?;
        let events = client.events();
        client.connect().map_err(ending::of_error)?;
        Ok(Self {
            client,
            events,
            deadline: limit.map(|limit| (Instant::now() + limit, limit)),
            failed_attempts: 0,
            connected: false,
            drained: false,
        })
    }

    /// The next event; a failure if the connection cannot come about any more, or not in time.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        let event = match self.deadline {
            None => self.events.next().await,
            Some((deadline, limit)) => {
                timeout_at(deadline, self.events.next()).await.map_err(|_| timed_out(limit))?
            }
        };
        let Some(event) = event else {
            return Err(Failure::new(Cause::Failed, "the client stopped"));
        };
        match &event {
            Event::Connected => {
                self.failed_attempts = 0;
                self.connected = true;
            }
            Event::Disconnected { reason } => self.disconnected(reason)?,
            Event::OfflineSyncCompleted { .. } => self.drained = true,
            _ => {}
        }
        match ending::of_event(&event) {
            Some(failure) => Err(failure),
            None => Ok(event),
        }
    }

    /// Waits until messages can be sent.
    pub(crate) async fn until_connected(&mut self) -> Result<(), Failure> {
        while !self.connected {
            self.next().await?;
        }
        Ok(())
    }

    /// Waits until all that had waited on the server is in the archive.
    pub(crate) async fn until_drained(&mut self) -> Result<(), Failure> {
        while !(self.connected && self.drained) {
            self.next().await?;
        }
        Ok(())
    }

    /// How much of the command's time is left.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |(deadline, _)| {
            deadline.saturating_duration_since(Instant::now())
        })
    }

    /// Sends what is still to be sent, and says goodbye.
    pub(crate) async fn close(self) {
        self.client.disconnect().await;
    }

    fn disconnected(&mut self, reason: &DisconnectReason) -> Result<(), Failure> {
        self.connected = false;
        match reason {
            DisconnectReason::RestartRequired | DisconnectReason::UntrustedServer => Ok(()),
            DisconnectReason::Requested => {
                Err(Failure::new(Cause::Failed, "the connection was closed"))
            }
            // What the server says goodbye with has its own event if it is final.
            _ => {
                self.failed_attempts += 1;
                if self.failed_attempts < MAX_ATTEMPTS {
                    return Ok(());
                }
                Err(ending::unreachable(reason))
            }
        }
    }
}

/// Connects, takes in what has arrived, and closes.
pub(crate) async fn sync(account: &OpenAccount, limit: Duration) -> Result<(), Failure> {
    account.require_link().await?;
    let mut session = Session::open(account, Some(limit), |builder| builder).await?;
    let result = session.until_drained().await;
    session.close().await;
    result
}

fn timed_out(limit: Duration) -> Failure {
    let message = format!("nothing came from the server within {} seconds", limit.as_secs());
    Failure::new(Cause::TimedOut, message).remedy("try again, or give more --timeout")
}
