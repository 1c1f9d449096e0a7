//! A file to be sent: what it is, by its first bytes and its name.

use std::{fs::File, io::Read, path::Path};

use wa_bridge::prepare_voice_note;
use wa_client::media::{MediaSource, OutgoingMedia, SendMedia};

use crate::{
    args::{FileKind, SendOptions},
    delivery::message_id,
    failure::{Cause, Failure},
    file,
};

/// The file as it is to be sent.
pub(super) fn outgoing(path: &Path, kind: Option<FileKind>) -> Result<OutgoingMedia, Failure> {
    let head = head(path)?;
    if head.is_empty() {
        let message = format!("{} is empty", path.display());
        return Err(Failure::new(Cause::Usage, message).remedy("name a file that holds something"));
    }
    let source = MediaSource::Path(path.to_owned());
    Ok(match kind.unwrap_or_else(|| kind_of(&head)) {
        FileKind::Image => OutgoingMedia::image(source),
        FileKind::Video => OutgoingMedia::video(source),
        FileKind::Gif => OutgoingMedia::gif(source),
        FileKind::VideoNote => OutgoingMedia::video_note(source),
        FileKind::Audio => OutgoingMedia::audio(source),
        FileKind::Voice if !head.starts_with(b"OggS") => {
            let message = format!("{} is no voice message", path.display());
            return Err(Failure::new(Cause::Usage, message)
                .remedy("a voice message is Opus in Ogg; --voice makes one of any recording"));
        }
        FileKind::Voice => OutgoingMedia::voice_note(source),
        FileKind::Sticker => OutgoingMedia::sticker(source),
        FileKind::Document => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let document = OutgoingMedia::document(source, name);
            match mimetype(path) {
                Some(mimetype) => document.mimetype(mimetype),
                None => document,
            }
        }
    })
}

/// A voice message made of whatever recording is in the file.
pub(super) async fn voice(path: &Path) -> Result<OutgoingMedia, Failure> {
    file::open(path)?;
    let recording = path.to_owned();
    let made = tokio::task::spawn_blocking(move || prepare_voice_note(&recording)).await;
    let note = match made {
        Ok(Ok(note)) => note,
        Ok(Err(error)) => {
            let message = format!("no voice message was made of {}: {error}", path.display());
            return Err(Failure::new(Cause::Usage, message)
                .remedy("convert the recording to one of these formats, or send it with --file"));
        }
        Err(_) => {
            let message = format!("no voice message was made of {}", path.display());
            return Err(Failure::new(Cause::Usage, message).remedy("send it with --file"));
        }
    };
    let media = OutgoingMedia::voice_note(note.bytes).seconds(note.analysis.seconds());
    Ok(media.waveform(note.analysis.waveform.to_vec()))
}

/// Adds to a file what was said about it.
pub(super) fn with_options(
    mut message: SendMedia,
    options: &SendOptions,
) -> Result<SendMedia, Failure> {
    if let Some(key) = &options.id_key {
        message = message.idempotency_key(key.clone());
    }
    if let Some(quoted) = &options.reply_to {
        message = message.quoting(message_id(quoted)?);
    }
    Ok(message)
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, Failure> {
    let file: File = file::open(path)?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(|error| file::unreadable(path, &error))?;
    Ok(head)
}

/// How many bytes tell what a file is.
const HEAD: u64 = 16;

/// What phones can show; everything else is a document.
fn kind_of(head: &[u8]) -> FileKind {
    let at =
        |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    if at(0, b"\xff\xd8\xff") || at(0, b"\x89PNG") || (at(0, b"RIFF") && at(8, b"WEBP")) {
        FileKind::Image
    } else if at(4, b"ftypM4A") || at(0, b"OggS") || at(0, b"ID3") || at(0, b"\xff\xfb") {
        FileKind::Audio
    } else if at(4, b"ftyp") {
        FileKind::Video
    } else {
        FileKind::Document
    }
}

/// The MIME type of what is often sent as a document.
fn mimetype(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    Some(match extension.as_str() {
        "pdf" => "application/pdf",
        "txt" | "log" | "md" => "text/plain",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "zip" => "application/zip",
        "gif" => "image/gif",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        for (head, kind) in [
            (b"\xff\xd8\xff\xe0 JFIF".as_slice(), FileKind::Image),
            (b"\x89PNG\r\n\x1a\n", FileKind::Image),
            (b"RIFF....WEBPVP8 ", FileKind::Image),
            (b"RIFF....WAVEfmt ", FileKind::Document),
            (b"\0\0\0\x20ftypM4A ", FileKind::Audio),
            (b"\0\0\0\x20ftypisom", FileKind::Video),
            (b"OggS", FileKind::Audio),
            (b"%PDF-1.7", FileKind::Document),
            (b"", FileKind::Document),
        ] {
            assert_eq!(kind_of(head), kind, "{head:?}");
        }
        assert_eq!(mimetype(Path::new("a/B.PDF")), Some("application/pdf"));
        assert_eq!(mimetype(Path::new("Makefile")), None);
    }
}
