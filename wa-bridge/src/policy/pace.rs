//! How fast messages may follow each other.
//!
//! A value: time is an argument, in milliseconds since 1970, and so is what was sent before.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How fast messages may follow each other. Accounts that write fast, above all to people who
/// never wrote to them, are restricted by WhatsApp.
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
            patience_seconds: 30,
        }
    }
}

/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;

impl Pace {
    /// Finds limits under which nothing could ever be sent by mistake.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.patience_seconds > 600 {
            return Err("patience_seconds in [pace] is at most 600".into());
        }
        Ok(())
    }
}

/// When messages left in the last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sendings {
    all: VecDeque<i64>,
    strangers: VecDeque<i64>,
}

impl Sendings {
    /// A message left, or will at this moment.
    pub fn record(&mut self, at: i64, to_stranger: bool) {
        self.all.push_back(at);
        if to_stranger {
            self.strangers.push_back(at);
        }
        for times in [&mut self.all, &mut self.strangers] {
            while times.front().is_some_and(|first| *first <= at - HOUR) {
                times.pop_front();
            }
        }
    }

    /// When the next message may leave: `now`, or later.
    pub fn earliest(&self, pace: &Pace, now: i64, to_stranger: bool) -> i64 {
        let all = earliest(&self.all, pace.between_ms, pace.per_hour, now);
        if !to_stranger {
            return all;
        }
        all.max(earliest(&self.strangers, pace.strangers_between_ms, pace.strangers_per_hour, now))
    }
}

fn earliest(times: &VecDeque<i64>, between_ms: u64, per_hour: u32, now: i64) -> i64 {
    let between = i64::try_from(between_ms).unwrap_or(i64::MAX);
    let after_last = times.back().map_or(now, |last| last.saturating_add(between));
    let most = usize::try_from(per_hour).unwrap_or(usize::MAX);
    let place = times.len().checked_sub(most);
    let after_cap = match (most, place.and_then(|place| times.get(place))) {
        // None an hour is none at all.
        (0, _) => i64::MAX,
        (_, Some(first)) => first.saturating_add(HOUR),
        _ => now,
    };
    now.max(after_last).max(after_cap)
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
            patience_seconds: 30,
        }
    }

    #[test]
    fn messages_keep_their_distance() {
        let mut sendings = Sendings::default();
        assert_eq!(sendings.earliest(&pace(), 10_000, false), 10_000);
        sendings.record(10_000, false);
        assert_eq!(sendings.earliest(&pace(), 10_200, false), 11_000);
        assert_eq!(sendings.earliest(&pace(), 12_000, false), 12_000);
    }

    #[test]
    fn strangers_are_written_to_more_slowly_and_hold_nobody_else_up() {
        let mut sendings = Sendings::default();
        sendings.record(0, true);
        assert_eq!(sendings.earliest(&pace(), 5_000, true), 60_000);
        assert_eq!(sendings.earliest(&pace(), 5_000, false), 5_000);
        sendings.record(60_000, true);
        assert_eq!(sendings.earliest(&pace(), 120_000, true), HOUR, "two an hour");
    }

    #[test]
    fn an_hour_holds_so_many_and_the_refusal_knows_when_the_next_may_go() {
        let mut sendings = Sendings::default();
        for second in 0..5 {
            sendings.record(second * 1_000, false);
        }
        assert_eq!(sendings.earliest(&pace(), 10_000, false), HOUR);
        assert_eq!(sendings.earliest(&pace(), HOUR + 1_000, false), HOUR + 1_000);
        let none = Pace { per_hour: 0, ..pace() };
        assert_eq!(Sendings::default().earliest(&none, 0, false), i64::MAX);
    }

    #[test]
    fn what_is_more_than_an_hour_ago_is_forgotten() {
        let mut sendings = Sendings::default();
        for hour in 0..100 {
            sendings.record(hour * HOUR, true);
        }
        assert_eq!((sendings.all.len(), sendings.strangers.len()), (1, 1));
    }
}
