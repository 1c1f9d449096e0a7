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
    /// SHA-256 of what was to be sent and where, in hexadecimal digits.
    pub digest: Option<String>,
}

/// Whether the audit is whole: each entry's hash covers the entry before it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditVerify {
    /// A hash that an earlier check gave, in hexadecimal digits: its entry must still be there.
    #[serde(default)]
    pub kept: Option<String>,
}
operation!(AuditVerify => AuditProofView, "audit/verify", Read,
    "Checks that no entry of the audit was changed or taken out.");

/// What a check of the audit came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AuditProofView {
    /// Whether nothing is wrong.
    pub whole: bool,
    /// What is wrong, and at which entry; nothing where nothing is.
    pub problem: Option<String>,
    /// How many entries hold together, counted from the newest.
    pub entries: u64,
    /// How many were written by versions that kept no hashes.
    pub unchained: u64,
    /// The last entry that was taken out because of its age, and when it was (RFC 3339).
    pub taken_out: Option<TakenOutView>,
    /// The newest entry's number.
    pub newest: Option<u64>,
    /// The newest entry's hash, in hexadecimal digits: kept elsewhere, it tells later whether the end
    /// was cut off.
    pub hash: Option<String>,
}

/// The last entry of the audit that was taken out because of its age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TakenOutView {
    /// Its number.
    pub seq: u64,
    /// When it was (RFC 3339).
    pub at: String,
}
