//! Messages that wait for a person to agree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation;

/// A message that waits for a person to agree, bound to its recipient and to what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DraftView {
    /// Its id.
    pub id: String,
    /// What would be done: the call's path.
    pub call: String,
    /// The chat's address.
    pub chat: String,
    /// What the chat is called, and its number where that is known.
    pub recipient: String,
    /// What would be done, in words; what others wrote in it is quoted.
    pub preview: String,
    /// All that the person has to be shown before they agree, exactly so: where it goes, what it is,
    /// why they are asked and by whom.
    #[serde(default)]
    pub shown: String,
    /// Why it has to be confirmed.
    pub why: String,
    /// Who asked for it.
    pub caller: String,
    /// When (RFC 3339).
    pub created_at: String,
    /// When it is dropped (RFC 3339).
    pub expires_at: String,
    /// A hash of chat and content; agreeing to another one is refused.
    pub digest: String,
    /// The page on this machine where a person can let it go, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The messages that wait for a person to agree, the oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftList {}
operation!(DraftList => Vec<DraftView>, "drafts/list", Read,
    "Lists the messages that wait for a person to agree.");

/// Agrees to a draft, which is then sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftApprove {
    /// The draft.
    pub id: String,
    /// The digest of what the person saw.
    pub digest: String,
    /// How the person agreed.
    pub by: Approval,
}
operation!(DraftApprove => Value, "drafts/approve", Send, "Sends a draft a person agreed to.");

/// How a person agreed to a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// At a terminal, or on the owner's own page.
    Person,
    /// In a dialogue that the assistant's program showed to the person.
    Elicitation,
    /// By the assistant's word, which counts only where the policy says so.
    Assistant,
}

/// Drops a draft.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftCancel {
    /// The draft.
    pub id: String,
}
operation!(DraftCancel => DraftView, "drafts/cancel", Arrange, "Drops a draft; it is not sent.");
