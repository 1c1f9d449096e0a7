//! A message's row in the archive.
//!
//! Knows nothing of what a content does to earlier messages.

use wa_proto::{Unwrapped, content::Kind, stanza::ChatKind};
use wa_store::{MessageKey, MessageKind, MessageStatus, NewMessage};

use super::{Arrival, Way};

/// The row of a message that was read.
pub(crate) fn row(
    arrival: &Arrival,
    key: MessageKey,
    unwrapped: &Unwrapped,
    raw: &[u8],
) -> NewMessage {
    let (kind, context) = (unwrapped.kind(), &unwrapped.context);
    let mut message = bare(arrival, key, kind.as_str(), raw);
    message.text = unwrapped.content.text().map(bounded);
    message.reply_to = context.quoted.as_ref().map(|quoted| quoted.id.as_str().into());
    message.view_once = unwrapped.is_view_once();
    message.forwarding_score = context.is_forwarded.then_some(context.forwarding_score);
    let lifetime = match arrival.kind {
        ChatKind::Status => Some(STATUS_LIFETIME_SECS),
        _ => context.expiration.map(i64::from),
    };
    message.expires_at = lifetime.map(|seconds| arrival.timestamp.plus_secs(seconds));
    message.unread &= !is_addition(kind);
    message
}

/// The row of a message that cannot be decoded.
pub(super) fn malformed(arrival: &Arrival, raw: &[u8]) -> NewMessage {
    bare(arrival, arrival.key(), MALFORMED, raw)
}

fn bare(arrival: &Arrival, key: MessageKey, kind: &str, raw: &[u8]) -> NewMessage {
    let mut message = NewMessage::new(key, arrival.timestamp, MessageKind::new(kind));
    message.raw = raw.into();
    message.push_name.clone_from(&arrival.push_name);
    if arrival.from_me && arrival.way != Way::Outgoing {
        message.status = MessageStatus::Sent;
    }
    message.unread &= arrival.way != Way::History;
    message
}

/// A text as it is archived: of one that is longer than people write, the beginning.
pub(super) fn bounded(text: &str) -> String {
    let mut end = text.len().min(MAX_ARCHIVED_TEXT_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// Whether a kind adds to an earlier message and is nothing that waits to be read.
pub(super) fn is_addition(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Reaction
            | Kind::ReactionRemoved
            | Kind::EncryptedReaction
            | Kind::EncryptedEdit
            | Kind::EncryptedComment
            | Kind::EventResponse
            | Kind::PollVote
            | Kind::PollOption
            | Kind::Pin
            | Kind::Keep
    )
}

/// How long status posts live: a day.
const STATUS_LIFETIME_SECS: i64 = 24 * 60 * 60;
/// The most of a text that is shown and searched, in bytes; the plaintext is kept whole beside it.
/// Clients let people write 65,536 characters.
pub(super) const MAX_ARCHIVED_TEXT_LEN: usize = 1 << 20;
/// The kind of what was decrypted and cannot be decoded.
const MALFORMED: &str = "malformed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_beyond_reason_is_cut_between_characters() {
        let long = "é".repeat(MAX_ARCHIVED_TEXT_LEN);
        assert_eq!(bounded(&long).len(), MAX_ARCHIVED_TEXT_LEN);
        let odd = format!("x{long}");
        assert_eq!(bounded(&odd).len(), MAX_ARCHIVED_TEXT_LEN - 1);
        assert_eq!(bounded("short"), "short");
    }
}
