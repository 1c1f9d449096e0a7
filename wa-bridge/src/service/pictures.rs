//! Pictures of this machine that are shown to others: of the account and of groups.

use std::{fs::File, io::Read, path::Path};

use super::Call;
use crate::{
    failure::{Cause, Failure},
    policy::unreadable,
};

impl Call<'_> {
    /// Reads a picture that may be sent, of at most so many bytes.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] for files out of reach, [`Cause::Usage`] for what cannot be read or is
    /// too large.
    pub(super) async fn picture(&self, path: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        let file = self.file_to_send(Path::new(path))?;
        let read = tokio::task::spawn_blocking(move || read(&file, limit));
        read.await.unwrap_or_else(|_| Err(Failure::new(Cause::Failed, "the reading was stopped")))
    }
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let mut bytes = Vec::new();
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(failed)?.take(more).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        let message = format!("{} has more than {limit} bytes", path.display());
        return Err(Failure::new(Cause::Usage, message).remedy("choose a smaller file"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.jpg");
        std::fs::write(&file, [7; 4]).unwrap();
        assert_eq!(read(&file, 4), Ok(vec![7; 4]));
        for failure in
            [read(&file, 3).unwrap_err(), read(&folder.path().join("none"), 3).unwrap_err()]
        {
            assert_eq!(failure.cause, Cause::Usage);
            assert!(failure.remedy.is_some());
        }
    }
}
