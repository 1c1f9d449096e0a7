//! Media files: from the hosts to whoever wants them, and the other way.
//!
//! Owns the hosts and the token for them, trying again, checking and decrypting. How bytes travel
//! is a [`MediaTransport`]'s business, how files are encrypted is `wa-media`'s, and what a message
//! says of its file is `wa-proto`'s.

mod attempts;
mod blob;
mod deletion;
mod download;
mod error;
mod file;
mod file_name;
mod folder;
mod format;
mod hosts;
mod https;
mod outgoing;
mod phone;
mod preview;
mod send;
mod sink;
mod source;
mod transport;
mod upload;
mod verified;

use std::{path::PathBuf, sync::Arc};

pub use download::Download;
pub use error::MediaError;
pub use file::MediaFile;
pub use file_name::safe_file_name;
pub use folder::{Folder, SavedFile};
pub use https::{HttpsError, HttpsTransport};
pub use outgoing::{MAX_THUMBNAIL_LEN, OutgoingMedia};
pub use send::{MAX_ALBUM, SendMedia};
pub use source::MediaSource;
pub use transport::{
    MediaBody, MediaMethod, MediaRequest, MediaResponse, MediaTransport, TransportError,
};
pub use upload::{Upload, Uploaded};
pub use verified::VerifiedFile;
/// What a media file is.
pub use wa_media::MediaType;

pub(crate) use phone::answered as phone_answered;
pub(crate) use send::send_album;

pub(crate) use blob::{BlobRef, DirectPath};
pub(crate) use deletion::delete_blob;
use hosts::MediaHosts;
use phone::PhoneAnswers;
use sink::{FileSink, MemorySink};

use crate::inner::Inner;

/// How the media hosts are reached, and what is known of them.
#[derive(Debug)]
pub(crate) struct MediaState {
    transport: Arc<dyn MediaTransport>,
    temp_dir: Option<PathBuf>,
    hosts: MediaHosts,
    phone: PhoneAnswers,
}

impl MediaState {
    /// Temporary files are made in the system's folder if no other is told.
    pub(crate) fn new(transport: Arc<dyn MediaTransport>, temp_dir: Option<PathBuf>) -> Self {
        Self { transport, temp_dir, hosts: MediaHosts::default(), phone: PhoneAnswers::default() }
    }
}

/// Downloads a file of at most `limit` bytes into memory.
///
/// # Errors
/// [`MediaError`].
pub(crate) async fn fetch_blob(
    inner: &Inner,
    blob: &BlobRef,
    limit: u64,
) -> Result<Vec<u8>, MediaError> {
    let mut sink = MemorySink::default();
    blob::download(inner, blob, limit, &mut sink).await?;
    Ok(sink.0)
}

/// Downloads a file of at most `limit` bytes, and gives it to be read piece by piece; it is never
/// in memory as a whole. Everything was checked by then.
///
/// # Errors
/// [`MediaError`].
pub(crate) async fn fetch_blob_to_read(
    inner: &Inner,
    blob: &BlobRef,
    limit: u64,
) -> Result<VerifiedFile, MediaError> {
    let file = temporary_file(inner).await?;
    let mut sink = FileSink::as_fetched(tokio::fs::File::from_std(file));
    blob::download(inner, blob, limit, &mut sink).await?;
    let file = sink.into_file().await?.into_std().await;
    Ok(VerifiedFile::new(file, blob))
}

/// A file without a name, which is gone when it is closed.
async fn temporary_file(inner: &Inner) -> std::io::Result<std::fs::File> {
    let dir = inner.media.temp_dir.clone();
    let made = tokio::task::spawn_blocking(move || match dir {
        Some(dir) => tempfile::tempfile_in(dir),
        None => tempfile::tempfile(),
    });
    made.await.map_err(std::io::Error::other)?
}
