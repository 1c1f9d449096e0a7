//! What time it is: the wall clock or a virtual one, and the server's opinion of both.
//!
//! Knows nothing of what the time is used for. Durations are measured elsewhere, with
//! [`tokio::time`], so that a paused runtime turns every clock by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;
use wa_store::{Change, Store, StoreError};

/// Tells the time; clones share the offset learnt from the server.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    /// Server time minus local time, in milliseconds.
    offset: Arc<AtomicI64>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    Virtual { epoch: Instant, unix_ms: u64 },
}

impl Clock {
    /// The machine's wall clock.
    pub fn system() -> Self {
        Self { source: Source::System, offset: Arc::default() }
    }

    /// A clock that reads `unix_seconds` now and then follows [`tokio::time::Instant`], so that
    /// it stands still while the runtime is paused.
    pub fn starting_at(unix_seconds: u64) -> Self {
        let unix_ms = unix_seconds.saturating_mul(1000);
        Self { source: Source::Virtual { epoch: Instant::now(), unix_ms }, offset: Arc::default() }
    }

    /// The local time, in milliseconds since 1970. Certificates are judged by it, because it is
    /// the only time known before the server has spoken.
    pub fn local_unix_ms(&self) -> u64 {
        match self.source {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            Source::Virtual { epoch, unix_ms } => {
                let passed = Instant::now().saturating_duration_since(epoch).as_millis();
                unix_ms.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
            }
        }
    }

    /// The server's time, in milliseconds since 1970: local time until the first login told the
    /// difference. Every timestamp that is sent comes from here.
    pub fn unix_ms(&self) -> u64 {
        self.local_unix_ms().saturating_add_signed(self.offset.load(Ordering::Relaxed))
    }

    /// The server's time, in seconds since 1970.
    pub fn unix(&self) -> u64 {
        self.unix_ms() / 1000
    }

    /// Goes on with the offset of an earlier run, until the server tells the time anew. What is
    /// queued before a connection is made then stands in its right place among what was received.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn recall(&self, store: &dyn Store) -> Result<(), StoreError> {
        let kept = store.setting(SETTING).await?.and_then(|bytes| bytes.try_into().ok());
        if let Some(offset) = kept.map(i64::from_be_bytes) {
            self.offset.store(offset, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Learns the server's time, in seconds since 1970, as told at this moment, and keeps the
    /// offset if it is news.
    ///
    /// # Errors
    /// The store's; the time is known all the same.
    pub(crate) async fn learn(
        &self,
        unix_seconds: u64,
        store: &dyn Store,
    ) -> Result<(), StoreError> {
        let before = self.offset.load(Ordering::Relaxed);
        self.learn_server_time(unix_seconds);
        let offset = self.offset.load(Ordering::Relaxed);
        if offset.abs_diff(before) <= TOLERANCE_MS {
            return Ok(());
        }
        let value = Some(offset.to_be_bytes().to_vec());
        store.commit(Change::PutSetting { name: SETTING.into(), value }.into()).await.map(drop)
    }

    fn learn_server_time(&self, unix_seconds: u64) {
        let server = i64::try_from(unix_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        let local = i64::try_from(self.local_unix_ms()).unwrap_or(i64::MAX);
        self.offset.store(server.saturating_sub(local), Ordering::Relaxed);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// Under which name a store keeps the offset: milliseconds, eight bytes, the highest first.
const SETTING: &str = "clock.server_offset_ms";
/// The server tells whole seconds, and a little time passes on the way.
const TOLERANCE_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn timestamps_follow_the_server_and_certificates_the_machine() {
        let clock = Clock::starting_at(1_700_000_000);
        let shared = clock.clone();
        clock.learn_server_time(1_700_000_090);
        assert_eq!(shared.unix(), 1_700_000_090);
        assert_eq!(shared.local_unix_ms(), 1_700_000_000_000);
        tokio::time::advance(Duration::from_millis(2500)).await;
        assert_eq!(shared.unix_ms(), 1_700_000_092_500);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_run_goes_on_with_the_servers_time() {
        let store = wa_store::MemoryStore::new();
        let clock = Clock::starting_at(1_700_000_000);
        clock.recall(&store).await.unwrap();
        clock.learn(1_700_000_090, &store).await.unwrap();
        let next = Clock::starting_at(1_700_000_500);
        next.recall(&store).await.unwrap();
        assert_eq!(next.unix(), 1_700_000_590);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_behind_us_is_believed_too() {
        let clock = Clock::starting_at(1_700_000_000);
        clock.learn_server_time(1_600_000_000);
        assert_eq!(clock.unix(), 1_600_000_000);
    }
}
