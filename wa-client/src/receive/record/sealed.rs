//! Additions that only the secret of their message opens.
//!
//! Owns keeping them, and what an opened one changes. Opening them is [`crate::receive::unseal`]'s.

use prost::Message as _;
use wa_addon::SecretUse;
use wa_proto::{
    Content, Unwrapped,
    content::{Sealed, SealedEdit, SealedEditKind},
    pb::{self, message},
};
use wa_store::{
    Added, Attendance, Change, EventResponse, MAX_POLL_OPTIONS, MessageKey, SealedAddition,
};

use super::{
    Arrival, Recorded,
    addition::{add, comment, edit, react},
};
use crate::draft::Draft;

/// What is sealed in a content, and what its key may be derived for; nothing if it is not sealed.
pub(crate) fn sealed_in(content: &Content) -> Option<(&Sealed, &'static [SecretUse])> {
    Some(match content {
        Content::PollVote(vote) => (&vote.sealed, &[SecretUse::PollVote]),
        Content::EventResponse(sealed) => (sealed, &[SecretUse::EventResponse]),
        Content::EncryptedReaction(sealed) => (sealed, &[SecretUse::Reaction]),
        Content::EncryptedComment(sealed) => (sealed, &[SecretUse::Comment]),
        Content::EncryptedEdit(SealedEdit { kind, sealed }) => (sealed, edit_uses(*kind)),
        _ => return None,
    })
}

const fn edit_uses(kind: SealedEditKind) -> &'static [SecretUse] {
    match kind {
        SealedEditKind::Poll => &[SecretUse::PollEdit],
        SealedEditKind::PollOption => &[SecretUse::PollAddOption, SecretUse::PollEdit],
        _ => &[SecretUse::MessageEdit],
    }
}

/// Keeps a sealed addition until it is opened.
pub(super) fn keep(draft: &mut Draft<'_>, arrival: &Arrival, target: MessageKey, raw: &[u8]) {
    draft.push(Change::PutSealed(Box::new(SealedAddition {
        target,
        author: arrival.sender.to_user(),
        from_me: arrival.from_me,
        moment: arrival.moment(None),
        raw: raw.into(),
    })));
}

/// Puts what an opened addition changes into the draft. `unwrapped` is the message it was sealed
/// in.
pub(crate) fn opened(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    unwrapped: &Unwrapped,
    plaintext: &[u8],
) -> Recorded {
    match &unwrapped.content {
        Content::PollVote(vote) => {
            let Ok(opened) = message::PollVoteMessage::decode(plaintext) else {
                return Recorded::Malformed;
            };
            let what = Added::Vote(hashes(opened.selected_options));
            add(draft, arrival, target, vote.at_ms, what);
        }
        Content::EventResponse(_) => {
            let Ok(opened) = message::EventResponseMessage::decode(plaintext) else {
                return Recorded::Malformed;
            };
            let what = Added::EventResponse(response(&opened));
            add(draft, arrival, target, opened.timestamp_ms, what);
        }
        Content::EncryptedReaction(_) => {
            let Ok(opened) = message::ReactionMessage::decode(plaintext) else {
                return Recorded::Malformed;
            };
            let emoji = opened.text.unwrap_or_default();
            react(draft, arrival, target, emoji, opened.sender_timestamp_ms);
        }
        Content::EncryptedComment(_) => {
            let Ok(opened) = pb::Message::decode(plaintext) else { return Recorded::Malformed };
            return opened_comment(draft, arrival, target, opened);
        }
        Content::EncryptedEdit(sealed) => {
            let Ok(opened) = Unwrapped::decode(plaintext.to_vec()) else {
                return Recorded::Malformed;
            };
            return opened_edit(draft, arrival, target, sealed.kind, &opened, plaintext);
        }
        _ => {}
    }
    Recorded::Noted
}

/// A comment is archived in the form it has where nobody seals it.
fn opened_comment(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    opened: pb::Message,
) -> Recorded {
    let key = wa_proto::MessageKey {
        chat: Some(target.chat.clone()),
        from_me: false,
        id: match wa_proto::MessageId::new(target.id.as_str()) {
            Ok(id) => id,
            Err(_) => return Recorded::Malformed,
        },
        sender: Some(target.sender.clone()),
    };
    let message = pb::Message {
        message_context_info: opened.message_context_info.clone(),
        comment_message: Some(Box::new(message::CommentMessage {
            message: Some(Box::new(opened)),
            target_message_key: Some(key.to_pb()),
        })),
        ..Default::default()
    };
    let raw = message.encode_to_vec();
    let unwrapped = Unwrapped::from_message(message);
    let key = arrival.key();
    super::keep_secret(draft, &key, &unwrapped);
    comment(draft, arrival, key, &unwrapped, &target, &raw);
    Recorded::Message
}

fn opened_edit(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    target: MessageKey,
    kind: SealedEditKind,
    opened: &Unwrapped,
    raw: &[u8],
) -> Recorded {
    match (kind, &opened.content) {
        (SealedEditKind::PollOption, Content::PollOption(added)) => {
            add(draft, arrival, target, None, Added::PollOption(added.option.clone()));
            Recorded::Noted
        }
        (SealedEditKind::PollOption | SealedEditKind::Schedule | SealedEditKind::Unknown, _) => {
            Recorded::Malformed
        }
        // Some say it in the form an edit has where nobody seals it.
        (_, Content::Edit(inner)) => edit(draft, arrival, target, &inner.content, inner.at_ms, raw),
        (_, content) => edit(draft, arrival, target, content, None, raw),
    }
}

/// The chosen options, each once; what is no hash chooses nothing.
fn hashes(chosen: Vec<bytes::Bytes>) -> Vec<[u8; 32]> {
    let mut seen = std::collections::HashSet::new();
    chosen
        .into_iter()
        .filter_map(|hash| <[u8; 32]>::try_from(&*hash).ok())
        .filter(|hash| seen.insert(*hash))
        .take(MAX_POLL_OPTIONS)
        .collect()
}

fn response(opened: &message::EventResponseMessage) -> EventResponse {
    use message::event_response_message::EventResponseType as Type;
    let attendance = match opened.response() {
        Type::Going => Attendance::Going,
        Type::NotGoing => Attendance::NotGoing,
        Type::Maybe => Attendance::Maybe,
        Type::Unknown => Attendance::Unknown,
    };
    let guests = opened.extra_guest_count.unwrap_or_default();
    EventResponse { attendance, guests: guests.try_into().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_chooses_each_option_once_and_not_without_bound() {
        let tea = bytes::Bytes::from_static(&[1; 32]);
        let short = bytes::Bytes::from_static(&[1; 31]);
        assert_eq!(hashes(vec![tea.clone(), short, tea]), [[1; 32]]);
        let many = (0..5_000_u32).map(|n| [n.to_le_bytes(); 8].concat().into());
        assert_eq!(hashes(many.collect()).len(), MAX_POLL_OPTIONS);
    }
}
