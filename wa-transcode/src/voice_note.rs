//! A voice note made of any recording: Opus in Ogg, its length and its bars.

use std::{
    io::{Read, Seek},
    time::Duration,
};

use opus_pure::{
    Application, Error, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead, Signal,
};

use crate::{
    AudioError, AudioLimits, BARS, input::Input, recording::Recording, resampler::Resampler,
    waveform::Loudness,
};

/// What is shown of a recording before it is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Analysis {
    /// How long it plays.
    pub duration: Duration,
    /// Its loudness over time, each bar from 0 to 100; the loudest is 100, unless all is silent.
    pub waveform: [u8; BARS],
}

impl Analysis {
    /// How long it plays in whole seconds, rounded up, as messages tell it.
    pub fn seconds(&self) -> u32 {
        let more = u64::from(self.duration.subsec_nanos() > 0);
        u32::try_from(self.duration.as_secs().saturating_add(more)).unwrap_or(u32::MAX)
    }
}

/// A voice note, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VoiceNote {
    /// The file: Opus in Ogg.
    pub bytes: Vec<u8>,
    /// What is told of it.
    pub analysis: Analysis,
    /// Whether it is the very file that came in, because that was a voice note already.
    pub unchanged: bool,
}

/// Makes a voice note of a recording in any of the [`AUDIO_FORMATS`](crate::AUDIO_FORMATS): one
/// channel at 16,000 samples a second, in packets of 20 ms, some 24 kbit/s. What is a voice note
/// already stays the same, byte by byte. No more than the note itself is held in memory.
///
/// # Errors
/// [`AudioError`].
pub fn voice_note(
    input: impl Read + Seek + Send + Sync,
    limits: &AudioLimits,
) -> Result<VoiceNote, AudioError> {
    encoded(input, limits).map_err(|error| limits.reason(error))
}

fn encoded(
    input: impl Read + Seek + Send + Sync,
    limits: &AudioLimits,
) -> Result<VoiceNote, AudioError> {
    let mut input = Input::open(input, limits)?;
    let may_stay = input.fits_note();
    let mut recording = Recording::open(&mut input, limits)?;
    let unchanged = may_stay && recording.is_voice_note();
    let mut measure = Measure::default();
    let mut encoder = if unchanged { None } else { Some(NoteEncoder::new()?) };
    let mut samples = Vec::new();
    while let Some(rate) = recording.read(&mut samples)? {
        measure.hear(&samples, rate);
        if let Some(encoder) = &mut encoder {
            encoder.hear(&samples, rate)?;
        }
    }
    drop(recording);
    let bytes = match encoder {
        Some(encoder) => encoder.finish()?,
        None => input.read_again()?,
    };
    Ok(VoiceNote { bytes, analysis: measure.finish(), unchanged })
}

/// Measures a recording in any of the [`AUDIO_FORMATS`](crate::AUDIO_FORMATS) by its samples.
///
/// # Errors
/// [`AudioError`].
pub fn analyse(
    input: impl Read + Seek + Send + Sync,
    limits: &AudioLimits,
) -> Result<Analysis, AudioError> {
    measured(input, limits).map_err(|error| limits.reason(error))
}

fn measured(
    input: impl Read + Seek + Send + Sync,
    limits: &AudioLimits,
) -> Result<Analysis, AudioError> {
    let mut input = Input::open(input, limits)?;
    let mut recording = Recording::open(&mut input, limits)?;
    let mut measure = Measure::default();
    let mut samples = Vec::new();
    while let Some(rate) = recording.read(&mut samples)? {
        measure.hear(&samples, rate);
    }
    Ok(measure.finish())
}

/// What is measured while a recording is being decoded.
#[derive(Default)]
struct Measure {
    loudness: Loudness,
    samples: u64,
    rate: u32,
}

impl Measure {
    fn hear(&mut self, samples: &[f32], rate: u32) {
        self.loudness.hear(samples);
        self.samples += samples.len() as u64;
        self.rate = rate;
    }

    fn finish(self) -> Analysis {
        let rate = u64::from(self.rate.max(1));
        let nanos = self.samples % rate * 1_000_000_000 / rate;
        let duration = Duration::from_secs(self.samples / rate) + Duration::from_nanos(nanos);
        Analysis { duration, waveform: self.loudness.bars() }
    }
}

