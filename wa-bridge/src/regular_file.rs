//! Opening an ordinary file that somebody named, once: what is found out of it and what is read of
//! it is the same file.
//!
//! A pipe that nobody fills, a device and a file without end are refused, and never waited for.
//! Knows nothing of what a file holds.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

/// Opens a file for reading. Links are followed: for paths that a person wrote.
///
/// # Errors
/// Those of the system, and [`io::ErrorKind::InvalidInput`] for what is no ordinary file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    ordinary(open_at_once(path)?)
}

/// The file, if it is an ordinary one.
///
/// # Errors
/// As [`open`].
pub(crate) fn ordinary(file: File) -> io::Result<File> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    Err(if kind.is_dir() { not_ordinary("it is a folder") } else { special() })
}

/// What a pipe, a socket or a device is told.
pub(crate) fn special() -> io::Error {
    not_ordinary("it is no ordinary file but a pipe, a socket or a device")
}

fn not_ordinary(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// Reads a text of at most so many bytes; what is secret in it is wiped when it is dropped.
///
/// # Errors
/// Those of the system, and [`io::ErrorKind::FileTooLarge`].
pub(crate) fn read_text(file: &File, max: u64) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let room = usize::try_from(file.metadata()?.len().min(max)).unwrap_or_default();
    // Made large enough at once, so that growing leaves no copy behind.
    text.reserve(room.saturating_add(1));
    file.take(max.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > max {
        let message = format!("it has more than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Opens what is there without waiting: opening a pipe waits for whoever fills it.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::NXIO) => Err(special()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod tests {
    use std::{fs, os::unix::net::UnixListener};

    use super::*;

    /// Makes a pipe that nobody fills.
    pub(crate) fn pipe(path: &Path) {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
    }

    #[test]
    fn nobody_waits_for_a_pipe_or_reads_a_device_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        pipe(&folder.path().join("pipe"));
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        for path in [folder.path().join("pipe"), folder.path().join("socket"), "/dev/zero".into()] {
            let error = open(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}: {error}");
            assert!(error.to_string().contains("no ordinary file"), "{error}");
        }
        assert!(open(folder.path()).unwrap_err().to_string().contains("folder"));
    }

    #[test]
    fn a_text_has_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "12345").unwrap();
        let read = |max| read_text(&open(&path).unwrap(), max);
        assert_eq!(*read(5).unwrap(), "12345");
        assert_eq!(read(4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        // It says that it is small, and grows while it is read.
        let endless = File::open("/dev/zero").unwrap();
        assert_eq!(read_text(&endless, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
