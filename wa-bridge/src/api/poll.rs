//! Questions with options to choose from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PollView, operation};

/// How a poll stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollGet {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The poll's id.
    pub id: String,
}
operation!(PollGet => PollView, "polls/get", Read, "Tells how a poll stands and who voted for what.");
