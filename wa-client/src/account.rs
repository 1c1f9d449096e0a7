//! The account: the keys a new device is made of, and the record as it was last committed.
//!
//! Owns the one way to change it. Knows nothing of linking; the store keeps the record.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Arc, PoisonError, RwLock},
};

use futures_util::FutureExt;
use rand_core::CryptoRng;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use wa_crypto::KeyPair;
use wa_signal::{RegistrationId, SignedPreKeyId};
use wa_store::{Account, AdvSecret, Change, Changes, SignedPreKey, Store, StoreError, Timestamp};

use crate::tasks::Tasks;

/// The account as it was last committed, and its only writer.
pub(crate) struct CurrentAccount {
    store: Arc<dyn Store>,
    committed: RwLock<Arc<Account>>,
    one_at_a_time: Arc<Mutex<()>>,
}

impl CurrentAccount {
    pub(crate) fn new(store: Arc<dyn Store>, account: Account) -> Arc<Self> {
        let committed = RwLock::new(Arc::new(account));
        Arc::new(Self { store, committed, one_at_a_time: Arc::default() })
    }

    /// The account as it was last committed.
    pub(crate) fn get(&self) -> Arc<Account> {
        Arc::clone(&self.committed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the account and whatever belongs with it, in one commit. Whoever stops waiting for it
    /// does not stop it: were the commit to land and its caller be gone, the next change would write
    /// the account of before it.
    ///
    /// # Errors
    /// The store's; then nothing changed.
    pub(crate) async fn update(
        self: &Arc<Self>,
        tasks: &Tasks,
        with: impl FnOnce(&mut Account, &mut Changes),
    ) -> Result<(), StoreError> {
        let turn = Arc::clone(&self.one_at_a_time).lock_owned().await;
        let mut account = (*self.get()).clone();
        let mut changes = Changes::new();
        with(&mut account, &mut changes);
        changes.push(Change::PutAccount(Box::new(account.clone())));
        let (tell, landed) = oneshot::channel();
        let shared = Arc::clone(self);
        tasks.spawn(async move {
            // Whoever asked may be gone.
            let _ = tell.send(shared.commit(account, changes, turn).await);
        });
        // Without a word the client is being dropped, or the store panicked.
        landed.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn commit(
        &self,
        account: Account,
        changes: Changes,
        _turn: OwnedMutexGuard<()>,
    ) -> Result<(), StoreError> {
        match AssertUnwindSafe(self.store.commit(changes)).catch_unwind().await {
            Ok(Ok(_)) => self.put(account),
            Ok(Err(error)) => {
                self.recall().await;
                return Err(error);
            }
            Err(panic) => {
                self.recall().await;
                resume_unwind(panic);
            }
        }
        Ok(())
    }

    /// A commit failed, and may have landed all the same.
    async fn recall(&self) {
        match self.store.account().await {
            Ok(Some(account)) => self.put(account),
            // Whoever was unlinked stays who they were until the client is gone.
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the account cannot be read again"),
        }
    }

    fn put(&self, account: Account) {
        *self.committed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(account);
    }
}

/// The store's account, or a new one with its first signed prekey, in one commit.
///
/// # Errors
/// The store's.
pub(crate) async fn load_or_create(
    store: &dyn Store,
    now: Timestamp,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Account, StoreError> {
    if let Some(account) = store.account().await? {
        return Ok(account);
    }
    let (account, signed) = new_device(now, rng);
    let changes = Changes::from(Change::PutAccount(Box::new(account.clone())))
        .with(Change::PutSignedPreKey(Box::new(signed)));
    store.commit(changes).await?;
    Ok(account)
}

fn new_device(now: Timestamp, rng: &mut impl CryptoRng) -> (Account, SignedPreKey) {
    let mut adv_secret = [0; 32];
    rng.fill_bytes(&mut adv_secret);
    let mut account = Account::new(
        RegistrationId::random(rng).as_u32(),
        KeyPair::random(rng),
        KeyPair::random(rng),
        AdvSecret::from_bytes(adv_secret),
        now,
    );
    let id = SignedPreKeyId::FIRST;
    account.next_signed_prekey_id = id.next().as_u32();
    let made = wa_signal::SignedPreKey::generate(id, &account.identity, rng);
    let signed = SignedPreKey {
        id: id.as_u32(),
        pair: made.pair,
        signature: made.signature,
        created_at: now,
    };
    (account, signed)
}
