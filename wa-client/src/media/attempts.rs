//! Trying again: another host, a fresh token, a little later.
//!
//! Owns the order of hosts, the waiting and the bounds. Knows nothing of what is tried.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use wa_media::OpenError;

use super::{MediaError, hosts::Grant, transport::TransportError};
use crate::inner::Inner;

/// Why one attempt failed, by what to do next.
pub(super) enum Failure {
    /// The token is no longer taken.
    Token,
    /// The host has trouble, or could not be reached.
    Host {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The host gave something else than what was uploaded.
    Corrupt(OpenError),
    /// Nothing to try again.
    Final(MediaError),
}

impl From<MediaError> for Failure {
    fn from(error: MediaError) -> Self {
        Self::Final(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Final(MediaError::Io(error))
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        tracing::debug!(%error, "an exchange with a media host failed");
        Self::Host { retry_after: None }
    }
}

/// The attempts at one thing: hosts one after the other, at once where a host is new, later where
/// it failed before. Whoever tries asks for the [next turn](Attempts::turn), and tells how it
/// [failed](Attempts::failed).
pub(super) struct Attempts {
    grant: Arc<Grant>,
    schedule: Schedule,
    token_renewed: bool,
}

/// One attempt: where, and with which token.
pub(super) struct Turn {
    pub(super) grant: Arc<Grant>,
    pub(super) host: String,
    index: usize,
}

impl Attempts {
    /// Begins with the hosts that are known, or asks for them.
    ///
    /// # Errors
    /// [`MediaError::Request`], [`MediaError::Answer`].
    pub(super) async fn begin(inner: &Inner) -> Result<Self, MediaError> {
        let grant = inner.media.hosts.grant(inner).await?;
        let schedule = Schedule::new(grant.hosts.len());
        Ok(Self { grant, schedule, token_renewed: false })
    }

    /// Waits for the next turn.
    ///
    /// # Errors
    /// [`MediaError::Unavailable`] if every host asks for more time than a call should take.
    pub(super) async fn turn(&self) -> Result<Turn, MediaError> {
        let (index, due) = self.schedule.next().ok_or(MediaError::Answer)?;
        let wait = due.saturating_duration_since(Instant::now());
        if wait > MAX_WAIT {
            return Err(MediaError::Unavailable { retry_after: Some(wait) });
        }
        sleep_until(due).await;
        let host = self.grant.hosts.get(index).cloned().ok_or(MediaError::Answer)?;
        Ok(Turn { grant: Arc::clone(&self.grant), host, index })
    }

    /// Notes how a turn failed, so that the next one is another.
    ///
    /// # Errors
    /// What the caller is to hear, if there is to be no other.
    pub(super) async fn failed(
        &mut self,
        inner: &Inner,
        turn: &Turn,
        failure: Failure,
    ) -> Result<(), MediaError> {
        match failure {
            Failure::Final(error) => Err(error),
            Failure::Token if self.token_renewed => Err(MediaError::Refused { status: 401 }),
            Failure::Token => {
                self.token_renewed = true;
                let grant = inner.media.hosts.renew(inner, &self.grant).await?;
                if grant.hosts != self.grant.hosts {
                    self.schedule.begin_anew(grant.hosts.len());
                }
                self.grant = grant;
                Ok(())
            }
            Failure::Host { retry_after } => {
                let goes_on = self.schedule.failed(turn.index, retry_after, inner.roll());
                goes_on.then_some(()).ok_or(MediaError::Unavailable { retry_after })
            }
            Failure::Corrupt(error) => {
                tracing::warn!(%error, "a media host gave a damaged file");
                let goes_on = self.schedule.failed(turn.index, None, inner.roll());
                goes_on.then_some(()).ok_or(MediaError::Corrupt(error))
            }
        }
    }
}

/// When which host is tried.
struct Schedule {
    hosts: Vec<HostTurn>,
    failures: u32,
}

#[derive(Clone, Copy)]
struct HostTurn {
    due: Instant,
    failures: u32,
}

impl Schedule {
    fn new(hosts: usize) -> Self {
        let mut schedule = Self { hosts: Vec::new(), failures: 0 };
        schedule.begin_anew(hosts);
        schedule
    }

    /// Other hosts, and the count of failures goes on.
    fn begin_anew(&mut self, hosts: usize) {
        self.hosts = vec![HostTurn { due: Instant::now(), failures: 0 }; hosts];
    }

    /// The host that may be tried first: of those due alike, the better one.
    fn next(&self) -> Option<(usize, Instant)> {
        let turns = self.hosts.iter().enumerate().map(|(index, turn)| (index, turn.due));
        turns.min_by_key(|&(index, due)| (due, index))
    }

    /// Notes a failure; whether to go on. `roll` is 0 to 1, so that clients spread.
    fn failed(&mut self, index: usize, retry_after: Option<Duration>, roll: f64) -> bool {
        self.failures += 1;
        if let Some(turn) = self.hosts.get_mut(index) {
            let backoff = FIRST_BACKOFF * (1 << turn.failures.min(5));
            turn.failures += 1;
            let wait = retry_after.unwrap_or(backoff.mul_f64(1.0 + roll / 2.0));
            turn.due = Instant::now() + wait.min(LONGEST);
        }
        self.failures < MAX_ATTEMPTS
    }
}

/// How often something is tried, over all hosts.
pub(super) const MAX_ATTEMPTS: u32 = 5;
/// How long a host that failed is left alone at first; each time twice as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait within a call; where a host asks for more, the caller is told.
const MAX_WAIT: Duration = Duration::from_secs(90);
/// What a host can ask for at most.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn another_host_is_tried_at_once_and_the_same_one_later() {
        let mut schedule = Schedule::new(2);
        let now = Instant::now();
        assert_eq!(schedule.next(), Some((0, now)));
        assert!(schedule.failed(0, None, 0.0));
        assert_eq!(schedule.next(), Some((1, now)));
        assert!(schedule.failed(1, Some(Duration::from_secs(7)), 0.0));
        assert_eq!(schedule.next(), Some((0, now + FIRST_BACKOFF)));
        assert!(schedule.failed(0, Some(Duration::from_secs(30)), 0.0));
        assert_eq!(schedule.next(), Some((1, now + Duration::from_secs(7))));
        assert!(schedule.failed(1, None, 1.0), "the fourth of five");
        assert!(!schedule.failed(1, None, 1.0));
    }
}
