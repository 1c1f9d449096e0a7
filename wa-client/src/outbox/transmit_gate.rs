//! The last word on what leaves: asked right before the bytes of a message go.
//!
//! Owns the question. Knows nothing of why something may not leave.

use async_trait::async_trait;
use wa_store::OutboxEntry;

/// Decides whether what waits in the outbox may leave. It is asked at every attempt, so that what
/// was allowed when a message was handed over, and is not any more, does not leave after all.
#[async_trait]
pub trait TransmitGate: Send + Sync {
    /// Whether an entry may leave now.
    async fn verdict(&self, entry: &OutboxEntry) -> TransmitVerdict;
}

/// What becomes of a message that is about to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransmitVerdict {
    /// It leaves.
    Send,
    /// It stays in the outbox; those behind it may leave. [`Client::flush_outbox`] and every new
    /// connection look at it again.
    ///
    /// [`Client::flush_outbox`]: crate::Client::flush_outbox
    Wait,
    /// It fails for good, with [`Error::TransmissionRefused`](crate::Error::TransmissionRefused).
    Refuse,
}

/// Lets everything leave: the gate of a client that was given none.
pub(crate) struct OpenGate;

#[async_trait]
impl TransmitGate for OpenGate {
    async fn verdict(&self, _entry: &OutboxEntry) -> TransmitVerdict {
        TransmitVerdict::Send
    }
}

/// A gate among the settings of a client, which are shown.
#[derive(Clone)]
pub(crate) struct SharedGate(pub(crate) std::sync::Arc<dyn TransmitGate>);

impl SharedGate {
    pub(crate) async fn verdict(&self, entry: &OutboxEntry) -> TransmitVerdict {
        self.0.verdict(entry).await
    }
}

impl std::fmt::Debug for SharedGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TransmitGate")
    }
}
