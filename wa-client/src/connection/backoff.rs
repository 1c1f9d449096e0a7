//! How long to wait before the next attempt to connect.
//!
//! A value: time and randomness are arguments. Knows nothing of why a connection ended.

use std::time::Duration;

use tokio::time::Instant;

/// Exponential delays with jitter and a cap, forgiven only by a connection that lasted.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    connected_at: Option<Instant>,
    penalty_until: Option<Instant>,
    /// When the last connection was made without a delay.
    at_once: Option<Instant>,
}

impl Backoff {
    /// The attempt that comes next: 1 for the first after a success.
    pub(crate) fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// A login succeeded. The failures so far are forgiven later, if the connection lasts:
    /// forgiving them here would let a flapping account hammer the server.
    pub(crate) fn connected(&mut self, now: Instant) {
        self.connected_at = Some(now);
    }

    /// The server said `rate-overlimit` or answered with HTTP 429. Short delays are out of the
    /// question until [`PENALTY`] has passed, whatever connections succeed meanwhile.
    pub(crate) fn rate_limited(&mut self, now: Instant) {
        self.penalty_until = Some(now + PENALTY);
    }

    /// The connection, or the attempt to make one, ended.
    pub(crate) fn disconnected(&mut self, now: Instant) {
        if let Some(since) = self.connected_at.take()
            && now.saturating_duration_since(since) >= STABLE_AFTER
        {
            self.failures = 0;
        }
    }

    /// Whether the next connection may be made without a delay: once within [`AT_ONCE_EVERY`],
    /// whatever the reason, and never while the server complains about our rate. Otherwise a server
    /// that always asks for a new connection would get one after the other.
    pub(crate) fn may_be_at_once(&mut self, now: Instant) -> bool {
        let is_limited = self.penalty_until.is_some_and(|until| until > now);
        let is_again =
            self.at_once.is_some_and(|at| now.saturating_duration_since(at) < AT_ONCE_EVERY);
        if is_limited || is_again {
            return false;
        }
        self.at_once = Some(now);
        true
    }

    /// The delay before the next attempt, and counts that attempt. `roll` is a random number
    /// from 0 up to 1, which spreads the delay over its upper half.
    pub(crate) fn next_delay(&mut self, now: Instant, roll: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(CAP);
        let floor = match self.penalty_until {
            Some(until) if until > now => PENALTY_FLOOR,
            _ => Duration::ZERO,
        };
        self.failures = self.failures.saturating_add(1);
        let full = doubled.max(floor);
        full / 2 + (full / 2).mul_f64(roll.clamp(0.0, 1.0))
    }
}

/// The first delay, before jitter.
pub(crate) const FIRST: Duration = Duration::from_secs(2);
/// The longest delay, before jitter.
pub(crate) const CAP: Duration = Duration::from_secs(120);
/// How long a connection must last to forgive the failures before it.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(30);
/// How often a connection may be made without a delay.
pub(crate) const AT_ONCE_EVERY: Duration = Duration::from_secs(60);
/// How long the server's complaint about our rate is remembered.
pub(crate) const PENALTY: Duration = Duration::from_secs(300);
/// The shortest delay while it is, before jitter.
pub(crate) const PENALTY_FLOOR: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(backoff: &mut Backoff, now: Instant, count: usize) -> Vec<u64> {
        (0..count).map(|_| backoff.next_delay(now, 1.0).as_secs()).collect()
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let now = Instant::now();
        assert_eq!(delays(&mut Backoff::default(), now, 8), [2, 4, 8, 16, 32, 64, 120, 120]);
    }

    #[test]
    fn jitter_stays_within_the_upper_half() {
        let mut backoff = Backoff { failures: 3, ..Backoff::default() };
        assert_eq!(backoff.next_delay(Instant::now(), 0.0), Duration::from_secs(8));
        let mut backoff = Backoff { failures: 3, ..Backoff::default() };
        assert_eq!(backoff.next_delay(Instant::now(), 0.5), Duration::from_secs(12));
    }

    #[test]
    fn a_connection_that_did_not_last_forgives_nothing() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        for expected in [2, 4, 8] {
            assert_eq!(backoff.next_delay(now, 1.0).as_secs(), expected);
            backoff.connected(now);
            now += STABLE_AFTER - Duration::from_millis(1);
            backoff.disconnected(now);
        }
        backoff.connected(now);
        now += STABLE_AFTER;
        backoff.disconnected(now);
        assert_eq!(backoff.attempt(), 1);
        assert_eq!(backoff.next_delay(now, 1.0), FIRST);
    }

    #[test]
    fn a_rate_limit_outlives_reconnects() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        backoff.rate_limited(now);
        backoff.connected(now);
        now += STABLE_AFTER;
        backoff.disconnected(now);
        assert_eq!(backoff.next_delay(now, 1.0), PENALTY_FLOOR);
        now += PENALTY;
        backoff.connected(now);
        now += STABLE_AFTER;
        backoff.disconnected(now);
        assert_eq!(backoff.next_delay(now, 1.0), FIRST);
    }

    #[test]
    fn a_connection_is_made_without_a_delay_once_a_minute() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        let mut at = |secs| backoff.may_be_at_once(start + Duration::from_secs(secs));
        assert_eq!([0, 0, 59, 60, 61].map(&mut at), [true, false, false, true, false]);
        backoff.rate_limited(start);
        assert!(!backoff.may_be_at_once(start + Duration::from_secs(299)));
    }

    #[test]
    fn endless_failures_do_not_overflow() {
        let mut backoff = Backoff { failures: u32::MAX, ..Backoff::default() };
        assert_eq!(backoff.next_delay(Instant::now(), 1.0), CAP);
    }
}
