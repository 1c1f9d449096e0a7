//! The files of messages.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use rmcp::{
    model::ContentBlock,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Failure,
    api::{DownloadedView, MediaDownload, MediaRead},
};

use super::{Kind, Readable, Tool, Toolset};
use crate::{call::ToolCall, untrusted::line};

/// For how long a download may take.
const FILE_TIME: Duration = Duration::from_secs(600);

/// The largest file that is given inside an answer, in bytes.
const INLINE: u64 = 1 << 20;

/// Downloads a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DownloadMedia {
    /// The message's id.
    message_id: String,
    /// The chat: a jid, a phone number or a name.
    chat_jid: String,
    /// Into this folder, if the policy allows it; the account's own folder of media unless said.
    #[serde(default)]
    folder: Option<String>,
}

/// A file that was downloaded.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Downloaded {
    /// Whether it was.
    success: bool,
    /// What happened, in words.
    message: String,
    /// Where the file is.
    file_path: String,
    /// The file.
    file: DownloadedView,
}

impl Readable for Downloaded {
    fn text(&self) -> String {
        format!("{}: {}", self.message, line(&self.file_path))
    }
}

impl Tool for DownloadMedia {
    type Output = Downloaded;
    const NAME: &'static str = "download_media";
    const TITLE: &'static str = "Download a file";
    const ABOUT: &'static str = "Download the picture, video, sound or document of a message to this machine, checked, and tell where it is. To look at a picture in the chat, use get_media.";
    const SET: Toolset = Toolset::Media;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<Downloaded, Failure> {
        let (chat, id, folder) = (self.chat_jid, self.message_id, self.folder);
        let download = MediaDownload { chat, id, folder, output: None };
        let file = call.ask_long(download, FILE_TIME, "downloading").await?;
        let message = format!("downloaded {} bytes", file.bytes);
        Ok(Downloaded { success: true, message, file_path: file.path.clone(), file })
    }
}

/// Gives a file inside the answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetMedia {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The message's id.
    message_id: String,
}

/// A file inside the answer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Media {
    /// The message's id.
    message_id: String,
    /// What it is: image, voice-note, document, …
    kind: String,
    /// Its MIME type, as its bytes say.
    mime: Option<String>,
    /// Its size.
    bytes: usize,
    /// What stands in the answer besides: image, audio, or nothing.
    shown_as: Option<String>,
    #[serde(skip)]
    content: Option<ContentBlock>,
}

impl Readable for Media {
    fn text(&self) -> String {
        match &self.shown_as {
            Some(shown) => {
                format!("the {} of message {}, as {shown}", line(&self.kind), self.message_id)
            }
            None => format!(
                "the {} of message {} has {} bytes and cannot be shown here; use download_media",
                line(&self.kind),
                self.message_id,
                self.bytes
            ),
        }
    }

    fn pictures(&self) -> Vec<ContentBlock> {
        self.content.clone().into_iter().collect()
    }
}

impl Tool for GetMedia {
    type Output = Media;
    const NAME: &'static str = "get_media";
    const TITLE: &'static str = "Look at a file";
    const ABOUT: &'static str = "Show the picture or sound of a message in the chat itself, up to 1 MB. For other files and larger ones use download_media.";
    const SET: Toolset = Toolset::Media;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<Media, Failure> {
        let read = MediaRead { chat: self.chat, id: self.message_id, limit: Some(INLINE) };
        let file = call.ask_long(read, FILE_TIME, "downloading").await?;
        let bytes = STANDARD.decode(&file.base64).unwrap_or_default();
        let shown = shown_as(&bytes);
        let content = shown.map(|(what, mime)| match what {
            "image" => ContentBlock::image(file.base64.clone(), mime),
            _ => ContentBlock::audio(file.base64.clone(), mime),
        });
        Ok(Media {
            message_id: file.id,
            kind: file.kind,
            mime: shown.map(|(_, mime)| mime.to_owned()).or(file.mime),
            bytes: bytes.len(),
            shown_as: shown.map(|(what, _)| what.to_owned()),
            content,
        })
    }
}

/// What can be shown in an answer, by its first bytes: what a sender says of a file is no proof.
fn shown_as(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let at =
        |place: usize, magic: &[u8]| bytes.get(place..).is_some_and(|rest| rest.starts_with(magic));
    Some(match () {
        () if at(0, b"\xff\xd8\xff") => ("image", "image/jpeg"),
        () if at(0, b"\x89PNG\r\n\x1a\n") => ("image", "image/png"),
        () if at(0, b"GIF8") => ("image", "image/gif"),
        () if at(0, b"RIFF") && at(8, b"WEBP") => ("image", "image/webp"),
        () if at(0, b"OggS") => ("audio", "audio/ogg"),
        () if at(0, b"ID3") || at(0, b"\xff\xfb") => ("audio", "audio/mpeg"),
        () if at(4, b"ftypM4A") => ("audio", "audio/mp4"),
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_by_what_it_is_and_not_by_what_its_sender_says() {
        assert_eq!(shown_as(b"\x89PNG\r\n\x1a\n..."), Some(("image", "image/png")));
        assert_eq!(shown_as(b"OggS\0"), Some(("audio", "audio/ogg")));
        assert_eq!(shown_as(b"<script>"), None);
        assert_eq!(shown_as(b""), None);
    }
}
