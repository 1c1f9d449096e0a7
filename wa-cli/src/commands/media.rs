//! `media`: the files of messages.

use std::path::Path;

use wa_bridge::{api::MediaDownload, foreign};

use super::message::message;
use crate::{
    args::{DownloadArguments, MediaCommand},
    failure::Failure,
    file,
    session::Session,
    view::media::bytes,
};

pub(crate) async fn run(command: &MediaCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        MediaCommand::Download(arguments) => download(arguments, session).await,
    }
}

async fn download(arguments: &DownloadArguments, session: &Session<'_>) -> Result<(), Failure> {
    let output = arguments.output.as_deref().map(file::absolute).transpose()?;
    let folder = match &output {
        Some(_) => None,
        None => Some(file::absolute(arguments.folder.as_deref().unwrap_or(Path::new(".")))?),
    };
    let (chat, id) = message(&arguments.message, session).await?;
    let view = session.call(MediaDownload { chat, id, folder, output }).await?;
    let kind = foreign::plain(&view.kind, " ");
    let text = format!("{kind}, {}: {}", bytes(view.bytes), foreign::plain(&view.path, " "));
    session.output.result(&view, &text)
}
