//! Messages to the account's own phone, or another own device: requests that no person sees.
//!
//! Owns their form. They go by phone number and are encrypted for the LID, and they never carry a
//! privacy token. Not in the outbox: whoever asks asks again.

use std::sync::Arc;

use prost::Message as _;
use wa_proto::{
    Content, Jid, MessageId,
    content::{MessageContext, Protocol},
    pb::message::PeerDataOperationRequestType as Operation,
    stanza::{EncKind, OutgoingMessage, PeerPriority},
};

use super::{encrypt::encrypt, message_id::message_id};
use crate::{draft::Draft, encryption::Keys, error::Error, identity, inner::Inner};

/// Sends something to the own phone, and returns its id once its bytes left.
///
/// # Errors
/// If there is no connection, no keys of the phone, or the store failed.
pub(crate) async fn send(inner: &Arc<Inner>, content: &Content) -> Result<MessageId, Error> {
    let id = fresh_id(inner)?;
    send_as(inner, &id, content).await?;
    Ok(id)
}

/// An id for [`send_as`].
///
/// # Errors
/// [`Error::NotLinked`].
pub(crate) fn fresh_id(inner: &Inner) -> Result<MessageId, Error> {
    let account = inner.account();
    let own = account.jid.as_ref().ok_or(Error::NotLinked)?;
    let id = inner.with_rng(|rng| message_id(inner.clock.unix(), own, rng));
    MessageId::new(id).map_err(|_| Error::Internal("a made id is invalid"))
}

/// Sends something to the own phone under an id that is known before, so that no answer is missed,
/// and returns once its bytes left.
///
/// # Errors
/// As [`send`].
pub(crate) async fn send_as(
    inner: &Arc<Inner>,
    id: &MessageId,
    content: &Content,
) -> Result<(), Error> {
    let phone = inner.account().jid.as_ref().ok_or(Error::NotLinked)?.to_user();
    send_to(inner, &phone, id, content).await
}

/// How urgent a content is, and whether it is marked as private. What asks for a message or for
/// history has to wake the phone, and goes as WhatsApp Web sends it (`WAWebSendNonMessageDataRequest`
/// by zapo's pull request 134 and whatsapp-rust's 666; whatsmeow, `send.go`).
fn priority(content: &Content) -> (Option<PeerPriority>, bool) {
    let Content::Protocol(Protocol::PeerDataOperationRequest(request)) = content else {
        return (Some(PeerPriority::High), false);
    };
    match request.peer_data_operation_request_type() {
        Operation::HistorySyncOnDemand => (Some(PeerPriority::HighForce), true),
        Operation::PlaceholderMessageResend => (Some(PeerPriority::HighForce), false),
        _ => (Some(PeerPriority::High), false),
    }
}

/// Sends something to another own device, and returns once its bytes left.
///
/// # Errors
/// As [`send`].
pub(crate) async fn send_to(
    inner: &Arc<Inner>,
    to: &Jid,
    id: &MessageId,
    content: &Content,
) -> Result<(), Error> {
    let message = content.to_message(&MessageContext::default())?;
    let mut keys = Keys::default();
    let turn = keys.turn(inner, std::slice::from_ref(to)).await?;
    let device = turn.name(to);
    let mut draft = Draft::new(&*inner.store);
    let plaintext = message.encode_to_vec();
    let enc = encrypt(&mut draft, inner, &device, keys.bundle(&device), &plaintext).await?;
    let enc = enc.ok_or_else(|| keys.unreached(&device))?;
    let changed = draft.changed_people();
    inner.store.commit(draft.into_changes()).await?;
    drop(turn);
    identity::announce(inner, changed);

    let mut stanza = OutgoingMessage::new(to.clone(), id.clone(), "text");
    (stanza.peer, stanza.is_private) = priority(content);
    if enc.kind == EncKind::PreKeyMessage {
        stanza.device_identity = inner.account().device_identity.clone().map(Into::into);
    }
    stanza.encs.push(enc);
    inner.send_node(&stanza.to_node()).await.map_err(|_| Error::Disconnected)
}

#[cfg(test)]
mod tests {
    use wa_proto::pb;

    use super::*;

    #[test]
    fn what_asks_for_messages_or_history_wakes_the_phone() {
        let asking = |kind: Operation| {
            let request = pb::message::PeerDataOperationRequestMessage {
                peer_data_operation_request_type: Some(kind.into()),
                ..Default::default()
            };
            priority(&Content::Protocol(Protocol::PeerDataOperationRequest(Box::new(request))))
        };
        let woken = |is_private| (Some(PeerPriority::HighForce), is_private);
        assert_eq!(asking(Operation::HistorySyncOnDemand), woken(true));
        assert_eq!(asking(Operation::PlaceholderMessageResend), woken(false));
        let usual = (Some(PeerPriority::High), false);
        assert_eq!(asking(Operation::CompanionSyncdSnapshotFatalRecovery), usual);
        assert_eq!(priority(&Content::from("text")), usual);
    }
}
