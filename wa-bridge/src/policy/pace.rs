//! How fast things may follow each other that reach others, or the server.
//!
//! A value: time is an argument, in milliseconds since 1970, and so is what was done before.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wa_store::AuditEntry;

/// How fast messages may follow each other, and how fast an assistant may do what gets accounts
/// restricted. Accounts that write fast, above all to people who never wrote to them, or that look
/// up many numbers, are restricted by WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Milliseconds between two messages.
    pub between_ms: u64,
    /// Messages an hour.
    pub per_hour: u32,
    /// Milliseconds between two messages to people who never wrote to this account.
    pub strangers_between_ms: u64,
    /// Messages an hour to people who never wrote to this account.
    pub strangers_per_hour: u32,
    /// Numbers, links and profiles that assistants look up with the server in an hour.
    pub lookups_per_hour: u32,
    /// Changes of groups by assistants in an hour.
    pub group_changes_per_hour: u32,
    /// Files that assistants download in an hour.
    pub downloads_per_hour: u32,
    /// Messages that an assistant reads in an hour.
    pub read_messages_per_hour: u32,
    /// Characters of others' texts that an assistant reads in an hour.
    pub read_characters_per_hour: u32,
    /// How many seconds a message waits for its turn; one that would wait longer is refused.
    pub patience_seconds: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            between_ms: 500,
            per_hour: 240,
            strangers_between_ms: 20_000,
            strangers_per_hour: 10,
            lookups_per_hour: 100,
            group_changes_per_hour: 20,
            downloads_per_hour: 200,
            read_messages_per_hour: 5_000,
            read_characters_per_hour: 1_000_000,
            patience_seconds: 30,
        }
    }
}

/// An hour in milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

impl Pace {
    /// Finds limits under which nothing could ever be sent by mistake.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.patience_seconds > 600 {
            return Err("patience_seconds in [pace] is at most 600".into());
        }
        Ok(())
    }

    /// The least distance in milliseconds, and how many an hour.
    const fn limits(&self, class: PaceClass) -> (u64, u32) {
        match class {
            PaceClass::Message => (self.between_ms, self.per_hour),
            PaceClass::Stranger => (self.strangers_between_ms, self.strangers_per_hour),
            PaceClass::LookUp => (0, self.lookups_per_hour),
            PaceClass::GroupChange => (0, self.group_changes_per_hour),
            PaceClass::Download => (0, self.downloads_per_hour),
        }
    }

    /// How many of a class go in an hour.
    pub(crate) const fn per_hour_of(&self, class: PaceClass) -> u32 {
        self.limits(class).1
    }
}

/// What has a pace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaceClass {
    /// Messages, and whatever else people get.
    Message,
    /// Those among them that go to people who never wrote to this account.
    Stranger,
    /// What is looked up with the server.
    LookUp,
    /// Changes of groups.
    GroupChange,
    /// Files.
    Download,
}

impl PaceClass {
    /// The words for several of it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Stranger => "messages to people who never wrote to this account",
            Self::LookUp => "look-ups",
            Self::GroupChange => "changes of groups",
            Self::Download => "downloads",
        }
    }
}

/// Something that has its turn before it is done, and how much it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// What it is above all.
    pub class: PaceClass,
    /// How much of that.
    pub count: u32,
    /// Whether it reaches somebody who never wrote to this account.
    pub to_stranger: bool,
}

impl Turn {
    /// The paces it keeps. A change of a group is seen by people as a message is.
    pub fn classes(&self) -> impl Iterator<Item = (PaceClass, u32)> + use<> {
        let message = match self.class {
            PaceClass::LookUp | PaceClass::Download => None,
            PaceClass::Message | PaceClass::Stranger | PaceClass::GroupChange => {
                Some((PaceClass::Message, 1))
            }
        };
        let stranger = self.to_stranger.then_some((PaceClass::Stranger, 1));
        let own = match self.class {
            PaceClass::Message | PaceClass::Stranger => None,
            class => Some((class, self.count)),
        };
        [message, stranger, own].into_iter().flatten()
    }

    /// What the audit says of it, from which it is known again after a restart.
    pub fn detail(&self) -> Option<String> {
        match self.class {
            PaceClass::Message | PaceClass::Stranger => None,
            class => Some(format!("{} {}", self.count, class.words())),
        }
    }

    /// What an entry of the audit says was authorized.
    pub fn of_entry(entry: &AuditEntry) -> Self {
        let counted = || {
            let (count, words) = entry.detail.as_deref()?.split_once(' ')?;
            let classes = [PaceClass::LookUp, PaceClass::GroupChange, PaceClass::Download];
            let class = classes.into_iter().find(|class| class.words() == words)?;
            Some((class, count.parse().ok()?))
        };
        let (class, count) = counted().unwrap_or((PaceClass::Message, 1));
        Self { class, count, to_stranger: entry.to_stranger }
    }
}

/// What was done in the last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sendings {
    done: BTreeMap<PaceClass, VecDeque<(i64, u32)>>,
}

impl Sendings {
    /// Something was done, or will be at this moment. What is older than an hour is forgotten, and
    /// what was noted while the clock was wrong.
    pub fn record(&mut self, at: i64, turn: &Turn) {
        for (class, count) in turn.classes() {
            let done = self.done.entry(class).or_default();
            done.retain(|(then, _)| is_within(*then, at));
            done.push_back((at, count));
        }
    }

