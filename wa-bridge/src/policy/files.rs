//! Which files may be sent, and where some may be saved.
//!
//! What is allowed is opened here, once. What is judged, hashed and sent afterwards is what was
//! opened, and never looked up again by its name.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::folder::{AllowedFolder, Opened, WalkError};
use crate::{
    failure::{Cause, Failure},
    regular_file,
};

/// Which files an assistant may send, and where it may save some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Folders from which files may be sent, with all below them. None unless set.
    pub send_from: Vec<AllowedFolder>,
    /// Folders into which media may be saved, besides the profile's own.
    pub save_to: Vec<AllowedFolder>,
    /// The largest file that is sent, in megabytes.
    pub max_send_mb: u64,
    /// After how many days downloads in the profile's own folder are removed. Never unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_downloads_days: Option<u32>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            send_from: Vec::new(),
            save_to: Vec::new(),
            max_send_mb: 100,
            keep_downloads_days: None,
        }
    }
}

/// A folder that may be saved into, open.
#[derive(Debug)]
pub struct SaveFolder {
    /// The folder.
    pub folder: File,
    /// Its path, for people.
    pub path: PathBuf,
}

impl Files {
    /// Checks how the folders are written.
    ///
    /// # Errors
    /// What is wrong, and how to write it.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.keep_downloads_days == Some(0) {
            return Err("keep_downloads_days is at least 1; leave it out to keep them".to_owned());
        }
        self.send_from.iter().chain(&self.save_to).try_for_each(AllowedFolder::check)
    }

    /// Looks up where the folders are.
    ///
    /// # Errors
    /// Which one is not there.
    pub(super) fn look_up(&mut self, home: Option<&Path>) -> Result<(), String> {
        let mut folders = self.send_from.iter_mut().chain(&mut self.save_to);
        folders.try_for_each(|folder| folder.look_up(home))
    }

    /// Opens a file that an assistant may send. `kept` are the folders of the account itself: what
    /// lies there is never sent, wherever they are.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] outside the folders, behind a link, or with another name elsewhere;
    /// [`Cause::Usage`] for what is no readable file or too large.
    pub fn open_to_send(&self, path: &Path, kept: &[&Path]) -> Result<File, Failure> {
        if self.send_from.is_empty() {
            return Err(forbidden("the policy names no folder from which files may be sent")
                .remedy("a person can name one: send_from in the section [files] of policy.toml"));
        }
        // Whether a file outside the folders is there is nobody's business.
        let inside = self.send_from.iter().find_map(|folder| Some((folder, folder.below(path)?)));
        let Some((folder, rest)) = inside else { return Err(self.outside(path)) };
        let opened = folder.open_file(rest).map_err(|error| match error {
            WalkError::Link => through_link(path),
            WalkError::Io(error) => unreadable(path, &error),
        })?;
        check_own(&opened, path, kept)?;
        self.check_file(&opened.file, path)?;
        check_names(&opened.file, path)?;
        Ok(opened.file)
    }

    /// Opens a file that a person wants to be sent, wherever it is.
    ///
    /// # Errors
    /// [`Cause::Usage`] for what is no readable file or too large.
    pub fn open_for_person(&self, path: &Path) -> Result<File, Failure> {
        let file = regular_file::open(path).map_err(|error| unreadable(path, &error))?;
        self.check_file(&file, path)?;
        Ok(file)
    }

    /// Checks that something is a file and not too large to be sent.
    fn check_file(&self, file: &File, named: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| unreadable(named, &error);
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(usage(format!("{} is a folder", named.display())).remedy("name a file"));
        }
        if !metadata.is_file() {
            return Err(failed(regular_file::special()));
        }
        if metadata.len() == 0 {
            return Err(usage(format!("{} is empty", named.display()))
                .remedy("name a file that holds something"));
        }
        if metadata.len() > self.max_send_bytes() {
            return Err(self.too_large(named));
        }
        Ok(())
    }

    /// The most bytes of a file that is sent.
    pub fn max_send_bytes(&self) -> u64 {
        self.max_send_mb.saturating_mul(1_000_000)
    }

    /// The failure of a file with more bytes than that.
    pub(crate) fn too_large(&self, named: &Path) -> Failure {
        let message = format!("{} has more than {} MB", named.display(), self.max_send_mb);
        usage(message).remedy("choose a smaller file")
    }

    /// Opens the folder into which something may be saved; `own` is the profile's.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] outside the folders or behind a link; [`Cause::Usage`] for what is no
    /// folder.
    pub fn open_to_save(&self, path: &Path, own: &Path) -> Result<SaveFolder, Failure> {
        let own = AllowedFolder::own(own).map_err(|error| unusable(own, &error))?;
        let inside = self.save_to.iter().chain([&own]);
        let inside = inside.into_iter().find_map(|folder| Some((folder, folder.below(path)?)));
        let Some((folder, rest)) = inside else {
            let message = format!("the policy does not let files be saved in {}", path.display());
            return Err(forbidden(message).remedy(
                "leave the folder out to save in the profile's own, or have a person add it: save_to in the section [files] of policy.toml",
            ));
        };
        let opened = folder.open_folder(rest).map_err(|error| match error {
            WalkError::Link => through_link(path),
            WalkError::Io(error) => unusable(path, &error),
        });
        let (folder, path) = opened?;
        Ok(SaveFolder { folder, path })
    }

    fn outside(&self, path: &Path) -> Failure {
        let folders: Vec<String> =
            self.send_from.iter().map(|folder| folder.shown().to_string()).collect();
        let message = format!(
            "the policy does not let {} be sent: it is outside the folders",
            path.display()
        );
        forbidden(message).remedy(format!(
            "put the file into {} and name it by its whole path",
            folders.join(" or ")
        ))
    }
}

