//! Where downloads go: memory, a file beside its target, or the blob as it is on the hosts, to be
//! decrypted while it is read.

use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::blob::Sink;

/// A file in memory.
#[derive(Default)]
pub(super) struct MemorySink(pub(super) Vec<u8>);

#[async_trait]
impl Sink for MemorySink {
    async fn restart(&mut self) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }

    async fn take(&mut self, _fetched: &[u8], file: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(file);
        Ok(())
    }
}

/// A file on disk: as it came, or as it is to be read.
pub(super) struct FileSink {
    file: tokio::fs::File,
    decrypted: bool,
}

impl FileSink {
    /// Keeps the file itself.
    pub(super) const fn decrypted(file: tokio::fs::File) -> Self {
        Self { file, decrypted: true }
    }

    /// Keeps what came from the host.
    pub(super) const fn as_fetched(file: tokio::fs::File) -> Self {
        Self { file, decrypted: false }
    }

    /// Gives the file back, at its beginning, with everything written.
    pub(super) async fn into_file(mut self) -> io::Result<tokio::fs::File> {
        self.file.flush().await?;
        self.file.rewind().await?;
        Ok(self.file)
    }
}

#[async_trait]
impl Sink for FileSink {
    async fn restart(&mut self) -> io::Result<()> {
        self.file.rewind().await?;
        self.file.set_len(0).await
    }

    async fn take(&mut self, fetched: &[u8], file: &[u8]) -> io::Result<()> {
        self.file.write_all(if self.decrypted { file } else { fetched }).await
    }
}
