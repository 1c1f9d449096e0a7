//! What a message says of its file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::content::{Media, Unwrapped};
use wa_store::ArchivedMessage;

/// A file as its sender described it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MediaView {
    /// The MIME type.
    pub mime: Option<String>,
    /// The size in bytes.
    pub bytes: Option<u64>,
    /// The length of audio or video.
    pub seconds: Option<u32>,
    /// The width in pixels.
    pub width: Option<u32>,
    /// The height in pixels.
    pub height: Option<u32>,
    /// The name the sender gave the file.
    pub file_name: Option<String>,
}

impl MediaView {
    /// The file of a message, if it has one.
    pub fn of(message: &ArchivedMessage) -> Option<Self> {
        let unwrapped = Unwrapped::decode(message.raw.as_bytes().to_vec()).ok()?;
        unwrapped.content.media().map(Self::new)
    }

    /// What is said of a file.
    pub fn new(media: &Media) -> Self {
        Self {
            mime: media.mimetype.clone(),
            bytes: media.file_length,
            seconds: media.seconds,
            width: media.width,
            height: media.height,
            file_name: media.file_name.clone(),
        }
    }
}
