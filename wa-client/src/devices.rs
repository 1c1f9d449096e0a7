//! Which devices people have.

use wa_proto::stanza::Notification;

use crate::stanza_handler::{HandleError, Outcome, StanzaContext};

/// Deals with a `<notification>` about anything but prekeys.
pub(crate) async fn handle_notification(
    _cx: &StanzaContext,
    _notification: Notification,
) -> Result<Outcome, HandleError> {
    Ok(Outcome::Ack)
}
