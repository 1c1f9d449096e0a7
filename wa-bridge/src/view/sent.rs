//! What became of something that was sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChatTitle;

/// A message that was accepted: it is on disk, and is sent once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SentView {
    /// The message's id.
    pub id: String,
    /// Whom it is for: the phone number where that is known, else the address.
    pub chat: String,
    /// The chat's address.
    pub jid: String,
    /// Who or what that is.
    pub recipient: ChatTitle,
    /// How far it got by now.
    pub status: SentStatus,
    /// When the server took it (RFC 3339).
    pub sent_at: Option<String>,
    /// Whether this was accepted before, so that nothing was sent again.
    pub repeated: bool,
    /// Why it was not sent, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far a message on its way out has come.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SentStatus {
    /// It is on disk and leaves with this connection or a later one.
    Queued,
    /// The server has it.
    Sent,
    /// A device of the recipient has it.
    Delivered,
    /// It was read.
    Read,
    /// It was played.
    Played,
    /// It was given up.
    Failed,
}

impl SentView {
    /// A message that is on disk.
    pub fn queued(id: String, chat: String, jid: String, recipient: ChatTitle) -> Self {
        let (status, sent_at) = (SentStatus::Queued, None);
        Self { id, chat, jid, recipient, status, sent_at, repeated: false, reason: None }
    }
}
