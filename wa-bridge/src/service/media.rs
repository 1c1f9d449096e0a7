//! The files of messages.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use wa_client::media::MediaFile;
use wa_store::ArchivedMessage;

use super::{Call, Perform};
use crate::{
    api::{DownloadedView, MediaContent, MediaDownload, MediaRead, MediaView},
    failure::{Cause, Failure, remedy},
    profile::private_folder,
};

/// How many bytes are given unless that is said, and at most.
const READ_LIMIT: u64 = 4 << 20;
const MAX_READ_LIMIT: u64 = 32 << 20;

impl Perform for MediaDownload {
    async fn perform(self, call: &Call<'_>) -> Result<DownloadedView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let file = file_of(&message)?;
        let reserved = match &self.output {
            Some(output) => Some(Reserved::new(call.file_to_save(Path::new(output))?)?),
            None => None,
        };
        let folder = call.folder_to_save(self.folder.as_deref().map(Path::new))?;
        let client = call.online().await?;
        let download = client.download(file);
        let path = match reserved {
            Some(reserved) => {
                call.ask(download.to_file(&reserved.path)).await?;
                reserved.keep()
            }
            None => call.ask(download.into_folder(folder)).await?,
        };
        Ok(DownloadedView {
            id: message.key.id.to_string(),
            kind: message.kind.to_string(),
            bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            path: path.display().to_string(),
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
        let client = call.online().await?;
        let bytes = call.ask(client.download(file).to_bytes(limit)).await?;
        Ok(MediaContent {
            id: message.key.id.to_string(),
            kind: message.kind.to_string(),
            mime: view.and_then(|view| view.mime),
            base64: STANDARD.encode(bytes),
        })
    }
}

impl Call<'_> {
    /// The folder into which something is saved; the profile's own unless one is named.
    fn folder_to_save(&self, named: Option<&Path>) -> Result<PathBuf, Failure> {
        let own = self.service.profile.media();
        private_folder(&own).map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot use the folder {}: {error}", own.display()))
                .remedy("see whether the disk is full or the folder read-only")
        })?;
        match named {
            None => Ok(own),
            Some(named) if self.is_human() => {
                if named.is_dir() {
                    return Ok(named.to_owned());
                }
                let message = format!("there is no folder {}", named.display());
                Err(Failure::new(Cause::Usage, message).remedy("make it, or name another"))
            }
            Some(named) => self.policy().files.to_save(named, &own),
        }
    }

    /// The file to which something is saved.
    fn file_to_save(&self, named: &Path) -> Result<PathBuf, Failure> {
        let wrong = || {
            Failure::new(Cause::Usage, format!("{} names no file", named.display()))
                .remedy("name a file that is not there yet")
        };
        let name = named.file_name().ok_or_else(wrong)?;
        let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = self.folder_to_save(Some(parent.unwrap_or(Path::new("."))))?;
        Ok(folder.join(name))
    }
}

fn file_of(message: &ArchivedMessage) -> Result<MediaFile, Failure> {
    MediaFile::from_archive(message).ok_or_else(|| {
        let id = &message.key.id;
        Failure::new(Cause::Usage, format!("the message {id} has no file"))
            .remedy(remedy::FILE)
            .about(id.to_string())
    })
}

/// A name that was free and is taken now, so that nothing is ever replaced. It is free again if
/// nothing comes to stand there.
struct Reserved {
    path: PathBuf,
    is_kept: bool,
}

impl Reserved {
    fn new(path: PathBuf) -> Result<Self, Failure> {
        File::create_new(&path).map_err(|error| {
            let failed = format!("cannot write {}: {error}", path.display());
            Failure::new(Cause::Usage, failed).remedy("name a file that is not there yet")
        })?;
        Ok(Self { path, is_kept: false })
    }

    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.is_kept {
            // What is left of it is an empty file.
            let _ = fs::remove_file(&self.path);
        }
    }
}
