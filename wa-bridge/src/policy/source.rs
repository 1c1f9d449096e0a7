//! The policy as its file says now: what a person forbids holds from their next breath on, and not
//! from the next start of whoever owns the account.

use std::{
    fs::{self, Metadata},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

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
    marks: [Option<Mark>; 2],
    policy: Result<Policy, Failure>,
}

/// What a file looks like from outside, so that a change is seen without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    /// Changes with every change of the file, its owner or its rights, which nobody can set back.
    #[cfg(unix)]
    node: (u64, i64, i64),
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            node: {
                use std::os::unix::fs::MetadataExt;
                (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
            },
        }
    }
}

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

    /// The policy as it is now.
    ///
    /// # Errors
    /// As [`PolicySource::open`], until the file is mended.
    pub fn now(&self) -> Result<Policy, Failure> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.marks != marks(&self.profile) {
            *last = Last::read(&self.profile);
            match &last.policy {
                Ok(policy) => tracing::info!(policy = policy.summary(), "the policy has changed"),
                Err(failure) => tracing::warn!(%failure, "the policy cannot be read"),
            }
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

fn marks(profile: &Profile) -> [Option<Mark>; 2] {
    Policy::places(profile).map(|path| fs::metadata(path).ok().as_ref().map(Mark::of))
}
