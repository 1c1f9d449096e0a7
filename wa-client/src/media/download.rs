//! The verb `download`: where a file goes, and how large it may be.
//!
//! A target is never seen half-written: the file is written beside it under another name, checked,
//! and then moved to its place.

use std::{io, path::Path, sync::Arc};

use super::{
    BlobRef, FileSink, MediaError, MediaFile, VerifiedFile, blob, fetch_blob, fetch_blob_to_read,
};
use crate::inner::Inner;

/// A download that is about to be made. Whatever it ends in, every checksum and MAC was right
/// before anybody sees a byte.
#[derive(Debug, Clone)]
#[must_use = "nothing is downloaded until it is told where to"]
pub struct Download {
    inner: Arc<Inner>,
    file: MediaFile,
    limit: u64,
}

impl Download {
    pub(crate) const fn new(inner: Arc<Inner>, file: MediaFile) -> Self {
        Self { inner, file, limit: DEFAULT_LIMIT }
    }

    /// Refuses files of more bytes than this; 2 GiB, the most that WhatsApp sends, unless told
    /// otherwise.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Downloads into memory, at most `limit` bytes.
    ///
    /// # Errors
    /// [`MediaError`].
    pub async fn to_bytes(self, limit: u64) -> Result<Vec<u8>, MediaError> {
        fetch_blob(&self.inner, &self.blob()?, limit.min(self.limit)).await
    }

    /// Downloads to a file, which is replaced if there is one. It can be read by its owner alone.
    ///
    /// # Errors
    /// [`MediaError`]; then `target` is as it was before, and nothing else is left on disk.
    pub async fn to_file(self, target: impl AsRef<Path>) -> Result<(), MediaError> {
        let target = target.as_ref().to_owned();
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => Path::new(".").to_owned(),
        };
        let part = self.to_part(&folder).await?;
        blocking(move || part.persist(&target).map(drop).map_err(|error| error.error)).await
    }

    /// Downloads, and gives the file to be read piece by piece: it is never in memory as a whole,
    /// and lies on disk only as it was encrypted.
    ///
    /// # Errors
    /// [`MediaError`].
    pub async fn to_reader(self) -> Result<VerifiedFile, MediaError> {
        fetch_blob_to_read(&self.inner, &self.blob()?, self.limit).await
    }

    fn blob(&self) -> Result<BlobRef, MediaError> {
        BlobRef::of(&self.file.media, self.file.media_type)
    }

    /// Downloads to a file beside its target, which is gone when it is dropped.
    async fn to_part(&self, folder: &Path) -> Result<tempfile::NamedTempFile, MediaError> {
        let blob = self.blob()?;
        let folder = folder.to_owned();
        let part = blocking(move || {
            tempfile::Builder::new().prefix(PART_PREFIX).suffix(PART_SUFFIX).tempfile_in(folder)
        });
        let part = part.await?;
        let file = tokio::fs::File::from_std(part.reopen()?);
        let mut sink = FileSink::decrypted(file);
        blob::download(&self.inner, &blob, self.limit, &mut sink).await?;
        sink.into_file().await?.sync_all().await?;
        Ok(part)
    }
}

/// Does what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, MediaError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??)
}

/// The most that WhatsApp sends, in bytes.
const DEFAULT_LIMIT: u64 = 2 << 30;
/// What a file is called that is not whole yet.
const PART_PREFIX: &str = ".wa-";
const PART_SUFFIX: &str = ".part";
