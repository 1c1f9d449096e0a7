//! Messages by their words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MessageView, operation};

/// Messages by their words.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words that must all be there; "a phrase", begin*, -without.
    pub query: String,
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
    /// The best matches first instead of the newest.
    #[serde(default)]
    pub ranked: bool,
    /// How many; 20 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(default)]
    pub cursor: Option<String>,
}
operation!(Search => FoundView, "messages/search", Read, "Finds messages by their words, the newest by time first.");

/// One page of what was found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FoundView {
    /// The messages.
    pub hits: Vec<HitView>,
    /// Give it as `cursor` for the next page; null on the last.
    pub cursor: Option<String>,
}

/// A message that was found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HitView {
    /// The message.
    #[serde(flatten)]
    pub message: MessageView,
    /// The part of its text around the matches.
    pub snippet: String,
    /// Where that part is in `text`: UTF-8 byte offsets, start and end.
    pub excerpt: (usize, usize),
    /// Where the matches are in `text`: UTF-8 byte offsets, start and end.
    pub highlights: Vec<(usize, usize)>,
    /// How well it matches, greater is better; 0 when the order is by time.
    pub rank: f64,
}
