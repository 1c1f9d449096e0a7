//! A file that is to be sent: what it is, and what is said of it.

use std::fmt;

use bytes::Bytes;
use wa_media::MediaType;
use wa_proto::{Content, content::Media};

use super::{MediaSource, Uploaded, format, preview::Preview, source::Spool};

/// A file to be sent with [`Client::send_media`](crate::Client::send_media). What the caller does
/// not say of it is found out: its type and size in pixels, a picture's preview, a recording's
/// length and waveform. What cannot be decoded is sent without.
#[must_use]
pub struct OutgoingMedia {
    pub(super) media_type: MediaType,
    pub(super) source: MediaSource,
    /// What is said of it, without where it is.
    pub(super) told: Media,
}

impl OutgoingMedia {
    fn new(media_type: MediaType, source: impl Into<MediaSource>) -> Self {
        Self { media_type, source: source.into(), told: Media::default() }
    }

    /// A picture.
    pub fn image(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::Image, source)
    }

    /// A video.
    pub fn video(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::Video, source)
    }

    /// A video without sound that plays by itself, over and over. It is an MP4, not a GIF file.
    pub fn gif(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::Gif, source)
    }

    /// A round video, as recorded in the chat.
    pub fn video_note(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::VideoNote, source)
    }

    /// An audio file.
    pub fn audio(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::Audio, source)
    }

    /// Audio as recorded in the chat: Opus in Ogg.
    pub fn voice_note(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::VoiceNote, source)
    }

    /// Any file, under this name.
    pub fn document(source: impl Into<MediaSource>, file_name: impl Into<String>) -> Self {
        let mut document = Self::new(MediaType::Document, source);
        let file_name = file_name.into();
        document.told.title = Some(file_name.clone());
        document.told.file_name = Some(file_name);
        document
    }

    /// A sticker: WebP, 512 by 512 pixels.
    pub fn sticker(source: impl Into<MediaSource>) -> Self {
        Self::new(MediaType::Sticker, source)
    }

    /// With a text under it. Audio, stickers and round videos have none.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.told.caption = Some(caption.into());
        self
    }

    /// Of this MIME type.
    pub fn mimetype(mut self, mimetype: impl Into<String>) -> Self {
        self.told.mimetype = Some(mimetype.into());
        self
    }

    /// So many pixels wide and high.
    pub const fn dimensions(mut self, width: u32, height: u32) -> Self {
        self.told.width = Some(width);
        self.told.height = Some(height);
        self
    }

    /// Plays for so many seconds.
    pub const fn seconds(mut self, seconds: u32) -> Self {
        self.told.seconds = Some(seconds);
        self
    }

    /// A voice note's loudness over time: some 64 bars of 0 to 100.
    pub fn waveform(mut self, bars: impl Into<Bytes>) -> Self {
        self.told.waveform = Some(bars.into());
        self
    }

    /// A preview: a JPEG of at most [`MAX_THUMBNAIL_LEN`] bytes, for stickers a PNG.
    pub fn thumbnail(mut self, preview: impl Into<Bytes>) -> Self {
        self.told.thumbnail = Some(preview.into());
        self
    }

    /// A document of so many pages.
    pub const fn pages(mut self, count: u32) -> Self {
        self.told.page_count = Some(count);
        self
    }

    /// A sticker that moves.
    pub const fn animated(mut self) -> Self {
        self.told.animated = true;
        self
    }

    /// To be looked at once. For images, videos and audio.
    pub const fn view_once(mut self) -> Self {
        self.told.view_once = true;
        self
    }

    /// Whether it may stand in an album.
    pub(super) const fn fits_album(&self) -> bool {
        matches!(self.media_type, MediaType::Image | MediaType::Video)
    }

    pub(super) const fn is_video(&self) -> bool {
        matches!(self.media_type, MediaType::Video)
    }

    /// What is wrong with it, before anything is read or uploaded.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let has_caption = matches!(
            self.media_type,
            MediaType::Image | MediaType::Video | MediaType::Gif | MediaType::Document
        );
        let once = matches!(
            self.media_type,
            MediaType::Image | MediaType::Video | MediaType::Audio | MediaType::VoiceNote
        );
        match &self.told {
            told if told.caption.is_some() && !has_caption => {
                Err("a file of this kind has no caption")
            }
            told if told.view_once && !once => {
                Err("a file of this kind cannot be looked at once only")
            }
            told if told.thumbnail.as_ref().is_some_and(|it| it.len() > MAX_THUMBNAIL_LEN) => {
                Err("the preview is too large for a message")
            }
            told if told.waveform.as_ref().is_some_and(|bars| bars.len() > MAX_WAVEFORM_LEN) => {
                Err("a waveform of this length is none")
            }
            _ => Ok(()),
        }
    }

    /// What is told besides where the file is: it can be checked before that is known.
    pub(super) fn draft(&self) -> Content {
        content(self.media_type, self.told.clone())
    }
}

/// What a message says of a file that was uploaded.
pub(super) fn described(
    told: Media,
    preview: Preview,
    uploaded: &Uploaded,
    spool: &Spool,
) -> Content {
    let mut media = uploaded.to_media();
    let found = format::dimensions(&spool.head).unzip();
    media.mimetype = Some(
        told.mimetype
            .unwrap_or_else(|| usual_mimetype(uploaded.media_type, &spool.head).to_owned()),
    );
    media.caption = told.caption;
    media.file_name = told.file_name;
    media.title = told.title;
    media.width = told.width.or(preview.width).or(found.0);
    media.height = told.height.or(preview.height).or(found.1);
    let heard = told.seconds.or(preview.seconds);
    media.seconds = heard.or_else(|| format::opus_seconds(&spool.head, &spool.tail));
    media.page_count = told.page_count;
    media.thumbnail = told.thumbnail.or(preview.thumbnail);
    media.waveform = told.waveform.or(preview.waveform);
    media.animated = told.animated;
    media.view_once = told.view_once;
    content(uploaded.media_type, media)
}

fn content(media_type: MediaType, media: Media) -> Content {
    match media_type {
        MediaType::Image => Content::Image(media),
        MediaType::Sticker => Content::Sticker(media),
        MediaType::Video => Content::Video(media),
        MediaType::Gif => Content::Gif(media),
        MediaType::VideoNote => Content::VideoNote(media),
        MediaType::Audio => Content::Audio(media),
        MediaType::VoiceNote => Content::VoiceNote(media),
        _ => Content::Document(media),
    }
}

fn usual_mimetype(media_type: MediaType, head: &[u8]) -> &'static str {
    let (group, usual) = match media_type {
        MediaType::Image => ("image/", "image/jpeg"),
        MediaType::Sticker => ("image/", "image/webp"),
        MediaType::Video | MediaType::Gif | MediaType::VideoNote => ("video/", "video/mp4"),
        MediaType::Audio => ("audio/", "audio/mpeg"),
        // Phones play nothing else as a voice note.
        MediaType::VoiceNote => return "audio/ogg; codecs=opus",
        _ => ("", "application/octet-stream"),
    };
    format::mimetype(head).filter(|found| found.starts_with(group)).unwrap_or(usual)
}

impl fmt::Debug for OutgoingMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMedia")
            .field("media_type", &self.media_type)
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

/// The largest preview that is sent, in bytes: it travels in the message itself, once for every
/// device.
pub const MAX_THUMBNAIL_LEN: usize = 64 * 1024;
/// The most bars of a waveform.
const MAX_WAVEFORM_LEN: usize = 256;
