//! Messages inside messages: what wraps a content, and what the wrapping says.
//!
//! Owns the list of wrappers and the way through them. Knows nothing of the contents.

use bytes::Bytes;
use prost::{DecodeError, Message as _};

use super::read::{self, Found};
use super::undescribed::undescribed_field;
use super::{Content, Kind, MessageContext, jid};
use crate::{Jid, pb};

/// How many wrappers a content may have. Clients nest two or three.
pub const MAX_WRAPPERS: usize = 16;

macro_rules! wrappers {
    ($($(#[doc = $doc:literal])+ $wrapper:ident = $field:ident, $number:literal;)+) => {
        /// What a message can be wrapped in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Wrapper {
            /// A copy of what another own device sent.
            DeviceSent,
            $($(#[doc = $doc])+ $wrapper,)+
        }

        impl Wrapper {
            /// The number of the wrapper's field in `Message`.
            pub const fn field(self) -> u32 {
                match self {
                    Self::DeviceSent => 31,
                    $(Self::$wrapper => $number,)+
                }
            }
        }

        /// Takes the wrapped message out of the first wrapper that holds one.
        fn take_future_proof(message: &mut pb::Message) -> Option<(Wrapper, pb::Message)> {
            $(if let Some(inner) = message.$field.as_mut().and_then(|m| m.message.take()) {
                return Some((Wrapper::$wrapper, *inner));
            })+
            None
        }
    };
}

wrappers! {
    /// To be looked at once; the first form.
    ViewOnce = view_once_message, 37;
    /// Disappears.
    Ephemeral = ephemeral_message, 40;
    /// A document, with a caption.
    DocumentWithCaption = document_with_caption_message, 53;
    /// To be looked at once; the second form.
    ViewOnceV2 = view_once_message_v2, 55;
    /// An edit.
    Edited = edited_message, 58;
    /// To be listened to once.
    ViewOnceV2Extension = view_once_message_v2_extension, 59;
    /// Mentions a whole group.
    GroupMentioned = group_mentioned_message, 62;
    /// Asks a bot.
    BotInvoke = bot_invoke_message, 67;
    /// A sticker drawn by Lottie.
    LottieSticker = lottie_sticker_message, 74;
    /// The picture of an event.
    EventCoverImage = event_cover_image, 85;
    /// A status that mentions the receiver.
    StatusMention = status_mention_message, 87;
    /// The picture of a poll's option.
    PollOptionImage = poll_creation_option_image_message, 90;
    /// Belongs to an album or another message.
    AssociatedChild = associated_child_message, 91;
    /// A status that mentions a group.
    GroupStatusMention = group_status_mention_message, 92;
    /// A poll of version 4.
    PollV4 = poll_creation_message_v4, 93;
    /// A status to be answered with one's own.
    StatusAddYours = status_add_yours, 95;
    /// A status for a group.
    GroupStatus = group_status_message, 96;
    /// Not to be saved or forwarded.
    LimitSharing = limit_sharing_message, 99;
    /// A task of a bot.
    BotTask = bot_task_message, 100;
    /// A question that people answer.
    Question = question_message, 101;
    /// A status for a group; the second form.
    GroupStatusV2 = group_status_message_v2, 103;
    /// Forwarded from a bot.
    BotForwarded = bot_forwarded_message, 104;
    /// An answer to a question.
    QuestionReply = question_reply_message, 106;
    /// The profile of a channel's admin.
    NewsletterAdminProfile = newsletter_admin_profile_message, 116;
    /// The profile of a channel's admin; the second form.
    NewsletterAdminProfileV2 = newsletter_admin_profile_message_v2, 117;
    /// Hidden until tapped.
    Spoiler = spoiler_message, 118;
    /// The profile of a channel's admin, as a status.
    NewsletterAdminProfileStatus = newsletter_admin_profile_status_message, 126;
}

/// A sender key that came with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct SenderKeyDistribution {
    /// The group, or `status@broadcast`.
    pub group: Option<Jid>,
    /// The Signal message that holds the key.
    pub message: Bytes,
}

impl std::fmt::Debug for SenderKeyDistribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SenderKeyDistribution({:?})", self.group)
    }
}

/// A message taken out of its wrappers: what it says, what stands beside that, and how it was
/// wrapped.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unwrapped {
    /// What it says.
    pub content: Content,
    /// What stands beside that.
    pub context: MessageContext,
    /// What it was wrapped in, outermost first.
    pub wrappers: Vec<Wrapper>,
    /// Whom another own device sent it to, if it did.
    pub destination: Option<Jid>,
    /// The sender keys that came with it; to be kept before anything else is done.
    pub sender_keys: Vec<SenderKeyDistribution>,
}

