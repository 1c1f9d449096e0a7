//! What everything passes before it reaches others: the policy's reach, a hold, a person's
//! agreement, and its turn.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};
use wa_proto::Jid;
use wa_store::{Origin, Timestamp};

use super::{Call, now_ms};
use crate::{
    failure::{Cause, Failure},
    moment,
    policy::{ActionKind, Confirm, Pace, PaceClass, Policy, Standing, Turn},
    shown::Shown,
};

/// The outcome under which the audit knows what was authorized. The pace counts these.
pub(super) const ACCEPTED: &str = "accepted";

/// Something other people would get, before it leaves.
#[derive(Debug)]
pub(super) struct OutgoingAction<'a> {
    /// Where it goes.
    pub(super) chat: &'a Jid,
    /// The field of the request that names where it goes; in a draft it stands there by address.
    pub(super) field: Option<&'static str>,
    /// What kind of thing it is.
    pub(super) kind: ActionKind,
    /// What it says, in words, for a person to agree to.
    pub(super) shown: Shown,
    /// A hash of all that the caller gave of it: the raw text, the target, a file's own hash.
    pub(super) content: Vec<u8>,
    /// A hash of what others said that leaves with it: a message that is passed on or quoted.
    pub(super) context: Vec<u8>,
}

impl OutgoingAction<'_> {
    /// A hash of where it goes, what it says and what the person is shown of it.
    pub(super) fn digest(&self, path: &str) -> String {
        hex::encode(self.hash(path))
    }

    fn hash(&self, path: &str) -> [u8; 32] {
        let chat = self.chat.to_string();
        let shown = self.shown.as_str().as_bytes();
        bound([path.as_bytes(), chat.as_bytes(), shown, &self.content, &self.context])
    }

    /// A hash of what the caller asked for, by which the same act of sending is known again.
    pub(super) fn asked_for(&self, path: &str) -> String {
        hex::encode(bound([path.as_bytes(), &self.content]))
    }
}

/// A hash of several parts, each with its length, so that none can pass for the end of another.
pub(super) fn bound<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
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
        let class = match action.kind {
            ActionKind::Group if !self.is_human() => PaceClass::GroupChange,
            _ => PaceClass::Message,
        };
        let give_up = self.patience();
        loop {
            // Asked anew after every wait: what was allowed before may not be any more.
            let policy = self.policy_now().await?;
            let to_stranger = self.permit(&policy, action, reached).await?;
            let turn = Turn { class, count: 1, to_stranger };
            match self.take_turn(&policy.pace, &turn).await? {
                None => return Ok(()),
                Some((at, class)) => self.wait_for_turn(at, class, &turn, give_up).await?,
            }
        }
    }

    /// Has an assistant keep the pace of what reaches the server and nobody else. A person does not
    /// wait.
    ///
    /// # Errors
    /// [`Cause::Paced`] with the time when the next may go.
    pub(super) async fn keep_pace(&self, class: PaceClass, count: usize) -> Result<(), Failure> {
        if self.is_human() {
            return Ok(());
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let (turn, give_up) = (Turn { class, count, to_stranger: false }, self.patience());
        loop {
            let pace = self.policy_now().await?.pace;
            match self.take_turn(&pace, &turn).await? {
                None => return Ok(()),
                Some((at, class)) => self.wait_for_turn(at, class, &turn, give_up).await?,
            }
        }
    }

    /// Makes sure that a person agreed, where one has to, to what reaches nobody else.
    ///
    /// # Errors
    /// [`Cause::Forbidden`]; [`Cause::ConfirmationRequired`] with the draft that was made of it.
    pub(super) async fn agree_to(&self, action: &OutgoingAction<'_>) -> Result<(), Failure> {
        self.note_chat(action.chat);
        let policy = self.policy_now().await?;
        self.allowed_now(&policy).await?;
        if self.is_human() && self.approved.is_none() {
            return Ok(());
        }
        let standing = Standing::look_up(action.chat, self.store()).await?;
        let reached = std::slice::from_ref(action.chat);
        self.agreed(&policy, action, reached, std::slice::from_ref(&standing)).await
    }

    /// Makes sure that an action may be done; whether it reaches somebody who never wrote here.
    async fn permit(
        &self,
        policy: &Policy,
        action: &OutgoingAction<'_>,
        reached: &[Jid],
    ) -> Result<bool, Failure> {
        self.allowed_now(policy).await?;
        let (mut standings, mut to_stranger) = (Vec::with_capacity(reached.len()), false);
        for chat in reached {
            let standing = Standing::look_up(chat, self.store()).await?;
            self.may_write_under(policy, chat).await?;
            to_stranger |= chat.is_person() && !standing.wrote_here;
            standings.push(standing);
        }
        self.note_reached(reached);
        if !self.is_human() || self.approved.is_some() {
            self.agreed(policy, action, reached, &standings).await?;
        }
        Ok(to_stranger)
    }

    /// Makes sure that a person agreed, where one has to: to this chat and this content.
    async fn agreed(
        &self,
        policy: &Policy,
        action: &OutgoingAction<'_>,
        reached: &[Jid],
        standings: &[Standing],
    ) -> Result<(), Failure> {
        let digest = action.digest(self.path);
        if let Some(approved) = &self.approved {
            return approved.covers(&digest);
        }
        match self.confirmation(policy, action, reached, standings).await? {
            None => Ok(()),
            Some(why) => Err(self.draft(action, digest, &why).await?),
        }
    }

    /// Why a person has to agree, if one has to.
    async fn confirmation(
        &self,
        policy: &Policy,
        action: &OutgoingAction<'_>,
        reached: &[Jid],
        standings: &[Standing],
    ) -> Result<Option<String>, Failure> {
        // What reaches nobody that is known reaches somebody unknown.
        let unknown = [Standing::default()];
        let standings = if standings.is_empty() { &unknown } else { standings };
        let asked = standings.iter().find_map(|chat| policy.confirmation(action.kind, chat));
        if let Some(why) = asked {
            return Ok(Some(why.to_owned()));
        }
        if policy.confirm.of(action.kind) == Confirm::Never {
            return Ok(None);
        }
        if action.shown.hides() {
            return Ok(Some("it holds characters that nobody sees".to_owned()));
        }
        self.taint(policy, reached).await
    }

    /// Until when a turn is waited for.
    fn patience(&self) -> Instant {
        let patience = Duration::from_secs(self.policy().pace.patience_seconds);
        self.deadline().min(Instant::now() + patience)
    }

    /// Takes the turn, if it has come, and records that it was taken; else when it will come, and
    /// which pace says so. Whoever waits holds up nobody whose turn comes sooner.
    async fn take_turn(
        &self,
        pace: &Pace,
        turn: &Turn,
    ) -> Result<Option<(i64, PaceClass)>, Failure> {
        let mut sendings = self.service.sendings.lock().await;
        let now = now_ms();
        let (at, class) = sendings.earliest(pace, now, turn);
        if at > now {
            return Ok(Some((at, class)));
        }
        let mut entry = self.audit_entry(ACCEPTED);
        entry.to_stranger = turn.to_stranger;
        entry.at_ms = now;
        entry.detail = turn.detail();
        self.service.record_audit(entry).await?;
        sendings.record(now, turn);
        self.service.counters.count_authorized();
        Ok(None)
    }

    async fn wait_for_turn(
        &self,
        at: i64,
        class: PaceClass,
        turn: &Turn,
        give_up: Instant,
    ) -> Result<(), Failure> {
        let wait = Duration::from_millis(at.saturating_sub(now_ms()).max(0).unsigned_abs());
        match Instant::now().checked_add(wait) {
            Some(until) if until <= give_up => sleep_until(until).await,
            _ => {
                let most = self.policy().pace.per_hour_of(class);
                return Err(too_early(at, class, turn.count, most));
            }
        }
        Ok(())
    }

    /// Who asks, and for what, as it stands with the message until it leaves.
    pub(super) fn origin(&self, action: &OutgoingAction<'_>) -> Origin {
        Origin {
            caller: self.caller.label(),
            by_assistant: !self.is_human(),
            digest: Some(action.asked_for(self.path)),
            unconfirmed: self.approved.is_none().then(|| action.kind.word().to_owned()),
        }
    }
}

