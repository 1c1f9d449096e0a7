//! A store whose commits can be held up and whose reads can panic.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use wa_proto::Jid;
use wa_store::{Change, Changes, Committed, MemoryStore, Result, Store};

use super::hooked_store::{HookedStore, Hooks};

/// A store that can be told to misbehave.
pub type MoodyStore = HookedStore<Moods>;

/// Tells which change is meant.
type Which = fn(&Change) -> bool;

#[derive(Clone)]
pub struct Moods {
    /// How many commits may go through.
    gate: Arc<Semaphore>,
    /// How many of those that have landed may say so.
    landed: Arc<Semaphore>,
    /// Which commit meets a defect, once.
    poisoned: Arc<Mutex<Option<Which>>>,
}

impl MoodyStore {
    pub fn new() -> Self {
        let gate = Arc::new(Semaphore::new(OPEN));
        let landed = Arc::new(Semaphore::new(OPEN));
        Self {
            under: Arc::new(MemoryStore::new()),
            hooks: Moods { gate, landed, poisoned: Arc::default() },
        }
    }

    /// From now on commits land, and nobody hears of it until [`MoodyStore::release`].
    pub fn hold_landed(&self) {
        self.hooks.landed.forget_permits(usize::MAX);
    }

    /// From now on no commit ends, until [`MoodyStore::release`].
    pub fn hold(&self) {
        self.hooks.gate.forget_permits(usize::MAX);
    }

    /// The next commit with such a change panics.
    pub fn poison_next(&self, which: Which) {
        *self.hooks.poisoned.lock().unwrap_or_else(PoisonError::into_inner) = Some(which);
    }

    /// Lets one commit through.
    pub fn release_one(&self) {
        self.hooks.gate.add_permits(1);
    }

    pub fn release(&self) {
        for gate in [&self.hooks.gate, &self.hooks.landed] {
            gate.forget_permits(usize::MAX);
            gate.add_permits(OPEN);
        }
    }
}

/// More commits than any test makes.
const OPEN: usize = 1 << 30;

/// Whoever asks for the LID of this number meets a defect.
pub const POISONED: &str = "15550666";

#[async_trait]
impl Hooks for Moods {
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed> {
        let poisoned = {
            let mut poisoned = self.poisoned.lock().unwrap_or_else(PoisonError::into_inner);
            poisoned.take_if(|which| changes.iter().any(&*which)).is_some()
        };
        assert!(!poisoned, "a defect on purpose");
        self.gate.acquire().await.unwrap().forget();
        let committed = under.commit(changes).await;
        self.landed.acquire().await.unwrap().forget();
        committed
    }

    fn before_lid_of(&self, phone: &Jid) {
        assert_ne!(phone.user, POISONED, "a defect on purpose");
    }
}
