//! What is to be uploaded, and how it is encrypted: in one pass, into a temporary file, from which
//! it then goes up as often as it must.

use std::{fmt, io, path::PathBuf, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use wa_crypto::{Digest as _, Sha256};
use wa_media::{Encryptor, MediaKey, MediaType};

use super::{MediaError, transport::MediaBody};
use crate::inner::Inner;

/// A file to be uploaded. It is read once, in pieces.
#[non_exhaustive]
pub enum MediaSource {
    /// A file in memory.
    Bytes(Bytes),
    /// A file on disk, opened when it is read.
    Path(PathBuf),
    /// A file that is open already, from its beginning on: whatever takes the place of its name
    /// meanwhile, this is what is read.
    File(std::fs::File),
    /// Anything that can be read.
    Reader(Box<dyn AsyncRead + Send + Sync + Unpin>),
}

impl MediaSource {
    /// Anything that can be read.
    pub fn reader(reader: impl AsyncRead + Send + Sync + Unpin + 'static) -> Self {
        Self::Reader(Box::new(reader))
    }

    async fn open(self) -> io::Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
            Self::Path(path) => Box::new(tokio::fs::File::open(path).await?),
            Self::File(file) => {
                let mut file = tokio::fs::File::from_std(file);
                file.rewind().await?;
                Box::new(file)
            }
            Self::Reader(reader) => reader,
        })
    }
}

impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes(_) => "Bytes(…)",
            Self::Path(_) => "Path(…)",
            Self::File(_) => "File(…)",
            Self::Reader(_) => "Reader(…)",
        })
    }
}

impl From<Vec<u8>> for MediaSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Bytes> for MediaSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<std::fs::File> for MediaSource {
    fn from(file: std::fs::File) -> Self {
        Self::File(file)
    }
}

impl From<PathBuf> for MediaSource {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&std::path::Path> for MediaSource {
    fn from(path: &std::path::Path) -> Self {
        Self::Path(path.to_owned())
    }
}

/// A file as it goes to the media hosts, on disk under a name that is gone with this value.
pub(super) struct Spool {
    file: Arc<tempfile::NamedTempFile>,
    /// The key; `None` if it is not encrypted.
    pub(super) key: Option<MediaKey>,
    pub(super) sha256: [u8; 32],
    /// SHA-256 of what goes up, which names it there.
    pub(super) enc_sha256: [u8; 32],
    pub(super) length: u64,
    pub(super) enc_length: u64,
    pub(super) sidecar: Option<Vec<u8>>,
    /// The first bytes of the file, by which its format is known.
    pub(super) head: Vec<u8>,
    /// The last bytes of the file.
    pub(super) tail: Vec<u8>,
}

impl Spool {
    /// Reads a file of at most `limit` bytes, encrypted under a fresh key.
    ///
    /// # Errors
    /// [`MediaError::TooLarge`], [`MediaError::Io`].
    pub(super) async fn encrypted(
        inner: &Inner,
        media_type: MediaType,
        source: MediaSource,
        limit: u64,
    ) -> Result<Self, MediaError> {
        let key = inner.with_rng(MediaKey::random);
        let mut encryptor = Encryptor::new(&key, media_type);
        let mut copy = Copy::begin(inner, source, limit).await?;
        while let Some(piece) = copy.read().await? {
            let mut blob = Vec::with_capacity(piece.len() + 16);
            encryptor.update(&piece, &mut blob);
            copy.write(&blob).await?;
        }
        let mut blob = Vec::new();
        let sealed = encryptor.finish(&mut blob);
        copy.write(&blob).await?;
        let (file, head, tail) = copy.finish().await?;
        Ok(Self {
            file,
            key: Some(key),
            sha256: sealed.sha256,
            enc_sha256: sealed.enc_sha256,
            length: sealed.length,
            enc_length: sealed.enc_length,
            sidecar: sealed.sidecar,
            head,
            tail,
        })
    }

    /// Reads a file of at most `limit` bytes as it is: for channels, which everybody may read.
    ///
    /// # Errors
    /// As [`Spool::encrypted`].
    pub(super) async fn plain(
        inner: &Inner,
        source: MediaSource,
        limit: u64,
    ) -> Result<Self, MediaError> {
        let mut hash = Sha256::new();
        let mut copy = Copy::begin(inner, source, limit).await?;
        while let Some(piece) = copy.read().await? {
            hash.update(&piece);
            copy.write(&piece).await?;
        }
        let length = copy.length;
        let (file, head, tail) = copy.finish().await?;
        let sha256 = hash.finalize().into();
        Ok(Self {
            file,
            key: None,
            sha256,
            enc_sha256: sha256,
            length,
            enc_length: length,
            sidecar: None,
            head,
            tail,
        })
    }

    /// What goes up from an offset on.
    ///
    /// # Errors
    /// The file system's.
    pub(super) async fn body(&self, offset: u64) -> io::Result<MediaBody> {
        let named = Arc::clone(&self.file);
        let opened = tokio::task::spawn_blocking(move || named.reopen());
        let mut file = tokio::fs::File::from_std(opened.await.map_err(io::Error::other)??);
        file.seek(io::SeekFrom::Start(offset)).await?;
        Ok(MediaBody { length: self.enc_length.saturating_sub(offset), pieces: pieces(file) })
    }
}

/// Reads a source and writes a temporary file, piece by piece.
struct Copy {
    reader: Box<dyn AsyncRead + Send + Sync + Unpin>,
    named: tempfile::NamedTempFile,
    file: tokio::fs::File,
    limit: u64,
    length: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Copy {
    async fn begin(inner: &Inner, source: MediaSource, limit: u64) -> Result<Self, MediaError> {
        let dir = inner.media.temp_dir.clone();
        let made = tokio::task::spawn_blocking(move || {
            let mut builder = tempfile::Builder::new();
            builder.prefix("wa-").suffix(".enc");
            let named = match dir {
                Some(dir) => builder.tempfile_in(dir)?,
                None => builder.tempfile()?,
            };
            let file = named.reopen()?;
            Ok::<_, io::Error>((named, file))
        });
        let (named, file) = made.await.map_err(io::Error::other)??;
        Ok(Self {
            reader: source.open().await?,
            named,
            file: tokio::fs::File::from_std(file),
            limit,
            length: 0,
            head: Vec::new(),
            tail: Vec::new(),
        })
    }

    async fn read(&mut self) -> Result<Option<Bytes>, MediaError> {
        let mut piece = BytesMut::with_capacity(PIECE_LEN);
        if self.reader.read_buf(&mut piece).await? == 0 {
            return Ok(None);
        }
        self.length += piece.len() as u64;
        if self.length > self.limit {
            return Err(MediaError::TooLarge { limit: self.limit });
        }
        let missing = HEAD_LEN - self.head.len();
        self.head.extend(piece.iter().take(missing));
        self.tail.extend_from_slice(&piece);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_LEN));
        Ok(Some(piece.freeze()))
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    async fn finish(mut self) -> io::Result<(Arc<tempfile::NamedTempFile>, Vec<u8>, Vec<u8>)> {
        self.file.flush().await?;
        Ok((Arc::new(self.named), self.head, self.tail))
    }
}

fn pieces(file: tokio::fs::File) -> BoxStream<'static, io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE_LEN);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    })
    .boxed()
}

/// How much is read at a time, in bytes.
const PIECE_LEN: usize = 64 * 1024;
/// How much of a file's beginning and end is kept for whoever looks at its format: an Ogg page is
/// at most 65,307 bytes long.
const HEAD_LEN: usize = 64 * 1024;
const TAIL_LEN: usize = 64 * 1024;
