//! A folder that the policy names: absolute, there, and by where it truly is.
//!
//! What an assistant names below it is reached by walking down from the root of the file system,
//! name by name, without following any link. So nobody who may write in the folder can lead the
//! way out of it, however fast they exchange what is there.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// A folder of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub struct AllowedFolder {
    /// As the policy names it, with the home in place of `~`.
    named: PathBuf,
    /// Without any link on the way. As it is named until it was looked up.
    real: PathBuf,
}

impl From<PathBuf> for AllowedFolder {
    fn from(named: PathBuf) -> Self {
        Self { real: named.clone(), named }
    }
}

impl From<AllowedFolder> for PathBuf {
    fn from(folder: AllowedFolder) -> Self {
        folder.named
    }
}

impl AllowedFolder {
    /// A folder that is the program's own.
    ///
    /// # Errors
    /// The file system's.
    pub(super) fn own(path: &Path) -> io::Result<Self> {
        Ok(Self { named: path.to_owned(), real: fs::canonicalize(path)? })
    }

    /// Whether it is another folder, or lies in it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.real.starts_with(&other.real)
    }

    /// Checks that it can be told where it is, whichever folder a process stands in.
    ///
    /// # Errors
    /// What is wrong with it, and how to write it.
    pub(super) fn check(&self) -> Result<(), String> {
        let shown = self.named.display();
        let has_home = self.named.starts_with("~");
        if !self.named.is_absolute() && !has_home {
            return Err(format!(
                "the folder \"{shown}\" is not absolute; write it from the root on, as \"/home/ada/outgoing\" or \"~/outgoing\""
            ));
        }
        if self.named.components().any(|part| part == Component::ParentDir) {
            return Err(format!("the folder \"{shown}\" has \"..\" in it; write where it leads"));
        }
        Ok(())
    }

    /// Looks up where it truly is.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(super) fn look_up(&mut self, home: Option<&Path>) -> Result<(), String> {
        if let Ok(rest) = self.named.strip_prefix("~") {
            let home = home.ok_or("a folder begins with ~, and no home is known; write it out")?;
            self.named = home.join(rest);
        }
        let shown = self.named.display();
        let real = fs::canonicalize(&self.named).map_err(|error| {
            format!("the folder \"{shown}\" cannot be used ({error}); make it, or take it out")
        })?;
        if !real.is_dir() {
            return Err(format!("\"{shown}\" is no folder; name the folder it is in"));
        }
        self.real = real;
        Ok(())
    }

    /// What stands behind the folder in a path, if the path goes through it.
    pub(super) fn below<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let escapes = path.components().any(|part| part == Component::ParentDir);
        let rest = path.strip_prefix(&self.named).or_else(|_| path.strip_prefix(&self.real));
        rest.ok().filter(|_| !escapes)
    }

    /// The name for people.
    pub(super) fn shown(&self) -> impl std::fmt::Display + '_ {
        self.named.display()
    }

    /// Opens what is below it.
    ///
    /// # Errors
    /// [`WalkError`].
    pub(super) fn open_file(&self, rest: &Path) -> Result<Opened, WalkError> {
        let (Some(folder), Some(name)) = (rest.parent(), rest.file_name()) else {
            return Err(WalkError::Io(io::ErrorKind::IsADirectory.into()));
        };
        let folder = walk(&self.real.join(folder))?;
        let file = open_file_at(&folder, name)?;
        Ok(Opened { folder, file })
    }

    /// Opens it, or a folder below it, and tells its true path.
    ///
    /// # Errors
    /// [`WalkError`].
    pub(super) fn open_folder(&self, rest: &Path) -> Result<(File, PathBuf), WalkError> {
        let path =
            if rest.as_os_str().is_empty() { self.real.clone() } else { self.real.join(rest) };
        Ok((walk(&path)?, path))
    }
}

/// A file, and the folder in which it was found.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) folder: File,
    pub(super) file: File,
}

/// Why a path was not walked to its end.
#[derive(Debug)]
pub(super) enum WalkError {
    /// A link stands on the way, or what is no folder.
    Link,
    /// The file system's reason.
    Io(io::Error),
}

/// Opens a folder by its true path: from the root down, following nothing.
#[cfg(unix)]
fn walk(real: &Path) -> Result<File, WalkError> {
    use rustix::fs::{Mode, OFlags, open, openat};
    // Whoever may pass through a folder needs not be allowed to list it.
    #[cfg(target_os = "linux")]
    const PASS: OFlags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    const PASS: OFlags = OFlags::RDONLY;
    let flags = PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = open("/", flags, Mode::empty()).map_err(failed)?;
    for part in real.components() {
        match part {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => {
                folder = openat(&folder, name, flags, Mode::empty()).map_err(failed)?;
            }
            _ => return Err(WalkError::Link),
        }
    }
    Ok(File::from(folder))
}

#[cfg(unix)]
fn open_file_at(folder: &File, name: &OsStr) -> Result<File, WalkError> {
    use rustix::{
        fs::{Mode, OFlags, openat},
        io::Errno,
    };
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::NXIO) => Err(WalkError::Io(crate::regular_file::special())),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(unix)]
fn failed(error: rustix::io::Errno) -> WalkError {
    use rustix::io::Errno;
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::MLINK => WalkError::Link,
        other => WalkError::Io(other.into()),
    }
}

/// No way is known there to keep a link from being followed.
#[cfg(not(unix))]
fn walk(_real: &Path) -> Result<File, WalkError> {
    Err(WalkError::Io(io::ErrorKind::Unsupported.into()))
}

#[cfg(not(unix))]
fn open_file_at(_folder: &File, _name: &OsStr) -> Result<File, WalkError> {
    Err(WalkError::Io(io::ErrorKind::Unsupported.into()))
}
