//! How the client is doing, at this moment.
//!
//! Owns the snapshot that a frontend shows, and the counts of what came in and could not be read.
//! Knows nothing of how it is shown.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wa_proto::entries::count_left_out;
use wa_store::{SendFailure, Timestamp};

use crate::{
    Client, Event, State, TaskHealth,
    clock::Clock,
    event::{SendState, UndecryptableReason},
};

/// How the client is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How far the connection has come.
    pub state: State,
    /// What keeps the client from its work although it may be connected.
    pub troubles: Vec<Trouble>,
    /// What came in since this client was made and could not be read.
    pub unreadable: Unreadable,
    /// The background tasks, in the order of their names.
    pub tasks: Vec<TaskHealth>,
}

/// What came in and could not be read. Each was skipped, and what came with it and after it was
/// read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// Frames that hold no stanza that can be decoded.
    pub frames: u64,
    /// Entries of lists that lack what they must have.
    pub entries: u64,
    /// When something was unreadable last, by the server's clock.
    pub last: Option<Timestamp>,
}

impl Health {
    /// Whether messages come and go: there is a connection, and nothing keeps the client from its
    /// work on it.
    pub fn is_working(&self) -> bool {
        self.state == State::Connected && self.troubles.is_empty()
    }
}

impl Client {
    /// How this client is doing, without asking anybody.
    pub fn health(&self) -> Health {
        let inner = self.inner();
        Health {
            state: inner.state(),
            troubles: inner.events.troubles().now(Instant::now()),
            unreadable: inner.unreadable.counts(),
            tasks: inner.tasks.health(),
        }
    }
}

/// Something that keeps the client from its work although it may be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// No message that came in could be read, for so long.
    NothingReadable {
        /// Since the first that could not be.
        lasts: Duration,
    },
    /// The server refused every message that was sent, for so long.
    EverythingRefused {
        /// Since the first that was.
        lasts: Duration,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingReadable { lasts } => {
                write!(f, "no message could be read for {} minutes", lasts.as_secs() / 60)
            }
            Self::EverythingRefused { lasts } => {
                write!(f, "WhatsApp refused every message for {} minutes", lasts.as_secs() / 60)
            }
        }
    }
}

/// Follows the events, to see what fails again and again. One message that cannot be read, or one
/// that is refused, is no trouble of the client's: several in a row, for a while, are.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    streaks: Mutex<Streaks>,
}

#[derive(Debug, Default)]
struct Streaks {
    reading: Streak,
    sending: Streak,
}

/// Failures without a success between them.
#[derive(Debug, Default)]
struct Streak {
    count: u32,
    since: Option<Instant>,
}

impl Streak {
    fn failed(&mut self, now: Instant) {
        self.count = self.count.saturating_add(1);
        self.since.get_or_insert(now);
    }

    /// How long it lasts, if it is a trouble.
    fn trouble(&self, now: Instant) -> Option<Duration> {
        let lasts = now.saturating_duration_since(self.since?);
        (self.count >= IN_A_ROW && lasts >= FOR_A_WHILE).then_some(lasts)
    }
}

impl Troubles {
    pub(crate) fn heard(&self, event: &Event, now: Instant) {
        self.streaks(|Streaks { reading, sending }| match event {
            // What is for the phone alone is nothing to be read here.
            Event::UndecryptableMessage { reason: UndecryptableReason::Unavailable, .. } => {}
            Event::UndecryptableMessage { .. } => reading.failed(now),
            Event::Message(message) if !message.from_me => *reading = Streak::default(),
            Event::MessageRepaired { .. } => *reading = Streak::default(),
            Event::SendStatus { state, .. } => match state {
                // What is wrong with one message or its recipient is no trouble of the client's.
                SendState::Failed {
                    reason:
                        SendFailure::Malformed
                        | SendFailure::Refused { .. }
                        | SendFailure::RequestRefused { .. },
                } => sending.failed(now),
                SendState::Sent { .. } | SendState::Delivered | SendState::Read => {
                    *sending = Streak::default();
                }
                _ => {}
            },
            _ => {}
        });
    }

    pub(crate) fn now(&self, now: Instant) -> Vec<Trouble> {
        self.streaks(|Streaks { reading, sending }| {
            let reading = reading.trouble(now).map(|lasts| Trouble::NothingReadable { lasts });
            let sending = sending.trouble(now).map(|lasts| Trouble::EverythingRefused { lasts });
            reading.into_iter().chain(sending).collect()
        })
    }

    fn streaks<T>(&self, use_them: impl FnOnce(&mut Streaks) -> T) -> T {
        use_them(&mut self.streaks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many failures in a row are a trouble, and for how long.
const IN_A_ROW: u32 = 3;
const FOR_A_WHILE: Duration = Duration::from_secs(300);

/// Counts what cannot be read, and logs it without what it says.
#[derive(Debug)]
pub(crate) struct UnreadableCounter {
    clock: Clock,
    counts: Mutex<Unreadable>,
}

impl UnreadableCounter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, counts: Mutex::default() }
    }

    /// A frame could not be decoded.
    pub(crate) fn frame(&self, error: &wa_proto::node::DecodeError) {
        tracing::warn!(%error, "a frame that cannot be read is skipped");
        self.count(|counts| counts.frames = counts.frames.saturating_add(1));
    }

    /// Reads what the server said, and counts the entries of lists that are left out of it.
    pub(crate) fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        let (read, left_out) = count_left_out(read);
        if left_out > 0 {
            tracing::warn!(left_out, "entries of a list that cannot be read are skipped");
            let left_out = u64::try_from(left_out).unwrap_or(u64::MAX);
            self.count(|counts| counts.entries = counts.entries.saturating_add(left_out));
        }
        read
    }

    pub(crate) fn counts(&self) -> Unreadable {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut Unreadable)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counts);
        let now = i64::try_from(self.clock.unix()).unwrap_or(i64::MAX);
        counts.last = Some(Timestamp::from_secs(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable() -> Event {
        let who = wa_proto::Jid::lid("7");
        Event::UndecryptableMessage {
            chat: who.clone(),
            sender: who,
            id: "1".into(),
            reason: UndecryptableReason::NoSession,
        }
    }

    fn sent(state: SendState) -> Event {
        Event::SendStatus { chat: wa_proto::Jid::lid("7"), id: "1".into(), state }
    }

    #[test]
    fn messages_that_cannot_be_read_are_a_trouble_after_three_in_a_row_and_five_minutes() {
        let (start, troubles) = (Instant::now(), Troubles::default());
        let after = |secs| start + Duration::from_secs(secs);
        troubles.heard(&unreadable(), start);
        troubles.heard(&unreadable(), after(10));
        assert_eq!(troubles.now(after(3_600)), []);
        troubles.heard(&unreadable(), after(20));
        assert_eq!(troubles.now(after(299)), []);
        let lasts = Duration::from_secs(300);
        assert_eq!(troubles.now(after(300)), [Trouble::NothingReadable { lasts }]);
    }

    #[test]
    fn one_message_that_gets_there_ends_the_trouble_of_sending() {
        let (start, troubles) = (Instant::now(), Troubles::default());
        for _ in 0..3 {
            troubles.heard(
                &sent(SendState::Failed { reason: SendFailure::Refused { code: 400 } }),
                start,
            );
        }
        let later = start + Duration::from_secs(300);
        assert!(matches!(troubles.now(later)[..], [Trouble::EverythingRefused { .. }]));
        troubles.heard(&sent(SendState::Sent { timestamp: 1 }), later);
        assert_eq!(troubles.now(later + Duration::from_secs(3_600)), []);
    }
}
