//! The policy's last word, right before a message leaves: what waited for its turn or for a
//! connection may be forbidden by now.

use std::sync::Arc;

use async_trait::async_trait;
use wa_client::{TransmitGate, TransmitVerdict};
use wa_store::{OutboxEntry, Store};

use super::{hold, reach::may_write};
use crate::{
    Caller,
    failure::{Cause, Failure},
    policy::PolicySource,
};

/// Asks the policy and the hold as they are now.
pub(super) struct PolicyGate {
    pub(super) policy: Arc<PolicySource>,
    pub(super) store: Arc<dyn Store>,
}

#[async_trait]
impl TransmitGate for PolicyGate {
    async fn verdict(&self, entry: &OutboxEntry) -> TransmitVerdict {
        match self.decide(entry).await {
            Ok(verdict) => verdict,
            Err(failure) => {
                tracing::warn!(cause = ?failure.cause, id = %entry.id, "a message waits: what may leave is not known");
                TransmitVerdict::Wait
            }
        }
    }
}

impl PolicyGate {
    async fn decide(&self, entry: &OutboxEntry) -> Result<TransmitVerdict, Failure> {
        let policy = self.policy.now().await?;
        if policy.read_only {
            return Ok(TransmitVerdict::Refuse);
        }
        let Some(origin) = entry.origin.as_ref().filter(|origin| origin.by_assistant) else {
            return Ok(TransmitVerdict::Send);
        };
        let policy = policy.for_caller(&Caller::assistant_labelled(&origin.caller));
        if policy.read_only {
            return Ok(TransmitVerdict::Refuse);
        }
        if hold::since(self.store.as_ref()).await?.is_some() {
            return Ok(TransmitVerdict::Wait);
        }
        match may_write(&policy, false, &entry.chat, self.store.as_ref()).await {
            Ok(()) => Ok(TransmitVerdict::Send),
            Err(failure) if failure.cause == Cause::Forbidden => Ok(TransmitVerdict::Refuse),
            Err(failure) => Err(failure),
        }
    }
}
