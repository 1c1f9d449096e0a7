//! The policy as its file says now: what a person forbids holds from the next call on, and not from
//! the next start of whoever owns the account.

use std::{
    fs::{self, Metadata},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::sleep;

use super::Policy;
use crate::{Profile, failure::Failure};

/// The policy of a profile, read again when a file of it has changed.
#[derive(Debug)]
pub struct PolicySource {
    profile: Profile,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    marks: Marks,
    policy: Result<Policy, Failure>,
}

/// How long a changed file must have been left alone before it is read. An editor empties a file, or
/// takes it away, before it writes it anew; and an empty policy forbids little.
const STILL: Duration = Duration::from_millis(200);

/// How often a file that keeps changing is waited for.
const MAX_WAITS: usize = 5;

impl PolicySource {
    /// Reads the policy of a profile.
    ///
    /// # Errors
    /// [`Cause::Forbidden`](crate::Cause::Forbidden) if its file cannot be read or understood.
    pub fn open(profile: Profile) -> Result<Self, Failure> {
        let last = Last::read(&profile);
        last.policy.clone()?;
        Ok(Self { profile, last: Mutex::new(last) })
    }

    /// The policy as it is now. Waits a moment while its file is being changed.
    ///
    /// # Errors
    /// As [`PolicySource::open`], until the file is mended.
    pub async fn now(&self) -> Result<Policy, Failure> {
        for _ in 0..MAX_WAITS {
            if let Some(policy) = self.unchanged() {
                return policy;
            }
            match changed_ago(&self.profile) {
                Some(ago) if ago < STILL => sleep(STILL - ago).await,
                _ => break,
            }
        }
        self.read()
    }

    /// What was read last, if the files are still those.
    fn unchanged(&self) -> Option<Result<Policy, Failure>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (last.marks == marks(&self.profile)).then(|| last.policy.clone())
    }

    fn read(&self) -> Result<Policy, Failure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Last::read(&self.profile);
        match &last.policy {
            Ok(policy) => tracing::info!(policy = policy.summary(), "the policy has changed"),
            Err(failure) => tracing::warn!(%failure, "the policy cannot be read"),
        }
        last.policy.clone()
    }
}

impl Last {
    fn read(profile: &Profile) -> Self {
        // Looked at first: what changes while it is read is read again.
        let marks = marks(profile);
        Self { marks, policy: Policy::load(profile).map_err(Failure::from) }
    }
}

/// What each file looks like from outside, so that a change is seen without reading it.
type Marks = [Option<Mark>; 2];

#[derive(Debug, PartialEq, Eq)]
struct Mark {
    length: u64,
    changed: Option<SystemTime>,
    #[cfg(unix)]
    inode: u64,
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            changed: changed_at(metadata),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(metadata),
        }
    }
}

fn marks(profile: &Profile) -> Marks {
    Policy::places(profile).map(|path| fs::metadata(path).ok().as_ref().map(Mark::of))
}

/// How long ago a file of the policy was changed, put there or taken away.
fn changed_ago(profile: &Profile) -> Option<Duration> {
    let files = Policy::places(profile).into_iter().chain([profile.config().to_owned()]);
    let changes = files.filter_map(|path| changed_at(&fs::metadata(path).ok()?));
    SystemTime::now().duration_since(changes.max()?).ok()
}

/// When a file, its owner or its rights were changed last: a time that nobody can set back.
#[cfg(unix)]
fn changed_at(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    let rest = Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_add(rest)
}

#[cfg(not(unix))]
fn changed_at(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
}
