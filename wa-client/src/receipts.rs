//! Receipts and acks that come in.

use wa_proto::OwnedNode;

use crate::stanza_handler::{HandleError, Outcome, StanzaContext};

/// Deals with a `<receipt>`.
pub(crate) async fn handle(
    _cx: &StanzaContext,
    _receipt: &OwnedNode,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Ack)
}

/// Deals with an `<ack>` that nobody waits for any more.
pub(crate) async fn server_ack(
    _cx: &StanzaContext,
    _ack: &OwnedNode,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Silent)
}
