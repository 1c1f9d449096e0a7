//! A file on the media host, and what its message says about it.
//!
//! Owns the one [`Media`] that every kind of media message is read into. Knows nothing of
//! downloading or decrypting it.

use std::fmt;

use bytes::Bytes;

use crate::pb::message::{
    AudioMessage, DocumentMessage, ImageMessage, InvoiceMessage, MessageHistoryBundle,
    StickerMessage, VideoMessage,
};

/// The 32-byte key of one file; see [`Media`]. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaKey(Bytes);

impl MediaKey {
    /// Takes the key as a message carries it. Its length is not checked here.
    pub fn new(key: impl Into<Bytes>) -> Self {
        Self(key.into())
    }

    /// The key, from which the file's cipher and MAC keys are derived.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

/// A larger preview that lies on the media hosts as well, encrypted under the file's own key.
#[derive(Clone, PartialEq, Eq)]
pub struct ThumbnailFile {
    /// The path on any of the media hosts.
    pub direct_path: String,
    /// SHA-256 of the preview.
    pub sha256: Option<Bytes>,
    /// SHA-256 of the encrypted preview.
    pub enc_sha256: Option<Bytes>,
}

impl fmt::Debug for ThumbnailFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThumbnailFile(…)")
    }
}

/// A file: where it is, how to check and decrypt it, and what the sender says of it.
///
/// Everything is what the sender claims, and everything can be missing. Bytes are slices of the
/// decoded message.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Media {
    /// The address at the time of sending; it expires. Prefer [`Media::direct_path`].
    pub url: Option<String>,
    /// The path on any of the media hosts.
    pub direct_path: Option<String>,
    /// The key of the file.
    pub media_key: Option<MediaKey>,
    /// When the key was made, in seconds since 1970.
    pub media_key_timestamp: Option<i64>,
    /// SHA-256 of the plain file.
    pub file_sha256: Option<Bytes>,
    /// SHA-256 of the encrypted file.
    pub file_enc_sha256: Option<Bytes>,
    /// Length of the plain file in bytes.
    pub file_length: Option<u64>,
    /// The MIME type, perhaps with parameters.
    pub mimetype: Option<String>,
    /// The text under it.
    pub caption: Option<String>,
    /// The file's name; never a path to trust.
    pub file_name: Option<String>,
    /// A document's title.
    pub title: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Duration in seconds.
    pub seconds: Option<u32>,
    /// A document's number of pages.
    pub page_count: Option<u32>,
    /// A small preview: JPEG, or PNG for stickers.
    pub thumbnail: Option<Bytes>,
    /// A larger preview, on the media hosts.
    pub thumbnail_file: Option<ThumbnailFile>,
    /// A voice note's loudness over time, one byte (0 to 100) per bar.
    pub waveform: Option<Bytes>,
    /// MACs of the file's 64 KiB chunks, for playing while downloading.
    pub streaming_sidecar: Option<Bytes>,
    /// Whether a sticker moves.
    pub animated: bool,
    /// Whether it is to be looked at once. Older clients use a wrapper instead; see
    /// [`crate::content::Unwrapped::is_view_once`].
    pub view_once: bool,
}

impl fmt::Debug for Media {
    /// Says what there is without saying what it is: captions, names and addresses are private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("media_key", &self.media_key)
            .field("file_length", &self.file_length)
            .field("mimetype", &self.mimetype)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("seconds", &self.seconds)
            .finish_non_exhaustive()
    }
}

/// The larger preview that a message tells of.
macro_rules! thumbnail_file {
    ($m:ident) => {
        $m.thumbnail_direct_path.map(|direct_path| ThumbnailFile {
            direct_path,
            sha256: $m.thumbnail_sha256,
            enc_sha256: $m.thumbnail_enc_sha256,
        })
    };
}

/// Copies the fields that are named and typed alike on both sides.
macro_rules! alike {
    ($from:ident => $into:ident { $($field:ident),* $(,)? } $($rest:tt)*) => {
        $into {
            $($field: $from.$field,)*
            $($rest)*
        }
    };
}

impl From<ImageMessage> for Media {
    fn from(m: ImageMessage) -> Self {
        alike!(m => Self {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, width, height,
        }
        media_key: m.media_key.map(MediaKey),
        thumbnail: m.jpeg_thumbnail,
        view_once: m.view_once.unwrap_or(false),
        thumbnail_file: thumbnail_file!(m),
        ..Self::default())
    }
}

impl From<VideoMessage> for Media {
    fn from(m: VideoMessage) -> Self {
        alike!(m => Self {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, width, height, seconds, streaming_sidecar,
        }
        media_key: m.media_key.map(MediaKey),
        thumbnail: m.jpeg_thumbnail,
        view_once: m.view_once.unwrap_or(false),
        thumbnail_file: thumbnail_file!(m),
        ..Self::default())
    }
}

