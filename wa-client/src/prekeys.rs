//! The stock of prekeys: what others need to begin a session with this device while it sleeps.
//!
//! Owns how many there are, their ids, and that the server has what this device has. Every key is
//! on disk before the server hears of it, and counts as uploaded only once the server said so.
//! Knows nothing of sessions.

mod digest;
mod stock;

use std::sync::Arc;

use wa_proto::{
    request::{PreKeyCount, PreKeyDigest, PreKeyUpload, RotateSignedPreKey},
    stanza::{IqError, WirePreKey, WireSignedPreKey},
};
use wa_signal::{PreKeyId, SignedPreKeyId};
use wa_store::{Change, PreKey, SignedPreKey, Store, StoreError};

use crate::{
    connection::Link,
    inner::Inner,
    request::{REQUEST_TIMEOUT, RequestError},
    stanza_handler::StanzaContext,
};
use digest::DigestVerdict;

/// The stock could not be put in order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PreKeysError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server did not answer, or refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is no signed prekey: the account was made without one.
    #[error("the store holds no signed prekey")]
    NoSignedPreKey,
}

/// Compares the stock with what the server has, and sends what is missing.
///
/// # Errors
/// [`PreKeysError`]. What was made is kept and will be sent the next time.
pub(crate) async fn put_in_order(inner: &Inner, link: &Link) -> Result<(), PreKeysError> {
    let _one_at_a_time = inner.locks.prekeys().await;
    rotate_if_due(inner, link).await?;
    let server = ask(inner, link, &PreKeyCount).await?;
    let local = inner.store.prekey_count().await?;
    let missing = stock::shortfall(server, local);
    if missing > 0 {
        upload(inner, link, missing).await?;
    }
    check_digest(inner, link).await
}

/// The server told that it has few left.
pub(crate) fn top_up_in_background(cx: &StanzaContext, left: u32) {
    if !stock::is_low(left) {
        return;
    }
    let (inner, link) = (Arc::clone(&cx.inner), cx.link.clone());
    cx.inner.spawn(async move {
        if let Err(error) = put_in_order(&inner, &link).await {
            tracing::warn!(%error, "cannot top up the prekeys; the next login will");
        }
    });
}

/// Makes a new signed prekey if the newest is a week old.
///
/// # Errors
/// [`PreKeysError`].
pub(crate) async fn rotate_when_due(inner: &Inner, link: &Link) -> Result<(), PreKeysError> {
    let _one_at_a_time = inner.locks.prekeys().await;
    rotate_if_due(inner, link).await
}

async fn rotate_if_due(inner: &Inner, link: &Link) -> Result<(), PreKeysError> {
    let signed = inner.store.signed_prekeys().await?;
    if signed.first().is_some_and(|newest| !stock::is_rotation_due(newest.created_at, inner.now()))
    {
        return Ok(());
    }
    let account = inner.account();
    // An id beyond 24 bits cannot be stored; begin again rather than fail for ever.
    let id = SignedPreKeyId::new(account.next_signed_prekey_id).unwrap_or(SignedPreKeyId::FIRST);
    let made = inner.with_rng(|rng| wa_signal::SignedPreKey::generate(id, &account.identity, rng));
    let newest = SignedPreKey {
        id: id.as_u32(),
        pair: made.pair,
        signature: made.signature,
        created_at: inner.now(),
    };
    let outdated: Vec<_> = signed.iter().skip(KEPT_SIGNED_PREKEYS).map(|old| old.id).collect();
    inner
        .update_account(|account, changes| {
            account.next_signed_prekey_id = id.next().as_u32();
            changes.push(Change::PutSignedPreKey(Box::new(newest.clone())));
            changes.extend(outdated.into_iter().map(Change::RemoveSignedPreKey));
        })
        .await?;
    ask(inner, link, &RotateSignedPreKey { signed_prekey: wire_signed(&newest) }).await
}

/// Holds the server's view of this device's keys against the store. They differ when a backup was
/// restored, and then nobody could begin a session with this device.
async fn check_digest(inner: &Inner, link: &Link) -> Result<(), PreKeysError> {
    let account = inner.account();
    let signed = newest_signed(inner).await?;
    let verdict = match ask(inner, link, &PreKeyDigest).await {
        Ok(answer) => {
            let mut unknown = 0;
            for id in &answer.prekey_ids {
                unknown += usize::from(inner.store.prekey(*id).await?.is_none());
            }
            digest::compare(&answer, &account, signed.id, unknown)
        }
        Err(PreKeysError::Request(RequestError::Refused(IqError { code: 404 | 406, .. }))) => {
            DigestVerdict::Upload
        }
        // A server that cannot tell has nothing to be held against.
        Err(PreKeysError::Request(RequestError::Refused(_) | RequestError::Answer(_))) => {
            DigestVerdict::Matches
        }
        Err(error) => return Err(error),
    };
    match verdict {
        DigestVerdict::Matches => Ok(()),
        DigestVerdict::Rotate => {
            tracing::warn!("the server has another signed prekey; sending the newest");
            ask(inner, link, &RotateSignedPreKey { signed_prekey: wire_signed(&signed) }).await
        }
        DigestVerdict::Upload => {
            tracing::warn!("the server has other keys; uploading new ones");
            upload(inner, link, stock::FIRST_UPLOAD).await
        }
    }
}

