//! A file that was downloaded and checked, and is decrypted only while it is read.
//!
//! What lies on disk meanwhile is the blob as the hosts have it, in a file without a name: nobody
//! without the key can read it, and nothing is left of it when it is dropped.

use std::{
    fmt,
    io::{self, Read},
};

use super::blob::{BlobRef, Opener};

/// A downloaded file whose MAC and checksums were found right; see [`Read`]. Reading is blocking
/// file access.
pub struct VerifiedFile {
    blob: std::fs::File,
    opener: Option<Opener>,
    piece: Vec<u8>,
    file: Vec<u8>,
    /// How much of `file` was read.
    given: usize,
}

impl VerifiedFile {
    /// Takes a blob, at its beginning, that was checked against `reference`.
    pub(super) fn new(blob: std::fs::File, reference: &BlobRef) -> Self {
        let opener = Some(Opener::new(reference));
        Self { blob, opener, piece: vec![0; PIECE_LEN], file: Vec::new(), given: 0 }
    }

    /// Decrypts the next piece.
    fn refill(&mut self) -> io::Result<()> {
        (self.given, self.file) = (0, std::mem::take(&mut self.file));
        self.file.clear();
        while let (true, Some(opener)) = (self.file.is_empty(), &mut self.opener) {
            let read = self.blob.read(&mut self.piece)?;
            match self.piece.get(..read) {
                Some(piece) if read > 0 => opener.update(piece, &mut self.file),
                // Whoever changed a file without a name in between is noticed here.
                _ => match self.opener.take().map(|opener| opener.finish(&mut self.file)) {
                    Some(Err(error)) => return Err(io::Error::other(error)),
                    _ => return Ok(()),
                },
            }
        }
        Ok(())
    }
}

impl Read for VerifiedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.file.len() {
            self.refill()?;
        }
        let mut rest = self.file.get(self.given..).unwrap_or_default();
        let read = rest.read(into)?;
        self.given += read;
        Ok(read)
    }
}

impl fmt::Debug for VerifiedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedFile").finish_non_exhaustive()
    }
}

/// How much is decrypted at a time, in bytes.
const PIECE_LEN: usize = 64 * 1024;
