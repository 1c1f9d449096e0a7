//! How far a history has come.
//!
//! A value. Knows nothing of where parts come from.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use wa_proto::Jid;

use super::HistoryDepth;
use crate::event::{HistoryEvent, HistoryKind};

/// What was counted of the history that a new link gets.
#[derive(Debug, Default)]
pub(super) struct Progress {
    phase: Phase,
    percent: Option<u8>,
    /// By hash, so that a chat that comes in several parts counts once.
    chats: HashSet<u64>,
    messages: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Running,
    Done,
}

impl Progress {
    /// A part of this kind is about to be read; what there is to tell.
    pub(super) fn begin(&mut self, kind: HistoryKind) -> Option<HistoryEvent> {
        let begins = match kind {
            HistoryKind::OnDemand => false,
            HistoryKind::Bootstrap => self.phase != Phase::Running,
            _ => self.phase == Phase::Idle,
        };
        if !begins {
            return None;
        }
        *self = Self { phase: Phase::Running, ..Self::default() };
        Some(HistoryEvent::Started)
    }

    /// Whether the end is still to come.
    pub(super) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// A part named a chat.
    pub(super) fn count_chat(&mut self, chat: &Jid) {
        let mut hasher = DefaultHasher::new();
        chat.hash(&mut hasher);
        if self.chats.len() < MAX_CHATS {
            self.chats.insert(hasher.finish());
        }
    }

    /// Messages were committed.
    pub(super) fn count_messages(&mut self, count: u64) -> HistoryEvent {
        self.messages += count;
        HistoryEvent::Progress {
            percent: self.percent,
            chats: self.chats.len() as u64,
            messages: self.messages,
        }
    }

    /// A part was stored of which the phone said that so much is done with it.
    pub(super) fn reach(&mut self, percent: Option<u32>) {
        let percent = percent.and_then(|percent| u8::try_from(percent.min(100)).ok());
        self.percent = self.percent.max(percent);
    }

    /// Whether a part of this kind and measure is the last one that matters.
    pub(super) fn is_last(kind: HistoryKind, percent: Option<u32>, depth: HistoryDepth) -> bool {
        let is_last_kind = match depth {
            HistoryDepth::Full => kind == HistoryKind::Full,
            _ => matches!(kind, HistoryKind::Bootstrap | HistoryKind::Recent),
        };
        is_last_kind && percent.is_some_and(|percent| percent >= 100)
    }

    /// It is over; what there is to tell, if it was running.
    pub(super) fn end(&mut self, is_whole: bool) -> Option<HistoryEvent> {
        if self.phase != Phase::Running {
            return None;
        }
        self.phase = Phase::Done;
        let chats = self.chats.len() as u64;
        self.chats = HashSet::new();
        Some(HistoryEvent::Completed { chats, messages: self.messages, is_whole })
    }
}

/// How many chats are told apart.
const MAX_CHATS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_begins_and_ends_once() {
        let mut progress = Progress::default();
        assert_eq!(progress.begin(HistoryKind::OnDemand), None);
        assert_eq!(progress.begin(HistoryKind::Bootstrap), Some(HistoryEvent::Started));
        assert_eq!(progress.begin(HistoryKind::Recent), None);
        progress.count_chat(&Jid::lid("1"));
        progress.count_chat(&Jid::lid("1"));
        progress.reach(Some(40));
        let event = progress.count_messages(3);
        assert_eq!(event, HistoryEvent::Progress { percent: Some(40), chats: 1, messages: 3 });
        let over = HistoryEvent::Completed { chats: 1, messages: 3, is_whole: true };
        assert_eq!(progress.end(true), Some(over));
        assert_eq!(progress.end(true), None);
        assert_eq!(progress.begin(HistoryKind::PushNames), None, "a straggler begins nothing");
        assert_eq!(progress.begin(HistoryKind::Bootstrap), Some(HistoryEvent::Started));
    }

    #[test]
    fn a_full_history_is_over_only_with_its_full_part() {
        let is_last = |kind, depth| Progress::is_last(kind, Some(100), depth);
        assert!(is_last(HistoryKind::Recent, HistoryDepth::Recent));
        assert!(is_last(HistoryKind::Bootstrap, HistoryDepth::None));
        assert!(!is_last(HistoryKind::Recent, HistoryDepth::Full));
        assert!(is_last(HistoryKind::Full, HistoryDepth::Full));
        assert!(!Progress::is_last(HistoryKind::Recent, Some(99), HistoryDepth::Recent));
    }
}
