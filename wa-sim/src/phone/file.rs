//! Files as a phone sends them: pictures, videos, audio, documents and stickers. Knows nothing of
//! where they are kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use wa_crypto::sha256;
use wa_media::MediaType;
use wa_proto::{
    Jid, MessageId,
    content::{Content, Media, MediaKey, MessageContext, ThumbnailFile},
    ids::MessageKey,
};

use super::{
    MAX_FILE, Phone, SendError,
    endpoint::{upload, upload_under},
};

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
    /// A video without sound that plays by itself.
    Gif,
    /// A round video that is recorded in the chat.
    VideoNote,
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
    /// Whether it is to be looked at once.
    pub view_once: bool,
    /// A larger preview, which goes to the media hosts as well; for images, videos and documents.
    pub preview: Option<Vec<u8>>,
}

impl OutgoingFile {
    /// A file and nothing else.
    pub fn new(kind: FileKind, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            kind,
            bytes,
            mimetype: None,
            caption: None,
            file_name: None,
            seconds: None,
            view_once: false,
            preview: None,
        }
    }

    /// With a text under it.
    #[must_use]
    pub fn captioned(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// To be looked at once.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.view_once = true;
        self
    }

    /// What a message tells of it, besides where it is.
    fn described(self, mut media: Media) -> Content {
        media.mimetype = Some(self.told_mimetype());
        media.caption = self.caption;
        media.title = self.file_name.clone();
        media.file_name = self.file_name;
        media.seconds = self.seconds;
        media.view_once = self.view_once;
        self.kind.content(media)
    }

    /// The MIME type that is told.
    fn told_mimetype(&self) -> String {
        let usual = match self.kind {
            FileKind::Image if self.bytes.starts_with(b"\x89PNG") => "image/png",
            FileKind::Image => "image/jpeg",
            FileKind::Video | FileKind::Gif | FileKind::VideoNote => "video/mp4",
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
            Self::Gif => MediaType::Gif,
            Self::VideoNote => MediaType::VideoNote,
            Self::Audio => MediaType::Audio,
            Self::VoiceNote => MediaType::VoiceNote,
            Self::Document => MediaType::Document,
        }
    }

    /// What its larger preview is, if it can have one.
    const fn preview_type(self) -> Option<MediaType> {
        Some(match self {
            Self::Image => MediaType::ImageThumbnail,
            Self::Video | Self::Gif | Self::VideoNote => MediaType::VideoThumbnail,
            Self::Document => MediaType::DocumentThumbnail,
            _ => return None,
        })
    }

    fn content(self, media: Media) -> Content {
        match self {
            Self::Image => Content::Image(media),
            Self::Video => Content::Video(media),
            Self::Gif => Content::Gif(media),
            Self::VideoNote => Content::VideoNote(media),
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
        let content = self.uploaded(file)?;
        self.send_content(to, &content)
    }

    /// Sends pictures and videos as an album; answers the ids, that of the album first.
    ///
    /// # Errors
    /// As [`Phone::send_file`]; [`SendError::Unsendable`] for files of other kinds.
    pub fn send_album(&self, to: &Jid, files: Vec<OutgoingFile>) -> Result<Vec<String>, SendError> {
        let (mut images, mut videos) = (0, 0);
        for file in &files {
            match file.kind {
                FileKind::Image => images += 1,
                FileKind::Video => videos += 1,
                _ => return Err(SendError::Unsendable),
            }
        }
        let album = self.send_content(to, &Content::Album { images, videos })?;
        let id = MessageId::new(album.as_str()).map_err(|_| SendError::Unsendable)?;
        let parent = MessageKey { chat: Some(to.clone()), from_me: true, id, sender: None };
        let mut sent = vec![album];
        for file in files {
            let mut context = MessageContext::default();
            context.parent = Some(parent.clone());
            let content = self.uploaded(file)?;
            sent.push(self.send_in_context(to, &content, &context)?);
        }
        Ok(sent)
    }

    /// The file of a message, sent or received, as the phone has it: those of received messages
    /// were fetched and checked when the message came.
    pub fn media(&self, id: &str) -> Option<Bytes> {
        self.act(|phone, _| phone.file(id))?
    }

    /// The person deletes the file of a message from the phone. False if there is none.
    pub fn delete_media(&self, id: &str) -> bool {
        self.act(|phone, _| phone.delete_file(id)).unwrap_or(false)
    }

    /// Whether the phone uploads files again when a companion asks; at first it does.
    pub fn answer_media_retries(&self, on: bool) {
        self.act(|phone, _| phone.answers_media_retries = on);
    }

    /// Leaves a file with the media host, and says what a message tells of it.
    fn uploaded(&self, file: OutgoingFile) -> Result<Content, SendError> {
        if file.bytes.len() > MAX_FILE {
            return Err(SendError::FileTooLarge);
        }
        let host = self.sim.media();
        let (uploaded, now) = self.sim.with(|world| {
            let rng = &mut world.server.rng;
            (upload(rng, &host, file.kind.media_type(), &file.bytes), world.server.now)
        });
        let uploaded = uploaded.map_err(|_| SendError::MediaFull)?;
        let mut media = Media::default();
        media.url = host.url(&uploaded.direct_path);
        media.direct_path = Some(uploaded.direct_path);
        media.media_key = Some(MediaKey::new(uploaded.media_key.to_vec()));
        media.media_key_timestamp = i64::try_from(now).ok();
        media.file_sha256 = Some(uploaded.file_sha256.to_vec().into());
        media.file_enc_sha256 = Some(uploaded.file_enc_sha256.to_vec().into());
        media.file_length = Some(uploaded.file_length);
        media.streaming_sidecar = uploaded.sidecar.map(Into::into);
        if let (Some(preview), Some(media_type)) = (&file.preview, file.kind.preview_type()) {
            let key = uploaded.media_key.into();
            let preview = upload_under(&key, &host, media_type, preview);
            let preview = preview.map_err(|_| SendError::MediaFull)?;
            media.thumbnail_file = Some(ThumbnailFile {
                direct_path: preview.direct_path,
                sha256: Some(preview.file_sha256.to_vec().into()),
                enc_sha256: Some(preview.file_enc_sha256.to_vec().into()),
            });
        }
        Ok(file.described(media))
    }

    /// Leaves a file with the media host as it is, and says what a post tells of it and what the
    /// host calls it.
    pub(super) fn uploaded_open(&self, file: OutgoingFile) -> Result<(Content, String), SendError> {
        if file.bytes.len() > MAX_FILE {
            return Err(SendError::FileTooLarge);
        }
        let host = self.sim.media();
        let hash = sha256(&[&file.bytes]);
        let handle = URL_SAFE_NO_PAD.encode(hash);
        let folder = format!("newsletter-{}", file.kind.media_type().folder());
        let bytes = Bytes::from(file.bytes.clone());
        let mut media = Media::default();
        media.direct_path =
            Some(host.put(&folder, &handle, bytes).map_err(|_| SendError::MediaFull)?);
        media.file_sha256 = Some(hash.to_vec().into());
        media.file_length = Some(file.bytes.len() as u64);
        Ok((file.described(media), handle))
    }
}
