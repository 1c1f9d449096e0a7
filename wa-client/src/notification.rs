//! Notifications: what the server tells besides messages.
//!
//! Owns the dispatch by type. Knows nothing of what each is about.

use wa_proto::OwnedNode;

use crate::{
    devices, prekeys,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};

/// Deals with a `<notification>`; those of a type without a meaning here are acknowledged.
pub(crate) async fn handle(
    cx: &StanzaContext,
    notification: &OwnedNode,
) -> Result<Outcome, HandleError> {
    let kind = notification.attrs.text("type").unwrap_or_default();
    match kind.as_ref() {
        "encrypt" => {
            if let Some(count) = notification.find("count").and_then(|c| c.attrs.number("value")) {
                prekeys::server_has_few(cx, count);
                return Ok(Outcome::Ack);
            }
            devices::handle_notification(cx, notification).await
        }
        "devices" | "account_sync" => devices::handle_notification(cx, notification).await,
        _ => Ok(Outcome::Ack),
    }
}
