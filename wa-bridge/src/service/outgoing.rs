//! What is sent, made ready: checked, described in words, and turned into what the client takes.

use std::path::Path;

use wa_client::{
    MAX_TEXT_LEN,
    media::{MediaSource, OutgoingMedia},
};
use wa_proto::{
    Content, Jid,
    content::{Contact, Location, Poll},
};

use super::{Call, file_to_send::FileToSend};
use crate::{
    Recipient,
    api::{FileKind, Outgoing},
    failure::{Cause, Failure, remedy},
    shown::Shown,
    voice::prepare_voice_note,
};

/// What is sent, ready.
pub(super) struct Ready {
    pub(super) payload: Payload,
    /// What it is, in words, for a person to agree to.
    pub(super) shown: Shown,
    /// The hash of a file's content.
    pub(super) content: Vec<u8>,
    pub(super) mentions: Vec<Jid>,
}

/// What the client is given.
pub(super) enum Payload {
    Content(Box<Content>),
    Media(Box<OutgoingMedia>),
}

impl Payload {
    fn captioned(self, caption: String) -> Self {
        match self {
            Self::Media(media) => Self::Media(Box::new(media.caption(caption))),
            content => content,
        }
    }
}

impl Ready {
    fn content(content: Content, shown: Shown) -> Self {
        let payload = Payload::Content(Box::new(content));
        Self { payload, shown, content: Vec::new(), mentions: Vec::new() }
    }
}

impl Call<'_> {
    /// Makes ready what is to be sent.
    ///
    /// # Errors
    /// [`Cause::Usage`] for what cannot be sent, [`Cause::Forbidden`] for files out of reach.
    pub(super) async fn ready(
        &self,
        what: &Outgoing,
        mention: &[String],
    ) -> Result<Ready, Failure> {
        match what {
            Outgoing::Text { text } => {
                let (text, mentions) = self.mention(check_text(text)?, mention).await?;
                let shown = Shown::new("text message").quote("text", &text);
                let mut ready = Ready::content(Content::from(text), shown);
                ready.mentions = mentions;
                Ok(ready)
            }
            Outgoing::File { path, caption, send_as, name, view_once } => {
                let (caption, mentions) = match caption {
                    Some(caption) => {
                        let (text, people) = self.mention(check_text(caption)?, mention).await?;
                        (Some(text), people)
                    }
                    None => (None, Vec::new()),
                };
                let file = self.file_to_send(path).await?;
                let mut ready = file_ready(file, *send_as, name.as_deref(), *view_once).await?;
                if let Some(caption) = caption {
                    ready.shown = ready.shown.quote("caption", &caption);
                    ready.payload = ready.payload.captioned(caption);
                }
                ready.mentions = mentions;
                Ok(ready)
            }
            Outgoing::Voice { path, view_once } => {
                let file = self.file_to_send(path).await?;
                voice_ready(file, *view_once).await
            }
            other => plain(other),
        }
    }

    /// Writes mentions as WhatsApp does: `@` and the user part of the address, wherever the text
    /// names the person as they are named in the request.
    async fn mention(
        &self,
        mut text: String,
        named: &[String],
    ) -> Result<(String, Vec<Jid>), Failure> {
        let people = self.people(named).await?;
        for (name, jid) in named.iter().zip(&people) {
            let typed = format!("@{name}");
            if !text.contains(&typed) {
                let message = format!("the text does not mention {name:?}");
                return Err(Failure::new(Cause::Usage, message)
                    .remedy(format!("write {typed} where the person is mentioned")));
            }
            text = text.replace(&typed, &format!("@{}", jid.user));
        }
        check_length(&text)?;
        Ok((text, people))
    }
}

/// What needs neither people nor files.
fn plain(what: &Outgoing) -> Result<Ready, Failure> {
    match what {
        Outgoing::Location { latitude, longitude, name, address } => {
            location(*latitude, *longitude, name.as_deref(), address.as_deref())
        }
        Outgoing::Contact { name, number } => {
            let vcard = vcard(name, number)?;
            let shown = Shown::new("contact card").line("name", name).line("number", number);
            let contact = Contact { name: name.clone(), vcard };
            Ok(Ready::content(Content::Contact(contact), shown))
        }
        Outgoing::Poll { question, options, selectable } => {
            let shown = Shown::new("poll").quote("question", question);
            let shown = options.iter().fold(shown, |shown, option| shown.line("option", option));
            let shown = shown.line("options a vote may choose", &selectable.to_string());
            let poll = Poll::new(question.as_str(), options.clone(), *selectable);
            Ok(Ready::content(Content::Poll(poll), shown))
        }
        _ => Err(Failure::new(Cause::Usage, "this cannot be sent")),
    }
}

fn location(
    latitude: f64,
    longitude: f64,
    name: Option<&str>,
    address: Option<&str>,
) -> Result<Ready, Failure> {
    if !(latitude.abs() <= 90.0 && longitude.abs() <= 180.0) {
        return Err(Failure::new(Cause::Usage, "there is no such place")
            .remedy("a latitude is within 90 degrees, a longitude within 180"));
    }
    let shown = Shown::new("place").line("where", &format!("{latitude}, {longitude}"));
    let shown = shown.quote_some("name", name).quote_some("address", address);
    let location = Location {
        latitude,
        longitude,
        name: name.map(str::to_owned),
        address: address.map(str::to_owned),
        ..Location::default()
    };
    Ok(Ready::content(Content::Location(location), shown))
}

/// The text, if it is one that can be sent.
pub(super) fn check_text(text: &str) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(Cause::Usage, "there is no text to send").remedy(remedy::TEXT));
    }
    check_length(text)?;
    Ok(text.to_owned())
}

