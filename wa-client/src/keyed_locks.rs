//! One lock per name: work on the same chat, session or sender key waits, other work does not.
//!
//! Knows nothing of what is locked.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

/// Asynchronous locks by name. A name that nobody holds or awaits takes no memory.
#[derive(Debug)]
pub(crate) struct KeyedLocks<K> {
    locks: Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>,
}

impl<K: Eq + Hash + Clone> KeyedLocks<K> {
    pub(crate) fn new() -> Self {
        Self { locks: Mutex::new(HashMap::new()) }
    }

    /// Waits for the lock of this name; it is free again when the guard is dropped.
    pub(crate) async fn lock(&self, key: K) -> OwnedMutexGuard<()> {
        self.named(key).lock_owned().await
    }

    /// The lock of this name, if it is free now: for whoever holds others and must not wait.
    pub(crate) fn try_lock(&self, key: K) -> Option<OwnedMutexGuard<()>> {
        self.named(key).try_lock_owned().ok()
    }

    fn named(&self, key: K) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        // Forget the names nobody uses, at a cost spread over the calls.
        if locks.len() >= SWEEP_AT {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(locks.entry(key).or_default())
    }
}

/// How many names may be remembered before the unused ones are forgotten.
const SWEEP_AT: usize = 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_name_waits_and_another_does_not() {
        let locks = Arc::new(KeyedLocks::new());
        let held = locks.lock("a").await;
        let other = tokio::time::timeout(Duration::from_secs(1), locks.lock("b")).await;
        assert!(other.is_ok());
        assert!(tokio::time::timeout(Duration::from_secs(1), locks.lock("a")).await.is_err());
        assert!(locks.try_lock("a").is_none() && locks.try_lock("c").is_some());
        drop(held);
        assert!(tokio::time::timeout(Duration::from_secs(1), locks.lock("a")).await.is_ok());
    }

    #[tokio::test]
    async fn unused_names_are_forgotten() {
        let locks = KeyedLocks::new();
        let kept = locks.lock(u32::MAX).await;
        for key in 0..5000_u32 {
            drop(locks.lock(key).await);
        }
        assert!(locks.locks.lock().unwrap().len() <= SWEEP_AT);
        assert!(locks.locks.lock().unwrap().contains_key(&u32::MAX));
        drop(kept);
    }
}
