//! Why a recording was not decoded, and what to do about it.

use std::{io, time::Duration};

/// A recording could not be decoded, or is not to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// No known format, or a codec within one that is not known.
    #[error("audio of this format cannot be decoded; these can: {AUDIO_FORMATS}")]
    UnsupportedFormat,
    /// It begins like a known format, and is not what that begins.
    #[error("the audio is broken or cut off ({0}); choose a file that plays to its end")]
    Broken(&'static str),
    /// It plays for longer than the limit.
    #[error("the audio is longer than {} minutes; cut it", .limit.as_secs() / 60)]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// The file has more bytes than the limit.
    #[error("the audio file has more than {limit} bytes; choose a smaller one")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It has so many samples a second.
    #[error(
        "{rate} samples a second are outside of what is taken; convert it to 16,000 or 48,000 Hz"
    )]
    SampleRate {
        /// Samples a second.
        rate: u32,
    },
    /// It has so many channels.
    #[error("{count} channels of audio are too many; mix them down to two")]
    Channels {
        /// How many it has.
        count: usize,
    },
    /// Whoever wanted it does so no longer.
    #[error("decoding the audio was stopped")]
    Stopped,
    /// It holds not one sample.
    #[error("there is no sound in this file; choose a recording that plays")]
    Empty,
    /// The encoder refused samples of its own kind, which it should not.
    #[error("the voice note could not be encoded ({0})")]
    Encode(&'static str),
    /// The file could not be read.
    #[error("the audio file could not be read")]
    Read(#[from] io::Error),
}

/// The formats that can be decoded, for people.
pub const AUDIO_FORMATS: &str = "mp3, m4a and mp4 (AAC-LC), aac, wav, flac, ogg (Vorbis or Opus)";
