//! What a message does to an earlier one, and who may do it.
//!
//! Owns reactions, edits, deletions, pins, keeps, comments and votes in their readable form. Knows
//! nothing of whether the earlier message has come, nor of how sealed ones are opened.

use wa_proto::{
    Content, Jid, Unwrapped,
    content::{self, Protocol},
};
use wa_store::{Added, Addition, Change, ChatUpdate, Edit, MessageKey, Poll, Position, Reaction};

use super::{
    Arrival, Recorded,
    row::{bounded, row},
};
use crate::draft::Draft;

/// Adds something to a message.
pub(super) fn add(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    sender_ms: Option<i64>,
    what: Added,
) {
    draft.push(Change::Add(Box::new(Addition {
        target,
        author: arrival.sender.to_user(),
        moment: arrival.moment(sender_ms),
        what,
    })));
}

/// What a poll asks, in the archive's form.
pub(super) fn poll(poll: &content::Poll) -> Added {
    let options = poll.options.iter().cloned();
    let mut asked = Poll::new(bounded(&poll.question), options, poll.selectable);
    asked.correct.clone_from(&poll.correct);
    Added::Poll(asked)
}

/// Where a live location is; nothing if it does not say which of its positions this is.
pub(super) fn position(location: &content::LiveLocation) -> Option<Added> {
    let sequence = location.sequence_number?;
    let mut position = Position::new(sequence, location.latitude, location.longitude);
    position.accuracy_in_meters = location.accuracy_in_meters;
    Some(Added::Position(position))
}

/// An emoji on a message, or none any more.
pub(super) fn react(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    emoji: String,
    sender_ms: Option<i64>,
) {
    let sender = arrival.sender.to_user();
    let mut kept = Reaction::new(target, sender, emoji, arrival.timestamp);
    kept.sender_ms = sender_ms.unwrap_or_default();
    draft.push(Change::React(Box::new(kept)));
}

/// New content for a message, by its author alone.
pub(super) fn edit(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    content: &Content,
    sender_ms: Option<i64>,
    raw: &[u8],
) -> Recorded {
    if !arrival.wrote(&target) {
        return forged(arrival);
    }
    if let Content::Poll(asked) = content {
        add(draft, arrival, target.clone(), sender_ms, poll(asked));
    }
    let text = content.text().map(bounded);
    let mut kept = Edit::new(target, arrival.id.as_str(), text, arrival.timestamp);
    kept.raw = raw.into();
    kept.sender_ms = sender_ms.unwrap_or_default();
    draft.push(Change::Edit(Box::new(kept)));
    Recorded::Noted
}

/// A deletion: by the author, or in a group by an admin.
pub(super) fn revoke(draft: &mut Draft<'_>, arrival: &Arrival, target: MessageKey) -> Recorded {
    let as_admin = arrival.is_group_like() && arrival.deletes_as_admin;
    if !as_admin && !arrival.wrote(&target) {
        return forged(arrival);
    }
    draft.push(Change::Revoke { key: target, by: arrival.sender.to_user(), at: arrival.timestamp });
    Recorded::Noted
}

/// A message pinned for everyone, or no longer.
pub(super) fn pin(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    pin: &content::Pin,
    seconds: Option<u32>,
) {
    let lifetime = seconds.map_or(DEFAULT_PIN_SECS, i64::from);
    let until = pin.pinned.then(|| arrival.timestamp.plus_secs(lifetime));
    add(draft, arrival, target, pin.at_ms, Added::Pin { until });
}

/// A comment: a message of its own, which names the one it is on.
pub(super) fn comment(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    key: MessageKey,
    unwrapped: &Unwrapped,
    target: &MessageKey,
    raw: &[u8],
) {
    let mut message = row(arrival, key, unwrapped, raw);
    message.reply_to = Some(target.id.clone());
    draft.push(Change::Archive(Box::new(message)));
}

/// The timer of a chat's disappearing messages; nothing if that is not what is said.
pub(super) fn timer(arrival: &Arrival, chat: &Jid, protocol: &Protocol) -> Option<Change> {
    let Protocol::EphemeralSetting { expiration, set_at } = protocol else { return None };
    let mut update = ChatUpdate::new(chat.clone());
    update.ephemeral_secs = Some(Some(*expiration).filter(|seconds| *seconds != 0));
    let set_at = set_at.map(wa_store::Timestamp::from_secs);
    // Nobody sets a timer later than their message says so.
    update.ephemeral_set_at = Some(set_at.unwrap_or(arrival.timestamp).min(arrival.timestamp));
    Some(Change::PutChat(Box::new(update)))
}

fn forged(arrival: &Arrival) -> Recorded {
    tracing::warn!(id = %arrival.id, "somebody would change what others wrote");
    Recorded::Forged
}

/// How long a pin holds that does not say: a week, which is what clients offer first.
const DEFAULT_PIN_SECS: i64 = 7 * 24 * 60 * 60;
