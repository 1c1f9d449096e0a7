//! What happens to each stanza the server sends, and the one answer it gets.
//!
//! Owns the dispatch by kind and the rule that every stanza ends in exactly one ack, receipt or
//! nack. Knows nothing of what the kinds mean.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use wa_proto::{Node, OwnedNode};
use wa_store::StoreError;

use crate::{
    ack,
    connection::{Ending, Link, LinkClosed, Session},
    inner::Inner,
    notification, offline, pairing, receipts, receive,
};

/// What a handler works with: the client, and the connection the stanza came on.
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
    /// It is to be refused with this code.
    Nack(NackCode),
    /// The handler sent a receipt or another answer that takes the ack's place.
    Answered,
    /// It is of a kind that is not acknowledged.
    Silent,
}

/// Why a stanza is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(dead_code, reason = "the codes are a table of the protocol; not all have a use yet")]
pub(crate) enum NackCode {
    /// It does not parse.
    Parse = 487,
    /// Its tag is not known.
    UnrecognizedStanza = 488,
    /// Its class is not known.
    UnrecognizedClass = 489,
    /// Its type is not known.
    UnrecognizedType = 490,
    /// The protobuf in it does not parse.
    InvalidProtobuf = 491,
    /// It is for hosted companions only.
    InvalidHosted = 493,
    /// The message secret it needs is missing.
    MissingMessageSecret = 495,
    /// Its message counter is an old one.
    OldCounter = 496,
    /// Its message was deleted on the peer.
    MessageDeletedOnPeer = 499,
    /// It was not handled, for a reason of this client's own.
    Unhandled = 500,
    /// An admin's revoke is not supported.
    UnsupportedAdminRevoke = 550,
    /// A group by LID is not supported.
    UnsupportedLidGroup = 551,
    /// The database failed.
    Database = 552,
}

/// Why a stanza stays without an answer: the connection must end, and the server will send the
/// stanza again on the next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandleError {
    /// Nothing can be kept, so nothing may be acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection ended meanwhile.
    #[error(transparent)]
    Link(#[from] LinkClosed),
}

/// Deals with one stanza and answers it. Gives back how the connection must end, if it must.
pub(crate) async fn handle(cx: &StanzaContext, stanza: OwnedNode) -> Option<Ending> {
    let outcome = match AssertUnwindSafe(dispatch(cx, &stanza)).catch_unwind().await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(HandleError::Store(error))) => {
            tracing::error!(tag = %stanza.tag, %error, "cannot keep a stanza; it stays unanswered");
            return Some(Ending::Storage);
        }
        // The connection is ending by itself.
        Ok(Err(HandleError::Link(LinkClosed))) => return None,
        Err(_panic) => {
            tracing::error!(tag = %stanza.tag, "a handler panicked");
            Outcome::Nack(NackCode::Unhandled)
        }
    };
    let answer = match outcome {
        Outcome::Ack => ack::ack(&stanza, None, &cx.inner.account()),
        Outcome::Nack(code) => ack::ack(&stanza, Some(code), &cx.inner.account()),
        Outcome::Answered | Outcome::Silent => return None,
    };
    // A closed link means that the stanza comes again.
    let _ = cx.link.send(&answer).await;
    None
}

async fn dispatch(cx: &StanzaContext, stanza: &OwnedNode) -> Result<Outcome, HandleError> {
    tracing::trace!(stanza = %stanza.redacted(), "received");
    match stanza.tag.as_ref() {
        "message" => receive::handle(cx, stanza).await,
        "receipt" => receipts::handle(cx, stanza).await,
        "notification" => notification::handle(cx, stanza).await,
        "ack" => receipts::server_ack(cx, stanza).await,
        "iq" => server_request(cx, stanza).await,
        "ib" => offline::handle_ib(cx, stanza).await,
        // Nothing is done about calls yet, but each is told that it arrived.
        "call" => Ok(Outcome::Ack),
        "presence" | "chatstate" | "success" => Ok(Outcome::Silent),
        _ => Ok(Outcome::Nack(NackCode::UnrecognizedStanza)),
    }
}

/// Requests that the server makes.
async fn server_request(cx: &StanzaContext, iq: &OwnedNode) -> Result<Outcome, HandleError> {
    if iq.attrs.is("type", "result") || iq.attrs.is("type", "error") {
        // An answer that came after its request had timed out.
        return Ok(Outcome::Silent);
    }
    let child = iq.nodes().first().map(|child| child.tag.as_ref());
    match child {
        Some("pair-device") => pairing::begin(cx, iq).await,
        Some("pair-success") => pairing::complete(cx, iq).await,
        _ => {
            let pong = Node::new("iq")
                .attr("type", "result")
                .attr_opt("to", iq.attrs.value("from").cloned())
                .attr_opt("id", iq.attrs.value("id").cloned());
            cx.link.send(&pong).await?;
            Ok(Outcome::Answered)
        }
    }
}
