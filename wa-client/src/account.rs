//! The account before it is linked: the keys a new device is made of.
//!
//! Knows nothing of linking; the store keeps the record.

use rand_core::CryptoRng;
use wa_crypto::KeyPair;
use wa_signal::{RegistrationId, SignedPreKeyId};
use wa_store::{Account, AdvSecret, Change, Changes, SignedPreKey, Store, StoreError, Timestamp};

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
