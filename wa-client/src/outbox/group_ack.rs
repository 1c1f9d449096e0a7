//! What the server's ack of a message to a group means for the own sender key and for what is known
//! of the group.
//!
//! Owns the choice. The devices that were told the key have it now. If server and client disagree
//! about who gets the group's messages, the group is asked for again, and nothing else is doubted:
//! WhatsApp Web does the same, and whoever told the key to everybody again would do so with every
//! message to a group about which they disagree for long. Knows nothing of how a message is
//! prepared.

use std::sync::Arc;

use wa_proto::{Jid, stanza::ServerAck};
use wa_store::{Changes, StoreError};

use super::sealed::Sealed;
use crate::{error::Error, groups, inner::Inner, send::sender_key};

/// The changes. The caller holds the group's lock and commits them.
///
/// # Errors
/// The store's.
pub(super) async fn changes(
    inner: &Inner,
    group: &Jid,
    sealed: &Sealed,
    ack: &ServerAck,
) -> Result<Changes, StoreError> {
    let Some(key) = sealed.sender_key else { return Ok(Changes::new()) };
    let told = sealed.stanza.find("participants").map(|node| node.nodes()).unwrap_or_default();
    let told = told.iter().filter_map(|part| part.attrs.jid("jid")).collect();
    sender_key::told(inner, group, key, told, &ack.id.as_str().into()).await
}

/// Asks for a group about whose devices the server's hash says something else, in the background;
/// once for each hash.
pub(super) fn ask_again(inner: &Arc<Inner>, group: &Jid, hash: &str) {
    if !inner.outbox.disagrees(group, hash) {
        return;
    }
    tracing::info!("the server knows other devices of a group, which is asked for again");
    let (shared, group) = (Arc::clone(inner), group.clone());
    inner.spawn(async move {
        match groups::cache::refresh(&shared, &group).await {
            Ok(_) | Err(Error::NotInGroup) => {}
            Err(error) => tracing::warn!(%error, "a group is not known anew"),
        }
    });
}
