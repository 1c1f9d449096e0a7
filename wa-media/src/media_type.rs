//! What a media file is, for its keys and for the hosts. Knows nothing of messages.

/// What a media file is: its keys are derived with it, and the hosts keep it in a folder of its
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MediaType {
    /// A picture.
    Image,
    /// A sticker, moving or not.
    Sticker,
    /// A video.
    Video,
    /// A short video without sound that plays by itself.
    Gif,
    /// A round video recorded in the chat.
    VideoNote,
    /// An audio file.
    Audio,
    /// Audio recorded in the chat.
    VoiceNote,
    /// Any file.
    Document,
    /// A collection of stickers.
    StickerPack,
    /// The full-size picture of a link's preview.
    LinkThumbnail,
    /// The larger preview of an image.
    ImageThumbnail,
    /// The larger preview of a video.
    VideoThumbnail,
    /// The larger preview of a document.
    DocumentThumbnail,
    /// A part of the history, from the phone.
    History,
    /// A snapshot, or patches, of app state.
    AppState,
}

impl MediaType {
    /// Every type.
    pub const ALL: [Self; 15] = [
        Self::Image,
        Self::Sticker,
        Self::Video,
        Self::Gif,
        Self::VideoNote,
        Self::Audio,
        Self::VoiceNote,
        Self::Document,
        Self::StickerPack,
        Self::LinkThumbnail,
        Self::ImageThumbnail,
        Self::VideoThumbnail,
        Self::DocumentThumbnail,
        Self::History,
        Self::AppState,
    ];

    /// The name clients know it by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::Video => "video",
            Self::Gif => "gif",
            Self::VideoNote => "ptv",
            Self::Audio => "audio",
            Self::VoiceNote => "ptt",
            Self::Document => "document",
            Self::StickerPack => "sticker-pack",
            Self::LinkThumbnail => "thumbnail-link",
            Self::ImageThumbnail => "thumbnail-image",
            Self::VideoThumbnail => "thumbnail-video",
            Self::DocumentThumbnail => "thumbnail-document",
            Self::History => "md-msg-hist",
            Self::AppState => "md-app-state",
        }
    }

    /// The name of the hosts' folder, in upload paths and as `mms-type` of downloads.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Sticker => "image",
            Self::Gif | Self::VideoNote => "video",
            Self::VoiceNote => "audio",
            other => other.as_str(),
        }
    }

    /// What goes into the derivation of its keys.
    pub const fn hkdf_info(self) -> &'static str {
        match self {
            Self::Image | Self::Sticker => "WhatsApp Image Keys",
            Self::Video | Self::Gif | Self::VideoNote => "WhatsApp Video Keys",
            Self::Audio | Self::VoiceNote => "WhatsApp Audio Keys",
            Self::Document => "WhatsApp Document Keys",
            Self::StickerPack => "WhatsApp Sticker Pack Keys",
            Self::LinkThumbnail => "WhatsApp Link Thumbnail Keys",
            Self::ImageThumbnail => "WhatsApp Image Thumbnail Keys",
            Self::VideoThumbnail => "WhatsApp Video Thumbnail Keys",
            Self::DocumentThumbnail => "WhatsApp Document Thumbnail Keys",
            Self::History => "WhatsApp History Keys",
            Self::AppState => "WhatsApp App State Keys",
        }
    }

    /// Whether it can be played while it is being downloaded: its message then carries MACs of
    /// its pieces, the streaming sidecar.
    pub const fn is_streamed(self) -> bool {
        matches!(self, Self::Video | Self::Gif | Self::VideoNote | Self::Audio | Self::VoiceNote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = MediaType::ALL.map(MediaType::as_str).into();
        assert_eq!(names.len(), MediaType::ALL.len());
    }

    #[test]
    fn what_shares_its_keys_shares_its_folder() {
        for a in MediaType::ALL {
            for b in MediaType::ALL {
                assert_eq!(a.hkdf_info() == b.hkdf_info(), a.folder() == b.folder());
            }
        }
    }
}
