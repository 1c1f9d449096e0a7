//! What was let go and refused since this process owns the account.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::Cause;

/// How often something was let go or refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages that were let go.
    pub(crate) sends: u64,
    /// Calls that the policy does not allow.
    pub(crate) forbidden: u64,
    /// Messages that came too early.
    pub(crate) paced: u64,
    /// Messages that have to be confirmed first.
    pub(crate) drafted: u64,
}

/// Counts while many calls are under way.
#[derive(Debug, Default)]
pub(super) struct Counters {
    sends: AtomicU64,
    forbidden: AtomicU64,
    paced: AtomicU64,
    drafted: AtomicU64,
}

impl Counters {
    pub(super) fn count_authorized(&self) {
        self.sends.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refuse(&self, cause: Cause) {
        let counter = match cause {
            Cause::Forbidden => &self.forbidden,
            Cause::Paced => &self.paced,
            Cause::ConfirmationRequired => &self.drafted,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            sends: self.sends.load(Ordering::Relaxed),
            forbidden: self.forbidden.load(Ordering::Relaxed),
            paced: self.paced.load(Ordering::Relaxed),
            drafted: self.drafted.load(Ordering::Relaxed),
        }
    }
}