    /// When something may be done: `now`, or later; `i64::MAX` for never. With it the pace that
    /// says so.
    pub fn earliest(&self, pace: &Pace, now: i64, turn: &Turn) -> (i64, PaceClass) {
        let times = turn.classes().map(|(class, count)| {
            let (between_ms, per_hour) = pace.limits(class);
            let done = self.done.get(&class).into_iter().flatten().copied();
            let done: Vec<_> = done.filter(|(then, _)| is_within(*then, now)).collect();
            (earliest(&done, between_ms, per_hour, now, count), class)
        });
        times.max_by_key(|(at, _)| *at).unwrap_or((now, turn.class))
    }
}

/// Whether something was done in the hour before, and not in the future: a clock that was once wrong
/// holds nobody up.
const fn is_within(then: i64, now: i64) -> bool {
    then > now.saturating_sub(HOUR) && then <= now
}

fn earliest(done: &[(i64, u32)], between_ms: u64, per_hour: u32, now: i64, count: u32) -> i64 {
    if count > per_hour {
        return i64::MAX;
    }
    let between = i64::try_from(between_ms).unwrap_or(i64::MAX);
    let mut earliest = done.last().map_or(now, |(last, _)| now.max(last.saturating_add(between)));
    let mut most = u64::from(per_hour - count);
    // From the newest on: what does not fit beside the later ones has to be an hour old.
    for (then, count) in done.iter().rev() {
        match most.checked_sub(u64::from(*count)) {
            Some(left) => most = left,
            None => {
                earliest = earliest.max(then.saturating_add(HOUR));
                break;
            }
        }
    }
    earliest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            between_ms: 1_000,
            per_hour: 5,
            strangers_between_ms: 60_000,
            strangers_per_hour: 2,
            lookups_per_hour: 100,
            ..Pace::default()
        }
    }

    const MESSAGE: Turn = Turn { class: PaceClass::Message, count: 1, to_stranger: false };
    const STRANGER: Turn = Turn { to_stranger: true, ..MESSAGE };

    fn look_up(count: u32) -> Turn {
        Turn { class: PaceClass::LookUp, count, to_stranger: false }
    }

    fn at(sendings: &Sendings, now: i64, turn: &Turn) -> i64 {
        sendings.earliest(&pace(), now, turn).0
    }

    #[test]
    fn messages_keep_their_distance() {
        let mut sendings = Sendings::default();
        assert_eq!(at(&sendings, 10_000, &MESSAGE), 10_000);
        sendings.record(10_000, &MESSAGE);
        assert_eq!(at(&sendings, 10_200, &MESSAGE), 11_000);
        assert_eq!(at(&sendings, 12_000, &MESSAGE), 12_000);
    }

    #[test]
    fn strangers_are_written_to_more_slowly_and_hold_nobody_else_up() {
        let mut sendings = Sendings::default();
        sendings.record(0, &STRANGER);
        assert_eq!(at(&sendings, 5_000, &STRANGER), 60_000);
        assert_eq!(at(&sendings, 5_000, &MESSAGE), 5_000);
        sendings.record(60_000, &STRANGER);
        let (next, class) = sendings.earliest(&pace(), 120_000, &STRANGER);
        assert_eq!((next, class), (HOUR, PaceClass::Stranger), "two an hour");
    }

    #[test]
    fn an_hour_holds_so_many_and_the_refusal_knows_when_the_next_may_go() {
        let mut sendings = Sendings::default();
        for second in 0..5 {
            sendings.record(second * 1_000, &MESSAGE);
        }
        assert_eq!(at(&sendings, 10_000, &MESSAGE), HOUR);
        assert_eq!(at(&sendings, HOUR + 1_000, &MESSAGE), HOUR + 1_000);
        let none = Pace { per_hour: 0, ..pace() };
        assert_eq!(Sendings::default().earliest(&none, 0, &MESSAGE).0, i64::MAX);
    }

    #[test]
    fn what_is_more_than_an_hour_ago_is_forgotten() {
        let mut sendings = Sendings::default();
        for hour in 0..100 {
            sendings.record(hour * HOUR, &STRANGER);
        }
        assert!(sendings.done.values().all(|done| done.len() == 1));
    }

    #[test]
    fn a_clock_that_was_once_a_year_ahead_holds_nothing_up() {
        let mut sendings = Sendings::default();
        let now = 1_000_000_000_000;
        for _ in 0..5 {
            sendings.record(now + 365 * 24 * HOUR, &MESSAGE);
        }
        assert_eq!(at(&sendings, now, &MESSAGE), now);
        sendings.record(now, &MESSAGE);
        assert_eq!(at(&sendings, now + 1, &MESSAGE), now + 1_000);
    }

    #[test]
    fn numbers_are_counted_and_not_the_calls_that_ask_for_them() {
        let mut sendings = Sendings::default();
        sendings.record(1_000, &look_up(50));
        assert_eq!(at(&sendings, 2_000, &look_up(50)), 2_000);
        sendings.record(2_000, &look_up(50));
        assert_eq!(at(&sendings, 3_000, &look_up(1)), 1_000 + HOUR);
        assert_eq!(at(&sendings, 3_000, &look_up(51)), 2_000 + HOUR);
        assert_eq!(at(&sendings, 3_000, &look_up(101)), i64::MAX, "never so many");
        assert_eq!(at(&sendings, 3_000, &MESSAGE), 3_000, "messages have a pace of their own");
    }

    #[test]
    fn what_was_authorized_is_known_again_from_the_audit() {
        for turn in [
            MESSAGE,
            STRANGER,
            look_up(50),
            Turn { class: PaceClass::GroupChange, count: 1, to_stranger: true },
            Turn { class: PaceClass::Download, count: 1, to_stranger: false },
        ] {
            let mut entry = AuditEntry::new(0, "assistant: a", "a/b", "accepted");
            entry.detail = turn.detail();
            entry.to_stranger = turn.to_stranger;
            assert_eq!(Turn::of_entry(&entry), turn);
        }
    }
}
