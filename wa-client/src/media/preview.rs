//! What is shown of a file before it is fetched, made here where the caller told nothing of it.
//!
//! Owns when something is made and of how large a file. How it is made is `wa-transcode`'s
//! business. Nothing of this is needed to send a file: what cannot be decoded goes without.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek},
};

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use wa_media::MediaType;
use wa_proto::content::Media;
use wa_transcode::{AudioLimits, StopFlag, THUMBNAIL_SIDE, analyse, thumbnail};

use super::MediaSource;

/// What was made of a file.
#[derive(Debug, Default)]
pub(super) struct Preview {
    /// Width and height in pixels, as the picture is shown.
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    /// A small JPEG.
    pub(super) thumbnail: Option<Bytes>,
    pub(super) seconds: Option<u32>,
    pub(super) waveform: Option<Bytes>,
}

/// What is missing of what can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Picture { once: bool },
    Recording,
}

impl Preview {
    /// Makes what was not told of a file, and gives it back to be read once more.
    ///
    /// # Errors
    /// Those of the reader. Whatever else goes wrong, there is only less to show.
    pub(super) async fn make(
        media_type: MediaType,
        told: &Media,
        source: MediaSource,
    ) -> io::Result<(MediaSource, Self)> {
        let Some(missing) = missing(media_type, told) else { return Ok((source, Self::default())) };
        let (source, opened) = opened(source).await?;
        let Some(opened) = opened else { return Ok((source, Self::default())) };
        let stop = StopFlag::default();
        let _stopped_when_given_up = stop.stop_on_drop();
        let made = tokio::task::spawn_blocking(move || match opened {
            Opened::Bytes(bytes) => made(missing, Cursor::new(bytes), &stop),
            Opened::File(file) => made(missing, file, &stop),
        });
        let made = made.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the preview of a file was not made");
            Self::default()
        });
        Ok((source, made))
    }
}

fn missing(media_type: MediaType, told: &Media) -> Option<Missing> {
    match media_type {
        MediaType::Image
            if told.thumbnail.is_none() || told.width.is_none() || told.height.is_none() =>
        {
            Some(Missing::Picture { once: told.view_once })
        }
        MediaType::Audio | MediaType::VoiceNote
            if told.seconds.is_none() || told.waveform.is_none() =>
        {
            Some(Missing::Recording)
        }
        _ => None,
    }
}

fn made(missing: Missing, file: impl Read + Seek + Send + Sync, stop: &StopFlag) -> Preview {
    let limits = AudioLimits::default().bytes(MAX_RECORDING);
    match missing {
        Missing::Picture { once } => match thumbnail(file, THUMBNAIL_SIDE) {
            Ok(made) => Preview {
                width: Some(made.width),
                height: Some(made.height),
                // What may be looked at once only is not to be seen before.
                thumbnail: (!once).then(|| made.jpeg.into()),
                ..Preview::default()
            },
            Err(error) => without(&error),
        },
        Missing::Recording => match analyse(file, &limits.stopped_by(stop)) {
            Ok(heard) => Preview {
                seconds: Some(heard.seconds()),
                waveform: Some(heard.waveform.to_vec().into()),
                ..Preview::default()
            },
            Err(error) => without(&error),
        },
    }
}

fn without(error: &dyn std::error::Error) -> Preview {
    tracing::debug!(%error, "a file goes without a preview");
    Preview::default()
}

/// A file that can be read more than once.
enum Opened {
    Bytes(Bytes),
    File(File),
}

/// Opens a file without using it up. What a reader gives is kept in memory, if it is not too long.
async fn opened(source: MediaSource) -> io::Result<(MediaSource, Option<Opened>)> {
    Ok(match source {
        MediaSource::Bytes(bytes) => {
            (MediaSource::Bytes(bytes.clone()), Some(Opened::Bytes(bytes)))
        }
        MediaSource::Path(path) => match tokio::fs::metadata(&path).await {
            // From here on it is one file, whatever becomes of its name.
            Ok(found) if found.is_file() => {
                let file = tokio::fs::File::open(path).await?.into_std().await;
                (MediaSource::File(file.try_clone()?), Some(Opened::File(file)))
            }
            _ => (MediaSource::Path(path), None),
        },
        MediaSource::File(file) => (MediaSource::File(file.try_clone()?), Some(Opened::File(file))),
        MediaSource::Reader(mut reader) => {
            let mut kept = Vec::new();
            (&mut reader).take(MAX_KEPT + 1).read_to_end(&mut kept).await?;
            let kept = Bytes::from(kept);
            if kept.len() as u64 > MAX_KEPT {
                let whole = AsyncReadExt::chain(Cursor::new(kept), reader);
                (MediaSource::reader(whole), None)
            } else {
                (MediaSource::Bytes(kept.clone()), Some(Opened::Bytes(kept)))
            }
        }
    })
}

/// How much of a reader is kept in memory: phones take no larger pictures and recordings.
const MAX_KEPT: u64 = 16 << 20;
/// The most bytes of a recording that is decoded only to show its length and its bars.
const MAX_RECORDING: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_gives_the_same_bytes_whether_they_were_kept_or_not() {
        for (length, kept) in [(1 << 10, true), ((16 << 20) + 70_000, false)] {
            let bytes: Vec<u8> = (0..length).map(|place: u32| (place % 251) as u8).collect();
            let reader = MediaSource::reader(Cursor::new(bytes.clone()));
            let (source, opened) = opened(reader).await.unwrap();
            assert_eq!(opened.is_some(), kept);
            let mut read = Vec::new();
            match source {
                MediaSource::Reader(mut reader) => reader.read_to_end(&mut read).await.unwrap(),
                MediaSource::Bytes(all) => {
                    read.extend(all);
                    0
                }
                MediaSource::Path(_) | MediaSource::File(_) => 0,
            };
            assert!(read == bytes);
        }
    }

    #[test]
    fn only_what_the_caller_did_not_tell_is_made() {
        let mut told = Media::default();
        assert_eq!(missing(MediaType::Video, &told), None);
        assert_eq!(missing(MediaType::Image, &told), Some(Missing::Picture { once: false }));
        assert_eq!(missing(MediaType::VoiceNote, &told), Some(Missing::Recording));
        (told.width, told.height, told.seconds) = (Some(1), Some(1), Some(1));
        (told.thumbnail, told.waveform) = (Some(vec![1].into()), Some(vec![1].into()));
        assert_eq!(missing(MediaType::Image, &told), None);
        assert_eq!(missing(MediaType::Audio, &told), None);
    }
}
