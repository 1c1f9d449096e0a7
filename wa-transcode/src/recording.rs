//! A recording as one channel of samples, whatever it was recorded as.
//!
//! Owns which decoder reads what, and the limits of what comes out. Knows nothing of what becomes
//! of the samples.

mod opus;
mod other;

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    AudioError, AudioLimits,
    input::Input,
    limits::{MAX_BROKEN_PACKETS, MAX_IDLE_PACKETS},
};
use opus::OpusRecording;
use other::OtherRecording;

/// A recording that is being decoded.
pub(crate) struct Recording<'a, R: Read> {
    decoder: Decoder<'a, R>,
    limits: AudioLimits,
    samples: u64,
    broken: u32,
}

enum Decoder<'a, R: Read> {
    Opus(Box<OpusRecording<'a, R>>),
    Other(OtherRecording<'a>),
}

/// What one packet gave.
enum Packet {
    /// Some samples, or none.
    Decoded,
    /// It cannot be decoded; the next one may.
    Broken,
    /// There are no more packets.
    End,
}

impl<'a, R: Read + Seek + Send + Sync> Recording<'a, R> {
    pub(crate) fn open(input: &'a mut Input<R>, limits: &AudioLimits) -> Result<Self, AudioError> {
        let head = input.head()?;
        let decoder = if opus::begins(&head) {
            Decoder::Opus(Box::new(OpusRecording::open(input)?))
        } else {
            Decoder::Other(guarded(|| OtherRecording::open(input))?)
        };
        let recording = Self { decoder, limits: limits.clone(), samples: 0, broken: 0 };
        recording.check_promise()?;
        Ok(recording)
    }

    /// Refuses a recording that is too long by its own word before any of it is decoded. Whether
    /// the word is true is counted while it is.
    fn check_promise(&self) -> Result<(), AudioError> {
        match &self.decoder {
            Decoder::Other(other) if other.promised_time() > self.limits.duration => {
                Err(AudioError::TooLong { limit: self.limits.duration })
            }
            _ => Ok(()),
        }
    }

    /// Whether the file already is what phones play as a voice note: Opus of one channel in Ogg.
    pub(crate) fn is_voice_note(&self) -> bool {
        match &self.decoder {
            Decoder::Opus(opus) => opus.channels() == 1,
            Decoder::Other(_) => false,
        }
    }

    /// Puts some samples more, from -1 to 1, in place of what is there, and gives how many there
    /// are a second. That never changes within a recording. `None` is its end.
    pub(crate) fn read(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, AudioError> {
        for _ in 0..MAX_IDLE_PACKETS {
            if self.limits.stop.is_stopped() {
                return Err(AudioError::Stopped);
            }
            samples.clear();
            let (packet, rate) = match &mut self.decoder {
                Decoder::Opus(opus) => (opus.read(samples)?, opus::RATE),
                Decoder::Other(other) => {
                    let packet = guarded(|| other.read(samples, &self.limits))?;
                    (packet, other.rate())
                }
            };
            match packet {
                Packet::Decoded if samples.is_empty() => {}
                Packet::Decoded => return self.counted(samples, rate).map(Some),
                Packet::Broken if self.broken < MAX_BROKEN_PACKETS => self.broken += 1,
                Packet::Broken => return Err(AudioError::Broken("much of it cannot be decoded")),
                Packet::End => return self.ended(),
            }
        }
        Err(AudioError::Broken("there is no sound for a long stretch"))
    }

    fn counted(&mut self, samples: &mut [f32], rate: u32) -> Result<u32, AudioError> {
        self.samples = self.samples.saturating_add(samples.len() as u64);
        if self.samples > self.limits.samples(rate) {
            return Err(AudioError::TooLong { limit: self.limits.duration });
        }
        for sample in samples {
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        Ok(rate)
    }

    fn ended(&self) -> Result<Option<u32>, AudioError> {
        let promised = match &self.decoder {
            Decoder::Opus(_) => 0,
            Decoder::Other(other) => other.promised(),
        };
        match self.samples {
            0 if self.broken > 0 => Err(AudioError::Broken("nothing of it can be decoded")),
            0 => Err(AudioError::Empty),
            // Encoders count their own delay in or out, so the last tenth is not held to it.
            heard if heard < promised.saturating_sub(promised / 10) => {
                Err(AudioError::Broken("it ends before its time"))
            }
            _ => Ok(None),
        }
    }
}

/// Symphonia's readers assert, here and there, what only a whole file keeps: whoever does not is
/// broken. What panicked is not used again.
fn guarded<T>(decode: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or(Err(AudioError::Broken("its decoder refuses it")))
}
