//! The files of messages.

use std::{
    io::{Cursor, ErrorKind},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use wa_client::media::{Folder, MediaError, MediaFile};
use wa_store::ArchivedMessage;
use wa_transcode::{MAX_PICTURE_PIXELS, PictureError, picture_size};

use super::{Call, Perform};
use crate::{
    api::{DownloadedView, MediaContent, MediaDownload, MediaRead, MediaView},
    failure::{Cause, Failure, remedy},
    policy::{PaceClass, SaveFolder},
    private_folder::private_folder,
};

/// How many bytes are given unless that is said, and at most.
const READ_LIMIT: u64 = 4 << 20;
const MAX_READ_LIMIT: u64 = 32 << 20;

impl Perform for MediaDownload {
    async fn perform(self, call: &Call<'_>) -> Result<DownloadedView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let file = file_of(&message)?;
        let place = match &self.output {
            Some(output) => Place::File(Target::new(call, Path::new(output))?),
            None => Place::Folder(call.folder_to_save(self.folder.as_deref().map(Path::new))?),
        };
        call.keep_pace(PaceClass::Download, 1).await?;
        call.note_read([&message]).await?;
        let client = call.online().await?;
        let download = client.download(file);
        let saved = match &place {
            Place::File(target) => {
                let saving = download.to_new_file(&target.folder, &target.name);
                call.ask(async { saving.await.map_err(|error| target.failure(error)) }).await?
            }
            Place::Folder(folder) => call.ask(download.into_open_folder(folder)).await?,
        };
        Ok(DownloadedView {
            id: message.key.id.to_string(),
            kind: message.kind.to_string(),
            bytes: saved.bytes,
            path: saved.path.display().to_string(),
            mime: MediaView::of(&message).and_then(|media| media.mime),
        })
    }
}

impl Perform for MediaRead {
    async fn perform(self, call: &Call<'_>) -> Result<MediaContent, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let file = file_of(&message)?;
        let limit = self.limit.unwrap_or(READ_LIMIT).min(MAX_READ_LIMIT);
        let view = MediaView::of(&message);
        if let Some(bytes) = view.as_ref().and_then(|view| view.bytes)
            && bytes > limit
        {
            let message = format!("the file has {bytes} bytes, more than {limit}");
            return Err(Failure::new(Cause::Usage, message)
                .remedy("download it to a file instead, or raise the limit"));
        }
        call.keep_pace(PaceClass::Download, 1).await?;
        call.note_read([&message]).await?;
        let client = call.online().await?;
        let bytes = call.ask(client.download(file).to_bytes(limit)).await?;
        check_picture(&bytes)?;
        Ok(MediaContent {
            id: message.key.id.to_string(),
            kind: message.kind.to_string(),
            mime: view.and_then(|view| view.mime),
            base64: STANDARD.encode(bytes),
        })
    }
}

impl Call<'_> {
    /// Opens the folder into which something is saved; the profile's own unless one is named.
    fn folder_to_save(&self, named: Option<&Path>) -> Result<Folder, Failure> {
        let own = self.service.profile.media();
        private_folder(&own).map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot use the folder {}: {error}", own.display()))
                .remedy("see whether the disk is full or the folder read-only")
        })?;
        match named {
            None => opened(&own),
            Some(named) if self.is_human() => opened(named),
            Some(named) => self.policy().files.open_to_save(named, &own).map(Folder::from),
        }
    }
}

fn opened(path: &Path) -> Result<Folder, Failure> {
    Folder::open(path).map_err(|error| {
        let message = format!("cannot use the folder {}: {error}", path.display());
        Failure::new(Cause::Usage, message).remedy("make it, or name another")
    })
}

impl From<SaveFolder> for Folder {
    fn from(found: SaveFolder) -> Self {
        Self::from_open(found.folder, found.path)
    }
}

/// Where a download goes.
enum Place {
    File(Target),
    Folder(Folder),
}

/// A file that is to be made by a download, in a folder that is open.
struct Target {
    folder: Folder,
    name: String,
}

impl Target {
    fn new(call: &Call<'_>, named: &Path) -> Result<Self, Failure> {
        let name = named.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Failure::new(Cause::Usage, format!("{} names no file", named.display()))
                .remedy("name a file that is not there yet")
        })?;
        let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = call.folder_to_save(Some(parent.unwrap_or(Path::new("."))))?;
        Ok(Self { folder, name: name.to_owned() })
    }

    fn failure(&self, error: MediaError) -> Failure {
        match error {
            MediaError::Io(error) if error.kind() == ErrorKind::AlreadyExists => {
                let path = self.folder.path().join(&self.name);
                Failure::new(Cause::Usage, format!("{} is there already", path.display()))
                    .remedy("name a file that is not there yet")
            }
            other => other.into(),
        }
    }
}

/// Refuses a picture that a program cannot show without being filled by it: a few kilobytes can
/// be gigabytes of pixels, and whoever reads a picture here is going to show it.
fn check_picture(bytes: &[u8]) -> Result<(), Failure> {
    let why = match picture_size(Cursor::new(bytes)) {
        Ok(_) | Err(PictureError::UnsupportedFormat) => return Ok(()),
        Err(PictureError::TooLarge) => {
            format!("the picture has more than {MAX_PICTURE_PIXELS} pixels")
        }
        Err(_) => "the picture is broken: its size cannot be read".to_owned(),
    };
    Err(Failure::new(Cause::Usage, why)
        .remedy("do not show it; download it to a file if it is needed"))
}

fn file_of(message: &ArchivedMessage) -> Result<MediaFile, Failure> {
    MediaFile::from_archive(message).ok_or_else(|| {
        let id = &message.key.id;
        Failure::new(Cause::Usage, format!("the message {id} has no file"))
            .remedy(remedy::FILE)
            .about(id.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_gigabytes_is_not_given_to_who_would_show_it() {
        // The header of a PNG (its checksum is read, and must be right) that has 60,000 by 60,000
        // pixels, in 57 bytes.
        let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\0\0\0\0";
        let sum = !bomb[12..].iter().fold(u32::MAX, |sum, &byte| {
            (0..8).fold(sum ^ u32::from(byte), |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
            })
        });
        let mut file = bomb.to_vec();
        file.extend(sum.to_be_bytes());
        file.extend(b"\0\0\0\x08IDAT\x78\x9c\x03\0\0\0\0\x01\0\0\0\0");
        let failure = check_picture(&file).unwrap_err();
        assert_eq!(failure.cause, Cause::Usage);
        assert!(failure.message.contains("50000000 pixels"), "{failure}");
        // One whose size cannot be told is none to show either.
        assert!(check_picture(b"\x89PNG\r\n\x1a\n and so on").is_err());
        for other in [&b"OggS"[..], b"%PDF-1.7", b"", b"\x89PNG and more"] {
            assert!(check_picture(other).is_ok());
        }
    }
}
