//! What happens to each stanza the server sends, and the one answer it gets.
//!
//! Owns the dispatch by kind and the rule that every stanza ends in exactly one ack, receipt or
//! nack. Knows nothing of what the kinds mean.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use wa_proto::{
    Jid, Node, OwnedNode, Stanza,
    stanza::{Envelope, Iq, NackReason, Notification, NotificationBody, ServerRequest, iq_result},
};
use wa_store::StoreError;

use crate::{
    account_notice, call,
    connection::{Ending, Link, LinkClosed, Session},
    devices,
    inner::Inner,
    media, offline, pairing, prekeys, presence, receipts, receive, unkept,
};

/// What a handler works with: the client, and the connection the stanza came on. What a handler
/// sends goes over that connection and no other.
#[derive(Debug, Clone)]
pub(crate) struct StanzaContext {
    pub(crate) inner: Arc<Inner>,
    pub(crate) link: Link,
    pub(crate) session: Arc<Session>,
}

/// How a stanza was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is to be acknowledged.
    Ack,
    /// It is to be refused.
    Nack(NackReason),
    /// The handler sent a receipt or another answer that takes the ack's place, or the stanza is
    /// of a kind that nobody waits for an answer to.
    Answered,
}

/// Why a stanza stays without an answer: the server will send it again on the next connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HandleError {
    /// It cannot be kept, so it may not be acknowledged. If that is the disk's fault, the
    /// connection ends; else it is tried again, and refused in the end.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection ended meanwhile.
    #[error(transparent)]
    Link(#[from] LinkClosed),
}

