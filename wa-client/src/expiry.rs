//! Disappearing messages, which disappear here too.
//!
//! Knows nothing of where their time is from.

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
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

async fn expire(inner: &Inner) -> Result<(), StoreError> {
    let now = inner.now();
    if inner.store.next_expiry().await?.is_some_and(|next| next <= now) {
        let announcement = Announcement::alterations();
        let expire = Change::ExpireMessages { now }.into();
        inner.publisher.commit(expire, announcement).landed().await?;
    }
    Ok(())
}

/// How long a message may outlive its time.
const CHECK_EVERY: Duration = Duration::from_secs(60);
