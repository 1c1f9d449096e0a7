//! The kinds of content by name, as archives, filters and JSON write them.
//!
//! Owns the names, which are stable: a stored one must stay readable. Knows nothing of content.

use std::fmt;
use std::str::FromStr;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// What sort of thing a message says. The text form is in kebab case, as in
        /// `voice-note`, and stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// Text, with or without a link preview.
    Text = "text",
    /// A picture.
    Image = "image",
    /// A video.
    Video = "video",
    /// A video that loops without sound.
    Gif = "gif",
    /// A round video recorded in the chat.
    VideoNote = "video-note",
    /// An audio file.
    Audio = "audio",
    /// Audio recorded in the chat.
    VoiceNote = "voice-note",
    /// Any other file.
    Document = "document",
    /// A sticker, still or animated.
    Sticker = "sticker",
    /// A collection of stickers.
    StickerPack = "sticker-pack",
    /// The announcement of pictures and videos that belong together.
    Album = "album",
    /// A place.
    Location = "location",
    /// A place that moves.
    LiveLocation = "live-location",
    /// One contact card.
    Contact = "contact",
    /// Several contact cards.
    Contacts = "contacts",
    /// An emoji on another message.
    Reaction = "reaction",
    /// A reaction taken back.
    ReactionRemoved = "reaction-removed",
    /// A reaction sealed with the target's message secret.
    EncryptedReaction = "encrypted-reaction",
    /// New content for an earlier message.
    Edit = "edit",
    /// An edit sealed with the target's message secret.
    EncryptedEdit = "encrypted-edit",
    /// An earlier message deleted for everyone.
    Revoke = "revoke",
    /// A question with options.
    Poll = "poll",
    /// A vote, sealed with the poll's message secret.
    PollVote = "poll-vote",
    /// The outcome of a poll, forwarded.
    PollResults = "poll-results",
    /// An option that somebody added to a poll.
    PollOption = "poll-option",
    /// A calendar event.
    Event = "event",
    /// An answer to an event, sealed with the event's message secret.
    EventResponse = "event-response",
    /// An invitation to an event.
    EventInvite = "event-invite",
    /// A comment on another message.
    Comment = "comment",
    /// A comment sealed with the target's message secret.
    EncryptedComment = "encrypted-comment",
    /// An answer to a question.
    Answer = "answer",
    /// A message pinned or unpinned for everyone.
    Pin = "pin",
    /// A disappearing message kept, or no longer kept.
    Keep = "keep-in-chat",
    /// An invitation to a group.
    GroupInvite = "group-invite",
    /// An invitation to administer or follow a channel.
    NewsletterInvite = "newsletter-invite",
    /// Text with buttons.
    Buttons = "buttons",
    /// A button pressed.
    ButtonReply = "button-reply",
    /// Text with a list to choose from.
    List = "list",
    /// A row chosen from a list.
    ListReply = "list-reply",
    /// A business template.
    Template = "template",
    /// A template's button pressed.
    TemplateReply = "template-button-reply",
    /// A native flow, shop, collection or carousel.
    Interactive = "interactive",
    /// An answer to an interactive message.
    InteractiveReply = "interactive-reply",
    /// An order from a catalogue.
    Order = "order",
    /// A product from a catalogue.
    Product = "product",
    /// Money sent, requested, declined, cancelled or split.
    Payment = "payment",
    /// An invoice.
    Invoice = "invoice",
    /// A call that begins in the chat.
    Call = "call",
    /// A finished or missed call.
    CallLog = "call-log",
    /// A call planned for later, or its cancellation.
    ScheduledCall = "scheduled-call",
    /// A rich answer from Meta AI.
    RichResponse = "rich-response",
    /// Notice that a status mentions the receiver.
    StatusMention = "status-mention",
    /// A wish to know the receiver's phone number.
    PhoneNumberRequest = "phone-number-request",
    /// The phone number, shared.
    SharePhoneNumber = "share-phone-number",
    /// A bundle of earlier messages for a new member of a group.
    HistoryBundle = "history-bundle",
    /// Notice that such a bundle was sent.
    HistoryNotice = "history-notice",
    /// A change of the disappearing-message timer.
    DisappearingSetting = "disappearing-setting",
    /// A chunk of history is ready.
    HistorySyncNotification = "history-sync-notification",
    /// Keys of the app state.
    AppStateKeyShare = "app-state-key-share",
    /// A wish for keys of the app state.
    AppStateKeyRequest = "app-state-key-request",
    /// App state collections that cannot be repaired.
    AppStateFatal = "app-state-fatal",
    /// The account's setting for security notifications.
    InitialSecurityNotification = "initial-security-notification",
    /// A task for the phone.
    PeerDataOperationRequest = "peer-data-operation-request",
    /// The phone's answer to a task.
    PeerDataOperationResponse = "peer-data-operation-response",
    /// The phone's table of phone numbers and LIDs.
    LidMapping = "lid-mapping",
    /// A change of who may save or forward from the chat.
    LimitSharing = "limit-sharing",
    /// A member's new label in a group.
    MemberLabel = "member-label",
    /// Any other message between clients.
    Protocol = "protocol",
    /// A sender key and nothing else.
    SenderKeyDistribution = "sender-key-distribution",
    /// A message that this device is not to see.
    Placeholder = "placeholder",
    /// Nothing beside the context.
    ContextOnly = "context-only",
    /// Nothing at all.
    Empty = "empty",
    /// Something this version cannot interpret.
    Unknown = "unknown",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or(UnknownKind)
    }
}

/// A text is the name of no [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of content")]
pub struct UnknownKind;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_read_back() {
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
        assert_eq!("voice_note".parse::<Kind>(), Err(UnknownKind));
    }
}
