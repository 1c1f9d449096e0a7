//! Messages that come in.

use wa_proto::OwnedNode;

use crate::stanza_handler::{HandleError, NackCode, Outcome, StanzaContext};

/// Deals with a `<message>`.
pub(crate) async fn handle(
    _cx: &StanzaContext,
    _message: &OwnedNode,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Nack(NackCode::Unhandled))
}
