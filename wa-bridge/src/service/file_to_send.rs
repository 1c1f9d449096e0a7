//! A file that is to be sent, as it was when it was opened.
//!
//! It is copied once into a file without a name, which nobody else can open. What a person is shown
//! of it, what its digest says, what is made of it and what is uploaded are the same bytes, whatever
//! becomes of the file itself meanwhile: a message may wait half a minute for its turn, and whoever
//! may write in the folder may exchange or rewrite the file all that time. A draft that is agreed to
//! later opens the file anew, and its digest says whether it still is the one that was agreed to.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::Call;
use crate::{
    failure::{Cause, Failure},
    policy::{Files, unreadable},
};

/// The private copy of a file.
#[derive(Debug)]
pub(super) struct FileToSend {
    copy: File,
    /// Where the file was, for people.
    pub(super) path: PathBuf,
    /// The first bytes, which tell what it is.
    pub(super) head: Vec<u8>,
    /// SHA-256 of all of them.
    pub(super) sha256: Vec<u8>,
    /// How many there are.
    pub(super) len: u64,
}

impl Call<'_> {
    /// Opens a file that may be sent and copies it: one within the policy's folders where an
    /// assistant asks, any where a person does.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] for files out of reach, [`Cause::Usage`] for what cannot be read or is
    /// too large.
    pub(super) async fn file_to_send(&self, named: &str) -> Result<FileToSend, Failure> {
        let (files, path) = (self.policy().files.clone(), PathBuf::from(named));
        let (is_human, profile) = (self.is_human(), self.service.profile.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let file = match is_human {
                true => files.open_for_person(&path)?,
                false => files.open_to_send(&path, &[profile.folder(), profile.config()])?,
            };
            FileToSend::copy(file, path, profile.folder(), &files)
        });
        opened.await.unwrap_or_else(|_| Err(Failure::new(Cause::Failed, "the reading was stopped")))
    }
}

impl FileToSend {
    fn copy(file: File, path: PathBuf, folder: &Path, files: &Files) -> Result<Self, Failure> {
        let copy = tempfile::tempfile_in(folder).map_err(|error| {
            let message = format!("cannot copy the file to {}: {error}", folder.display());
            Failure::new(Cause::Failed, message).remedy("see whether the disk is full")
        })?;
        let mut made = Self { copy, path, head: Vec::new(), sha256: Vec::new(), len: 0 };
        let limit = files.max_send_bytes();
        made.fill(file, limit).map_err(|error| unreadable(&made.path, &error))?;
        // It may have grown or shrunk since it was looked at.
        if made.len > limit {
            return Err(files.too_large(&made.path));
        }
        if made.len == 0 {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(unreadable(&made.path, &error));
        }
        Ok(made)
    }

    fn fill(&mut self, file: File, limit: u64) -> io::Result<()> {
        let (mut file, mut hash) = (file.take(limit.saturating_add(1)), Sha256::new());
        let mut piece = vec![0; PIECE];
        loop {
            let count = match file.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            let bytes = piece.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                self.sha256 = hash.finalize().to_vec();
                return self.copy.rewind();
            }
            let missing = HEAD.saturating_sub(self.head.len());
            self.head.extend(bytes.iter().take(missing));
            hash.update(bytes);
            self.copy.write_all(bytes)?;
            self.len += u64::try_from(count).unwrap_or_default();
        }
    }

    /// The last part of its path.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The copy, at its beginning.
    pub(super) fn into_file(self) -> File {
        self.copy
    }

    /// All of it, of at most so many bytes.
    ///
    /// # Errors
    /// [`Cause::Usage`] for more.
    pub(super) fn read(mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        if self.len > u64::try_from(limit).unwrap_or(u64::MAX) {
            let message = format!("{} has more than {limit} bytes", self.path.display());
            return Err(Failure::new(Cause::Usage, message).remedy("choose a smaller file"));
        }
        let mut bytes = Vec::new();
        let read = self.copy.read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&self.path, &error))?;
        Ok(bytes)
    }
}

/// How many bytes are read at once.
const PIECE: usize = 64 << 10;

/// How many bytes tell what a file is.
const HEAD: usize = 16;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn copied(path: &Path) -> Result<FileToSend, Failure> {
        let folder = path.parent().unwrap();
        FileToSend::copy(File::open(path).unwrap(), path.to_owned(), folder, &Files::default())
    }

    #[test]
    fn what_leaves_is_what_was_hashed_whatever_becomes_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        fs::write(&path, "dear Anna, all is well").unwrap();
        let file = copied(&path).unwrap();
        // The same file is written anew, and another takes its place.
        fs::write(&path, "the PIN is 1234").unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "the PIN is 5678").unwrap();
        let expected = Sha256::digest("dear Anna, all is well").to_vec();
        assert_eq!((file.name().as_str(), file.len), ("letter.txt", 22));
        assert_eq!((file.head.as_slice(), &file.sha256), (&b"dear Anna, all i"[..], &expected));
        let mut read = String::new();
        file.into_file().read_to_string(&mut read).unwrap();
        assert_eq!(read, "dear Anna, all is well");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the copy has no name");
    }

    #[test]
    fn a_file_that_grows_or_is_emptied_after_it_was_looked_at_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        let files = Files { max_send_mb: 0, ..Files::default() };
        let grown =
            FileToSend::copy(File::open(&path).unwrap(), path.clone(), folder.path(), &files);
        assert!(grown.unwrap_err().message.contains("more than 0 MB"));
        fs::write(&path, "").unwrap();
        assert_eq!(copied(&path).unwrap_err().cause, Cause::Usage);
    }

    #[test]
    fn only_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        fs::write(&path, [7; 4]).unwrap();
        assert_eq!(copied(&path).unwrap().read(4).unwrap(), vec![7; 4]);
        let failure = copied(&path).unwrap().read(3).unwrap_err();
        assert!(failure.cause == Cause::Usage && failure.remedy.is_some());
    }
}
