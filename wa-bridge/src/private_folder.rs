//! Folders that only their owner may enter.
//!
//! What is found out of a folder and what is changed of it is the folder that was opened, never
//! again its name: in a folder that everybody may write in, another may stand there by then.

use std::{fs, io, path::Path};

/// Makes a folder that only its owner may enter, and closes one that exists to everybody else.
/// Links are followed: a person may keep an account on another disk.
///
/// # Errors
/// Those of the file system.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    make(path)?;
    #[cfg(unix)]
    {
        let folder = unix::open(path, unix::Links::Follow)?;
        if unix::mode(&folder)? & 0o777 != 0o700 {
            // Fails for a folder of somebody else.
            rustix::fs::fchmod(&folder, rustix::fs::Mode::RWXU)?;
        }
    }
    Ok(())
}

/// Makes a private folder among those of other people, as in the folder for temporary files, or
/// takes one that is there if it is one: it must be no link, this user's, closed to everybody else
/// ever since, and stand where only its owner can take it away.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::PermissionDenied`] for what is no such folder.
pub(crate) fn private_folder_among_others(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        // A runtime folder that nobody made yet; whether it can be trusted is looked at below.
        make(parent)?;
    }
    match make_one(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check_among_others(path),
    }
}

/// Checks that there is a private folder, without making one: whoever follows a name that others
/// could have taken first asks here whose it is.
///
/// # Errors
/// As [`private_folder_among_others`].
pub(crate) fn check_among_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = unix::open(path, unix::Links::Refuse)?;
        if unix::owned(&folder, path)? & 0o077 != 0 {
            // Who could enter it may have put something there.
            return Err(denied(path, "can be entered by others; remove it"));
        }
        unix::check_parent(path)?;
    }
    let _ = path;
    Ok(())
}

fn denied(path: &Path, what: &str) -> io::Error {
    let message = format!("the folder {} {what}", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}

fn make(path: &Path) -> io::Result<()> {
    builder(true).create(path)
}

fn make_one(path: &Path) -> io::Result<()> {
    builder(false).create(path)
}

fn builder(recursive: bool) -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(unix)]
mod unix {
    use std::{
        fs::File,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
        process::geteuid,
    };

    use super::{Path, denied, io};

    #[derive(Clone, Copy, PartialEq)]
    pub(super) enum Links {
        Follow,
        Refuse,
    }

    pub(super) fn open(path: &Path, links: Links) -> io::Result<File> {
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(folder) => Ok(File::from(folder)),
            Err(Errno::LOOP | Errno::NOTDIR) if links == Links::Refuse => {
                Err(denied(path, "is a link or no folder; remove it"))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn mode(folder: &File) -> io::Result<u32> {
        Ok(folder.metadata()?.permissions().mode())
    }

    /// The rights of a folder that is this user's.
    pub(super) fn owned(folder: &File, path: &Path) -> io::Result<u32> {
        let found = folder.metadata()?;
        if found.uid() != geteuid().as_raw() {
            return Err(denied(path, "belongs to another user"));
        }
        Ok(found.mode())
    }

    /// Whether nobody but the owner (and root) can put another folder in its place.
    pub(super) fn check_parent(path: &Path) -> io::Result<()> {
        const STICKY: u32 = 0o1000;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let found = open(parent, Links::Follow)?.metadata()?;
        let is_trusted = found.uid() == 0 || found.uid() == geteuid().as_raw();
        if !is_trusted || (found.mode() & 0o022 != 0 && found.mode() & STICKY == 0) {
            return Err(denied(parent, "lets others replace what is in it"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_of_an_account_is_closed_to_others() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!((mode(&root.path().join("a")), mode(&folder)), (0o700, 0o700));
        chmod(&folder, 0o755);
        private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn among_others_no_folder_is_taken_that_somebody_prepared() {
        let root = tempfile::tempdir().unwrap();
        chmod(root.path(), 0o1777);
        let path = |name: &str| root.path().join(name);
        private_folder_among_others(&path("mine")).unwrap();
        private_folder_among_others(&path("not/there/yet")).unwrap();
        private_folder_among_others(&path("mine")).unwrap();
        assert_eq!(mode(&path("mine")), 0o700);

        fs::create_dir(path("victim")).unwrap();
        chmod(&path("victim"), 0o755);
        symlink(path("victim"), path("link")).unwrap();
        assert!(private_folder_among_others(&path("link")).is_err());
        assert_eq!(mode(&path("victim")), 0o755, "nothing behind a link is touched");
        for open in [0o777, 0o750, 0o701] {
            chmod(&path("victim"), open);
            let error = private_folder_among_others(&path("victim")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{open:o}");
        }
        fs::write(path("file"), "").unwrap();
        assert!(private_folder_among_others(&path("file")).is_err());
        assert!(check_among_others(&path("missing")).is_err());
    }

    #[test]
    fn among_others_a_folder_must_be_safe_from_being_replaced() {
        let root = tempfile::tempdir().unwrap();
        chmod(root.path(), 0o777);
        let error = private_folder_among_others(&root.path().join("mine")).unwrap_err();
        assert!(error.to_string().contains("replace"), "{error}");
    }

    /// `/` belongs to root, which the tests may be.
    #[test]
    fn a_folder_of_another_user_is_refused() {
        if rustix::process::geteuid().is_root() {
            return;
        }
        assert!(private_folder(Path::new("/")).is_err());
    }
}
