//! Which files may be sent, and where some may be saved.
//!
//! A path counts by where it leads: links are followed before it is judged.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::failure::{Cause, Failure};

/// Which files an assistant may send, and where it may save some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Folders from which files may be sent, with all below them. None unless set.
    pub send_from: Vec<PathBuf>,
    /// Folders into which media may be saved, besides the profile's own.
    pub save_to: Vec<PathBuf>,
    /// The largest file that is sent, in megabytes.
    pub max_send_mb: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self { send_from: Vec::new(), save_to: Vec::new(), max_send_mb: 100 }
    }
}

impl Files {
    /// The file that may be sent from here, by its true path.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] outside the folders; [`Cause::Usage`] for what is no readable file or
    /// too large.
    pub fn to_send(&self, path: &Path) -> Result<PathBuf, Failure> {
        if self.send_from.is_empty() {
            return Err(forbidden("the policy names no folder from which files may be sent")
                .remedy("a person can name one: send_from in the section [files] of policy.toml"));
        }
        // Whether a file outside the folders is there is nobody's business.
        let file = fs::canonicalize(path).map_err(|error| match within(&self.send_from, path) {
            true => unreadable(path, &error),
            false => self.outside(path),
        })?;
        if !within(&self.send_from, &file) {
            return Err(self.outside(path));
        }
        self.check_file(&file, path)?;
        Ok(file)
    }

    /// Checks that something is a file and not too large to be sent.
    ///
    /// # Errors
    /// [`Cause::Usage`].
    pub fn check_file(&self, file: &Path, named: &Path) -> Result<(), Failure> {
        let metadata = fs::metadata(file).map_err(|error| unreadable(named, &error))?;
        if metadata.is_dir() {
            return Err(usage(format!("{} is a folder", named.display())).remedy("name a file"));
        }
        if !metadata.is_file() {
            return Err(usage(format!("{} is no ordinary file", named.display()))
                .remedy("name a file; sockets, pipes and devices cannot be sent"));
        }
        if metadata.len() == 0 {
            return Err(usage(format!("{} is empty", named.display()))
                .remedy("name a file that holds something"));
        }
        if metadata.len() > self.max_send_mb.saturating_mul(1_000_000) {
            let message = format!("{} has more than {} MB", named.display(), self.max_send_mb);
            return Err(usage(message).remedy("choose a smaller file"));
        }
        Ok(())
    }

    /// The folder into which something may be saved, by its true path; `own` is the profile's.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] outside the folders; [`Cause::Usage`] for what is no folder.
    pub fn to_save(&self, folder: &Path, own: &Path) -> Result<PathBuf, Failure> {
        let mut allowed = self.save_to.clone();
        allowed.push(own.to_owned());
        let outside = || {
            let message = format!("the policy does not let files be saved in {}", folder.display());
            forbidden(message).remedy(
                "leave the folder out to save in the profile's own, or have a person add it: save_to in the section [files] of policy.toml",
            )
        };
        let found = fs::canonicalize(folder).map_err(|error| match within(&allowed, folder) {
            true => usage(format!("cannot use the folder {}: {error}", folder.display()))
                .remedy("make it, or name another"),
            false => outside(),
        })?;
        if !within(&allowed, &found) {
            return Err(outside());
        }
        if !found.is_dir() {
            return Err(usage(format!("{} is no folder", folder.display())).remedy("name a folder"));
        }
        Ok(found)
    }

    fn outside(&self, path: &Path) -> Failure {
        let folders: Vec<String> =
            self.send_from.iter().map(|folder| folder.display().to_string()).collect();
        let message = format!(
            "the policy does not let {} be sent: it is outside the folders",
            path.display()
        );
        forbidden(message).remedy(format!("put the file into {}", folders.join(" or ")))
    }
}

/// Whether a path is inside one of the folders, both by where they lead.
fn within(folders: &[PathBuf], path: &Path) -> bool {
    let escapes = path.components().any(|part| part == std::path::Component::ParentDir);
    folders.iter().any(|folder| {
        let real = fs::canonicalize(folder);
        !escapes
            && (path.starts_with(folder) || real.as_ref().is_ok_and(|real| path.starts_with(real)))
    })
}

/// The failure of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    usage(format!("cannot read {}: {error}", path.display()))
        .remedy("name a file that is there and can be read")
}

fn usage(message: String) -> Failure {
    Failure::new(Cause::Usage, message)
}

fn forbidden(message: impl Into<String>) -> Failure {
    Failure::new(Cause::Forbidden, message)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        inside: PathBuf,
        outside: PathBuf,
        files: Files,
    }

    #[expect(clippy::unwrap_used, reason = "tests")]
    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(inside.join("a.txt"), "a").unwrap();
        fs::write(outside.join("key"), "secret").unwrap();
        let files = Files { send_from: vec![inside.clone()], ..Files::default() };
        Place { _root: root, inside, outside, files }
    }

    #[test]
    fn only_files_inside_the_folders_are_sent_however_they_are_named() {
        let Place { inside, outside, files, _root } = place();
        assert!(files.to_send(&inside.join("a.txt")).is_ok());
        symlink(outside.join("key"), inside.join("link")).unwrap();
        symlink(&outside, inside.join("way")).unwrap();
        for path in [
            outside.join("key"),
            inside.join("link"),
            inside.join("way/key"),
            inside.join("../out/key"),
            PathBuf::from("/etc/passwd"),
            outside.join("missing"),
        ] {
            let failure = files.to_send(&path).unwrap_err();
            assert_eq!(failure.cause, Cause::Forbidden, "{path:?}");
        }
        assert_eq!(
            Files::default().to_send(&inside.join("a.txt")).unwrap_err().cause,
            Cause::Forbidden
        );
    }

    #[test]
    fn folders_sockets_and_empty_files_are_no_files() {
        let Place { inside, files, _root, .. } = place();
        fs::write(inside.join("empty"), "").unwrap();
        let _socket = UnixListener::bind(inside.join("socket")).unwrap();
        for name in ["", "empty", "socket", "missing"] {
            let failure = files.to_send(&inside.join(name)).unwrap_err();
            assert_eq!(failure.cause, Cause::Usage, "{name}");
        }
        let small = Files { max_send_mb: 0, ..files };
        assert_eq!(small.to_send(&inside.join("a.txt")).unwrap_err().cause, Cause::Usage);
    }

    #[test]
    fn files_are_saved_in_the_profiles_folder_and_those_that_are_named() {
        let Place { inside, outside, files, _root } = place();
        assert!(files.to_save(&outside, &outside).is_ok());
        assert_eq!(files.to_save(&inside, &outside).unwrap_err().cause, Cause::Forbidden);
        symlink(&inside, outside.join("way")).unwrap();
        let failure = files.to_save(&outside.join("way"), &outside).unwrap_err();
        assert_eq!(failure.cause, Cause::Forbidden);
        let more = Files { save_to: vec![inside.clone()], ..files };
        assert!(more.to_save(&inside, &outside).is_ok());
    }
}