impl From<AudioMessage> for Media {
    fn from(m: AudioMessage) -> Self {
        alike!(m => Self {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, seconds, waveform, streaming_sidecar,
        }
        media_key: m.media_key.map(MediaKey),
        view_once: m.view_once.unwrap_or(false),
        ..Self::default())
    }
}

impl From<DocumentMessage> for Media {
    fn from(m: DocumentMessage) -> Self {
        alike!(m => Self {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, file_name, title, page_count,
        }
        media_key: m.media_key.map(MediaKey),
        thumbnail: m.jpeg_thumbnail,
        thumbnail_file: thumbnail_file!(m),
        ..Self::default())
    }
}

impl From<StickerMessage> for Media {
    fn from(m: StickerMessage) -> Self {
        alike!(m => Self {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, width, height,
        }
        media_key: m.media_key.map(MediaKey),
        thumbnail: m.png_thumbnail,
        animated: m.is_animated.unwrap_or(false) || m.is_lottie.unwrap_or(false),
        ..Self::default())
    }
}

impl From<MessageHistoryBundle> for Media {
    fn from(m: MessageHistoryBundle) -> Self {
        alike!(m => Self {
            direct_path, media_key_timestamp, file_sha256, file_enc_sha256, mimetype,
        }
        media_key: m.media_key.map(MediaKey),
        ..Self::default())
    }
}

impl From<InvoiceMessage> for Media {
    fn from(m: InvoiceMessage) -> Self {
        Self {
            direct_path: m.attachment_direct_path,
            media_key: m.attachment_media_key.map(MediaKey),
            media_key_timestamp: m.attachment_media_key_timestamp,
            file_sha256: m.attachment_file_sha256,
            file_enc_sha256: m.attachment_file_enc_sha256,
            mimetype: m.attachment_mimetype,
            thumbnail: m.attachment_jpeg_thumbnail,
            ..Self::default()
        }
    }
}

impl Media {
    pub(super) fn to_image(&self) -> ImageMessage {
        let m = self.clone();
        let thumbnail = m.thumbnail_file;
        alike!(m => ImageMessage {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, width, height,
        }
        media_key: m.media_key.map(|key| key.0),
        jpeg_thumbnail: m.thumbnail,
        view_once: m.view_once.then_some(true),
        thumbnail_direct_path: thumbnail.as_ref().map(|file| file.direct_path.clone()),
        thumbnail_sha256: thumbnail.as_ref().and_then(|file| file.sha256.clone()),
        thumbnail_enc_sha256: thumbnail.and_then(|file| file.enc_sha256),
        ..Default::default())
    }

    pub(super) fn to_video(&self) -> VideoMessage {
        let m = self.clone();
        let thumbnail = m.thumbnail_file;
        alike!(m => VideoMessage {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, width, height, seconds, streaming_sidecar,
        }
        media_key: m.media_key.map(|key| key.0),
        jpeg_thumbnail: m.thumbnail,
        view_once: m.view_once.then_some(true),
        thumbnail_direct_path: thumbnail.as_ref().map(|file| file.direct_path.clone()),
        thumbnail_sha256: thumbnail.as_ref().and_then(|file| file.sha256.clone()),
        thumbnail_enc_sha256: thumbnail.and_then(|file| file.enc_sha256),
        ..Default::default())
    }

    pub(super) fn to_audio(&self) -> AudioMessage {
        let m = self.clone();
        alike!(m => AudioMessage {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, seconds, waveform, streaming_sidecar,
        }
        media_key: m.media_key.map(|key| key.0),
        view_once: m.view_once.then_some(true),
        ..Default::default())
    }

    pub(super) fn to_document(&self) -> DocumentMessage {
        let m = self.clone();
        let thumbnail = m.thumbnail_file;
        alike!(m => DocumentMessage {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, caption, file_name, title, page_count,
        }
        media_key: m.media_key.map(|key| key.0),
        jpeg_thumbnail: m.thumbnail,
        thumbnail_direct_path: thumbnail.as_ref().map(|file| file.direct_path.clone()),
        thumbnail_sha256: thumbnail.as_ref().and_then(|file| file.sha256.clone()),
        thumbnail_enc_sha256: thumbnail.and_then(|file| file.enc_sha256),
        ..Default::default())
    }

    pub(super) fn to_sticker(&self) -> StickerMessage {
        let m = self.clone();
        alike!(m => StickerMessage {
            url, direct_path, media_key_timestamp, file_sha256, file_enc_sha256, file_length,
            mimetype, width, height,
        }
        media_key: m.media_key.map(|key| key.0),
        png_thumbnail: m.thumbnail,
        is_animated: m.animated.then_some(true),
        ..Default::default())
    }
}
