//! What a `<message>` stanza says in the clear about the content sealed in it.
//!
//! Owns the attributes `type`, `mediatype` and `edit`, and what `<meta>` says. Knows nothing of the rest of the stanza.

use super::{Content, SealedEditKind};

/// The `edit` attribute: what a message does to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EditAttribute {
    /// `1`: changes it.
    Edit,
    /// `2`: pins or unpins it.
    Pin,
    /// `3`: changes it, by an admin of a channel.
    AdminEdit,
    /// `7`: deletes it, by its sender.
    SenderRevoke,
    /// `8`: deletes it, by an admin of the group.
    AdminRevoke,
}

impl EditAttribute {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "1",
            Self::Pin => "2",
            Self::AdminEdit => "3",
            Self::SenderRevoke => "7",
            Self::AdminRevoke => "8",
        }
    }
}

impl Content {
    /// The `type` attribute of the stanza: `text`, `media`, `reaction`, `poll` or `event`.
    pub fn stanza_type(&self) -> &'static str {
        match self {
            Self::Reaction(_) | Self::EncryptedReaction(_) => "reaction",
            Self::Poll(_) | Self::PollVote(_) | Self::PollOption(_) => "poll",
            Self::Event(_) | Self::EventResponse(_) => "event",
            Self::EncryptedEdit(edit) => match edit.kind {
                SealedEditKind::Event => "event",
                SealedEditKind::Poll | SealedEditKind::PollOption => "poll",
                _ => "text",
            },
            Self::Edit(_) => "text",
            content if content.media_type().is_some() => "media",
            Self::Album { .. } | Self::StickerPack(_) => "media",
            _ => "text",
        }
    }

    /// The `mediatype` attribute of each `<enc>`, if there is one.
    pub fn media_type(&self) -> Option<&'static str> {
        Some(match self {
            Self::Text(text) => return text.preview.as_ref().map(|_| "url"),
            Self::Image(_) => "image",
            Self::Video(_) => "video",
            Self::Gif(_) => "gif",
            Self::VideoNote(_) => "ptv",
            Self::Audio(_) => "audio",
            Self::VoiceNote(_) => "ptt",
            Self::Document(_) => "document",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::LiveLocation(_) => "livelocation",
            Self::Contact(_) => "vcard",
            Self::Contacts(_) => "contact_array",
            Self::GroupInvite(_) => "url",
            Self::Buttons(_) => "button",
            Self::ButtonReply(_) => "buttons_response",
            Self::List(_) => "list",
            Self::ListReply(_) => "list_response",
            Self::InteractiveReply(_) => "native_flow_response",
            Self::Order(_) => "order",
            Self::Product(_) => "product",
            _ => return None,
        })
    }

    /// The attribute of the stanza's `<meta>` that tells the server what sort of poll or event
    /// message this is, if it is one: its name and value.
    pub fn meta_attribute(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Poll(_) => ("polltype", "creation"),
            Self::PollVote(_) => ("polltype", "vote"),
            Self::Event(_) => ("event_type", "creation"),
            Self::EventResponse(_) => ("event_type", "response"),
            Self::EncryptedEdit(edit) if edit.kind == SealedEditKind::Event => {
                ("event_type", "edit")
            }
            _ => return None,
        })
    }

    /// Whether a device that cannot decrypt it is to keep that from its user: it shows nothing by
    /// itself, so that nothing is missed visibly.
    pub fn hides_failure(&self) -> bool {
        self.edit_attribute().is_some()
            || matches!(self, Self::Reaction(_) | Self::EncryptedReaction(_) | Self::PollVote(_))
    }

    /// The `edit` attribute of the stanza. Deleting somebody else's message is an admin's
    /// deletion.
    pub fn edit_attribute(&self) -> Option<EditAttribute> {
        match self {
            Self::Edit(_) => Some(EditAttribute::Edit),
            Self::EncryptedEdit(edit) if edit.kind == SealedEditKind::Message => {
                Some(EditAttribute::Edit)
            }
            Self::Pin(_) => Some(EditAttribute::Pin),
            // Taking a reaction back deletes it.
            Self::Reaction(reaction) if reaction.emoji.is_empty() => {
                Some(EditAttribute::SenderRevoke)
            }
            Self::Revoke(revoke) => Some(match &revoke.target {
                Some(target) if !target.from_me => EditAttribute::AdminRevoke,
                _ => EditAttribute::SenderRevoke,
            }),
            Self::Keep(keep) if !keep.kept => Some(EditAttribute::SenderRevoke),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Media, Poll, PollVote, Reaction, Revoke};
    use crate::ids::{MessageId, MessageKey};
    use crate::pb::message as pb;

    fn key(from_me: bool) -> Option<MessageKey> {
        let id = MessageId::new("3EB0AA").unwrap();
        Some(MessageKey { chat: None, from_me, id, sender: None })
    }

    #[test]
    fn polls_of_every_version_are_polls_to_the_server() {
        for version in 1..=6 {
            let poll = Poll { version, ..Poll::new("?", Vec::new(), 0) };
            assert_eq!(Content::Poll(poll).stanza_type(), "poll");
        }
    }

    #[test]
    fn polls_and_votes_say_in_the_clear_what_they_are() {
        let poll = Content::Poll(Poll::new("?", Vec::new(), 0));
        assert_eq!(poll.meta_attribute(), Some(("polltype", "creation")));
        assert!(!poll.hides_failure());
        let vote = PollVote::from(pb::PollUpdateMessage::default());
        let vote = Content::PollVote(vote);
        assert_eq!(vote.meta_attribute(), Some(("polltype", "vote")));
        assert!(vote.hides_failure());
        assert_eq!(Content::from("hi").meta_attribute(), None);
    }

    #[test]
    fn a_voice_note_is_media_of_its_own_type() {
        let note = Content::VoiceNote(Media::default());
        assert_eq!((note.stanza_type(), note.media_type()), ("media", Some("ptt")));
        assert_eq!(Content::from("hi").media_type(), None);
    }

    #[test]
    fn deleting_somebody_elses_message_is_an_admins_deletion() {
        let own = Content::Revoke(Revoke { target: key(true) });
        let other = Content::Revoke(Revoke { target: key(false) });
        assert_eq!(own.edit_attribute().map(EditAttribute::as_str), Some("7"));
        assert_eq!(other.edit_attribute().map(EditAttribute::as_str), Some("8"));
    }

    #[test]
    fn a_reaction_taken_back_is_marked_as_a_deletion() {
        let react = |emoji: &str| {
            Content::Reaction(Reaction { target: key(true), emoji: emoji.into(), at_ms: None })
        };
        assert_eq!(react("👍").edit_attribute(), None);
        assert_eq!(react("").edit_attribute(), Some(EditAttribute::SenderRevoke));
    }
}
