//! The bars that are shown in place of a voice note's sound.
//!
//! How long a recording is comes out at its end, so loudness is gathered in bins of equal length,
//! which are joined in pairs whenever there are too many.

/// How many bars WhatsApp shows.
pub const BARS: usize = 64;

/// The loudness of what was heard so far.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    /// The energy of each full bin.
    bins: Vec<f64>,
    /// How many samples a bin has, as a power of two.
    doublings: u32,
    /// The bin that is being filled.
    energy: f64,
    filled: u64,
}

impl Loudness {
    pub(crate) fn hear(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.energy += f64::from(sample) * f64::from(sample);
            self.filled += 1;
            if self.filled == 1 << self.doublings {
                self.close_bin();
            }
        }
    }

    fn close_bin(&mut self) {
        self.bins.push(std::mem::take(&mut self.energy));
        self.filled = 0;
        if self.bins.len() == MAX_BINS {
            self.bins = self.bins.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.doublings += 1;
        }
    }

    /// The root mean square of each of as many slices as there are bars, the loudest being 100.
    pub(crate) fn bars(mut self) -> [u8; BARS] {
        if self.filled > 0 {
            // The rest counts as a full bin of the loudness it has.
            let full = (1_u64 << self.doublings) as f64;
            self.bins.push(self.energy * full / self.filled as f64);
        }
        let count = self.bins.len();
        let slices: Vec<f64> = (0..BARS)
            .map(|bar| {
                let first = bar * count / BARS;
                let end = ((bar + 1) * count / BARS).max(first + 1);
                let slice = self.bins.get(first..end.min(count)).unwrap_or_default();
                (slice.iter().sum::<f64>() / slice.len().max(1) as f64).sqrt()
            })
            .collect();
        let loudest = slices.iter().copied().fold(0.0, f64::max);
        let mut bars = [0; BARS];
        for (bar, loudness) in bars.iter_mut().zip(slices) {
            if loudest > 0.0 {
                *bar = (loudness / loudest * 100.0).round() as u8;
            }
        }
        bars
    }
}

/// How many bins there are before they are joined in pairs.
const MAX_BINS: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(samples: &[f32], portion: usize) -> [u8; BARS] {
        let mut loudness = Loudness::default();
        samples.chunks(portion).for_each(|some| loudness.hear(some));
        loudness.bars()
    }

    #[test]
    fn the_bars_follow_the_loudness_and_the_loudest_is_100() {
        let samples: Vec<f32> = (0..640_000)
            .map(|place| {
                let sign = if place % 2 == 0 { 1.0 } else { -1.0 };
                sign * if place < 320_000 { 0.05 } else { 0.2 }
            })
            .collect();
        let bars = bars(&samples, 960);
        assert!(bars[..31].iter().all(|bar| (24..=26).contains(bar)), "{bars:?}");
        assert!(bars[33..].iter().all(|&bar| bar == 100), "{bars:?}");
    }

    #[test]
    fn every_portion_gives_the_same_bars() {
        let samples: Vec<f32> = (0..50_001_u16).map(|n| f32::from(n % 313) / 400.0).collect();
        assert_eq!(bars(&samples, 1), bars(&samples, 50_001));
    }

    #[test]
    fn silence_and_the_shortest_recordings_have_bars_too() {
        assert_eq!(bars(&[0.0; 5000], 100), [0; BARS]);
        assert_eq!(bars(&[], 1), [0; BARS]);
        assert_eq!(bars(&[0.5], 1), [100; BARS]);
    }
}