fn too_early(turn_ms: i64, class: PaceClass, count: u32, most: u32) -> Failure {
    let whom = class.words();
    // Rounded up, so that nobody comes a moment too early.
    let seconds = turn_ms.div_euclid(1_000).saturating_add(1);
    let mut failure;
    if turn_ms == i64::MAX {
        let message = match most {
            0 => format!("the policy allows no {whom}"),
            most => format!("the policy allows {most} {whom} an hour, and this is {count}"),
        };
        failure = Failure::new(Cause::Paced, message);
        failure.remedy = Some(match most {
            0 => "leave it, or have a person change the section [pace] of policy.toml".into(),
            _ => "ask for fewer at once".into(),
        });
        return failure;
    }
    let at = moment::rfc3339(Timestamp::from_secs(seconds));
    failure =
        Failure::new(Cause::Paced, format!("too many {whom} in a short time; nothing was done"))
            .remedy(format!(
                "try it at {at} or later; WhatsApp restricts accounts that do too much too fast"
            ));
    failure.retry_at = Some(at.into());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action<'a>(
        chat: &'a Jid,
        shown: &str,
        content: &[u8],
        context: &[u8],
    ) -> OutgoingAction<'a> {
        OutgoingAction {
            chat,
            field: Some("chat"),
            kind: ActionKind::Message,
            shown: Shown::new("text").quote("text", shown),
            content: content.into(),
            context: context.into(),
        }
    }

    #[test]
    fn a_digest_tells_apart_chats_texts_files_and_what_others_said() {
        let (ada, bob) = (Jid::lid("1"), Jid::lid("2"));
        let digest = action(&ada, "hi", b"", b"").digest("messages/send");
        assert_eq!(digest, action(&ada, "hi", b"", b"").digest("messages/send"));
        for other in [
            action(&bob, "hi", b"", b"").digest("messages/send"),
            action(&ada, "hi ", b"", b"").digest("messages/send"),
            action(&ada, "hi", b"i", b"").digest("messages/send"),
            action(&ada, "hi", b"", b"i").digest("messages/send"),
            action(&ada, "hi", b"", b"").digest("messages/edit"),
        ] {
            assert_ne!(digest, other);
        }
    }

    #[test]
    fn the_same_is_asked_for_whatever_others_said_meanwhile() {
        let ada = Jid::lid("1");
        let asked = action(&ada, "hi", b"hi", b"a").asked_for("messages/send");
        assert_eq!(asked, action(&ada, "hi", b"hi", b"b").asked_for("messages/send"));
        assert_ne!(asked, action(&ada, "hi", b"ho", b"a").asked_for("messages/send"));
    }

    #[test]
    fn a_refusal_says_when_the_next_may_go() {
        let failure = too_early(1_700_000_000_500, PaceClass::Stranger, 1, 10);
        assert_eq!(failure.cause, Cause::Paced);
        assert_eq!(failure.retry_at.as_deref(), Some("2023-11-14T22:13:21Z"));
        assert!(too_early(i64::MAX, PaceClass::Message, 1, 0).retry_at.is_none());
        let many = too_early(i64::MAX, PaceClass::LookUp, 50, 20);
        assert!(many.message.contains("20 look-ups an hour, and this is 50"), "{many}");
    }
}
