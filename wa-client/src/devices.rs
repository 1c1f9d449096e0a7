//! Which devices people have.

use wa_proto::OwnedNode;

use crate::stanza_handler::{HandleError, Outcome, StanzaContext};

/// Deals with a `<notification>` about devices, identities or the account.
pub(crate) async fn handle_notification(
    _cx: &StanzaContext,
    _notification: &OwnedNode,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Ack)
}
