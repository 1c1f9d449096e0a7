//! What WhatsApp wants to be told of a file, and the form in which it wants it.
//!
//! A voice note is one channel of Opus in Ogg, with its length and 64 bars of loudness;
//! [`voice_note`] makes one of any recording that can be decoded, and [`analyse`] measures one
//! without changing it. A picture travels with a small JPEG and its size; [`thumbnail`] makes
//! both. Everything is decoded in this process and piece by piece, within named limits. The crate
//! knows nothing of messages, hosts and paths.
//!
//! ```
//! use std::io::Cursor;
//!
//! use wa_transcode::{AudioLimits, voice_note};
//!
//! // One second of 440 Hz at 8,000 samples a second, as a WAV file.
//! let mut wav = b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
//! wav.extend([8_000_u32, 16_000].iter().flat_map(|rate| rate.to_le_bytes()));
//! wav.extend(b"\x02\0\x10\0data\x80\x3e\0\0");
//! for place in 0..8_000 {
//!     let angle = f64::from(place) * 440.0 * std::f64::consts::TAU / 8_000.0;
//!     wav.extend(((angle.sin() * 16_000.0) as i16).to_le_bytes());
//! }
//!
//! let note = voice_note(Cursor::new(wav), &AudioLimits::default())?;
//! assert!(note.bytes.starts_with(b"OggS"));
//! assert_eq!(note.analysis.seconds(), 1);
//! assert!(note.analysis.waveform.iter().all(|&bar| bar > 90));
//! # Ok::<(), wa_transcode::AudioError>(())
//! ```

mod audio_error;
pub mod fuzzing;
mod input;
mod limits;
mod picture;
mod recording;
mod resampler;
mod voice_note;
mod waveform;

pub use audio_error::{AUDIO_FORMATS, AudioError};
pub use limits::{AudioLimits, StopFlag, StopOnDrop};
pub use picture::{
    MAX_PICTURE_BYTES, MAX_PICTURE_MEMORY, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE,
    MAX_THUMBNAIL_SIDE, PictureError, THUMBNAIL_SIDE, Thumbnail, picture_size, thumbnail,
};
pub use voice_note::{Analysis, VoiceNote, analyse, voice_note};
pub use waveform::BARS;