/// Refuses what is longer than what is sent.
fn check_length(text: &str) -> Result<(), Failure> {
    if text.len() > MAX_TEXT_LEN {
        let message = format!("the text is too long: more than {MAX_TEXT_LEN} bytes");
        return Err(Failure::new(Cause::Usage, message).remedy("send it in parts"));
    }
    Ok(())
}

/// A file that is to be sent as it is.
async fn file_ready(
    file: FileToSend,
    send_as: Option<FileKind>,
    name: Option<&str>,
    view_once: bool,
) -> Result<Ready, Failure> {
    let (head, hash, len) = (file.head.clone(), file.sha256.clone(), file.len);
    let kind = send_as.unwrap_or_else(|| kind_of(&head));
    let name = name.map_or_else(|| file.name(), str::to_owned);
    let path = file.path.clone();
    let source = MediaSource::File(file.into_file());
    let media = match kind {
        FileKind::Image => OutgoingMedia::image(source),
        FileKind::Video => OutgoingMedia::video(source),
        FileKind::Gif => OutgoingMedia::gif(source),
        FileKind::VideoNote => OutgoingMedia::video_note(source),
        FileKind::Audio => OutgoingMedia::audio(source),
        FileKind::Voice if !head.starts_with(b"OggS") => {
            let message = format!("{} is no voice message", path.display());
            return Err(Failure::new(Cause::Usage, message).remedy(
                "a voice message is Opus in Ogg; send it as voice to have it made into one",
            ));
        }
        FileKind::Voice => OutgoingMedia::voice_note(source),
        FileKind::Sticker => OutgoingMedia::sticker(source),
        FileKind::Document => {
            let document = OutgoingMedia::document(source, name.as_str());
            match mimetype(Path::new(&name)) {
                Some(mimetype) => document.mimetype(mimetype),
                None => document,
            }
        }
    };
    let media = if view_once { media.view_once() } else { media };
    let shown = shown(kind, view_once, &name, len);
    let payload = Payload::Media(Box::new(media));
    Ok(Ready { payload, shown, content: hash, mentions: Vec::new() })
}

/// A voice message made of whatever recording is in the file.
async fn voice_ready(file: FileToSend, view_once: bool) -> Result<Ready, Failure> {
    let (name, hash, len) = (file.name(), file.sha256.clone(), file.len);
    let path = file.path.clone();
    let note = prepare_voice_note(file.into_file()).await.map_err(|error| {
        let message = format!("no voice message was made of {}: {error}", path.display());
        Failure::new(Cause::Usage, message)
            .remedy("convert the recording to one of these formats, or send it as a file")
    })?;
    let media = OutgoingMedia::voice_note(note.bytes).seconds(note.analysis.seconds());
    let media = media.waveform(note.analysis.waveform.to_vec());
    let payload = Payload::Media(Box::new(if view_once { media.view_once() } else { media }));
    let shown = shown(FileKind::Voice, view_once, &name, len);
    Ok(Ready { payload, shown, content: hash, mentions: Vec::new() })
}

/// A file in words.
fn shown(kind: FileKind, view_once: bool, name: &str, len: u64) -> Shown {
    let once = if view_once { ", to be looked at once" } else { "" };
    let shown = Shown::new(&format!("{}{once}", word(kind)));
    shown.line("file", name).line("bytes", &len.to_string())
}

const fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Image => "image",
        FileKind::Video => "video",
        FileKind::Gif => "gif",
        FileKind::VideoNote => "video note",
        FileKind::Audio => "audio",
        FileKind::Voice => "voice message",
        FileKind::Sticker => "sticker",
        FileKind::Document => "document",
    }
}

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

/// A contact card (RFC 2426, vCard 3.0), with the parameter by which WhatsApp finds the account:
/// `waid`, the number's digits.
fn vcard(name: &str, number: &str) -> Result<String, Failure> {
    let digits = match number.parse() {
        Ok(Recipient::Phone(digits)) => digits,
        Err(error) => return Err(Failure::new(Cause::Usage, error.to_string())),
        Ok(_) => {
            return Err(Failure::new(Cause::Usage, format!("{number:?} is no phone number"))
                .remedy("write it with its country code"));
        }
    };
    if name.trim().is_empty() {
        return Err(Failure::new(Cause::Usage, "a contact card needs a name"));
    }
    let name = escape(name);
    Ok(format!(
        "BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\n\
         TEL;type=CELL;type=VOICE;waid={digits}:+{digits}\nEND:VCARD"
    ))
}

/// A value may hold anything; what would end it is escaped.
fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            _ if c.is_control() => {}
            _ => escaped.push(c),
        }
    }
    escaped
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

    #[test]
    fn a_text_has_an_end_and_a_beginning() {
        assert_eq!(check_text(&"x".repeat(MAX_TEXT_LEN)).map(|text| text.len()), Ok(MAX_TEXT_LEN));
        let long = check_text(&"x".repeat(MAX_TEXT_LEN + 1)).unwrap_err();
        assert!(long.message.contains(&MAX_TEXT_LEN.to_string()));
        assert_eq!(check_text(" \n").unwrap_err().cause, Cause::Usage);
    }

    #[test]
    fn a_card_has_the_number_and_no_name_ends_it_early() {
        let card = vcard("Ada;\nEND:VCARD\\", "+44 7700 900123").unwrap();
        assert!(card.contains("waid=447700900123:+447700900123"), "{card}");
        assert!(card.contains("FN:Ada\\;\\nEND:VCARD\\\\\n"), "{card}");
        assert_eq!(vcard("Ada", "Grace").unwrap_err().cause, Cause::Usage);
    }
}
