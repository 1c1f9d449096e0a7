//! The account's lock: whoever holds it, and nobody else, may open the connection.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::PathBuf,
};

use crate::{Profile, regular_file};

/// Held for as long as this process owns the account; the system lets go of it when the process
/// ends, however it ends, so that there is no stale lock to remove.
#[derive(Debug)]
pub struct AccountLock {
    _file: File,
}

/// The account is not ours to open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process owns it.
    #[error(
        "the account is in use by another process{}; stop it, or use another --profile",
        holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Held {
        /// The process that wrote its number into the lock file, if that could be read.
        holder: Option<u32>,
    },
    /// The lock file cannot be opened.
    #[error("cannot open the lock file {path}: {source}", path = path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl AccountLock {
    /// Takes the lock of a profile whose folder exists.
    ///
    /// # Errors
    /// [`LockError::Held`] at once if another process has it; it never waits.
    pub fn acquire(profile: &Profile) -> Result<Self, LockError> {
        let path = profile.lock_file();
        let failed = |source| LockError::File { path: path.clone(), source };
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = Read::by_ref(&mut file).take(20).read_to_string(&mut text);
                let holder = read.ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held { holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
        // A pipe is not waited for, and a link to another file is not emptied.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().cast_signed());
    }
    regular_file::ordinary(options.open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    /// A profile in a folder of its own.
    fn profile(folder: &tempfile::TempDir) -> Profile {
        let environment =
            Environment { config_home: Some(folder.path().into()), ..Environment::default() };
        Profile::locate(&"default".parse().unwrap(), Some(folder.path()), &environment).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_file_that_is_a_link_or_a_pipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let profile = profile(&folder);
        let other = folder.path().join("other");
        std::fs::write(&other, "not to be emptied").unwrap();
        std::os::unix::fs::symlink(&other, profile.lock_file()).unwrap();
        assert!(matches!(AccountLock::acquire(&profile), Err(LockError::File { .. })));
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "not to be emptied");
        std::fs::remove_file(profile.lock_file()).unwrap();
        regular_file::tests::pipe(&profile.lock_file());
        assert!(matches!(AccountLock::acquire(&profile), Err(LockError::File { .. })));
    }

    #[test]
    fn a_second_owner_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let profile = profile(&folder);
        let first = AccountLock::acquire(&profile).unwrap();
        match AccountLock::acquire(&profile) {
            Err(LockError::Held { holder }) => assert_eq!(holder, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        AccountLock::acquire(&profile).unwrap();
    }
}
