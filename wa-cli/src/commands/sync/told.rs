//! Events as objects, one shape for each name.
//!
//! Knows nothing of new messages, which are read from the archive.

use serde_json::{Value, json};
use wa_client::{Event, SendState};

/// The object for an event, if it is one that scripts are told.
pub(super) fn object(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Connected => json!({ "event": "connected" }),
        Event::Disconnected { .. } => json!({ "event": "disconnected" }),
        Event::Reconnecting { attempt, delay } => {
            json!({ "event": "reconnecting", "attempt": attempt, "seconds": delay.as_secs() })
        }
        Event::OfflineSyncCompleted { .. } => json!({ "event": "drained" }),
        Event::StatusChanged(change) => json!({
            "event": "status",
            "chat": change.chat.to_string(),
            "by": change.by.to_user().to_string(),
            "ids": change.ids,
            "status": status(change.state),
        }),
        Event::SendStatus { chat, id, state } => json!({
            "event": "status",
            "chat": chat.to_string(),
            "ids": [id],
            "status": status(*state),
        }),
        _ => return None,
    })
}

const fn status(state: SendState) -> &'static str {
    match state {
        SendState::Queued => "pending",
        SendState::Sent { .. } => "sent",
        SendState::Failed { .. } => "failed",
        SendState::Delivered => "delivered",
        SendState::Read => "read",
        SendState::Played => "played",
        _ => "unknown",
    }
}