/// Encodes samples as they come.
struct NoteEncoder {
    encoder: OpusEncoder,
    writer: OggOpusWriter<Vec<u8>>,
    /// `None` until the rate is known; within, `None` if there is nothing to convert.
    resampler: Option<Option<Resampler>>,
    /// Samples at [`SAMPLE_RATE`] that fill no packet yet.
    waiting: Vec<f32>,
    samples: u64,
    pre_skip: u64,
    packet: Vec<u8>,
}

impl NoteEncoder {
    fn new() -> Result<Self, AudioError> {
        let mut encoder = OpusEncoder::new(SAMPLE_RATE.cast_signed(), 1, Application::Voip)
            .map_err(|error| failed(&error))?;
        encoder.bitrate_bps = BITS_PER_SECOND;
        encoder.signal_type = Some(Signal::Voice);
        let head = OpusHead::for_encoder(&encoder, SAMPLE_RATE);
        let pre_skip = u64::from(head.pre_skip);
        let writer = OggOpusWriter::new(Vec::new(), head).map_err(|error| failed(&error))?;
        Ok(Self {
            encoder,
            writer,
            resampler: None,
            waiting: Vec::new(),
            samples: 0,
            pre_skip,
            packet: vec![0; MAX_PACKET_BYTES],
        })
    }

    fn hear(&mut self, samples: &[f32], rate: u32) -> Result<(), AudioError> {
        let before = self.waiting.len();
        if self.resampler.is_none() {
            self.resampler = Some(Resampler::new(rate)?);
        }
        match &mut self.resampler {
            Some(Some(resampler)) => resampler.push(samples, &mut self.waiting)?,
            _ => self.waiting.extend_from_slice(samples),
        }
        self.samples += (self.waiting.len() - before) as u64;
        self.encode_full_packets()
    }

    fn encode_full_packets(&mut self) -> Result<(), AudioError> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut frames = waiting.chunks_exact(FRAME);
        for frame in frames.by_ref() {
            let length = self.encode(frame)?;
            let packet = self.packet.get(..length).unwrap_or_default();
            self.writer.write_packet(packet).map_err(|error| failed(&error))?;
        }
        self.waiting = frames.remainder().to_vec();
        Ok(())
    }

    fn encode(&mut self, frame: &[f32]) -> Result<usize, AudioError> {
        self.encoder.encode(frame, FRAME, &mut self.packet).map_err(|error| failed(&error))
    }

    /// Encodes the rest, and as much silence as the encoder is late; the position of the last page
    /// says where the sound ends (RFC 7845, section 4.4).
    fn finish(mut self) -> Result<Vec<u8>, AudioError> {
        let before = self.waiting.len();
        if let Some(Some(resampler)) = self.resampler.take() {
            resampler.finish(&mut self.waiting)?;
        }
        self.samples += (self.waiting.len() - before) as u64;
        self.encode_full_packets()?;
        let end = self.pre_skip + self.samples * TICKS;
        let mut rest = std::mem::take(&mut self.waiting);
        loop {
            rest.resize(FRAME, 0.0);
            let length = self.encode(&rest)?;
            rest.clear();
            let packet = self.packet.get(..length).unwrap_or_default();
            let written = u64::try_from(self.writer.granule()).unwrap_or_default();
            let left = end.saturating_sub(written).min(FRAME as u64 * TICKS);
            let ticks = u32::try_from(left).unwrap_or_default();
            self.writer
                .write_packet_with_duration(packet, ticks)
                .map_err(|error| failed(&error))?;
            if written + FRAME as u64 * TICKS >= end {
                return self.writer.finish().map_err(|error| failed(&error));
            }
        }
    }
}

fn failed(error: &Error) -> AudioError {
    AudioError::Encode(match error {
        Error::InvalidArgument(what) | Error::InvalidPacket(what) | Error::Internal(what) => what,
        _ => "the encoder refused its samples",
    })
}

/// Samples a second of a voice note.
pub(crate) const SAMPLE_RATE: u32 = 16_000;
/// How much is spent on speech.
const BITS_PER_SECOND: i32 = 24_000;
/// Samples of a packet: 20 ms.
const FRAME: usize = 320;
/// How often Opus counts, at 48,000 Hz, for each sample.
const TICKS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, seconds) in [(1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            let duration = Duration::from_millis(millis);
            assert_eq!(Analysis { duration, waveform: [0; BARS] }.seconds(), seconds);
        }
    }
}
