//! What is known of messages on their way besides what is on disk.
//!
//! Owns who waits for which ack, and how often what was done again; what left on the connection
//! stands in [`Flight`], what waits in [`Delays`]. Knows nothing of how anything is sent. Nothing
//! here outlives the process, or has to.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use wa_proto::{Jid, OwnedNode};
use wa_store::SendFailure;

use super::{delays::Delays, flight::Flight, next_step::NextStep};

/// The server's time for a message, or why it will never go.
pub(crate) type Answer = Result<u64, SendFailure>;

/// What is known of messages on their way besides what is on disk.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiters: Mutex<HashMap<String, Vec<oneshot::Sender<Answer>>>>,
    /// The entries whose stanzas have another id than they have: changed posts of channels.
    sent_as: Mutex<HashMap<String, String>>,
    pub(super) flight: Flight,
    pub(super) delays: Delays,
    /// How often the server had an entry sent again, by its acks.
    sent_again: Mutex<HashMap<String, u32>>,
    /// What the server last held against what is known of a group, and when.
    disagreements: Mutex<HashMap<Jid, (String, Instant)>>,
    /// When an unanswered message last ended a connection.
    ended_connection: Mutex<Option<Instant>>,
    /// Told when there is something to do for the pump.
    pub(super) woken: Notify,
    /// Whether the pump runs.
    pub(super) has_pump: AtomicBool,
}

impl Outbox {
    /// An entry's stanza leaves; its ack will carry the stanza's id.
    pub(super) fn leaves_as(&self, stanza: &OwnedNode, entry: &str) {
        if let Some(id) = stanza.attrs.text("id").filter(|id| id != entry) {
            held(&self.sent_as).insert(id.into_owned(), entry.to_owned());
        }
    }

    /// The entry that an ack is about.
    pub(super) fn entry_of(&self, id: &str) -> String {
        held(&self.sent_as).remove(id).unwrap_or_else(|| id.to_owned())
    }

    /// Waits for what becomes of an entry, from now on.
    pub(super) fn wait(&self, id: &str) -> oneshot::Receiver<Answer> {
        let (waiter, answer) = oneshot::channel();
        let mut waiters = held(&self.waiters);
        waiters.retain(|_, waiting| {
            waiting.retain(|waiter| !waiter.is_closed());
            !waiting.is_empty()
        });
        waiters.entry(id.to_owned()).or_default().push(waiter);
        answer
    }

    /// It is known what became of an entry.
    pub(super) fn settle(&self, id: &str, outcome: Answer) {
        let waiting = held(&self.waiters).remove(id).unwrap_or_default();
        for waiter in waiting {
            // Whoever asked may have stopped waiting.
            let _ = waiter.send(outcome);
        }
    }

    /// The bytes of an entry are with the network: the server's answer is awaited from now on.
    pub(super) fn departed(&self, id: &str, generation: u64) {
        if self.flight.departed(id, generation) {
            self.woken.notify_one();
        }
    }

    /// An entry is done with: nothing is remembered of it.
    pub(super) fn done(&self, id: &str) {
        self.flight.forget(id);
        held(&self.sent_again).remove(id);
    }

    /// The pump is to look at a chat.
    pub(super) fn want(&self, chat: &Jid) {
        self.delays.want(chat);
        self.woken.notify_one();
    }

    /// The pump is to look at every chat.
    pub(super) fn want_all(&self) {
        self.delays.want_all();
        self.woken.notify_one();
    }

    /// There is another connection: what failed may succeed on it.
    pub(crate) fn reconnected(&self) {
        self.delays.reconnected();
    }

    /// Sending to a chat failed for now: it waits. `roll` is a random number from 0 up to 1.
    pub(super) fn delay(&self, chat: &Jid, step: NextStep, roll: f64) {
        self.delays.delay(chat, step, roll);
        self.woken.notify_one();
    }

    /// When the pump has something to do by itself.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delays.next_due().into_iter().chain(self.flight.next_due()).min()
    }

    /// How often the server has had an entry sent again, this time included.
    pub(super) fn again(&self, id: &str) -> u32 {
        let mut again = held(&self.sent_again);
        let times = again.entry(id.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times
    }

    /// Whether a group is to be asked for because the server's hash of its devices is another: once
    /// for each hash, or after an hour.
    pub(super) fn disagrees(&self, group: &Jid, hash: &str) -> bool {
        let now = Instant::now();
        let mut disagreements = held(&self.disagreements);
        disagreements.retain(|_, (_, at)| now.duration_since(*at) < HOUR);
        let known = disagreements.insert(group.clone(), (hash.to_owned(), now));
        match known {
            Some((before, at)) if before == hash => {
                disagreements.insert(group.clone(), (before, at));
                false
            }
            _ => true,
        }
    }

    /// Whether a message without an answer may end the connection: once an hour.
    pub(super) fn may_end_connection(&self) -> bool {
        let mut ended = held(&self.ended_connection);
        let may = ended.is_none_or(|at| at.elapsed() >= HOUR);
        if may {
            *ended = Some(Instant::now());
        }
        may
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const HOUR: Duration = Duration::from_secs(60 * 60);
