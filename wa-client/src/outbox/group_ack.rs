//! What the server's ack of a message to a group means for the own sender key.
//!
//! Owns the choice: the devices that were told the key have it now; or server and client disagree
//! about who is in the group, and then all that is known of it is void. Knows nothing of how a
//! message is prepared.

use wa_proto::{Jid, stanza::ServerAck};
use wa_store::{Changes, SecretBytes, StoreError};

use super::sealed::Sealed;
use crate::{devices, groups, inner::Inner, send::sender_key};

/// The changes. The caller holds the group's lock and commits them.
///
/// # Errors
/// The store's.
pub(super) async fn changes(
    inner: &Inner,
    group: &Jid,
    payload: &SecretBytes,
    ack: &ServerAck,
) -> Result<Changes, StoreError> {
    let Ok(stored) = wa_proto::node::read(payload.as_bytes()) else { return Ok(Changes::new()) };
    let Sealed { stanza, sender_key } = Sealed::of(stored);
    let hash = ack.participant_hash.as_deref();
    if hash.is_some_and(|theirs| !stanza.attrs.is("phash", theirs)) {
        tracing::info!("the server knows other devices of a group; everything is asked for again");
        return disagreed(inner, group).await;
    }
    let Some(key) = sender_key else { return Ok(Changes::new()) };
    let told = stanza.find("participants").map(|node| node.nodes()).unwrap_or_default();
    let told = told.iter().filter_map(|part| part.attrs.jid("jid")).collect();
    sender_key::told(inner, group, key, told, &ack.id.as_str().into()).await
}

/// Forgets who is in a group, which devices they have, and who has the key, which ends.
async fn disagreed(inner: &Inner, group: &Jid) -> Result<Changes, StoreError> {
    let mut changes = sender_key::end(inner, group).await?;
    let info = inner.store.group(group).await?;
    changes.merge(groups::cache::doubt(group, info.as_ref()));
    if let Some(info) = info {
        let people: Vec<Jid> = info.participants.into_iter().map(|person| person.jid).collect();
        let people = crate::lid::canonical_all(&*inner.store, &people).await?;
        changes.merge(devices::forget(&people));
    }
    Ok(changes)
}
