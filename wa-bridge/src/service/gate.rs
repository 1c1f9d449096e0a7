//! What every message passes before it leaves: the policy's reach, a person's agreement, and its
//! turn.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};
use wa_proto::Jid;
use wa_store::Timestamp;

use super::{Call, now_ms};
use crate::{
    failure::{Cause, Failure},
    moment,
    policy::Standing,
};

/// The outcome under which the audit knows an action that was authorized. The pace counts these.
pub(super) const ACCEPTED: &str = "accepted";

/// Something other people would get, before it leaves.
#[derive(Debug)]
pub(super) struct OutgoingAction<'a> {
    /// Where it goes.
    pub(super) chat: &'a Jid,
    /// The field of the request that names where it goes; in a draft it stands there by address.
    pub(super) field: Option<&'static str>,
    /// What it says, in words, for a person to agree to.
    pub(super) preview: String,
    /// What else it carries, as bytes that are hashed: a file's own hash.
    pub(super) content: Vec<u8>,
}

impl OutgoingAction<'_> {
    /// A hash of where it goes and what it says.
    pub(super) fn digest(&self, path: &str) -> String {
        hex::encode(self.hash(path))
    }

    fn hash(&self, path: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        let chat = self.chat.to_string();
        for part in [path.as_bytes(), chat.as_bytes(), self.preview.as_bytes(), &self.content] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl Call<'_> {
    /// Authorizes an action: it may be done, and it is its turn. From then on it counts as done.
    ///
    /// # Errors
    /// [`Cause::Forbidden`], [`Cause::ConfirmationRequired`] with the draft that was made of it,
    /// [`Cause::Paced`] with the time when the next may go.
    pub(super) async fn authorize(&self, action: &OutgoingAction<'_>) -> Result<(), Failure> {
        self.authorize_all(action, std::slice::from_ref(action.chat)).await
    }

    /// The same of what reaches several: each has to be within reach, and one to whom this account
    /// has never written is reason enough to ask.
    ///
    /// # Errors
    /// As [`Call::authorize`].
    pub(super) async fn authorize_all(
        &self,
        action: &OutgoingAction<'_>,
        reached: &[Jid],
    ) -> Result<(), Failure> {
        self.note_chat(action.chat);
        self.note_digest(action.hash(self.path));
        let (mut newest, mut to_stranger) = (None, false);
        for chat in reached {
            let standing = Standing::look_up(chat, self.store()).await?;
            self.may_write(chat).await?;
            to_stranger |= chat.is_person() && !standing.wrote_here;
            if newest.is_none() || !standing.written_to {
                newest = Some(standing);
            }
        }
        if !self.is_human() || self.approved.is_some() {
            self.agreed(action, &newest.unwrap_or_default()).await?;
        }
        self.await_turn(to_stranger).await
    }

    /// Makes sure that a person agreed, where one has to: to this chat and this content.
    async fn agreed(
        &self,
        action: &OutgoingAction<'_>,
        standing: &Standing,
    ) -> Result<(), Failure> {
        let digest = action.digest(self.path);
        if let Some(approved) = &self.approved {
            return approved.covers(&digest);
        }
        match self.policy().confirmation(standing) {
            None => Ok(()),
            Some(why) => Err(self.draft(action, digest, why).await?),
        }
    }

    /// Waits for the message's turn, and puts down that it leaves. Whoever waits holds up nobody
    /// whose turn comes sooner.
    async fn await_turn(&self, to_stranger: bool) -> Result<(), Failure> {
        let pace = &self.policy().pace;
        let give_up = Instant::now() + Duration::from_secs(pace.patience_seconds);
        let give_up = give_up.min(self.deadline());
        loop {
            let mut sendings = self.service.sendings.lock().await;
            let now = now_ms();
            let turn = sendings.earliest(pace, now, to_stranger);
            if turn <= now {
                let mut entry = self.audit_entry(ACCEPTED);
                entry.to_stranger = to_stranger;
                entry.at_ms = now;
                self.service.record_audit(entry).await?;
                sendings.record(now, to_stranger);
                self.service.counters.count_authorized();
                return Ok(());
            }
            drop(sendings);
            let wait = Duration::from_millis(turn.saturating_sub(now).unsigned_abs());
            match Instant::now().checked_add(wait) {
                Some(until) if until <= give_up => sleep_until(until).await,
                _ => return Err(too_early(turn, to_stranger)),
            }
        }
    }
}

fn too_early(turn_ms: i64, to_stranger: bool) -> Failure {
    let whom =
        if to_stranger { "messages to people who never wrote to this account" } else { "messages" };
    // Rounded up, so that nobody comes a moment too early.
    let seconds = turn_ms.div_euclid(1_000).saturating_add(1);
    let mut failure;
    if turn_ms == i64::MAX {
        failure = Failure::new(Cause::Paced, format!("the policy allows no {whom}"));
        failure.remedy =
            Some("leave it, or have a person change the section [pace] of policy.toml".into());
        return failure;
    }
    let at = moment::rfc3339(Timestamp::from_secs(seconds));
    failure =
        Failure::new(Cause::Paced, format!("too many {whom} in a short time; nothing was sent"))
            .remedy(format!(
                "send it at {at} or later; WhatsApp restricts accounts that write too fast"
            ));
    failure.retry_at = Some(at.into());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_apart_chats_texts_and_files() {
        let (ada, bob) = (Jid::lid("1"), Jid::lid("2"));
        let action = |chat, preview: &str, content: &[u8]| OutgoingAction {
            chat,
            field: Some("chat"),
            preview: preview.into(),
            content: content.into(),
        };
        let digest = action(&ada, "hi", b"").digest("messages/send");
        assert_eq!(digest, action(&ada, "hi", b"").digest("messages/send"));
        for other in [
            action(&bob, "hi", b"").digest("messages/send"),
            action(&ada, "hi ", b"").digest("messages/send"),
            action(&ada, "h", b"i").digest("messages/send"),
            action(&ada, "hi", b"").digest("messages/edit"),
        ] {
            assert_ne!(digest, other);
        }
    }

    #[test]
    fn a_refusal_says_when_the_next_may_go() {
        let failure = too_early(1_700_000_000_500, true);
        assert_eq!(failure.cause, Cause::Paced);
        assert_eq!(failure.retry_at.as_deref(), Some("2023-11-14T22:13:21Z"));
        assert!(too_early(i64::MAX, false).retry_at.is_none());
    }
}
