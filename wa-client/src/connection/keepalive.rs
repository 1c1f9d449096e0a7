//! Whether the connection still lives.
//!
//! A value with a clock in its arguments: it says when to ping and when to give up, and knows
//! nothing of sockets. Any inbound byte is a sign of life, not only the answer to a ping, so a
//! half-open socket shows and a slow server does not.

use std::time::Duration;

use tokio::time::Instant;

/// What the connection should do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepaliveAction {
    /// Send a `w:p` ping.
    Ping,
    /// Tell that nothing has been heard since the ping; the connection stays.
    TimedOut {
        /// How long the silence has lasted.
        silent_for: Duration,
    },
    /// Tell that the other side is heard again.
    Restored,
    /// The silence has lasted too long: end the connection and make another.
    GiveUp,
}

/// Pings, their deadlines, and the silence so far.
#[derive(Debug)]
pub(crate) struct Keepalive {
    heard_at: Instant,
    phase: Phase,
    failing: bool,
    restored: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Resting { ping_at: Instant },
    Pinged { at: Instant },
}

impl Keepalive {
    /// A connection that has just been heard. `roll` is a random number from 0 up to 1.
    pub(crate) fn new(now: Instant, roll: f64) -> Self {
        let phase = Phase::Resting { ping_at: now + interval(roll) };
        Self { heard_at: now, phase, failing: false, restored: false }
    }

    /// Bytes came in.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        if self.failing {
            self.failing = false;
            self.restored = true;
        }
    }

    /// When to ask again, if nothing is heard before.
    pub(crate) fn timeout(&self) -> Instant {
        let next = match self.phase {
            _ if self.restored => self.heard_at,
            Phase::Resting { ping_at } => ping_at,
            Phase::Pinged { at } => at + PING_DEADLINE,
        };
        if self.failing { next.min(self.heard_at + GIVE_UP_AFTER) } else { next }
    }

    /// What is due at this moment; to be called until it says nothing.
    pub(crate) fn poll(&mut self, now: Instant, roll: f64) -> Option<KeepaliveAction> {
        if std::mem::take(&mut self.restored) {
            return Some(KeepaliveAction::Restored);
        }
        let silent_for = now.saturating_duration_since(self.heard_at);
        if self.failing && silent_for >= GIVE_UP_AFTER {
            return Some(KeepaliveAction::GiveUp);
        }
        match self.phase {
            Phase::Resting { ping_at } if now >= ping_at => {
                self.phase = Phase::Pinged { at: now };
                Some(KeepaliveAction::Ping)
            }
            Phase::Pinged { at } if now >= at + PING_DEADLINE => {
                self.phase = Phase::Resting { ping_at: at + interval(roll) };
                if self.heard_at >= at {
                    return None;
                }
                self.failing = true;
                Some(KeepaliveAction::TimedOut { silent_for })
            }
            _ => None,
        }
    }
}

fn interval(roll: f64) -> Duration {
    PING_EVERY_AT_LEAST + PING_SPREAD.mul_f64(roll.clamp(0.0, 1.0))
}

/// The shortest time between two pings.
pub(crate) const PING_EVERY_AT_LEAST: Duration = Duration::from_secs(20);
/// How much longer it may be.
pub(crate) const PING_SPREAD: Duration = Duration::from_secs(10);
/// How long after a ping the silence is remarked upon.
pub(crate) const PING_DEADLINE: Duration = Duration::from_secs(10);
/// How long a silence ends the connection.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a keepalive for `seconds` with an answer to pings while `answering`.
    fn run(
        answering: impl Fn(u64) -> bool,
        roll: f64,
        seconds: u64,
    ) -> Vec<(u64, KeepaliveAction)> {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(start, roll);
        let mut seen = Vec::new();
        loop {
            let now = keepalive.timeout();
            let at = (now - start).as_secs();
            if at > seconds {
                return seen;
            }
            while let Some(action) = keepalive.poll(now, roll) {
                seen.push((at, action));
                match action {
                    KeepaliveAction::Ping if answering(at) => keepalive.heard(now),
                    KeepaliveAction::GiveUp => return seen,
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn pings_go_out_every_twenty_to_thirty_seconds() {
        let pings =
            |roll| run(|_| true, roll, 90).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(pings(0.0), [20, 40, 60, 80]);
        assert_eq!(pings(1.0), [30, 60, 90]);
    }

    #[test]
    fn a_silent_connection_ends_after_three_minutes() {
        let seen = run(|at| at < 30, 0.5, 1000);
        let last_heard = 25;
        assert_eq!(seen.last(), Some(&(last_heard + 180, KeepaliveAction::GiveUp)));
        let first = Duration::from_secs(35);
        assert!(seen.contains(&(60, KeepaliveAction::TimedOut { silent_for: first })));
    }

    #[test]
    fn an_answer_after_a_silence_is_told_once() {
        let seen = run(|at| at > 100, 0.5, 200);
        let restored: Vec<_> =
            seen.iter().filter(|(_, action)| *action == KeepaliveAction::Restored).collect();
        assert_eq!(restored, [&(125, KeepaliveAction::Restored)]);
    }

    #[test]
    fn any_byte_counts_as_life() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(start, 0.0);
        let ping = start + Duration::from_secs(20);
        assert_eq!(keepalive.poll(ping, 0.0), Some(KeepaliveAction::Ping));
        keepalive.heard(ping + Duration::from_secs(3));
        assert_eq!(keepalive.poll(ping + PING_DEADLINE, 0.0), None);
    }
}
