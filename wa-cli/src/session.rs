//! One connection for one command: made, asked, waited for, and closed in order.
//!
//! Knows nothing of what the command does with it.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout_at};
use wa_client::{Client, ClientBuilder, DisconnectReason, Event, EventStream};

use crate::{
    account::{Access, OpenAccount},
    args::GlobalArguments,
    ending,
    failure::{Cause, Failure},
    server::Server,
};

/// How many attempts in a row may fail before a command gives up: a person waits for it.
const MAX_ATTEMPTS: u32 = 3;

/// How long a command waits for messages that others queued before it.
const FLUSH_TIME: Duration = Duration::from_secs(10);

/// How long a command waits for the history that the phone has told of.
const HISTORY_TIME: Duration = Duration::from_secs(30);

/// A client that is connecting or connected.
pub(crate) struct Session {
    pub(crate) client: Client,
    events: EventStream,
    /// When to give up, and how long that was from the start.
    deadline: Option<(Instant, Duration)>,
    failed_attempts: u32,
    last_end: Option<DisconnectReason>,
    connected: bool,
    drained: bool,
}

impl Session {
    /// Makes the client. Without a limit, only what the server does will end the waiting.
    pub(crate) async fn new(
        account: &OpenAccount,
        limit: Option<Duration>,
        settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Failure> {
        let builder = Client::builder(std::sync::Arc::clone(&account.store));
        let builder = builder.history(account.history_depth().await?);
        let client = settings(Server::from_process()?.apply(builder))
            .build()
            .await
            .map_err(ending::of_error)?;
        Ok(Self {
            events: client.events(),
            client,
            deadline: limit.map(|limit| (Instant::now() + limit, limit)),
            failed_attempts: 0,
            last_end: None,
            connected: false,
            drained: false,
        })
    }

    /// Begins to connect.
    pub(crate) fn connect(&self) -> Result<(), Failure> {
        self.client.connect().map_err(ending::of_error)
    }

    /// Connects, and waits until that is done.
    pub(crate) async fn begin(&mut self) -> Result<(), Failure> {
        self.connect()?;
        self.until_connected().await
    }

    /// Waits for the answer to what the client was asked, as long as it can come.
    pub(crate) async fn ask<T, E: Into<Failure>>(
        &mut self,
        asked: impl IntoFuture<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut asked = pin!(asked.into_future());
        loop {
            tokio::select! {
                answer = &mut asked => return answer.map_err(Into::into),
                event = self.next() => event?,
            };
        }
    }

    /// From now on waits for as long as it takes.
    pub(crate) fn lift_limit(&mut self) {
        self.deadline = None;
    }

    /// The next event; a failure if the connection cannot come about any more, or not in time.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        let event = match self.deadline {
            None => self.events.next().await,
            Some((deadline, limit)) => {
                let next = timeout_at(deadline, self.events.next()).await;
                next.map_err(|_| self.timed_out(limit))?
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
            Event::Disconnected { reason } => {
                self.connected = false;
                self.last_end = Some(reason.clone());
            }
            Event::Reconnecting { .. } => self.count_failure()?,
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

    /// Connects, waits for the backlog, and gives what was queued before its chance to leave.
    pub(crate) async fn take_in(&mut self, account: &OpenAccount) -> Result<(), Failure> {
        self.connect()?;
        self.until_drained().await?;
        self.until_history_is_read(account).await?;
        self.until_settings_are_known().await?;
        self.until_flushed(account).await
    }

    /// Waits until all parts of the history that the phone told of are in the archive. What does
    /// not get there in time does so with the next connection.
    async fn until_history_is_read(&mut self, account: &OpenAccount) -> Result<(), Failure> {
        let deadline = Instant::now() + HISTORY_TIME.min(self.time_left());
        while !account.store.history_chunks(1).await?.is_empty() {
            match timeout_at(deadline, self.next()).await {
                Ok(event) => event?,
                Err(_) => break,
            };
        }
        Ok(())
    }

    /// Waits until what other devices of the account changed is known here, for a short while.
    async fn until_settings_are_known(&mut self) -> Result<(), Failure> {
        let settings = self.client.shared_settings();
        let limit = FLUSH_TIME.min(self.time_left());
        // What is not known now is known after the next connection.
        let _ = self.ask(async { Ok::<_, Failure>(settings.until_known(limit).await) }).await?;
        Ok(())
    }

    /// Waits until nothing is left to be sent, for a short while: what does not leave now stays
    /// queued.
    pub(crate) async fn until_flushed(&mut self, account: &OpenAccount) -> Result<(), Failure> {
        let deadline = Instant::now() + FLUSH_TIME.min(self.time_left());
        while account.store.stats().await?.outbox_pending > 0 {
            match timeout_at(deadline, self.next()).await {
                Ok(event) => event?,
                Err(_) => break,
            };
        }
        Ok(())
    }

    /// Waits until the other devices of the account were told what changed, for a short while: what
    /// they are not told now, they are told later. Answers which it is.
    pub(crate) async fn until_synced(
        &mut self,
        account: &OpenAccount,
    ) -> Result<&'static str, Failure> {
        let deadline = Instant::now() + FLUSH_TIME.min(self.time_left());
        while !account.store.pending_sync().await?.is_empty() {
            match timeout_at(deadline, self.next()).await {
                Ok(event) => event?,
                Err(_) => return Ok("queued"),
            };
        }
        Ok("done")
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

    fn timed_out(&self, limit: Duration) -> Failure {
        if let (false, Some(reason)) = (self.connected, &self.last_end) {
            return ending::unreachable(reason);
        }
        let message = format!("nothing came from the server within {} seconds", limit.as_secs());
        Failure::new(Cause::TimedOut, message).remedy("try again, or give more --timeout")
    }

    /// The client goes on trying for ever; a person does not.
    fn count_failure(&mut self) -> Result<(), Failure> {
        self.failed_attempts += 1;
        match &self.last_end {
            Some(reason) if self.failed_attempts >= MAX_ATTEMPTS => {
                Err(ending::unreachable(reason))
            }
            _ => Ok(()),
        }
    }
}

/// Opens the linked account, does one thing with it, and closes client and database in order. What
/// needs a connection makes one, so that wrong input is told before.
pub(crate) async fn with<T>(
    global: &GlobalArguments,
    work: impl AsyncFnOnce(&mut Session, &OpenAccount) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let account = OpenAccount::open(global, Access::Own).await?;
    let result = with_open(&account, global.timeout(), work).await;
    account.close_after(result).await
}

/// The same with an account that is open already, and stays so.
pub(crate) async fn with_open<T>(
    account: &OpenAccount,
    limit: Duration,
    work: impl AsyncFnOnce(&mut Session, &OpenAccount) -> Result<T, Failure>,
) -> Result<T, Failure> {
    account.require_link().await?;
    let mut session = Session::new(account, Some(limit), |builder| builder).await?;
    let result = work(&mut session, account).await;
    session.close().await;
    result
}

/// Connects, takes in what has arrived, and closes.
pub(crate) async fn sync(account: &OpenAccount, limit: Duration) -> Result<(), Failure> {
    with_open(account, limit, async |session, account| session.take_in(account).await).await
}
