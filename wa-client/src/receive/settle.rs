//! What follows a commit that recorded messages: listeners are told of what came and of what
//! changed, and what can be opened now is opened.
//!
//! Knows nothing of how it was recorded.

use wa_store::{Committed, MessageKey, StoreError};

use super::{message_event, unseal};
use crate::{
    event::{Event, MessageChange, Repair},
    inner::Inner,
};

/// Tells listeners what a commit brought, and opens the sealed additions it made openable, which
/// may bring more. `repaired_by` is how a message came that could not be read before.
///
/// # Errors
/// The store's; what was not opened then is tried again at the next login.
pub(crate) async fn settle(
    inner: &Inner,
    committed: &Committed,
    repaired_by: Repair,
) -> Result<(), StoreError> {
    tell(inner, committed, repaired_by);
    open(inner, committed.openable.clone()).await
}

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
            let Some(committed) = unseal::open(inner, target).await? else { continue };
            if hearing == Hearing::Told {
                tell(inner, &committed, Repair::Retry);
            }
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

fn tell(inner: &Inner, committed: &Committed, repaired_by: Repair) {
    for archived in &committed.archived {
        let message = message_event(archived.clone());
        inner.emit(match archived.filled {
            true => Event::MessageRepaired { message, by: repaired_by },
            false => Event::Message(message),
        });
    }
    tell_alterations(inner, committed);
}

/// Tells listeners what a commit did to messages that were there.
pub(crate) fn tell_alterations(inner: &Inner, committed: &Committed) {
    for altered in &committed.altered {
        inner.emit(Event::MessageChanged(MessageChange {
            key: altered.key.clone(),
            by: altered.by.clone(),
            what: altered.what,
        }));
    }
}

/// How often what was opened may make more openable: a comment may carry a secret itself.
const MAX_ROUNDS: usize = 8;
/// How many messages are looked at after a login.
const MAX_RESUMED: usize = 4_096;