/// The keys, the archive and the policy of the account stay, whatever folder the policy names.
#[cfg(unix)]
fn check_own(opened: &Opened, named: &Path, kept: &[&Path]) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let folder = opened.folder.metadata().map_err(|error| unreadable(named, &error))?;
    let is_kept = |path: &&Path| {
        fs::metadata(path).is_ok_and(|own| (own.dev(), own.ino()) == (folder.dev(), folder.ino()))
    };
    if kept.iter().any(is_kept) {
        return Err(forbidden(format!("{} belongs to the account itself", named.display()))
            .remedy("leave it: keys, archive and policy are never sent"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_own(_opened: &Opened, _named: &Path, _kept: &[&Path]) -> Result<(), Failure> {
    Ok(())
}

/// A file with a second name is refused: that may be anywhere on the disk, also where the policy
/// does not reach, and who may make names in the folder need not be able to read what they name.
#[cfg(unix)]
fn check_names(file: &File, named: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let names = file.metadata().map_err(|error| unreadable(named, &error))?.nlink();
    if names > 1 {
        let message = format!("{} has another name elsewhere (a hard link)", named.display());
        return Err(forbidden(message).remedy("copy the file, and send the copy"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_names(_file: &File, _named: &Path) -> Result<(), Failure> {
    Ok(())
}

fn through_link(path: &Path) -> Failure {
    forbidden(format!("{} is a link, or leads through one", path.display()))
        .remedy("name the true path; links are not followed")
}

/// The failure of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    usage(format!("cannot read {}: {error}", path.display()))
        .remedy("name an ordinary file that is there and can be read")
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    usage(format!("cannot use the folder {}: {error}", folder.display()))
        .remedy("make it, or name another")
}

fn usage(message: String) -> Failure {
    Failure::new(Cause::Usage, message)
}

fn forbidden(message: impl Into<String>) -> Failure {
    Failure::new(Cause::Forbidden, message)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        io::Read,
        os::unix::{fs::symlink, net::UnixListener},
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        inside: PathBuf,
        outside: PathBuf,
        files: Files,
    }

    fn allowed(path: &Path) -> AllowedFolder {
        let mut folder = AllowedFolder::from(path.to_owned());
        folder.look_up(None).unwrap();
        folder
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::create_dir(inside.join("deep")).unwrap();
        fs::write(inside.join("a.txt"), "a").unwrap();
        fs::write(inside.join("deep/b.txt"), "b").unwrap();
        fs::write(outside.join("key"), "secret").unwrap();
        let files = Files { send_from: vec![allowed(&inside)], ..Files::default() };
        Place { _root: root, inside, outside, files }
    }

    #[test]
    fn only_files_inside_the_folders_are_sent_however_they_are_named() {
        let Place { inside, outside, files, _root } = place();
        let opened = |path: &Path| files.open_to_send(path, &[]);
        assert!(opened(&inside.join("a.txt")).is_ok());
        assert!(opened(&inside.join("deep/./b.txt")).is_ok());
        symlink(outside.join("key"), inside.join("link")).unwrap();
        symlink(&outside, inside.join("way")).unwrap();
        symlink("/proc/self/cwd", inside.join("magic")).unwrap();
        for path in [
            outside.join("key"),
            inside.join("link"),
            inside.join("way/key"),
            inside.join("magic/key"),
            inside.join("../out/key"),
            inside.join("../in/a.txt"),
            PathBuf::from("/etc/passwd"),
            PathBuf::from("a.txt"),
            PathBuf::from(""),
            outside.join("missing"),
        ] {
            let failure = opened(&path).unwrap_err();
            assert_eq!(failure.cause, Cause::Forbidden, "{path:?}");
            assert!(failure.remedy.is_some());
        }
        assert_eq!(
            Files::default().open_to_send(&inside.join("a.txt"), &[]).unwrap_err().cause,
            Cause::Forbidden
        );
    }

    #[test]
    fn a_second_name_of_a_secret_is_no_file_to_send() {
        let Place { inside, outside, files, _root } = place();
        fs::hard_link(outside.join("key"), inside.join("innocent.txt")).unwrap();
        let failure = files.open_to_send(&inside.join("innocent.txt"), &[]).unwrap_err();
        assert_eq!(failure.cause, Cause::Forbidden);
        assert!(failure.message.contains("hard link"), "{failure}");
    }

    #[test]
    fn keys_and_archive_are_not_sent_even_from_a_folder_that_holds_them() {
        let Place { inside, files, _root, .. } = place();
        fs::create_dir(inside.join("account")).unwrap();
        fs::write(inside.join("account/wa.db"), "sealed").unwrap();
        let kept = inside.join("account");
        let failure = files.open_to_send(&kept.join("wa.db"), &[&kept]).unwrap_err();
        assert_eq!(failure.cause, Cause::Forbidden);
        assert!(files.open_to_send(&inside.join("a.txt"), &[&kept]).is_ok());
    }

    /// The old way was to look where the path leads, and to open it afterwards: in between, it led
    /// elsewhere.
    #[test]
    fn whoever_exchanges_a_folder_for_a_link_all_the_time_gets_no_secret_sent() {
        let Place { inside, outside, files, _root } = place();
        let (way, aside) = (inside.join("way"), inside.join("aside"));
        fs::write(outside.join("f"), "secret").unwrap();
        fs::create_dir(&way).unwrap();
        fs::write(way.join("f"), "public").unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    fs::rename(&way, &aside).unwrap();
                    symlink(&outside, &way).unwrap();
                    fs::remove_file(&way).unwrap();
                    fs::rename(&aside, &way).unwrap();
                }
            });
            for _ in 0..5_000 {
                if let Ok(mut file) = files.open_to_send(&way.join("f"), &[]) {
                    let mut text = String::new();
                    file.read_to_string(&mut text).unwrap();
                    assert_eq!(text, "public");
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_folder_is_absolute_and_there_or_the_policy_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("outgoing")).unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        let read = |named: &str| {
            let mut folder = AllowedFolder::from(PathBuf::from(named));
            folder.check()?;
            folder.look_up(Some(home.path()))?;
            Ok::<_, String>(folder)
        };
        let found = read("~/outgoing").unwrap();
        assert_eq!(PathBuf::from(found), home.path().join("outgoing"));
        let file = home.path().join("file");
        for wrong in [
            "",
            ".",
            "outgoing",
            "~ada",
            "~/missing",
            "~/../x",
            "/a/../etc",
            file.to_str().unwrap(),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(wrong) || error.contains("missing"), "{wrong}: {error}");
        }
        let mut homeless = AllowedFolder::from(PathBuf::from("~/outgoing"));
        assert!(homeless.look_up(None).unwrap_err().contains("no home"));
    }

    #[test]
    fn folders_sockets_and_empty_files_are_no_files() {
        let Place { inside, files, _root, .. } = place();
        fs::write(inside.join("empty"), "").unwrap();
        let _socket = UnixListener::bind(inside.join("socket")).unwrap();
        regular_file::tests::pipe(&inside.join("pipe"));
        for name in ["", "deep", "empty", "socket", "pipe", "missing"] {
            for failure in [
                files.open_to_send(&inside.join(name), &[]).unwrap_err(),
                files.open_for_person(&inside.join(name)).unwrap_err(),
            ] {
                assert_eq!(failure.cause, Cause::Usage, "{name}: {failure}");
            }
        }
        let small = Files { max_send_mb: 0, ..files };
        let failure = small.open_to_send(&inside.join("a.txt"), &[]).unwrap_err();
        assert_eq!(failure.cause, Cause::Usage);
    }

    #[test]
    fn files_are_saved_in_the_profiles_folder_and_those_that_are_named() {
        let Place { inside, outside, files, _root } = place();
        assert!(files.open_to_save(&outside, &outside).is_ok());
        let cause =
            |files: &Files, path: &Path| files.open_to_save(path, &outside).unwrap_err().cause;
        assert_eq!(cause(&files, &inside), Cause::Forbidden);
        symlink(&inside, outside.join("way")).unwrap();
        assert_eq!(cause(&files, &outside.join("way")), Cause::Forbidden);
        assert_eq!(cause(&files, &outside.join("way/deep")), Cause::Forbidden);
        let more = Files { save_to: vec![allowed(&inside)], ..files };
        assert!(more.open_to_save(&inside.join("deep"), &outside).is_ok());
        assert_eq!(cause(&more, &inside.join("missing")), Cause::Usage);
    }
}
