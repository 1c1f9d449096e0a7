//! `media`: the files of messages.

use std::{
    fs::{self, File},
    path::Path,
};

use serde::Serialize;
use wa_client::media::MediaFile;
use wa_store::ArchivedMessage;

use crate::{
    args::{DownloadArguments, GlobalArguments, MediaCommand},
    failure::{Cause, Failure},
    output::{Output, foreign},
    plan, session,
    view::{MediaView, bytes},
};

/// What was downloaded, in `--json`.
#[derive(Debug, Serialize)]
struct DownloadView {
    id: String,
    kind: String,
    path: String,
    bytes: u64,
    mime: Option<String>,
}

pub(crate) async fn run(
    command: &MediaCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        MediaCommand::Download(arguments) => download(arguments, global, output).await,
    }
}

async fn download(
    arguments: &DownloadArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let (view, message) = session::with(global, async |session, account| {
        let message = plan::message(&arguments.message, account.store.as_ref()).await?;
        let file = file_of(&message)?;
        let folder = arguments.folder.as_deref().unwrap_or(Path::new("."));
        if arguments.output.is_none() && !folder.is_dir() {
            let message = format!("there is no folder {}", folder.display());
            return Err(Failure::new(Cause::Usage, message).remedy("make it, or name another"));
        }
        let reserved = arguments.output.as_deref().map(Reserved::new).transpose()?;
        session.begin().await?;
        let download = session.client.download(file);
        let path = match reserved {
            Some(reserved) => {
                session.ask(download.to_file(reserved.path)).await?;
                reserved.keep()
            }
            None => session.ask(download.into_folder(folder)).await?,
        };
        let view = DownloadView {
            id: message.key.id.to_string(),
            kind: message.kind.to_string(),
            bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            path: path.display().to_string(),
            mime: MediaView::of(&message).and_then(|media| media.mime),
        };
        Ok((view, message))
    })
    .await?;
    let kind = foreign::plain(message.kind.as_str(), " ");
    let text = format!("{kind}, {}: {}", bytes(view.bytes), foreign::plain(&view.path, " "));
    Ok(output.result(&view, &text)?)
}

fn file_of(message: &ArchivedMessage) -> Result<MediaFile, Failure> {
    MediaFile::from_archive(message).ok_or_else(|| {
        let id = &message.key.id;
        let failure = Failure::new(Cause::Usage, format!("the message {id} has no file"));
        failure.remedy("see: wa-cli messages CHAT --ids").about(id.to_string())
    })
}

/// A name that was free and is taken now, so that nothing is ever replaced. It is free again if
/// nothing comes to stand there.
struct Reserved<'a> {
    path: &'a Path,
    is_kept: bool,
}

impl<'a> Reserved<'a> {
    fn new(path: &'a Path) -> Result<Self, Failure> {
        File::create_new(path).map_err(|error| {
            let failed = format!("cannot write {}: {error}", path.display());
            Failure::new(Cause::Usage, failed).remedy("name a file that is not there yet")
        })?;
        Ok(Self { path, is_kept: false })
    }

    fn keep(mut self) -> std::path::PathBuf {
        self.is_kept = true;
        self.path.to_owned()
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // What is left of it is an empty file.
            let _ = fs::remove_file(self.path);
        }
    }
}