/// Sends so many prekeys: first those of an upload that was never acknowledged, then new ones.
async fn upload(inner: &Inner, link: &Link, count: usize) -> Result<(), PreKeysError> {
    let mut prekeys = inner.store.prekeys_not_uploaded(count).await?;
    let missing = count.saturating_sub(prekeys.len());
    if missing > 0 {
        prekeys.extend(generate(inner, missing).await?);
    }
    let account = inner.account();
    let signed = newest_signed(inner).await?;
    let request = PreKeyUpload {
        registration_id: account.registration_id,
        identity: *account.identity.public.as_bytes(),
        prekeys: prekeys.iter().map(wire).collect(),
        signed_prekey: wire_signed(&signed),
    };
    ask(inner, link, &request).await?;
    let ids = prekeys.iter().map(|prekey| prekey.id).collect();
    inner.store.commit(Change::MarkPreKeysUploaded(ids).into()).await?;
    Ok(())
}

/// Makes prekeys with ids that no living one has, and puts them on disk.
async fn generate(inner: &Inner, count: usize) -> Result<Vec<PreKey>, PreKeysError> {
    let first = inner.account().next_prekey_id;
    let (ids, next) = free_ids(inner.store.as_ref(), first, count).await?;
    let made: Vec<_> = inner
        .with_rng(|rng| ids.into_iter().map(|id| wa_signal::PreKey::generate(id, rng)).collect());
    let prekeys: Vec<_> = made
        .into_iter()
        .map(|made| PreKey { id: made.id.as_u32(), pair: made.pair, uploaded: false })
        .collect();
    inner
        .update_account(|account, changes| {
            account.next_prekey_id = next.as_u32();
            changes.push(Change::PutPreKeys(prekeys.clone()));
        })
        .await?;
    Ok(prekeys)
}

/// So many ids from `first` on that no stored prekey has, and the one to go on with.
async fn free_ids(
    store: &dyn Store,
    first: u32,
    count: usize,
) -> Result<(Vec<PreKeyId>, PreKeyId), StoreError> {
    let mut next = PreKeyId::new(first).filter(|_| first > 0).unwrap_or(PreKeyId::FIRST);
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        if store.prekey(next.as_u32()).await?.is_none() {
            ids.push(next);
        }
        next = next.next();
    }
    Ok((ids, next))
}

/// The signed prekey that others are to use.
///
/// # Errors
/// [`PreKeysError`].
pub(crate) async fn newest_signed(inner: &Inner) -> Result<SignedPreKey, PreKeysError> {
    let newest = inner.store.signed_prekeys().await?.into_iter().next();
    newest.ok_or(PreKeysError::NoSignedPreKey)
}

/// A prekey's public half, as it goes to the server or into a retry receipt.
pub(crate) fn wire(prekey: &PreKey) -> WirePreKey {
    WirePreKey { id: prekey.id, key: *prekey.pair.public.as_bytes() }
}

/// A signed prekey's public half, as it goes to the server or into a retry receipt.
pub(crate) fn wire_signed(signed: &SignedPreKey) -> WireSignedPreKey {
    WireSignedPreKey {
        id: signed.id,
        key: *signed.pair.public.as_bytes(),
        signature: *signed.signature.as_bytes(),
    }
}

async fn ask<R: wa_proto::Request + Sync>(
    inner: &Inner,
    link: &Link,
    request: &R,
) -> Result<R::Response, PreKeysError> {
    let deadline = tokio::time::Instant::now() + REQUEST_TIMEOUT;
    Ok(link.request(&inner.request_id(), request, deadline).await?)
}

/// How many signed prekeys are kept for messages that were encrypted before a rotation: a quarter
/// of a year of them.
const KEPT_SIGNED_PREKEYS: usize = 12;

#[cfg(test)]
mod tests {
    use wa_crypto::{KeyPair, PrivateKey};
    use wa_store::{Changes, MemoryStore};

    use super::*;

    #[tokio::test]
    async fn ids_wrap_at_24_bits_and_pass_over_living_ones() {
        let store = MemoryStore::new();
        let pair = KeyPair::from_private(PrivateKey::from_bytes([1; 32]));
        let account = wa_store::Account::new(
            1,
            pair.clone(),
            pair.clone(),
            wa_store::AdvSecret::from_bytes([0; 32]),
            wa_store::Timestamp::MIN,
        );
        let living = [0xff_ffff, 1, 3].map(|id| PreKey { id, pair: pair.clone(), uploaded: true });
        let changes = Changes::from(Change::PutAccount(Box::new(account)))
            .with(Change::PutPreKeys(living.to_vec()));
        store.commit(changes).await.unwrap();
        let (ids, next) = free_ids(&store, 0xff_fffe, 3).await.unwrap();
        assert_eq!(ids.iter().map(|id| id.as_u32()).collect::<Vec<_>>(), [0xff_fffe, 2, 4]);
        assert_eq!(next.as_u32(), 5);
        let (ids, _) = free_ids(&store, u32::MAX, 1).await.unwrap();
        assert_eq!(ids[0].as_u32(), 2);
    }
}
