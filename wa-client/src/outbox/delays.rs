//! Which chats are to be looked at, and how long those wait that failed.
//!
//! Owns the delays: longer after each failure, until a message leaves. Knows nothing of how a chat
//! is served.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use wa_proto::Jid;

use super::next_step::{AGAIN_FIRST, NextStep};

/// Which chats the pump is to look at.
#[derive(Debug, Default)]
pub(super) struct Delays {
    state: Mutex<Chats>,
}

#[derive(Debug, Default)]
struct Chats {
    all: bool,
    wanted: BTreeSet<Jid>,
    delays: HashMap<Jid, Delay>,
}

/// How a chat waits after a failure.
#[derive(Debug)]
struct Delay {
    failures: u32,
    refusals: u32,
    /// When it failed last.
    failed_at: Instant,
    /// When it is tried again; nothing while it is.
    due: Option<Instant>,
    /// Whether the server named the time, so that a new connection changes nothing.
    is_named: bool,
}

impl Delays {
    /// A chat is to be looked at: somebody waits for it, so that it waits no longer than after a
    /// first failure, unless the server named the time.
    pub(super) fn want(&self, chat: &Jid) {
        let mut chats = self.held();
        chats.wanted.insert(chat.clone());
        if let Some(Delay { failed_at, due: Some(due), is_named: false, .. }) =
            chats.delays.get_mut(chat)
        {
            *due = (*due).min(*failed_at + AGAIN_FIRST);
        }
    }

    /// Every chat is to be looked at.
    pub(super) fn want_all(&self) {
        self.held().all = true;
    }

    /// There is another connection: what failed may succeed on it.
    pub(super) fn reconnected(&self) {
        let now = Instant::now();
        let mut chats = self.held();
        let delays = chats.delays.values_mut().filter(|delay| !delay.is_named);
        for due in delays.filter_map(|delay| delay.due.as_mut()) {
            *due = now;
        }
    }

    /// Whether every chat is to be looked at, and those that are in any case; asked once.
    pub(super) fn take_wanted(&self, now: Instant) -> (bool, BTreeSet<Jid>) {
        let mut chats = self.held();
        let mut wanted = std::mem::take(&mut chats.wanted);
        for (chat, delay) in &mut chats.delays {
            if delay.due.is_some_and(|due| due <= now) {
                delay.due = None;
                wanted.insert(chat.clone());
            }
        }
        (std::mem::take(&mut chats.all), wanted)
    }

    /// When the next chat is tried again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.held().delays.values().filter_map(|delay| delay.due).min()
    }

    /// Whether a chat waits because it failed.
    pub(super) fn is_delayed(&self, chat: &Jid, now: Instant) -> bool {
        let chats = self.held();
        chats.delays.get(chat).and_then(|delay| delay.due).is_some_and(|due| due > now)
    }

    /// Whether sending to a chat has failed since it last succeeded.
    pub(super) fn has_failed(&self, chat: &Jid) -> bool {
        self.held().delays.contains_key(chat)
    }

    /// Sending to a chat succeeded.
    pub(super) fn succeeded(&self, chat: &Jid) {
        self.held().delays.remove(chat);
    }

    /// The server refused what has to be asked before anything is sent to a chat; how often in a
    /// row.
    pub(super) fn refused(&self, chat: &Jid) -> u32 {
        let mut chats = self.held();
        let delay = chats.delays.entry(chat.clone()).or_insert_with(Delay::new);
        delay.refusals = delay.refusals.saturating_add(1);
        delay.refusals
    }

    /// Sending to a chat failed for now: it waits. `roll` is a random number from 0 up to 1.
    pub(super) fn delay(&self, chat: &Jid, step: NextStep, roll: f64) {
        if step.wait(1, roll).is_none() {
            return;
        }
        let mut chats = self.held();
        let delay = chats.delays.entry(chat.clone()).or_insert_with(Delay::new);
        delay.failures = delay.failures.saturating_add(1);
        let wait = step.wait(delay.failures, roll).unwrap_or_default();
        delay.is_named = matches!(step, NextStep::NotBefore(_));
        delay.failed_at = Instant::now();
        delay.due = Some(delay.failed_at + wait);
    }

    fn held(&self) -> MutexGuard<'_, Chats> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delay {
    fn new() -> Self {
        let failed_at = Instant::now();
        Self { failures: 0, refusals: 0, failed_at, due: None, is_named: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> Jid {
        Jid::lid("7")
    }

    #[tokio::test(start_paused = true)]
    async fn a_chat_that_failed_waits_longer_each_time_until_it_succeeds() {
        let delays = Delays::default();
        let mut waits = Vec::new();
        for _ in 0..3 {
            delays.delay(&chat(), NextStep::Again, 0.5);
            let due = delays.next_due().unwrap();
            waits.push((due - Instant::now()).as_secs());
            assert!(delays.is_delayed(&chat(), Instant::now()));
            tokio::time::sleep_until(due).await;
            assert_eq!(delays.take_wanted(Instant::now()), (false, BTreeSet::from([chat()])));
            assert_eq!(delays.next_due(), None);
        }
        assert_eq!(waits, [10, 20, 40]);
        // Somebody waits for it now.
        delays.delay(&chat(), NextStep::Again, 0.5);
        delays.want(&chat());
        assert_eq!(delays.next_due(), Some(Instant::now() + AGAIN_FIRST));
        delays.succeeded(&chat());
        delays.delay(&chat(), NextStep::Again, 0.5);
        delays.reconnected();
        assert_eq!(delays.next_due(), Some(Instant::now()));
        delays.delay(&chat(), NextStep::NotBefore(None), 0.5);
        delays.reconnected();
        delays.want(&chat());
        assert!(
            delays.is_delayed(&chat(), Instant::now() + AGAIN_FIRST),
            "the server named the time"
        );
    }
}
