//! What is still to be sent: messages on their way out, and receipts that were held up.
//!
//! Knows nothing of encryption; stanzas are the client's own bytes.

use wa_proto::Jid;

use crate::{MessageId, SecretBytes, SendFailure, Timestamp};

/// How long something may wait to be sent, in seconds: 30 days. What is older would surprise whoever gets
/// it, and is given up.
pub const OUTBOX_PATIENCE_SECS: i64 = 30 * 24 * 60 * 60;

/// A message on its way out. It lands before its bytes leave, and stays until the server acks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The stanza id, the same at every attempt.
    pub id: MessageId,
    /// Where it goes.
    pub chat: Jid,
    /// What to send: plaintext or stanza, in the client's own form.
    pub payload: SecretBytes,
    /// When the caller handed it over.
    pub created_at: Timestamp,
    /// How far it got.
    pub state: OutboxState,
    /// How often its bytes left.
    pub attempts: u32,
    /// The caller's own name for this act of sending; the same name is taken only once.
    pub idempotency_key: Option<String>,
    /// Who asked for it; `None` where the client itself was asked.
    pub origin: Option<Origin>,
}

/// Who asked for something that is sent, and what exactly they asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The asker's name.
    pub caller: String,
    /// Whether that is an assistant: what it sends does not count as said by the person.
    pub by_assistant: bool,
    /// A digest of what was asked for, so that the same name is known to be for the same thing.
    pub digest: Option<String>,
    /// Where nobody agreed to it and a rule let it pass: what kind of thing it is, in the word of
    /// whoever made that rule, to be judged by the rule there is when it leaves.
    pub unconfirmed: Option<String>,
}

/// How far an [`OutboxEntry`] got.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutboxState {
    /// Accepted, and its bytes have not left.
    Queued,
    /// Its bytes left; the server has not answered.
    Transmitted,
    /// The server has it.
    Acked,
    /// It will never be sent.
    Failed(SendFailure),
}

impl OutboxState {
    /// Whether something is still to be done.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Queued | Self::Transmitted)
    }
}

/// A receipt or ack that must leave, now or with the next connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingReceipt {
    /// The client's own name for it; putting the same name again replaces it.
    pub name: String,
    /// The stanza, in the client's own form.
    pub stanza: Vec<u8>,
    /// When it was put.
    pub created_at: Timestamp,
}
