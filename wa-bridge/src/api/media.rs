//! The files of messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// Downloads the file of a message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaDownload {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// Into this folder, under a safe form of the name the sender gave; the profile's own folder
    /// of media unless said.
    #[serde(default)]
    pub folder: Option<String>,
    /// To this file, which must not be there yet.
    #[serde(default)]
    pub output: Option<String>,
}
operation!(MediaDownload => DownloadedView, "media/download", Read,
    "Downloads the file of a message, checks it, and tells where it is.");

/// A file that was downloaded.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DownloadedView {
    /// The message's id.
    pub id: String,
    /// What it is: image, video, voice-note, document, …
    pub kind: String,
    /// Where the file is.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its MIME type, as its sender said.
    pub mime: Option<String>,
}

/// The file of a message as bytes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaRead {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// Refuse files of more bytes than this; 4 MiB unless said, 32 MiB at most.
    #[serde(default)]
    pub limit: Option<u64>,
}
operation!(MediaRead => MediaContent, "media/read", Read,
    "Gives the file of a message itself, up to a size.");

/// A file as bytes.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MediaContent {
    /// The message's id.
    pub id: String,
    /// What it is: image, video, voice-note, document, …
    pub kind: String,
    /// Its MIME type, as its sender said.
    pub mime: Option<String>,
    /// The bytes in base64.
    pub base64: String,
}

impl std::fmt::Debug for MediaContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaContent").field("id", &self.id).finish_non_exhaustive()
    }
}
