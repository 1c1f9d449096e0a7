//! What a message does to an earlier one, and who may do it.
//!
//! Owns reactions, edits and deletions. Knows nothing of whether the earlier message has come.

use wa_proto::{Jid, content};
use wa_store::{Change, Edit, MessageKey, Reaction};

use super::{Arrival, Recorded};
use crate::draft::Draft;

/// An emoji on a message, or none any more.
pub(super) fn react(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    chat: &Jid,
    reaction: content::Reaction,
) -> Recorded {
    let Some(target) = arrival.target(chat, reaction.target.as_ref()) else {
        return Recorded::Noted;
    };
    let sender = arrival.sender.to_user();
    let mut kept = Reaction::new(target, sender, reaction.emoji, arrival.timestamp);
    kept.sender_ms = reaction.at_ms.unwrap_or_default();
    draft.push(Change::React(Box::new(kept)));
    Recorded::Noted
}

/// New content, by the author alone.
pub(super) fn edit(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    chat: &Jid,
    edit: &content::Edit,
    raw: &[u8],
) -> Recorded {
    let target = arrival.target(chat, edit.target.as_ref());
    let Some(target) = target.filter(|target| arrival.wrote(target)) else {
        return Recorded::Forged;
    };
    let text = edit.content.text().map(str::to_owned);
    let mut kept = Edit::new(target, arrival.id.as_str(), text, arrival.timestamp);
    kept.raw = raw.into();
    kept.sender_ms = edit.at_ms.unwrap_or_default();
    draft.push(Change::Edit(Box::new(kept)));
    Recorded::Noted
}

/// A deletion. In a group an admin may delete what others wrote; the server checks that.
pub(super) fn revoke(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    chat: &Jid,
    revoke: &content::Revoke,
) -> Recorded {
    let target = arrival.target(chat, revoke.target.as_ref());
    let may = |target: &MessageKey| arrival.is_group_like() || arrival.wrote(target);
    let Some(target) = target.filter(may) else { return Recorded::Forged };
    draft.push(Change::Revoke { key: target, by: arrival.sender.to_user(), at: arrival.timestamp });
    Recorded::Noted
}
