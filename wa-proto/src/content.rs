//! What a decrypted message says.
//!
//! Owns [`Content`], one value for every kind of thing people and clients send, and
//! [`Unwrapped`], a content with what stands beside and around it. Knows nothing of stanzas,
//! encryption or storage: it reads a `pb::Message` and writes one.
//!
//! ```
//! use wa_proto::content::{Content, Kind, MessageContext, Unwrapped};
//!
//! let message = Content::from("hello").to_message(&MessageContext::default())?;
//! let received = Unwrapped::from_message(message);
//! assert_eq!(received.kind(), Kind::Text);
//! assert_eq!(received.content.text(), Some("hello"));
//! # Ok::<(), wa_proto::content::UnsendableContent>(())
//! ```

mod addition;
mod business;
mod card;
mod context;
mod event;
mod kind;
mod media;
mod poll;
mod protocol;
mod read;
mod stanza;
mod undescribed;
mod unwrap;
mod write;

use std::fmt;

use crate::ids::MessageKey;
use crate::{Jid, pb};

pub use addition::{
    Answer, Comment, Edit, Keep, Pin, Reaction, Revoke, Sealed, SealedEdit, SealedEditKind,
};
pub use business::{Choice, Menu, Order, Payment, PaymentKind, Product};
pub use card::{
    Contact, Contacts, GroupInvite, LinkPreview, LiveLocation, Location, NewsletterInvite,
    NewsletterRole, StickerPack, Text,
};
pub use context::{MessageContext, MessageSecret, Quoted};
pub use event::{CallLog, CallOutcome, Event, EventInvite, ScheduledCall};
pub use kind::{Kind, UnknownKind};
pub use media::{Media, MediaKey, ThumbnailFile};
pub use poll::{Poll, PollOption, PollResults, PollVote};
pub use protocol::Protocol;
pub use stanza::EditAttribute;
pub use unwrap::{MAX_WRAPPERS, SenderKeyDistribution, Unwrapped, Wrapper, device_sent};
pub use write::UnsendableContent;

/// What a message says. Its `Debug` is its kind and never its text.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Text, with or without a link preview.
    Text(Text),
    /// A picture.
    Image(Media),
    /// A video.
    Video(Media),
    /// A video that loops without sound.
    Gif(Media),
    /// A round video recorded in the chat.
    VideoNote(Media),
    /// An audio file.
    Audio(Media),
    /// Audio recorded in the chat.
    VoiceNote(Media),
    /// Any other file.
    Document(Media),
    /// A sticker, still or animated.
    Sticker(Media),
    /// A collection of stickers.
    StickerPack(Box<StickerPack>),
    /// How many pictures and videos follow that belong together.
    Album {
        /// Pictures.
        images: u32,
        /// Videos.
        videos: u32,
    },
    /// A place.
    Location(Location),
    /// A place that moves.
    LiveLocation(LiveLocation),
    /// One contact card.
    Contact(Contact),
    /// Several contact cards.
    Contacts(Contacts),
    /// An emoji on another message, or none any more.
    Reaction(Reaction),
    /// A reaction sealed with the target's message secret.
    EncryptedReaction(Sealed),
    /// New content for an earlier message.
    Edit(Edit),
    /// An edit sealed with the target's message secret.
    EncryptedEdit(SealedEdit),
    /// An earlier message deleted for everyone.
    Revoke(Revoke),
    /// A question with options.
    Poll(Poll),
    /// A sealed vote.
    PollVote(PollVote),
    /// The outcome of a poll, forwarded.
    PollResults(PollResults),
    /// An option that somebody added to a poll.
    PollOption(PollOption),
    /// A calendar event.
    Event(Box<Event>),
    /// A sealed answer to an event.
    EventResponse(Sealed),
    /// An invitation to an event.
    EventInvite(EventInvite),
    /// A comment on another message.
    Comment(Comment),
    /// A comment sealed with the target's message secret.
    EncryptedComment(Sealed),
    /// An answer to a question.
    Answer(Answer),
    /// A message pinned or unpinned for everyone.
    Pin(Pin),
    /// A disappearing message kept, or no longer kept.
    Keep(Keep),
    /// An invitation to a group.
    GroupInvite(GroupInvite),
    /// An invitation to a channel.
    NewsletterInvite(NewsletterInvite),
    /// Text with buttons.
    Buttons(Box<Menu>),
    /// A button pressed.
    ButtonReply(Choice),
    /// Text with a list to choose from.
    List(Box<Menu>),
    /// A row chosen from a list.
    ListReply(Choice),
    /// A business template.
    Template(Box<Menu>),
    /// A template's button pressed.
    TemplateReply(Choice),
    /// A native flow, shop, collection or carousel.
    Interactive(Box<Menu>),
    /// An answer to an interactive message.
    InteractiveReply(Choice),
    /// An order from a catalogue.
    Order(Order),
    /// A product from a catalogue.
    Product(Box<Product>),
    /// Money sent or asked for.
    Payment(Payment),
    /// An invoice.
    Invoice {
        /// What the sender says.
        note: String,
        /// The invoice itself.
        media: Media,
    },
    /// A call that begins in the chat.
    Call {
        /// What the sender says.
        caption: Option<String>,
    },
    /// A finished or missed call.
    CallLog(CallLog),
    /// A call planned for later, or the end of such a plan.
    ScheduledCall(ScheduledCall),
    /// A rich answer from Meta AI, reduced to its text.
    RichResponse(Text),
    /// Notice that a status mentions the receiver.
    StatusMention {
        /// The status.
        target: Option<MessageKey>,
    },
    /// A wish to know the receiver's phone number.
    PhoneNumberRequest,
    /// A bundle of earlier messages for a new member of a group.
    HistoryBundle(Media),
    /// Notice that such a bundle was sent.
    HistoryNotice,
    /// What one client tells another.
    Protocol(Protocol),
    /// A sender key and nothing else; it is in [`Unwrapped::sender_keys`].
    SenderKeyDistribution,
    /// In place of a message that this device is not to see.
    Placeholder,
    /// Nothing beside the context.
    ContextOnly,
    /// Nothing at all.
    Empty,
    /// Something this version cannot interpret.
    Unknown {
        /// The number of the field of `Message` that holds it.
        field: u32,
    },
}

