//! Receipts and acks that come in.

use wa_proto::stanza::{Receipt, ServerAck};

use crate::stanza_handler::{HandleError, Outcome, StanzaContext};

/// Deals with a `<receipt>`.
pub(crate) async fn handle(_cx: &StanzaContext, _receipt: Receipt) -> Result<Outcome, HandleError> {
    Ok(Outcome::Ack)
}

/// Deals with an `<ack>` that nobody waits for any more.
pub(crate) async fn handle_ack(
    _cx: &StanzaContext,
    _ack: ServerAck,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Answered)
}
