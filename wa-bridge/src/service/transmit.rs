//! The policy's last word, right before a message leaves: what waited for its turn or for a
//! connection may be forbidden by now.

use std::sync::Arc;

use async_trait::async_trait;
use wa_client::{TransmitGate, TransmitVerdict};
use wa_store::{Origin, OutboxEntry, Store};

use super::{hold, reach::may_write};
use crate::{
    Caller,
    failure::{Cause, Failure},
    policy::{ActionKind, Policy, PolicySource, Standing},
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
            Ok(()) => {}
            Err(failure) if failure.cause == Cause::Forbidden => {
                return Ok(TransmitVerdict::Refuse);
            }
            Err(failure) => return Err(failure),
        }
        match self.needs_a_person(&policy, entry, origin).await? {
            true => Ok(TransmitVerdict::Refuse),
            false => Ok(TransmitVerdict::Send),
        }
    }

    /// Whether a person would have to agree by now to what was handed over under a looser policy,
    /// without anybody's agreement.
    async fn needs_a_person(
        &self,
        policy: &Policy,
        entry: &OutboxEntry,
        origin: &Origin,
    ) -> Result<bool, Failure> {
        let Some(word) = &origin.unconfirmed else { return Ok(false) };
        // A word of another version could mean anything.
        let Some(kind) = ActionKind::from_word(word) else { return Ok(true) };
        let standing = Standing::look_up(&entry.chat, self.store.as_ref()).await?;
        Ok(policy.confirmation(kind, &standing).is_some())
    }
}
