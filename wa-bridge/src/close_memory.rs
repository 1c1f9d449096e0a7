//! What keeps the memory of a process that holds keys to itself.
//!
//! A core dump is a copy of all keys on the disk, and any program of the same user may otherwise
//! read a running process. Knows nothing of what is in the memory.
//!
//! What is swapped out is another matter. SQLCipher locks its own copy of the database key in
//! memory. The rest is not locked: the keys of sessions are in as many small pieces as there are
//! people, and locking all memory (`mlockall`) makes allocations fail at the few megabytes that
//! systems allow. Whoever fears for their swap encrypts it.

/// Leaves no core dump of this process, and (on Linux) lets no other process of the same user trace
/// it or read its memory. What the system refuses is told in the log: the account is used all the
/// same.
pub(crate) fn close_memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        if let Err(error) = setrlimit(Resource::Core, none) {
            tracing::warn!(%error, "a crash of this process may leave a core dump");
        }
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "other programs of this user may read this process");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn who_crashes_leaves_no_copy_of_its_memory_and_is_traced_by_nobody() {
        close_memory();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
