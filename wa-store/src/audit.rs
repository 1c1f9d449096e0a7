//! What was done in the account's name, and who asked for it.
//!
//! Entries are added and never changed. Knows nothing of who may do what.

use std::fmt;

use wa_proto::Jid;

/// One thing that was done or refused.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its number, 0 until it is stored; the next has a greater one.
    pub seq: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked.
    pub caller: String,
    /// What was asked for.
    pub call: String,
    /// The chat it was about.
    pub chat: Option<Jid>,
    /// What came of it, in a word.
    pub outcome: String,
    /// Why it was refused, or the id of what was sent; never message text.
    pub detail: Option<String>,
    /// Whether a message went to somebody who never wrote to this account.
    pub to_stranger: bool,
}

impl AuditEntry {
    /// An entry about no chat, without detail.
    pub fn new(
        at_ms: i64,
        caller: impl Into<String>,
        call: impl Into<String>,
        outcome: impl Into<String>,
    ) -> Self {
        Self {
            seq: 0,
            at_ms,
            caller: caller.into(),
            call: call.into(),
            chat: None,
            outcome: outcome.into(),
            detail: None,
            to_stranger: false,
        }
    }
}

impl fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEntry")
            .field("seq", &self.seq)
            .field("call", &self.call)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A question for entries, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// Only those with a smaller number.
    pub before: Option<u64>,
    /// Only those of this millisecond or later.
    pub since_ms: Option<i64>,
    /// How many; at most [`MAX_PAGE`](crate::MAX_PAGE).
    pub limit: usize,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self { before: None, since_ms: None, limit: 50 }
    }
}

impl AuditQuery {
    pub(crate) fn select(&self, entries: &[AuditEntry]) -> Vec<AuditEntry> {
        let wanted = entries.iter().rev().filter(|entry| {
            self.before.is_none_or(|before| entry.seq < before)
                && self.since_ms.is_none_or(|since| entry.at_ms >= since)
        });
        wanted.take(self.limit.min(crate::MAX_PAGE)).cloned().collect()
    }
}
