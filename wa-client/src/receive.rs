//! Messages that come in.

use wa_proto::stanza::{IncomingMessage, NackReason};

use crate::stanza_handler::{HandleError, Outcome, StanzaContext};

/// Deals with a `<message>`.
pub(crate) async fn handle(
    _cx: &StanzaContext,
    _message: IncomingMessage,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Nack(NackReason::UnhandledError))
}
