//! A message's row in the archive.
//!
//! Knows nothing of what a content does to earlier messages.

use wa_proto::content::Kind;
use wa_store::{Change, MessageKey, MessageKind, NewMessage};

use super::{Arrival, Way};
use crate::draft::Draft;

/// Puts a message into the archive.
pub(super) fn archive(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    key: MessageKey,
    kind: &str,
    text: Option<String>,
    raw: &[u8],
    quoted: Option<wa_proto::MessageId>,
) {
    let mut message = NewMessage::new(key, arrival.timestamp, MessageKind::new(kind));
    message.text = text;
    message.raw = raw.into();
    message.push_name.clone_from(&arrival.push_name);
    message.reply_to = quoted.map(|id| id.as_str().into());
    if arrival.from_me && arrival.way != Way::Outgoing {
        message.status = wa_store::MessageStatus::Sent;
    }
    let is_addition = kind != MALFORMED && kind.parse().is_ok_and(is_addition);
    if is_addition || arrival.way == Way::History {
        message.unread = false;
    }
    draft.push(Change::Archive(Box::new(message)));
}

/// Whether a kind adds to an earlier message and is nothing that waits to be read.
pub(super) fn is_addition(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::EncryptedReaction
            | Kind::EncryptedEdit
            | Kind::EncryptedComment
            | Kind::EventResponse
            | Kind::PollVote
            | Kind::Pin
            | Kind::Keep
    )
}

/// The kind of what was decrypted and cannot be decoded.
pub(super) const MALFORMED: &str = "malformed";