impl Content {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Image(_) => Kind::Image,
            Self::Video(_) => Kind::Video,
            Self::Gif(_) => Kind::Gif,
            Self::VideoNote(_) => Kind::VideoNote,
            Self::Audio(_) => Kind::Audio,
            Self::VoiceNote(_) => Kind::VoiceNote,
            Self::Document(_) => Kind::Document,
            Self::Sticker(_) => Kind::Sticker,
            Self::StickerPack(_) => Kind::StickerPack,
            Self::Album { .. } => Kind::Album,
            Self::Location(_) => Kind::Location,
            Self::LiveLocation(_) => Kind::LiveLocation,
            Self::Contact(_) => Kind::Contact,
            Self::Contacts(_) => Kind::Contacts,
            Self::Reaction(reaction) if reaction.emoji.is_empty() => Kind::ReactionRemoved,
            Self::Reaction(_) => Kind::Reaction,
            Self::EncryptedReaction(_) => Kind::EncryptedReaction,
            Self::Edit(_) => Kind::Edit,
            Self::EncryptedEdit(_) => Kind::EncryptedEdit,
            Self::Revoke(_) => Kind::Revoke,
            Self::Poll(_) => Kind::Poll,
            Self::PollVote(_) => Kind::PollVote,
            Self::PollResults(_) => Kind::PollResults,
            Self::PollOption(_) => Kind::PollOption,
            Self::Event(_) => Kind::Event,
            Self::EventResponse(_) => Kind::EventResponse,
            Self::EventInvite(_) => Kind::EventInvite,
            Self::Comment(_) => Kind::Comment,
            Self::EncryptedComment(_) => Kind::EncryptedComment,
            Self::Answer(_) => Kind::Answer,
            Self::Pin(_) => Kind::Pin,
            Self::Keep(_) => Kind::Keep,
            Self::GroupInvite(_) => Kind::GroupInvite,
            Self::NewsletterInvite(_) => Kind::NewsletterInvite,
            Self::Buttons(_) => Kind::Buttons,
            Self::ButtonReply(_) => Kind::ButtonReply,
            Self::List(_) => Kind::List,
            Self::ListReply(_) => Kind::ListReply,
            Self::Template(_) => Kind::Template,
            Self::TemplateReply(_) => Kind::TemplateReply,
            Self::Interactive(_) => Kind::Interactive,
            Self::InteractiveReply(_) => Kind::InteractiveReply,
            Self::Order(_) => Kind::Order,
            Self::Product(_) => Kind::Product,
            Self::Payment(_) => Kind::Payment,
            Self::Invoice { .. } => Kind::Invoice,
            Self::Call { .. } => Kind::Call,
            Self::CallLog(_) => Kind::CallLog,
            Self::ScheduledCall(_) => Kind::ScheduledCall,
            Self::RichResponse(_) => Kind::RichResponse,
            Self::StatusMention { .. } => Kind::StatusMention,
            Self::PhoneNumberRequest => Kind::PhoneNumberRequest,
            Self::HistoryBundle(_) => Kind::HistoryBundle,
            Self::HistoryNotice => Kind::HistoryNotice,
            Self::Protocol(protocol) => protocol.kind(),
            Self::SenderKeyDistribution => Kind::SenderKeyDistribution,
            Self::Placeholder => Kind::Placeholder,
            Self::ContextOnly => Kind::ContextOnly,
            Self::Empty => Kind::Empty,
            Self::Unknown { .. } => Kind::Unknown,
        }
    }

    /// What a person sees of it as text: the body, caption, emoji, question or name. None if its
    /// kind has no text, or if this one has none.
    pub fn text(&self) -> Option<&str> {
        let text = match self {
            Self::Text(text) | Self::RichResponse(text) => &text.body,
            Self::StickerPack(pack) => &pack.name,
            Self::Location(location) => location.name.as_ref()?,
            Self::LiveLocation(location) => location.caption.as_ref()?,
            Self::Contact(contact) => &contact.name,
            Self::Contacts(contacts) => &contacts.name,
            Self::Reaction(reaction) => &reaction.emoji,
            Self::Edit(edit) => return edit.content.text(),
            Self::Comment(comment) => return comment.content.text(),
            Self::Answer(answer) => &answer.text,
            Self::Poll(poll) => &poll.question,
            Self::PollResults(results) => &results.question,
            Self::PollOption(added) => &added.option,
            Self::Event(event) => &event.name,
            Self::EventInvite(invite) => invite.caption.as_ref().unwrap_or(&invite.title),
            Self::GroupInvite(invite) => invite.caption.as_ref().unwrap_or(&invite.name),
            Self::NewsletterInvite(invite) => invite.caption.as_ref().unwrap_or(&invite.name),
            Self::Buttons(menu)
            | Self::List(menu)
            | Self::Template(menu)
            | Self::Interactive(menu) => match &menu.title {
                Some(title) if menu.body.is_empty() => title,
                _ => &menu.body,
            },
            Self::ButtonReply(choice)
            | Self::ListReply(choice)
            | Self::TemplateReply(choice)
            | Self::InteractiveReply(choice) => &choice.text,
            Self::Order(order) => order.text.as_ref().unwrap_or(&order.title),
            Self::Product(product) => product.text.as_ref().unwrap_or(&product.title),
            Self::Payment(payment) => return payment.note.as_ref()?.text(),
            Self::Invoice { note, .. } => note,
            Self::Call { caption } => caption.as_ref()?,
            Self::ScheduledCall(ScheduledCall::Planned { title, .. }) => title,
            content => content.media()?.caption.as_ref()?,
        };
        Some(text.as_str()).filter(|text| !text.is_empty())
    }

    /// The file it consists of, if it is one. The pictures above a menu do not count.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(media)
            | Self::Video(media)
            | Self::Gif(media)
            | Self::VideoNote(media)
            | Self::Audio(media)
            | Self::VoiceNote(media)
            | Self::Document(media)
            | Self::Sticker(media)
            | Self::HistoryBundle(media)
            | Self::Invoice { media, .. } => Some(media),
            Self::StickerPack(pack) => Some(&pack.media),
            _ => None,
        }
    }

    /// The earlier message it is about, if it is about one.
    pub fn target(&self) -> Option<&MessageKey> {
        match self {
            Self::Reaction(Reaction { target, .. })
            | Self::Edit(Edit { target, .. })
            | Self::Revoke(Revoke { target })
            | Self::Pin(Pin { target, .. })
            | Self::Keep(Keep { target, .. })
            | Self::Comment(Comment { target, .. })
            | Self::Answer(Answer { target, .. })
            | Self::PollOption(PollOption { target, .. })
            | Self::Payment(Payment { target, .. })
            | Self::StatusMention { target }
            | Self::ScheduledCall(ScheduledCall::Cancelled { target })
            | Self::EncryptedReaction(Sealed { target, .. })
            | Self::EncryptedComment(Sealed { target, .. })
            | Self::EventResponse(Sealed { target, .. })
            | Self::EncryptedEdit(SealedEdit { sealed: Sealed { target, .. }, .. })
            | Self::PollVote(PollVote { sealed: Sealed { target, .. }, .. }) => target.as_ref(),
            _ => None,
        }
    }
}

impl From<&str> for Content {
    fn from(body: &str) -> Self {
        Self::Text(Text::new(body))
    }
}

impl From<String> for Content {
    fn from(body: String) -> Self {
        Self::Text(Text::new(body))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { field } => write!(f, "Content(unknown, field {field})"),
            content => write!(f, "Content({})", content.kind()),
        }
    }
}

/// A JID that a message names, if it can be read.
fn jid(text: Option<String>) -> Option<Jid> {
    text.as_deref().and_then(|text| text.parse().ok())
}

/// A key that a message names, if it points at anything.
fn key(key: Option<pb::MessageKey>) -> Option<MessageKey> {
    key.and_then(|key| MessageKey::from_pb(key).ok())
}
