//! The clock of a simulation: a unix time to begin with, and tokio's clock from there on, so that
//! a paused runtime turns it by hand.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base_unix: u64,
    started: Instant,
}

impl Clock {
    pub(crate) fn new(base_unix: u64) -> Self {
        Self { base_unix, started: Instant::now() }
    }

    /// How long the simulation runs.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The time, in unix seconds.
    pub(crate) fn unix(&self) -> u64 {
        self.base_unix + self.elapsed().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_turns_the_clock() {
        let clock = Clock::new(1_000);
        assert_eq!(clock.unix(), 1_000);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.unix(), 1_090);
    }
}
