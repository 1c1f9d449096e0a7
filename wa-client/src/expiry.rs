//! Disappearing messages, which disappear here too, and the store's upkeep: what was deleted is taken out,
//! and what is past its time is forgotten.
//!
//! Knows nothing of where a message's time is from, nor of how long the store keeps what.

use std::{convert::Infallible, time::Duration};

use wa_store::{Change, StoreError};

use crate::{inner::Inner, publisher::Announcement};

/// Removes what is past its time, over and over; ends only when the store fails.
///
/// # Errors
/// The store's.
pub(crate) async fn run(inner: &Inner) -> Result<Infallible, StoreError> {
    loop {
        expire(inner).await?;
        upkeep(inner).await?;
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

/// Each commit takes some of them, so that others go in between.
async fn expire(inner: &Inner) -> Result<(), StoreError> {
    let now = inner.now();
    while inner.store.next_expiry().await?.is_some_and(|next| next <= now) {
        let announcement = Announcement::alterations();
        let expire = Change::ExpireMessages { now }.into();
        let committed = inner.publisher.commit(expire, announcement).landed().await?;
        if committed.altered.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Goes on until nothing is left to do. What comes meanwhile is committed between two steps.
///
/// # Errors
/// The store's.
pub(crate) async fn upkeep(inner: &Inner) -> Result<(), StoreError> {
    let step = || inner.store.commit(Change::Upkeep { now: inner.now() }.into());
    while step().await?.upkeep_left {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// How long a message may outlive its time.
const CHECK_EVERY: Duration = Duration::from_secs(60);
