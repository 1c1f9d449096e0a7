//! A folder into which files are put, by what was opened and not by its name: whatever takes the
//! name's place meanwhile, the files go where the folder was found.
//!
//! Nothing is ever replaced, no link is followed, and a file has its name only once it is whole.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A folder that is open. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder {
    #[cfg(unix)]
    open: Arc<File>,
    path: Arc<PathBuf>,
}

/// A file that was put into a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedFile {
    /// Where it is: the folder's path as it was named, and the file's name.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Folder {
    /// Opens the folder that is at a path now.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        #[cfg(unix)]
        {
            use rustix::fs::{Mode, OFlags};
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let open = rustix::fs::open(&path, flags, Mode::empty())?;
            Ok(Self { open: Arc::new(open.into()), path: Arc::new(path) })
        }
        #[cfg(not(unix))]
        Ok(Self { path: Arc::new(path) })
    }

    /// Takes a folder that is open already; `path` says to people where it is.
    pub fn from_open(folder: File, path: impl Into<PathBuf>) -> Self {
        #[cfg(unix)]
        return Self { open: Arc::new(folder), path: Arc::new(path.into()) };
        #[cfg(not(unix))]
        {
            drop(folder);
            Self { path: Arc::new(path.into()) }
        }
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
mod part {
    use rand::Rng as _;
    use rustix::{
        fs::{AtFlags, Mode, OFlags, linkat, openat, renameat, statat, unlinkat},
        io::Errno,
    };

    use super::{Arc, File, Folder, io};

    /// A file that is not whole yet, under a name that nobody looks for; gone when it is dropped.
    #[derive(Debug)]
    pub(in crate::media) struct Part {
        folder: Folder,
        name: String,
        file: Arc<File>,
    }

    impl Folder {
        /// Whether something has this name: also a link that leads nowhere.
        pub(in crate::media) fn is_taken(&self, name: &str) -> io::Result<bool> {
            match statat(&*self.open, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Ok(true),
                Err(Errno::NOENT) => Ok(false),
                Err(error) => Err(error.into()),
            }
        }

        /// Begins a file, which its owner alone can read.
        pub(in crate::media) fn part(&self) -> io::Result<Part> {
            let mut bytes = [0; 8];
            rand::rng().fill_bytes(&mut bytes);
            let name = format!("{}{}{}", super::PREFIX, hex::encode(bytes), super::SUFFIX);
            let file = self.create(&name)?;
            Ok(Part { folder: self.clone(), name, file: Arc::new(file) })
        }

        /// Makes a file where there is nothing.
        fn create(&self, name: &str) -> rustix::io::Result<File> {
            let flags =
                OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&*self.open, name, flags, Mode::RUSR | Mode::WUSR).map(File::from)
        }
    }

    impl Part {
        /// The file, to be written.
        pub(in crate::media) fn file(&self) -> io::Result<File> {
            self.file.try_clone()
        }

        /// How many bytes it has.
        pub(in crate::media) fn len(&self) -> io::Result<u64> {
            Ok(self.file.metadata()?.len())
        }

        /// Gives it its name.
        ///
        /// # Errors
        /// [`io::ErrorKind::AlreadyExists`] if something has the name; then the part is still
        /// there, and another name may be tried.
        pub(in crate::media) fn put_as(&self, name: &str) -> io::Result<()> {
            let folder = &*self.folder.open;
            match linkat(folder, &self.name, folder, name, AtFlags::empty()) {
                Ok(()) => Ok(()),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                // Not every file system has second names: then the name is taken first, by a file
                // that is replaced.
                Err(_) => {
                    self.folder.create(name)?;
                    renameat(folder, &self.name, folder, name).map_err(|error| {
                        let _ = unlinkat(folder, name, AtFlags::empty());
                        error.into()
                    })
                }
            }
        }
    }

    impl Drop for Part {
        fn drop(&mut self) {
            // It is not there any more where it was renamed.
            let _ = unlinkat(&*self.folder.open, &self.name, AtFlags::empty());
        }
    }
}

#[cfg(not(unix))]
mod part {
    use super::{File, Folder, io};

    /// A file that is not whole yet; gone when it is dropped.
    #[derive(Debug)]
    pub(in crate::media) struct Part {
        folder: Folder,
        file: tempfile::NamedTempFile,
    }

    impl Folder {
        pub(in crate::media) fn is_taken(&self, name: &str) -> io::Result<bool> {
            Ok(self.path.join(name).symlink_metadata().is_ok())
        }

        pub(in crate::media) fn part(&self) -> io::Result<Part> {
            let mut builder = tempfile::Builder::new();
            builder.prefix(super::PREFIX).suffix(super::SUFFIX);
            Ok(Part { folder: self.clone(), file: builder.tempfile_in(&*self.path)? })
        }
    }

    impl Part {
        pub(in crate::media) fn file(&self) -> io::Result<File> {
            self.file.reopen()
        }

        pub(in crate::media) fn len(&self) -> io::Result<u64> {
            Ok(self.file.as_file().metadata()?.len())
        }

        pub(in crate::media) fn put_as(&self, name: &str) -> io::Result<()> {
            std::fs::hard_link(self.file.path(), self.folder.path.join(name))
        }
    }
}

pub(super) use part::Part;

/// What a file is called that is not whole yet.
const PREFIX: &str = ".wa-";
const SUFFIX: &str = ".part";

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
        io::Write as _,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    fn put(folder: &Folder, name: &str, text: &str) -> io::Result<()> {
        let part = folder.part()?;
        part.file()?.write_all(text.as_bytes())?;
        part.put_as(name)
    }

    #[test]
    fn nothing_is_replaced_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(inside.join("taken"), "mine").unwrap();
        symlink(outside.join("new"), inside.join("dangling")).unwrap();
        let folder = Folder::open(&inside).unwrap();
        for name in ["taken", "dangling"] {
            assert!(folder.is_taken(name).unwrap());
            let error = put(&folder, name, "theirs").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(inside.join("taken")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        put(&folder, "free", "new").unwrap();
        let mode = fs::metadata(inside.join("free")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 3, "no part is left");
    }

    #[test]
    fn what_takes_the_place_of_a_folder_gets_nothing() {
        let root = tempfile::tempdir().unwrap();
        let (path, aside, other) =
            (root.path().join("in"), root.path().join("aside"), root.path().join("other"));
        fs::create_dir(&path).unwrap();
        fs::create_dir(&other).unwrap();
        let folder = Folder::open(&path).unwrap();
        fs::rename(&path, &aside).unwrap();
        symlink(&other, &path).unwrap();
        put(&folder, "file", "text").unwrap();
        assert_eq!(fs::read(aside.join("file")).unwrap(), b"text");
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    }
}
