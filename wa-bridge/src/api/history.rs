//! The past of the chats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// Asks the phone for older messages of a chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryFetch {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// How many; 50 unless said, 500 at most.
    #[serde(default)]
    pub count: Option<u32>,
}
operation!(HistoryFetch => FetchedView, "history/fetch", Read,
    "Asks the phone for messages older than those in the archive.");

/// What the phone gave.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FetchedView {
    /// The chat: its number where that is known, else its address.
    pub chat: String,
    /// Messages that are new in the archive.
    pub messages: u64,
    /// Messages that came.
    pub received: u64,
    /// Whether the phone has older ones: `yes`, `no`, `no-access` or `unknown`.
    pub older_on_phone: String,
}

/// Where the history is known to have gaps.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryGaps {
    /// How many; 50 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}
operation!(HistoryGaps => Vec<GapView>, "history/gaps", Read,
    "Lists where the history is known to have gaps.");

/// A gap of the history.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GapView {
    /// The chat whose beginning is missing; null if it is a part of the history the phone sent.
    pub chat: Option<String>,
    /// The chat's address.
    pub jid: Option<String>,
    /// From when (RFC 3339), if known.
    pub from: Option<String>,
    /// Until when (RFC 3339), if known.
    pub to: Option<String>,
    /// Why.
    pub reason: String,
    /// How often the phone was asked to close it.
    pub attempts: u32,
}
