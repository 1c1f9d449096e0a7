//! Files that are named on the command line.

use std::{fs::File, io::Read, path::Path};

use crate::failure::{Cause, Failure};

/// Reads a file of at most this many bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    open(path)?.take(more).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() > limit {
        let message = format!("{} has more than {limit} bytes", path.display());
        return Err(Failure::new(Cause::Usage, message).remedy("choose a smaller file"));
    }
    Ok(bytes)
}

/// Opens a file to be read; a folder is none.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        let message = format!("{} is a folder", path.display());
        return Err(Failure::new(Cause::Usage, message).remedy("name a file"));
    }
    Ok(file)
}

/// The failure of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Cause::Usage, format!("cannot read {}: {error}", path.display()))
        .remedy("name a file that is there and can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.bin");
        std::fs::write(&file, [7; 4]).unwrap();
        assert_eq!(read(&file, 4), Ok(vec![7; 4]));
        for failure in [
            read(&file, 3).unwrap_err(),
            read(folder.path(), 3).unwrap_err(),
            read(&folder.path().join("none"), 3).unwrap_err(),
        ] {
            assert_eq!(failure.cause, Cause::Usage);
            assert!(failure.remedy.is_some());
        }
    }
}
