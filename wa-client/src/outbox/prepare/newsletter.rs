//! A post of a channel: in the open, and under the id of what it changes.
//!
//! Knows nothing of keys: there are none.

use prost::Message as _;
use wa_proto::{
    MessageId, OwnedNode, Unwrapped, pb,
    pb::message::protocol_message::Type,
    stanza::{Edit, OutgoingMessage},
};
use wa_store::OutboxEntry;

use super::{super::sealed::Sealed, Held, Prepared, Skeleton};
use crate::{draft::Draft, inner::Inner};

/// Makes the stanza of an entry. A changed or deleted post keeps its id, so that the stanza has that
/// one and not the entry's.
pub(super) fn prepare(inner: &Inner, entry: OutboxEntry, skeleton: Skeleton) -> Prepared {
    let sealed = Sealed { stanza: stanza(&entry, skeleton), sender_key: None };
    Prepared::new(entry, sealed, Draft::new(&*inner.store), Held::default())
}

fn stanza(entry: &OutboxEntry, mut skeleton: Skeleton) -> OwnedNode {
    let change = change(&skeleton.message);
    let (target, edit, said) = match change {
        Some((target, Some(content))) => (Some(target), Edit::Admin, Some(content)),
        Some((target, None)) => (Some(target), Edit::AdminRevoke, None),
        None => (None, Edit::None, Some(skeleton.message)),
    };
    let plaintext = said.as_ref().map(pb::Message::encode_to_vec).unwrap_or_default();
    let media_type = said.and_then(|said| Unwrapped::from_message(said).content.media_type());
    if let Some(target) = target {
        skeleton.id = target;
    }
    let mut stanza =
        OutgoingMessage::new(entry.chat.clone(), skeleton.id.clone(), skeleton.kind.as_str());
    stanza.edit = edit;
    stanza.plaintext = Some(plaintext.into());
    stanza.plaintext_media_type = media_type.map(Into::into);
    stanza.media_id = skeleton.media_handle.map(Into::into);
    stanza.to_node()
}

/// The post that a message changes, and what it says from now on; nothing if it is deleted.
fn change(message: &pb::Message) -> Option<(MessageId, Option<pb::Message>)> {
    let wrapped = message.edited_message.as_ref().and_then(|wrapper| wrapper.message.as_deref());
    let protocol = wrapped.unwrap_or(message).protocol_message.as_deref()?;
    let target = MessageId::new(protocol.key.as_ref()?.id.as_deref()?).ok()?;
    match protocol.r#type() {
        Type::MessageEdit => Some((target, Some(*protocol.edited_message.clone()?))),
        Type::Revoke => Some((target, None)),
        _ => None,
    }
}
