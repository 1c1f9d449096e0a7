//! Files as a phone sends them: pictures, videos, audio, documents and stickers. Knows nothing of
//! where they are kept.

use wa_media::MediaType;
use wa_proto::{
    Jid,
    content::{Content, Media, MediaKey},
};

use super::{MAX_FILE, Phone, SendError, endpoint::upload};

/// What a file is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A picture, with or without a caption.
    Image,
    /// A video, with or without a caption.
    Video,
    /// An audio file.
    Audio,
    /// Audio that is recorded in the chat.
    VoiceNote,
    /// Any file, with its name.
    Document,
    /// A still sticker.
    Sticker,
}

/// A file to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingFile {
    /// What it is sent as.
    pub kind: FileKind,
    /// The plain file.
    pub bytes: Vec<u8>,
    /// Its MIME type; `None` takes the usual one of its kind.
    pub mimetype: Option<String>,
    /// The text under it, where the kind has one.
    pub caption: Option<String>,
    /// The name of a document.
    pub file_name: Option<String>,
    /// How long it plays, in seconds.
    pub seconds: Option<u32>,
}

impl OutgoingFile {
    /// A file and nothing else.
    pub fn new(kind: FileKind, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { kind, bytes, mimetype: None, caption: None, file_name: None, seconds: None }
    }

    /// With a text under it.
    #[must_use]
    pub fn captioned(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// The MIME type that is told.
    fn told_mimetype(&self) -> String {
        let usual = match self.kind {
            FileKind::Image if self.bytes.starts_with(b"\x89PNG") => "image/png",
            FileKind::Image => "image/jpeg",
            FileKind::Video => "video/mp4",
            FileKind::Audio => "audio/mpeg",
            FileKind::VoiceNote => "audio/ogg; codecs=opus",
            FileKind::Document => "application/octet-stream",
            FileKind::Sticker => "image/webp",
        };
        self.mimetype.clone().unwrap_or_else(|| usual.to_owned())
    }
}

impl FileKind {
    const fn media_type(self) -> MediaType {
        match self {
            Self::Image => MediaType::Image,
            Self::Sticker => MediaType::Sticker,
            Self::Video => MediaType::Video,
            Self::Audio => MediaType::Audio,
            Self::VoiceNote => MediaType::VoiceNote,
            Self::Document => MediaType::Document,
        }
    }

    fn content(self, media: Media) -> Content {
        match self {
            Self::Image => Content::Image(media),
            Self::Video => Content::Video(media),
            Self::Audio => Content::Audio(media),
            Self::VoiceNote => Content::VoiceNote(media),
            Self::Document => Content::Document(media),
            Self::Sticker => Content::Sticker(media),
        }
    }
}

impl Phone {
    /// Sends a file to a person or a group, by way of the media host; answers the message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the file or its caption is too large.
    pub fn send_file(&self, to: &Jid, file: OutgoingFile) -> Result<String, SendError> {
        if file.bytes.len() > MAX_FILE {
            return Err(SendError::FileTooLarge);
        }
        let host = self.sim.media();
        let media = self.sim.with(|world| {
            let server = &mut world.server;
            let uploaded = upload(&mut server.rng, &host, file.kind.media_type(), &file.bytes)
                .map_err(|_| SendError::MediaFull)?;
            let mut media = Media::default();
            media.url = host.url(&uploaded.direct_path);
            media.direct_path = Some(uploaded.direct_path);
            media.media_key = Some(MediaKey::new(uploaded.media_key.to_vec()));
            media.media_key_timestamp = i64::try_from(server.now).ok();
            media.file_sha256 = Some(uploaded.file_sha256.to_vec().into());
            media.file_enc_sha256 = Some(uploaded.file_enc_sha256.to_vec().into());
            media.file_length = Some(uploaded.file_length);
            media.streaming_sidecar = uploaded.sidecar.map(Into::into);
            Ok(media)
        });
        let mut media = media?;
        media.mimetype = Some(file.told_mimetype());
        media.caption = file.caption;
        media.title = file.file_name.clone();
        media.file_name = file.file_name;
        media.seconds = file.seconds;
        self.send_content(to, &file.kind.content(media))
    }
}
