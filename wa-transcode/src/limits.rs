//! How much is taken of a recording that nobody vouches for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::AudioError;

/// What a recording may be at most. The defaults are far above any voice note.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AudioLimits {
    /// The most bytes of the file; 2 GiB.
    pub bytes: u64,
    /// How long it may play; four hours.
    pub duration: Duration,
    /// The fewest samples a second; 4,000.
    pub min_sample_rate: u32,
    /// The most samples a second; 192,000.
    pub max_sample_rate: u32,
    /// The most channels; eight.
    pub channels: usize,
    /// Asked again and again: decoding ends once it says so.
    pub stop: StopFlag,
}

/// Ends what decodes in another thread: a few minutes of silence are a few bytes of file and many
/// samples, and whoever waited for them may be gone. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// From now on everything that looks at this flag ends with [`AudioError::Stopped`].
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stops when the value is dropped: whoever waits holds it, and gives up by being dropped.
    #[must_use = "dropped at once, it stops at once"]
    pub fn stop_on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

/// Stops the work of a [`StopFlag`] when it is dropped.
#[derive(Debug)]
pub struct StopOnDrop(StopFlag);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Default for AudioLimits {
    fn default() -> Self {
        Self {
            bytes: 2 << 30,
            duration: Duration::from_secs(4 * 60 * 60),
            min_sample_rate: 4_000,
            max_sample_rate: 192_000,
            channels: 8,
            stop: StopFlag::default(),
        }
    }
}

impl AudioLimits {
    /// With another limit of the file's bytes.
    #[must_use]
    pub const fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// With another limit of how long it may play.
    #[must_use]
    pub const fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Ending when this flag says so.
    #[must_use]
    pub fn stopped_by(mut self, stop: &StopFlag) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Why decoding ended: what was stopped may look like a broken file from within.
    pub(crate) fn reason(&self, error: AudioError) -> AudioError {
        if self.stop.is_stopped() { AudioError::Stopped } else { error }
    }

    /// How many samples that is at this rate.
    pub(crate) fn samples(&self, rate: u32) -> u64 {
        self.duration.as_secs().saturating_mul(u64::from(rate))
    }
}

/// How many packets in a row may give no sample, such as the pictures of a video around its sound.
pub(crate) const MAX_IDLE_PACKETS: u32 = 1_000_000;
/// How many packets may be broken before the recording counts as broken: a stream that was cut out
/// of another begins with some.
pub(crate) const MAX_BROKEN_PACKETS: u32 = 16;
/// The most bytes of one tag or cover picture; longer ones are skipped.
pub(crate) const MAX_TAG_BYTES: usize = 1 << 20;
/// The most bytes of a file that already is a voice note and is handed on as it is.
pub(crate) const MAX_NOTE_BYTES: u64 = 64 << 20;
/// How often the bytes of a file may be read: some containers go to and fro.
pub(crate) const MAX_READINGS: u64 = 8;
