//! What was done in the account's name, and who asked for it.
//!
//! Entries are added and never changed: each carries a hash over all that it says and over the hash of
//! the entry before it, so that one that was changed, taken out or put in breaks the chain. Whoever can
//! write to the database and knows this can make a new chain; a hash that was kept elsewhere tells. Knows
//! nothing of who may do what.

use std::fmt;

use wa_crypto::{Digest, Sha256};
use wa_proto::Jid;

use crate::{MAX_PAGE, Store, Timestamp, store::Result};

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
    /// SHA-256 of what was sent, and where.
    pub digest: Option<[u8; 32]>,
    /// SHA-256 over the entry and the hash of the one before it; given when it is stored. Entries of
    /// older versions have none.
    pub hash: Option<[u8; 32]>,
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
            digest: None,
            hash: None,
        }
    }

    /// The hash of the entry as one that follows another.
    pub(crate) fn hash_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let Self { seq, at_ms, caller, call, chat, outcome, detail, to_stranger, digest, hash: _ } =
            self;
        let chat = chat.as_ref().map(ToString::to_string);
        let mut all = Sha256::new();
        let mut part = |present: bool, bytes: &[u8]| {
            // With its length, so that nothing can move from one part to the next.
            all.update([u8::from(present)]);
            all.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            all.update(bytes);
        };
        part(true, CHAIN);
        part(true, previous);
        part(true, &seq.to_be_bytes());
        part(true, &at_ms.to_be_bytes());
        part(true, caller.as_bytes());
        part(true, call.as_bytes());
        part(chat.is_some(), chat.as_deref().unwrap_or_default().as_bytes());
        part(true, outcome.as_bytes());
        part(detail.is_some(), detail.as_deref().unwrap_or_default().as_bytes());
        part(true, &[u8::from(*to_stranger)]);
        part(digest.is_some(), digest.as_ref().map_or(&[][..], |digest| digest));
        all.finalize().into()
    }
}

/// How long entries are kept, in seconds: 400 days, so that a year can be looked back at.
pub const AUDIT_RETENTION_SECS: i64 = 400 * 24 * 60 * 60;

/// From when on entries are kept, in milliseconds since 1970. A clock that runs ahead for a moment takes
/// nothing out: time goes on by a day at most from the last entry.
pub(crate) const fn kept_since_ms(now: Timestamp, last_ms: i64) -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let (now_ms, at_most) = (now.secs().saturating_mul(1_000), last_ms.saturating_add(DAY_MS));
    let now_ms = if now_ms < at_most { now_ms } else { at_most };
    now_ms.saturating_sub(AUDIT_RETENTION_SECS * 1_000)
}

/// What the chain is called, so that its hashes are nothing else's.
const CHAIN: &[u8] = b"wa audit 1";

/// The entry on which the first one that is left builds: the last that was taken out because of its
/// age, or the last one of a version without a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditAnchor {
    /// Its number; 0 where there was none.
    pub seq: u64,
    /// When it was, in milliseconds since 1970, if it was taken out.
    pub at_ms: Option<i64>,
    /// Its hash; zeros where the chain begins.
    pub hash: [u8; 32],
}

/// What a check of the chain came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditProof {
    /// How many entries hold together, counted from the newest.
    pub entries: u64,
    /// How many come before the chain's beginning.
    pub before_chain: u64,
    /// On what the first entry builds.
    pub anchor: AuditAnchor,
    /// The newest entry and its hash, for whoever wants to keep it elsewhere.
    pub newest: Option<(u64, [u8; 32])>,
    /// The entry at which the chain breaks, counted from the newest, and why.
    pub broken: Option<(u64, AuditBreak)>,
    /// Whether a hash that was kept was found among the entries; nothing unless one was asked for.
    pub found: Option<bool>,
}

/// How a chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditBreak {
    /// The entry, or the one before it, is not as it was written.
    Changed,
    /// Entries before it are gone.
    Missing,
    /// It has no hash, and others after it have.
    Unchained,
}

impl AuditBreak {
    /// What it means, in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "it, or the one before it, is not as it was written",
            Self::Missing => "entries before it are gone",
            Self::Unchained => "it was put in without a hash",
        }
    }
}

/// Checks the chain from its newest entry back to where it begins; with `kept`, whether the entry
/// with that hash is still there.
///
/// # Errors
/// [`StoreError`](crate::StoreError) if the audit cannot be read.
pub async fn verify_audit(store: &dyn Store, kept: Option<[u8; 32]>) -> Result<AuditProof> {
    let anchor = store.audit_anchor().await?;
    let mut check = Check {
        proof: AuditProof {
            anchor,
            found: kept.map(|kept| kept == anchor.hash),
            ..Default::default()
        },
        kept,
        later: None,
    };
    let mut query = AuditQuery { limit: MAX_PAGE, ..AuditQuery::default() };
    loop {
        let page = store.audit(&query).await?;
        for entry in &page {
            check.take(entry);
            query.before = Some(entry.seq);
        }
        if page.len() < MAX_PAGE {
            return Ok(check.end());
        }
    }
}

/// A check of the chain under way, from the newest entry to the oldest.
struct Check {
    proof: AuditProof,
    kept: Option<[u8; 32]>,
    /// The entry that was taken last: it follows the next one.
    later: Option<AuditEntry>,
}

impl Check {
    fn take(&mut self, entry: &AuditEntry) {
        if entry.seq <= self.proof.anchor.seq {
            self.proof.before_chain += 1;
            return;
        }
        if self.proof.newest.is_none() {
            self.proof.newest = entry.hash.map(|hash| (entry.seq, hash));
        }
        if self.kept.is_some() && entry.hash == self.kept {
            self.proof.found = Some(true);
        }
        if let Some(later) = self.later.replace(entry.clone()) {
            self.follows(&later, entry.seq, entry.hash);
        }
    }

    /// Checks that an entry follows another.
    fn follows(&mut self, later: &AuditEntry, seq: u64, hash: Option<[u8; 32]>) {
        if self.proof.broken.is_some() {
            return;
        }
        let broken = match (later.hash, hash) {
            (None, _) => Some(AuditBreak::Unchained),
            _ if seq.checked_add(1) != Some(later.seq) => Some(AuditBreak::Missing),
            (Some(own), Some(hash)) if later.hash_after(&hash) == own => None,
            _ => Some(AuditBreak::Changed),
        };
        match broken {
            Some(broken) => self.proof.broken = Some((later.seq, broken)),
            None => self.proof.entries += 1,
        }
    }

    fn end(mut self) -> AuditProof {
        if let Some(first) = self.later.take() {
            let AuditAnchor { seq, hash, .. } = self.proof.anchor;
            self.follows(&first, seq, Some(hash));
        }
        self.proof
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
    /// Only those of which this came.
    pub outcome: Option<String>,
    /// How many; at most [`MAX_PAGE`](crate::MAX_PAGE).
    pub limit: usize,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self { before: None, since_ms: None, outcome: None, limit: 50 }
    }
}

impl AuditQuery {
    pub(crate) fn select(&self, entries: &[AuditEntry]) -> Vec<AuditEntry> {
        let wanted = entries.iter().rev().filter(|entry| {
            self.before.is_none_or(|before| entry.seq < before)
                && self.since_ms.is_none_or(|since| entry.at_ms >= since)
                && self.outcome.as_ref().is_none_or(|outcome| *outcome == entry.outcome)
        });
        wanted.take(self.limit.min(MAX_PAGE)).cloned().collect()
    }
}
