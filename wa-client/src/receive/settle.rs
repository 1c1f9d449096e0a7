//! What follows a commit that recorded messages: what can be opened now is opened.
//!
//! Knows nothing of how it was recorded, nor of who is told.

use wa_store::{MessageKey, StoreError};

use super::unseal;
use crate::{event::Repair, inner::Inner, publisher::Announcement};

/// Opens what is added to these messages, and tells listeners what that brought.
///
/// # Errors
/// The store's; what was not opened then is tried again at the next login.
pub(crate) async fn open(inner: &Inner, openable: Vec<MessageKey>) -> Result<(), StoreError> {
    open_all(inner, openable, Hearing::Told).await
}

/// Opens what is added to these messages of the past, of which nobody is told.
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_past(inner: &Inner, openable: Vec<MessageKey>) -> Result<(), StoreError> {
    open_all(inner, openable, Hearing::Untold).await
}

/// Whether listeners hear of what is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Told,
    Untold,
}

async fn open_all(
    inner: &Inner,
    mut openable: Vec<MessageKey>,
    hearing: Hearing,
) -> Result<(), StoreError> {
    for _ in 0..MAX_ROUNDS {
        let mut next = Vec::new();
        for target in &openable {
            let announcement = match hearing {
                Hearing::Told => Announcement::arrived(Repair::Retry),
                Hearing::Untold => Announcement::of_past(),
            };
            let opened = unseal::open(inner, target, announcement).await?;
            let Some(committed) = opened else { continue };
            next.extend(committed.openable);
        }
        if next.is_empty() {
            break;
        }
        openable = next;
    }
    Ok(())
}

/// Opens what an earlier run of this client left sealed although it could be opened, or what a
/// name that was learnt since may open.
///
/// # Errors
/// The store's.
pub(crate) async fn resume(inner: &Inner) -> Result<(), StoreError> {
    open(inner, inner.store.openable(MAX_RESUMED).await?).await
}

/// How often what was opened may make more openable: a comment may carry a secret itself.
const MAX_ROUNDS: usize = 8;
/// How many messages are looked at after a login.
const MAX_RESUMED: usize = 4_096;
