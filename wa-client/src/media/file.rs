//! The file of a message: what is to be downloaded, and which message it belongs to.

use wa_media::MediaType;
use wa_proto::{Content, Unwrapped, content::Media};
use wa_store::{ArchivedMessage, MessageKey};

/// The file of a message, as the message tells of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MediaFile {
    /// What it is.
    pub media_type: MediaType,
    /// Where it is, and how it is checked and decrypted.
    pub media: Media,
    /// The message it belongs to, if that is known: the phone can then be asked for a file that
    /// the media hosts have no more.
    pub message: Option<MessageKey>,
}

impl MediaFile {
    /// A file of this type.
    pub const fn new(media_type: MediaType, media: Media) -> Self {
        Self { media_type, media, message: None }
    }

    /// The file of a content, if it has one.
    pub fn from_content(content: &Content) -> Option<Self> {
        let media_type = match content {
            Content::Image(_) => MediaType::Image,
            Content::Video(_) => MediaType::Video,
            Content::Gif(_) => MediaType::Gif,
            Content::VideoNote(_) => MediaType::VideoNote,
            Content::Audio(_) => MediaType::Audio,
            Content::VoiceNote(_) => MediaType::VoiceNote,
            Content::Document(_) => MediaType::Document,
            Content::Sticker(_) => MediaType::Sticker,
            _ => return None,
        };
        content.media().map(|media| Self::new(media_type, media.clone()))
    }

    /// The file of a message in the archive, if it has one.
    pub fn from_archive(message: &ArchivedMessage) -> Option<Self> {
        let unwrapped = Unwrapped::decode(message.raw.as_bytes().to_vec()).ok()?;
        Some(Self::from_content(&unwrapped.content)?.in_message(message.key.clone()))
    }

    /// The larger preview of the file, where the sender uploaded one. (A small one may be in the
    /// message itself: [`Media::thumbnail`].)
    pub fn thumbnail(&self) -> Option<Self> {
        let media_type = match self.media_type {
            MediaType::Image => MediaType::ImageThumbnail,
            MediaType::Video | MediaType::Gif | MediaType::VideoNote => MediaType::VideoThumbnail,
            MediaType::Document => MediaType::DocumentThumbnail,
            _ => return None,
        };
        let file = self.media.thumbnail_file.as_ref()?;
        let mut media = Media::default();
        media.direct_path = Some(file.direct_path.clone());
        media.media_key.clone_from(&self.media.media_key);
        media.file_sha256.clone_from(&file.sha256);
        media.file_enc_sha256.clone_from(&file.enc_sha256);
        media.mimetype = Some("image/jpeg".to_owned());
        Some(Self::new(media_type, media))
    }

    /// The file belongs to this message.
    #[must_use]
    pub fn in_message(mut self, message: MessageKey) -> Self {
        self.message = Some(message);
        self
    }
}
