//! The verb `download`: where a file goes, and how large it may be.
//!
//! A target is never seen half-written: the file is written beside it under another name, checked,
//! and then moved to its place.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    BlobRef, FileSink, Folder, MediaError, MediaFile, MemorySink, SavedFile, VerifiedFile,
    blob::{self, Sink},
    file_name::{put_into, safe_file_name},
    folder::Part,
    phone::ask_phone,
    temporary_file,
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
    ask_phone: bool,
}

impl Download {
    pub(crate) const fn new(inner: Arc<Inner>, file: MediaFile) -> Self {
        Self { inner, file, limit: DEFAULT_LIMIT, ask_phone: true }
    }

    /// Whether the phone is asked to upload the file again if the media hosts have it no more: it
    /// is, unless told otherwise, where the file's [message](MediaFile::message) is known. That
    /// can take a minute or two.
    pub const fn ask_phone(mut self, ask: bool) -> Self {
        self.ask_phone = ask;
        self
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
        let mut sink = MemorySink::default();
        self.fetch_into(limit.min(self.limit), &mut sink).await?;
        Ok(sink.0)
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
        let part = blocking(move || {
            tempfile::Builder::new().prefix(".wa-").suffix(".part").tempfile_in(folder)
        });
        let part = part.await?;
        self.write(part.reopen()?).await?;
        blocking(move || part.persist(&target).map(drop).map_err(|error| error.error)).await
    }

    /// Downloads into a folder, under the sender's name for the file as far as that is harmless,
    /// and gives the path. Nothing is replaced: where the name is taken, a number is put behind
    /// it. The file can be read by its owner alone.
    ///
    /// # Errors
    /// [`MediaError`]; then the folder is as it was before.
    pub async fn into_folder(self, folder: impl AsRef<Path>) -> Result<PathBuf, MediaError> {
        let folder = folder.as_ref().to_owned();
        let folder = blocking(move || Folder::open(folder)).await?;
        Ok(self.into_open_folder(&folder).await?.path)
    }

    /// As [`Download::into_folder`], into a folder that is open already: whatever takes the place
    /// of its path meanwhile, the file goes there.
    ///
    /// # Errors
    /// [`MediaError`]; then the folder is as it was before.
    pub async fn into_open_folder(self, folder: &Folder) -> Result<SavedFile, MediaError> {
        let media = &self.file.media;
        let name = safe_file_name(media.file_name.as_deref(), media.mimetype.as_deref());
        self.save(folder, move |part| put_into(part, &name)).await
    }

    /// Downloads into a folder that is open already, under this name. Nothing is replaced, and a
    /// link of that name is not followed.
    ///
    /// # Errors
    /// [`MediaError`], [`io::ErrorKind::AlreadyExists`] within it if something has the name.
    pub async fn to_new_file(self, folder: &Folder, name: &str) -> Result<SavedFile, MediaError> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(io::Error::from(io::ErrorKind::InvalidFilename).into());
        }
        let (name, looked_in) = (name.to_owned(), folder.clone());
        let taken = name.clone();
        // Known before anything is fetched; what is put there meanwhile is noticed as well.
        if blocking(move || looked_in.is_taken(&taken)).await? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        self.save(folder, move |part| part.put_as(&name).map(|()| name)).await
    }

    async fn save(
        self,
        folder: &Folder,
        put: impl FnOnce(&Part) -> io::Result<String> + Send + 'static,
    ) -> Result<SavedFile, MediaError> {
        let begun = folder.clone();
        let part = blocking(move || begun.part()).await?;
        self.write(part.file()?).await?;
        let folder = folder.clone();
        blocking(move || {
            let bytes = part.len()?;
            Ok(SavedFile { path: folder.path().join(put(&part)?), bytes })
        })
        .await
    }

    /// Downloads, and gives the file to be read piece by piece: it is never in memory as a whole,
    /// and lies on disk only as it was encrypted.
    ///
    /// # Errors
    /// [`MediaError`].
    pub async fn to_reader(self) -> Result<VerifiedFile, MediaError> {
        let file = temporary_file(&self.inner).await?;
        let mut sink = FileSink::as_fetched(tokio::fs::File::from_std(file));
        let blob = self.fetch_into(self.limit, &mut sink).await?;
        let file = sink.into_file().await?.into_std().await;
        Ok(VerifiedFile::new(file, &blob))
    }

    /// Downloads from the media hosts, or by way of the phone. Gives what the file is now known
    /// as.
    async fn fetch_into(&self, limit: u64, sink: &mut dyn Sink) -> Result<BlobRef, MediaError> {
        let mut blob = BlobRef::of(&self.file.media, self.file.media_type)?;
        match blob::download(&self.inner, &blob, limit, sink).await {
            Ok(()) => return Ok(blob),
            Err(MediaError::Gone) if self.ask_phone => {}
            Err(error) => return Err(error),
        }
        let (Some(message), Some(key)) = (&self.file.message, &blob.media_key) else {
            return Err(MediaError::Gone);
        };
        tracing::info!(id = %message.id, "the media hosts have a file no more; asking the phone");
        blob.direct_path = ask_phone(&self.inner, message, key).await?;
        blob::download(&self.inner, &blob, limit, sink).await?;
        Ok(blob)
    }

    /// Downloads to a file that is open, to its end on the disk.
    async fn write(&self, file: std::fs::File) -> Result<(), MediaError> {
        let mut sink = FileSink::decrypted(tokio::fs::File::from_std(file));
        self.fetch_into(self.limit, &mut sink).await?;
        Ok(sink.into_file().await?.sync_all().await?)
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
