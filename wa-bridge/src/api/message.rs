//! Messages that are in the archive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ArrangedView, MessageView, operation};

/// Messages by time.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageList {
    /// Only this chat: an address, a phone number or a name.
    #[serde(default)]
    pub chat: Option<String>,
    /// Only what this person wrote.
    #[serde(default)]
    pub from: Option<String>,
    /// Only this kind: text, image, video, voice-note, document, poll, …
    #[serde(default)]
    pub kind: Option<String>,
    /// One's own (`true`) or others' (`false`).
    #[serde(default)]
    pub from_me: Option<bool>,
    /// Only messages of this date or time on: 2026-11-22, 2026-11-22T18:00, or with an offset.
    #[serde(default)]
    pub after: Option<String>,
    /// Only messages before this date or time.
    #[serde(default)]
    pub before: Option<String>,
    /// Only those that stand before the message with this number in time.
    #[serde(default)]
    pub before_seq: Option<u64>,
    /// Only those that stand after the message with this number in time.
    #[serde(default)]
    pub after_seq: Option<u64>,
    /// How many; 50 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// The oldest first instead of the newest.
    #[serde(default)]
    pub oldest_first: bool,
}
operation!(MessageList => Vec<MessageView>, "messages/list", Read,
    "Lists messages by time, the newest first.");

/// A message with those around it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageContext {
    /// The message's id.
    pub id: String,
    /// Its chat: an address, a phone number or a name. May be left out where the id is known once.
    #[serde(default)]
    pub chat: Option<String>,
    /// How many before it; 5 unless said, 100 at most.
    #[serde(default)]
    pub before: Option<u32>,
    /// How many after it; 5 unless said, 100 at most.
    #[serde(default)]
    pub after: Option<u32>,
}
operation!(MessageContext => ContextView, "messages/context", Read,
    "Gives a message and those before and after it.");

/// A message with those around it, each part from old to new.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ContextView {
    /// The message.
    pub message: MessageView,
    /// Those before it.
    pub before: Vec<MessageView>,
    /// Those after it.
    pub after: Vec<MessageView>,
}

/// Puts a star on a message, or takes it off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageStar {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// Whether it is to have a star.
    pub starred: bool,
}
operation!(MessageStar => ArrangedView, "messages/star", Arrange,
    "Puts a star on a message or takes it off, on all devices of the account.");

/// Deletes a message for this account alone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageDelete {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
}
operation!(MessageDelete => ArrangedView, "messages/delete", Delete,
    "Deletes a message for this account alone.");