impl Unwrapped {
    /// Decodes a plaintext (without padding) and unwraps it. Beyond
    /// [`from_message`](Self::from_message), a content in a field that the schema does not have
    /// is [`Content::Unknown`] with its number.
    ///
    /// # Errors
    ///
    /// If the bytes are no protobuf, a text is not UTF-8, or messages nest more than 100 deep.
    pub fn decode(plaintext: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let plaintext = plaintext.into();
        let mut unwrapped = Self::from_message(pb::Message::decode(plaintext.clone())?);
        if matches!(unwrapped.kind(), Kind::Empty | Kind::ContextOnly)
            && let Some(field) = undescribed_field(&plaintext, &unwrapped.wrappers)
        {
            unwrapped.content = Content::Unknown { field };
        }
        Ok(unwrapped)
    }

    /// Takes a message out of its wrappers and reads it. More than [`MAX_WRAPPERS`] are not
    /// opened: the content is then [`Content::Unknown`] with the number of the next one.
    pub fn from_message(message: pb::Message) -> Self {
        Self::within(message, MAX_WRAPPERS)
    }

    /// [`Self::from_message`] for a message that is already inside others.
    pub(super) fn within(mut message: pb::Message, limit: usize) -> Self {
        let mut context = MessageContext::default();
        let mut wrappers = Vec::new();
        let mut destination = None;
        let mut sender_keys = Vec::new();
        let content = loop {
            if let Some(info) = message.message_context_info.take() {
                context.read_message_info(info);
            }
            let sender_key = message.sender_key_distribution_message.take();
            sender_keys.extend(sender_key.map(|m| SenderKeyDistribution {
                group: jid(m.group_id),
                message: m.axolotl_sender_key_distribution_message.unwrap_or_default(),
            }));
            let Some((wrapper, inner, to)) = take_wrapped(&mut message) else {
                let Found { content, info } = read::content(message, limit - wrappers.len());
                if let Some(info) = info {
                    context.read_info(*info);
                }
                break content;
            };
            if wrappers.len() == limit {
                break Content::Unknown { field: wrapper.field() };
            }
            destination = to.or(destination);
            wrappers.push(wrapper);
            message = inner;
        };
        let mut unwrapped = Self { content, context, wrappers, destination, sender_keys };
        unwrapped.settle();
        unwrapped
    }

    /// What a content means that only its surroundings tell.
    fn settle(&mut self) {
        let has_context = self.context != MessageContext::default();
        match &mut self.content {
            Content::Empty if !self.sender_keys.is_empty() => {
                self.content = Content::SenderKeyDistribution;
            }
            Content::Empty if has_context => self.content = Content::ContextOnly,
            Content::Poll(poll) if self.wrappers.contains(&Wrapper::PollV4) => poll.version = 4,
            Content::Sticker(media) if self.wrappers.contains(&Wrapper::LottieSticker) => {
                media.animated = true;
            }
            _ => {}
        }
    }

    /// The content's kind.
    pub fn kind(&self) -> Kind {
        self.content.kind()
    }

    /// Whether it is to be looked at once, by whichever of the ways of saying so.
    pub fn is_view_once(&self) -> bool {
        self.content.media().is_some_and(|media| media.view_once)
            || self.wrappers.iter().any(|wrapper| {
                matches!(
                    wrapper,
                    Wrapper::ViewOnce | Wrapper::ViewOnceV2 | Wrapper::ViewOnceV2Extension
                )
            })
    }

    /// Whether it disappears.
    pub fn is_ephemeral(&self) -> bool {
        self.wrappers.contains(&Wrapper::Ephemeral) || self.context.expiration.is_some()
    }

    /// Whether it is a copy of what another own device sent.
    pub fn is_device_sent(&self) -> bool {
        self.wrappers.contains(&Wrapper::DeviceSent)
    }
}

/// Wraps a message for the sender's own other devices, which learn from it where it went. The
/// context stays outside too, where they look for the message secret.
pub fn device_sent(destination: &Jid, message: pb::Message) -> pb::Message {
    let context = message.message_context_info.clone();
    let sent = pb::message::DeviceSentMessage {
        destination_jid: Some(destination.to_string()),
        message: Some(Box::new(message)),
        phash: None,
    };
    pb::Message {
        device_sent_message: Some(Box::new(sent)),
        message_context_info: context,
        ..pb::Message::default()
    }
}

fn take_wrapped(message: &mut pb::Message) -> Option<(Wrapper, pb::Message, Option<Jid>)> {
    if let Some(sent) = message.device_sent_message.as_mut()
        && let Some(inner) = sent.message.take()
    {
        return Some((Wrapper::DeviceSent, *inner, jid(sent.destination_jid.take())));
    }
    take_future_proof(message).map(|(wrapper, inner)| (wrapper, inner, None))
}
