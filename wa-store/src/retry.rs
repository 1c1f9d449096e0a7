//! What is remembered so that broken sessions heal and nobody is asked for ever.
//!
//! Owns what was sent (to answer retries) and what could not be read (to ask for it). Knows nothing
//! of when to ask or answer.

use wa_proto::Jid;

use crate::{MessageId, MessageKey, SecretBytes, Timestamp};

/// How long the hash of a handled stanza is kept, in seconds: 14 days.
pub const SEEN_RETENTION_SECS: i64 = 14 * 24 * 60 * 60;

/// How long a sent message is kept to answer retries, in seconds: 7 days after it was seen to wait in the
/// outbox the last time.
pub const SENT_RETENTION_SECS: i64 = 7 * 24 * 60 * 60;

/// How long retry counts are kept, in seconds: 14 days, as long as a message can be asked for.
pub const RETRY_RETENTION_SECS: i64 = 14 * 24 * 60 * 60;

/// How long a message that cannot be read may be asked for, in seconds: 30 days. Phones give up earlier.
pub const PLACEHOLDER_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// How long what was added to a message that did not come is kept, in seconds: 30 days.
pub const ORPHAN_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// How long the sender keys of a group are kept of which nothing is known any more, in seconds: 30 days,
/// more than what was sent before this account left may still be on its way.
pub const LEFT_GROUP_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// How long a device list is kept, in seconds: 30 days. It is asked for again long before.
pub const LIST_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// How often a table is gone through whose rows have to be looked at one by one, in seconds: weekly.
pub(crate) const PASS_SECS: i64 = 7 * 24 * 60 * 60;

/// The SHA-256 that stands for one encrypted payload: over ciphertext, kind, chat and sender.
///
/// Not over the message id: the same sender key message comes under several ids, and ids come back
/// in edits and retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen(pub [u8; 32]);

/// A message this device sent, kept to be encrypted again for a device that could not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The chat it went to.
    pub chat: Jid,
    /// Its id.
    pub id: MessageId,
    /// The unpadded `Message` protobuf.
    pub plaintext: SecretBytes,
    /// What else the stanza needs (attributes such as `edit`), in the client's own form.
    pub envelope: Vec<u8>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// People as an audience is kept: without devices, sorted, each once.
pub(crate) fn audience(people: Vec<Jid>) -> Vec<Jid> {
    let mut people: Vec<Jid> = people.iter().map(Jid::to_user).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// A message that arrived and could not be read.
///
/// It also stands in the archive, as a message of the kind
/// [`MessageKind::UNREADABLE`](crate::MessageKind::UNREADABLE), until it is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// Which message.
    pub key: MessageKey,
    /// The stanza's time.
    pub timestamp: Timestamp,
    /// The stanza's `notify` attribute.
    pub push_name: Option<String>,
    /// Why it could not be read, in the client's own words (never message text).
    pub reason: String,
    /// When the phone was last asked for it.
    pub requested_at: Option<Timestamp>,
    /// How often the phone was asked.
    pub attempts: u32,
}
