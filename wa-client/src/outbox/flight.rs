//! What left on the connection there is, and until when the server should have answered.
//!
//! Owns which entries left, when their acks are due, and the chats for which everything has left.
//! Knows nothing of what is done when no answer comes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wa_proto::Jid;

/// What left on the connection there is.
#[derive(Debug, Default)]
pub(super) struct Flight {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    left: HashMap<String, Left>,
    /// The chats for which nothing waits that has not left.
    clear: HashSet<Jid>,
    /// Counts what made a chat not clear.
    additions: u64,
    /// When the pump looks at `left` next.
    armed: Option<Instant>,
}

/// An entry that left.
#[derive(Debug)]
struct Left {
    chat: Jid,
    /// Until when the server should have answered; nothing while the bytes are not out.
    due: Option<Instant>,
    /// How often it left on this connection without an answer.
    times: u32,
}

/// An entry that the server should have answered by now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overdue {
    pub(super) id: String,
    pub(super) chat: Jid,
    /// How often it left on this connection.
    pub(super) times: u32,
}

impl Flight {
    /// Whether an entry has not left on this connection yet; from then on it has. Nothing leaves on
    /// a connection that another has followed.
    pub(super) fn leaves(&self, id: &str, chat: &Jid, generation: u64) -> bool {
        let Some(mut flight) = self.on(generation) else { return false };
        if flight.left.contains_key(id) {
            return false;
        }
        let left = Left { chat: chat.clone(), due: None, times: 0 };
        flight.left.insert(id.to_owned(), left);
        true
    }

    /// The bytes of an entry are with the network: the server's answer is awaited from now on. Whether
    /// that is due before every other.
    pub(super) fn departed(&self, id: &str, generation: u64) -> bool {
        let Some(mut flight) = self.on(generation) else { return false };
        let Some(left) = flight.left.get_mut(id) else { return false };
        let due = Instant::now() + ACK_DEADLINE * 2_u32.saturating_pow(left.times.min(6));
        left.times = left.times.saturating_add(1);
        left.due = Some(due);
        let is_next = flight.armed.is_none_or(|armed| armed > due);
        if is_next {
            flight.armed = Some(due);
        }
        is_next
    }

    /// An entry did not leave after all, or is to leave once more.
    pub(super) fn returned(&self, id: &str, chat: &Jid) {
        let mut flight = held(&self.state);
        flight.left.remove(id);
        flight.add(chat);
    }

    /// Something waits for a chat that has not left.
    pub(super) fn added(&self, chat: &Jid) {
        held(&self.state).add(chat);
    }

    /// Counts what was added so far, for [`Flight::cleared`].
    pub(super) fn additions(&self) -> u64 {
        held(&self.state).additions
    }

    /// Everything for a chat has left, by a look at the disk; unless something was added since.
    pub(super) fn cleared(&self, chat: &Jid, generation: u64, additions: u64) {
        let Some(mut flight) = self.on(generation) else { return };
        if flight.additions == additions {
            if flight.clear.len() >= MAX_CLEAR {
                flight.clear.clear();
            }
            flight.clear.insert(chat.clone());
        }
    }

    /// Whether everything for a chat is known to have left.
    pub(super) fn is_clear(&self, chat: &Jid, generation: u64) -> bool {
        self.on(generation).is_some_and(|flight| flight.clear.contains(chat))
    }

    /// What left on a connection; nothing of one that another has followed.
    fn on(&self, generation: u64) -> Option<MutexGuard<'_, State>> {
        let mut flight = held(&self.state);
        if flight.generation < generation {
            let additions = flight.additions;
            *flight = State { generation, additions, ..State::default() };
        }
        (flight.generation == generation).then_some(flight)
    }

    /// There is no connection: nothing is overdue until there is another.
    pub(super) fn disarm(&self) {
        held(&self.state).armed = None;
    }

    /// The entries that the server should have answered by now; they are not overdue again before
    /// they left again.
    pub(super) fn overdue(&self, now: Instant, generation: u64) -> Vec<Overdue> {
        let Some(mut flight) = self.on(generation) else { return Vec::new() };
        let mut overdue = Vec::new();
        for (id, left) in &mut flight.left {
            if left.due.is_some_and(|due| due <= now) {
                left.due = None;
                let (id, chat) = (id.clone(), left.chat.clone());
                overdue.push(Overdue { id, chat, times: left.times });
            }
        }
        flight.armed = flight.left.values().filter_map(|left| left.due).min();
        overdue
    }

    /// When the next answer is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        held(&self.state).armed
    }

    /// Nothing is remembered of an entry.
    pub(super) fn forget(&self, id: &str) {
        held(&self.state).left.remove(id);
    }
}

impl State {
    fn add(&mut self, chat: &Jid) {
        self.clear.remove(chat);
        self.additions = self.additions.wrapping_add(1);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the server has to answer a message on a connection that lives. It doubles each time the
/// same bytes left again.
const ACK_DEADLINE: Duration = Duration::from_secs(30);
/// How many chats are known to have nothing waiting, before all are looked at again.
const MAX_CLEAR: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn chat() -> Jid {
        Jid::lid("7")
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_leaves_once_on_each_connection() {
        let flight = Flight::default();
        assert!(flight.leaves("A", &chat(), 1));
        assert!(!flight.leaves("A", &chat(), 1));
        assert!(flight.leaves("A", &chat(), 2), "not acknowledged, so again on the next");
        assert!(!flight.leaves("B", &chat(), 1), "that connection is over");
        flight.returned("A", &chat());
        assert!(flight.leaves("A", &chat(), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_is_overdue_30_seconds_after_its_bytes_left_and_then_later_each_time() {
        let flight = Flight::default();
        flight.leaves("A", &chat(), 1);
        let mut seen = Vec::new();
        let started = Instant::now();
        flight.departed("A", 1);
        while seen.len() < 3 {
            tokio::time::sleep_until(flight.next_due().unwrap()).await;
            let overdue = flight.overdue(Instant::now(), 1);
            assert!(flight.overdue(Instant::now(), 1).is_empty());
            seen.push((started.elapsed().as_secs(), overdue[0].times));
            flight.departed("A", 1);
        }
        assert_eq!(seen, [(30, 1), (90, 2), (210, 3)]);
        flight.forget("A");
        assert!(flight.overdue(Instant::now() + HOUR, 1).is_empty());
        // An ack that was faster than the news that the bytes are out.
        flight.departed("A", 1);
        assert!(flight.overdue(Instant::now() + HOUR, 1).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_is_clear_until_something_is_added() {
        let flight = Flight::default();
        let before = flight.additions();
        flight.cleared(&chat(), 1, before);
        assert!(flight.is_clear(&chat(), 1) && !flight.is_clear(&Jid::lid("8"), 1));
        flight.added(&chat());
        assert!(!flight.is_clear(&chat(), 1));
        // Added between the look at the disk and the note.
        flight.cleared(&chat(), 1, before);
        assert!(!flight.is_clear(&chat(), 1));
        flight.cleared(&chat(), 1, flight.additions());
        assert!(flight.is_clear(&chat(), 1) && !flight.is_clear(&chat(), 2));
    }
}
