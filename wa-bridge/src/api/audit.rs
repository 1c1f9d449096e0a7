//! What was done in the account's name, and who asked for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// What was sent, deleted, changed and refused, the newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// How many; 50 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only those before this number.
    #[serde(default)]
    pub before: Option<u64>,
}
operation!(Audit => Vec<AuditView>, "audit/list", Read,
    "Lists what was sent, deleted, changed and refused, and who asked for it.");

/// One thing that was done or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AuditView {
    /// Its number; the next has a greater one.
    pub seq: u64,
    /// When (RFC 3339).
    pub at: String,
    /// Who asked: a frontend and its name.
    pub caller: String,
    /// What was asked for: the call's path.
    pub call: String,
    /// The chat it was about.
    pub chat: Option<String>,
    /// What came of it: `done`, `drafted`, or the code of the failure.
    pub outcome: String,
    /// Why it was refused, or the id of what was sent.
    pub detail: Option<String>,
}
