//! Stopping all that assistants send, at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// Stops everything that assistants send, in every process and across restarts, until it is
/// released. What waits in the outbox stays there.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {}
operation!(Hold => HoldView, "sending/hold", Guard,
    "Stops everything that assistants send, until a person releases it.");

/// Lets assistants send again, and what they had sent before leave.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {}
operation!(Release => HoldView, "sending/release", Guard, "Lets assistants send again.");

/// Whether assistants may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HoldView {
    /// Since when nothing of theirs leaves (RFC 3339); null where they may send.
    pub held_since: Option<String>,
    /// How many of their messages wait in the outbox.
    pub waiting: u64,
}
