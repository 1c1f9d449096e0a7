//! Every format but Opus, as Symphonia reads it.

use std::{
    io::{self, Read, Seek},
    time::Duration,
};

use symphonia::{
    core::{
        codecs::audio::{AudioDecoder, AudioDecoderOptions, well_known::CODEC_ID_MP3},
        common::Limit,
        errors::Error,
        formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
        io::{MediaSourceStream, MediaSourceStreamOptions},
        meta::MetadataOptions,
    },
    default::{get_codecs, get_probe},
};

use super::Packet;
use crate::{AudioError, AudioLimits, input::Input, limits::MAX_TAG_BYTES};

/// A recording that is being decoded.
pub(super) struct OtherRecording<'a> {
    format: Box<dyn FormatReader + 'a>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    /// Samples a second, once there are some.
    rate: Option<u32>,
    /// How many samples a channel has, as the file says.
    promised: u64,
    /// How long it plays, as the file says; zero if it does not.
    promised_time: Duration,
    /// Whether it says nothing of its length, as what was recorded into a pipe: its end is good.
    is_endless: bool,
    interleaved: Vec<f32>,
}

impl<'a> OtherRecording<'a> {
    pub(super) fn open<R: Read + Seek + Send + Sync>(
        input: &'a mut Input<R>,
    ) -> Result<Self, AudioError> {
        let stream = MediaSourceStream::new(Box::new(input), MediaSourceStreamOptions::default());
        let tags = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
            .limit_visual_bytes(Limit::Maximum(MAX_TAG_BYTES));
        let format = get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), tags)
            .map_err(unopened)?;
        let track = format.default_track(TrackType::Audio).ok_or(AudioError::UnsupportedFormat)?;
        let parameters = track.codec_params.as_ref().and_then(|codec| codec.audio());
        let parameters = parameters.ok_or(AudioError::UnsupportedFormat)?;
        // Without its encoder's notes the length of an MP3 is a guess by its first bytes, and
        // nothing is to be cut off by a guess.
        let is_told = parameters.codec != CODEC_ID_MP3 || track.delay.is_some();
        let decoder = get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default().gapless(is_told))
            .map_err(unopened)?;
        let promised = track.num_frames.filter(|_| is_told).unwrap_or_default();
        let told_rate = parameters.sample_rate.filter(|_| is_told).unwrap_or_default();
        let promised_time = match promised.checked_div(told_rate.into()) {
            Some(seconds) => Duration::from_secs(seconds),
            None => Duration::ZERO,
        };
        let is_endless = track.num_frames.is_none() && track.duration.is_none();
        let track = track.id;
        let interleaved = Vec::new();
        Ok(Self {
            format,
            decoder,
            track,
            rate: None,
            promised,
            promised_time,
            is_endless,
            interleaved,
        })
    }

    /// How long the file says it plays; zero if it does not say.
    pub(super) const fn promised_time(&self) -> Duration {
        self.promised_time
    }

    /// Samples a second; zero before the first.
    pub(super) fn rate(&self) -> u32 {
        self.rate.unwrap_or_default()
    }

    /// How many samples the file says it has; zero if it does not say.
    pub(super) const fn promised(&self) -> u64 {
        self.promised
    }

    pub(super) fn read(
        &mut self,
        samples: &mut Vec<f32>,
        limits: &AudioLimits,
    ) -> Result<Packet, AudioError> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) if packet.track_id == self.track => packet,
            Ok(Some(_)) => return Ok(Packet::Decoded),
            Ok(None) => return Ok(Packet::End),
            Err(Error::DecodeError(_)) => return Ok(Packet::Broken),
            Err(Error::IoError(error)) if self.is_endless && is_end(&error) => {
                return Ok(Packet::End);
            }
            Err(error) => return Err(broken(error)),
        };
        let decoded = match self.decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(Error::DecodeError(_) | Error::IoError(_)) => return Ok(Packet::Broken),
            Err(error) => return Err(broken(error)),
        };
        if decoded.frames() == 0 {
            return Ok(Packet::Decoded);
        }
        let rate = decoded.spec().rate();
        let channels = decoded.spec().channels().count();
        if channels == 0 || channels > limits.channels {
            return Err(AudioError::Channels { count: channels });
        }
        if !(limits.min_sample_rate..=limits.max_sample_rate).contains(&rate) {
            return Err(AudioError::SampleRate { rate });
        }
        if self.rate.is_some_and(|known| known != rate) {
            return Err(AudioError::Broken("it changes its sample rate"));
        }
        self.rate = Some(rate);
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        mix(&self.interleaved, channels, samples);
        Ok(Packet::Decoded)
    }
}

/// Mixes channels that alternate down to one.
pub(super) fn mix(interleaved: &[f32], channels: usize, samples: &mut Vec<f32>) {
    let channels = channels.max(1);
    if channels == 1 {
        return samples.extend_from_slice(interleaved);
    }
    let share = 1.0 / channels as f32;
    let frames = interleaved.chunks_exact(channels);
    samples.extend(frames.map(|frame| frame.iter().sum::<f32>() * share));
}

/// Whether this says that there is no more of the file, rather than that it cannot be read.
pub(super) fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | Other)
}

fn unopened(error: Error) -> AudioError {
    match error {
        // Whoever looks for a format up to the end of a file does not find one.
        Error::IoError(error) if is_end(&error) => AudioError::UnsupportedFormat,
        Error::Unsupported(_) => AudioError::UnsupportedFormat,
        error => broken(error),
    }
}

fn broken(error: Error) -> AudioError {
    match error {
        Error::IoError(error) if is_end(&error) => AudioError::Broken("it ends before its time"),
        Error::IoError(error) => AudioError::Read(error),
        Error::DecodeError(what) | Error::LimitError(what) => AudioError::Broken(what),
        Error::Unsupported(_) => AudioError::UnsupportedFormat,
        Error::ResetRequired => AudioError::Broken("it changes its format"),
        _ => AudioError::Broken("it cannot be read in order"),
    }
}
