//! Downloads that are removed after a time, where the policy says so: what lies in the profile's own
//! folder of media, and nothing elsewhere.

use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{MissedTickBehavior, interval};

use super::Service;

/// How often it is looked for what is too old.
const EVERY: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Service {
    /// Removes downloads that are too old, now and from time to time, for as long as the account is
    /// served.
    pub(crate) fn expire_downloads(self: &Arc<Self>) {
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut turns = interval(EVERY);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                let Some(service) = service.upgrade() else { return };
                if *service.ending.borrow() {
                    return;
                }
                service.expire_once().await;
            }
        });
    }

    async fn expire_once(&self) {
        // Without a policy nothing is done, this least of all.
        let Ok(policy) = self.policy.now().await else { return };
        let Some(days) = policy.files.keep_downloads_days else { return };
        let folder = self.profile.media();
        let removed = tokio::task::spawn_blocking(move || {
            expire(&folder, DAY.saturating_mul(days), SystemTime::now())
        });
        match removed.await {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(count)) => tracing::info!(count, "old downloads were removed"),
            Ok(Err(error)) => tracing::warn!(%error, "old downloads were not removed"),
        }
    }
}

/// Removes the ordinary files of a folder that were last changed before so long; how many. Links
/// and folders stay.
fn expire(folder: &Path, age: Duration, now: SystemTime) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let is_old = now.duration_since(metadata.modified()?).is_ok_and(|since| since > age);
        if metadata.is_file() && is_old {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_files_of_the_folder_itself_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let (folder, outside) = (root.path().join("media"), root.path().join("outside"));
        let now = SystemTime::UNIX_EPOCH + DAY * 20_000;
        assert_eq!(expire(&folder, DAY, now).unwrap(), 0, "there may be no folder yet");
        fs::create_dir_all(folder.join("deeper")).unwrap();
        let write = |path: &Path, days: u32| {
            fs::write(path, "x").unwrap();
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(now - DAY * days).unwrap();
        };
        write(&folder.join("old"), 8);
        write(&folder.join("young"), 6);
        write(&folder.join("deeper/old"), 8);
        write(&outside, 8);
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        assert_eq!(expire(&folder, DAY * 7, now).unwrap(), 1);
        assert!(!folder.join("old").exists() && folder.join("young").exists());
        assert!(folder.join("deeper/old").exists() && outside.exists());
    }
}
