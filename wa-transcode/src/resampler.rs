//! From whatever rate a recording has to that of a voice note.

use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use crate::{AudioError, voice_note::SAMPLE_RATE};

/// Converts one channel, portion by portion, without a delay and to the sample as long.
pub(crate) struct Resampler {
    rate: u32,
    filter: Async<f32>,
    waiting: Vec<f32>,
    block: Vec<f32>,
    /// How many samples of the filter's delay are still to be dropped.
    delay: usize,
    heard: u64,
    given: u64,
}

impl Resampler {
    /// From this rate; `None` if there is nothing to convert.
    pub(crate) fn new(rate: u32) -> Result<Option<Self>, AudioError> {
        if rate == SAMPLE_RATE {
            return Ok(None);
        }
        let parameters = SincInterpolationParameters::new(FILTER_LEN, WindowFunction::Blackman2);
        let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
        let filter = Async::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input);
        let filter = filter.map_err(|_| AudioError::SampleRate { rate })?;
        let block = vec![0.0; filter.output_frames_max()];
        let delay = filter.output_delay();
        Ok(Some(Self { rate, filter, waiting: Vec::new(), block, delay, heard: 0, given: 0 }))
    }

    /// Takes samples and adds to `out` those that they give.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.heard = self.heard.saturating_add(samples.len() as u64);
        self.waiting.extend_from_slice(samples);
        let waiting = std::mem::take(&mut self.waiting);
        let mut chunks = waiting.chunks_exact(CHUNK);
        for chunk in chunks.by_ref() {
            self.convert(chunk, None, out)?;
        }
        self.waiting = chunks.remainder().to_vec();
        Ok(())
    }

    /// Adds what is still in the filter.
    pub(crate) fn finish(mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let whole = (self.heard * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        let mut last = std::mem::take(&mut self.waiting);
        let mut length = last.len();
        last.resize(CHUNK, 0.0);
        while self.given < whole {
            self.convert(&last, Some(length), out)?;
            length = 0;
        }
        let more = usize::try_from(self.given - whole).unwrap_or_default();
        out.truncate(out.len().saturating_sub(more));
        Ok(())
    }

    fn convert(
        &mut self,
        chunk: &[f32],
        length: Option<usize>,
        out: &mut Vec<f32>,
    ) -> Result<(), AudioError> {
        let frames = self.block.len();
        let input = InterleavedSlice::new(chunk, 1, chunk.len()).map_err(|_| FAILED)?;
        let mut output =
            InterleavedSlice::new_mut(&mut self.block, 1, frames).map_err(|_| FAILED)?;
        let portion = Indexing { partial_len: length, ..Indexing::default() };
        let (_, made) = self
            .filter
            .process_into_buffer(&input, &mut output, Some(&portion))
            .map_err(|_| FAILED)?;
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        out.extend_from_slice(self.block.get(dropped..made).unwrap_or_default());
        self.given += (made - dropped) as u64;
        Ok(())
    }
}

const FAILED: AudioError = AudioError::Encode("the sample rate was not converted");
/// How many samples are converted at a time.
const CHUNK: usize = 1024;
/// The length of the filter in samples: long enough to leave speech alone and to keep out what
/// would fold back into it.
const FILTER_LEN: usize = 256;

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn convert(rate: u32, samples: &[f32], portion: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(rate).unwrap().unwrap();
        let mut out = Vec::new();
        samples.chunks(portion).for_each(|some| resampler.push(some, &mut out).unwrap());
        resampler.finish(&mut out).unwrap();
        out
    }

    fn tone(rate: u32, hertz: f32) -> Vec<f32> {
        (0..rate).map(|place| (place as f32 * hertz * TAU / rate as f32).sin() * 0.5).collect()
    }

    #[test]
    fn a_tone_stays_where_it_was_at_every_rate() {
        for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000] {
            let out = convert(rate, &tone(rate, 440.0), 700);
            assert_eq!(out.len(), 16_000, "{rate}");
            // Beside the tone itself nothing is left: its phase may be off by a sample.
            let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
            for (place, sample) in out.iter().enumerate().skip(400).take(15_200) {
                let angle = place as f32 * 440.0 * TAU / 16_000.0;
                sine += sample * angle.sin() / 7_600.0;
                cosine += sample * angle.cos() / 7_600.0;
                all += sample * sample / 7_600.0;
            }
            assert!((all - 0.25).abs() < 0.001, "{rate}: {all}");
            assert!((sine * sine + cosine * cosine - all).abs() < 0.001, "{rate}");
            assert!(cosine.abs() < 0.1 && sine > 0.0, "{rate}: {cosine}");
        }
    }

    #[test]
    fn what_is_above_the_new_range_is_gone() {
        let out = convert(48_000, &tone(48_000, 11_000.0), 4800);
        let loudest =
            out.iter().skip(200).take(15_600).fold(0.0_f32, |all, one| all.max(one.abs()));
        assert!(loudest < 0.005, "{loudest}");
    }

    #[test]
    fn portions_make_no_difference() {
        let samples = tone(44_100, 300.0);
        assert_eq!(convert(44_100, &samples, 1), convert(44_100, &samples, 44_100));
        assert!(Resampler::new(16_000).unwrap().is_none());
    }
}