/// Deals with one stanza and answers it. Gives back how the connection must end, if it must.
pub(crate) async fn handle(cx: &StanzaContext, stanza: Stanza) -> Option<Ending> {
    loop {
        let error = match attempt(cx, stanza.clone()).await {
            Attempt::Over => {
                cx.inner.unkept.forget(&stanza);
                return None;
            }
            Attempt::NotKept(error) => error,
        };
        if error.stops_receiving() || stanza.envelope().is_none() {
            tracing::error!(%error, "nothing can be kept; it stays unanswered");
            return Some(Ending::Storage);
        }
        // The store takes everything but this one.
        let attempts = cx.inner.unkept.count(&stanza);
        tracing::error!(%error, attempts, "a stanza cannot be kept");
        if attempts >= MAX_ATTEMPTS {
            unkept::give_up(cx, stanza).await;
            return None;
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

/// What became of one attempt to deal with a stanza.
enum Attempt {
    /// It was dealt with and answered, or the connection is ending by itself.
    Over,
    /// The store did not take it.
    NotKept(StoreError),
}

async fn attempt(cx: &StanzaContext, stanza: Stanza) -> Attempt {
    let envelope = stanza.envelope().cloned();
    let foreign = match &stanza {
        Stanza::Unknown(node) => nack_unknown(node),
        _ => None,
    };
    let outcome = match AssertUnwindSafe(dispatch(cx, stanza)).catch_unwind().await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(HandleError::Store(error))) => return Attempt::NotKept(error),
        Ok(Err(HandleError::Link(LinkClosed))) => return Attempt::Over,
        Err(_panic) => {
            cx.inner.tasks.panicked("stanzas");
            Outcome::Nack(NackReason::UnhandledError)
        }
    };
    answer(cx, outcome, envelope, foreign).await;
    Attempt::Over
}

/// Answers a stanza as its handler said, if it is of a kind that is answered.
pub(crate) async fn answer(
    cx: &StanzaContext,
    outcome: Outcome,
    envelope: Option<Envelope>,
    foreign: Option<OwnedNode>,
) {
    let own = cx.inner.account().jid.clone();
    let answer = match (outcome, envelope) {
        (Outcome::Answered, _) => None,
        (Outcome::Ack, Some(envelope)) => Some(with_own(envelope.ack(), own.as_ref())),
        (Outcome::Nack(reason), Some(envelope)) => {
            Some(with_own(envelope.nack(reason), own.as_ref()))
        }
        (_, None) => foreign,
    };
    if let Some(answer) = answer {
        // A closed link means that the stanza comes again.
        let _ = cx.link.send(&answer).await;
    }
}

fn with_own(ack: wa_proto::stanza::Ack, own: Option<&Jid>) -> OwnedNode {
    match own {
        Some(own) => ack.from(own).to_node(),
        None => ack.to_node(),
    }
}

/// The answer to a stanza whose tag is not known, if it has what an answer needs.
fn nack_unknown(stanza: &OwnedNode) -> Option<OwnedNode> {
    let nack = Node::new("ack")
        .attr("class", stanza.tag.clone().into_owned())
        .attr("id", stanza.attrs.value("id")?.clone())
        .attr("to", stanza.attrs.value("from")?.clone())
        .attr("error", u32::from(NackReason::UnrecognizedStanza.code()));
    Some(nack)
}

async fn dispatch(cx: &StanzaContext, stanza: Stanza) -> Result<Outcome, HandleError> {
    match stanza {
        Stanza::Message(message) => receive::handle(cx, *message).await,
        Stanza::Receipt(receipt) => receipts::handle(cx, *receipt).await,
        Stanza::Notification(notification) => notified(cx, *notification).await,
        Stanza::Ack(ack) => receipts::handle_ack(cx, ack).await,
        Stanza::Iq(Iq::Request { id, from, request }) => asked(cx, &id, &from, request).await,
        Stanza::Info(items) => offline::handle_info(cx, items).await,
        Stanza::Presence(presence) => {
            presence::told(&cx.inner, presence).await?;
            Ok(Outcome::Answered)
        }
        Stanza::ChatState(state) => {
            presence::typing_told(&cx.inner, state).await?;
            Ok(Outcome::Answered)
        }
        Stanza::Call(news) => {
            call::told(&cx.inner, *news).await?;
            Ok(Outcome::Ack)
        }
        Stanza::Malformed(malformed) => {
            tracing::warn!(tag = %malformed.tag, reason = %malformed.reason, "a malformed stanza");
            match &malformed.id {
                // Of what the server asks, only words about pairing can be malformed.
                Some(id) if malformed.tag == "iq" => {
                    pairing::refuse_unreadable(cx, id).await?;
                    Ok(Outcome::Answered)
                }
                _ => Ok(Outcome::Nack(NackReason::ParsingError)),
            }
        }
        Stanza::Unknown(node) => {
            tracing::warn!(stanza = %node.redacted(), "a stanza of an unknown kind");
            Ok(Outcome::Nack(NackReason::UnrecognizedStanza))
        }
        // An answer that came after its question had timed out, and what is not kept for us.
        _ => Ok(Outcome::Answered),
    }
}

async fn notified(cx: &StanzaContext, notification: Notification) -> Result<Outcome, HandleError> {
    match notification.body {
        NotificationBody::PreKeysLeft { count } => prekeys::top_up_in_background(cx, count),
        NotificationBody::MediaRetry(answer) => media::phone_answered(&cx.inner, &answer),
        NotificationBody::LinkCode(answer) => pairing::primary_answered(cx, answer).await?,
        NotificationBody::LinkCodeRefresh { pairing_ref } => {
            pairing::refresh_code(cx, pairing_ref.as_deref());
        }
        NotificationBody::PasskeyRequest { options } => {
            pairing::passkey_requested(cx, options).await?;
        }
        NotificationBody::PasskeyContinuation { identity } => {
            pairing::passkey_continued(cx, &identity).await?;
        }
        _ => {
            if let Some(other) = account_notice::handle(&cx.inner, notification).await? {
                return devices::handle_notification(cx, other).await;
            }
        }
    }
    Ok(Outcome::Ack)
}

async fn asked(
    cx: &StanzaContext,
    id: &str,
    from: &Jid,
    request: ServerRequest,
) -> Result<Outcome, HandleError> {
    match request {
        ServerRequest::PairDevice(pair) => pairing::begin(cx, id, pair).await?,
        ServerRequest::PairSuccess(success) => pairing::complete(cx, id, *success).await?,
        _ => cx.link.send(&iq_result(id, from)).await?,
    }
    Ok(Outcome::Answered)
}

/// How often it is tried to keep one stanza, over all connections, before it is refused.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
/// How long after one attempt the next is made.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_stanza_is_refused_if_it_can_be_answered() {
        let stanza = Node::new("novelty").attr("id", "7").attr("from", Jid::lid("1"));
        let nack = nack_unknown(&stanza).unwrap();
        assert!(nack.attrs.is("class", "novelty") && nack.attrs.is("error", "488"));
        assert_eq!(nack.attrs.jid("to"), Some(Jid::lid("1")));
        assert_eq!(nack_unknown(&Node::new("novelty")), None);
    }
}
