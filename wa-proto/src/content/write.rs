//! From a content to the `Message` that is sent.
//!
//! Owns the form each kind takes on the wire. Knows nothing of stanzas, devices or encryption.

use super::{
    Contact, Content, Edit, Event, Keep, Kind, LiveLocation, Location, MessageContext, Pin, Poll,
    SealedEdit, SealedEditKind, Text,
};
use crate::ids::MessageKey;
use crate::pb::message::{self, FutureProofMessage, ProtocolMessage, protocol_message::Type};
use crate::pb::{self, ContextInfo, Message};

/// A content is of a kind that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("content of kind {kind} cannot be sent")]
pub struct UnsendableContent {
    /// Its kind.
    pub kind: Kind,
}

impl Content {
    /// The message that says this, in this context. A secret in the context is sent along; polls
    /// and events need one to be voted on.
    ///
    /// # Errors
    ///
    /// If the kind is one that only businesses, phones or servers send.
    pub fn to_message(&self, context: &MessageContext) -> Result<Message, UnsendableContent> {
        let mut message = self.to_bare_message(context)?;
        message.message_context_info = context.to_message_info();
        Ok(message)
    }

    fn to_bare_message(&self, context: &MessageContext) -> Result<Message, UnsendableContent> {
        let info = context.to_info();
        let mut message = Message::default();
        match self {
            Self::Text(text) => return Ok(text_message(text, info)),
            Self::Image(_)
            | Self::Video(_)
            | Self::Gif(_)
            | Self::VideoNote(_)
            | Self::Audio(_)
            | Self::VoiceNote(_)
            | Self::Document(_)
            | Self::Sticker(_) => return Ok(self.to_media_message(info)),
            Self::Album { images, videos } => {
                message.album_message = Some(Box::new(message::AlbumMessage {
                    expected_image_count: Some(*images),
                    expected_video_count: Some(*videos),
                    context_info: info,
                }));
            }
            Self::Location(location) => {
                message.location_message = Some(Box::new(location_message(location, info)));
            }
            Self::LiveLocation(location) => {
                message.live_location_message = Some(Box::new(live_location(location, info)));
            }
            Self::Event(event) => {
                message.event_message = Some(Box::new(event_message(event, info)));
            }
            Self::Comment(comment) => {
                let inner = comment.content.to_bare_message(context)?;
                message.comment_message = Some(Box::new(message::CommentMessage {
                    message: Some(Box::new(inner)),
                    target_message_key: key(comment.target.as_ref()),
                }));
            }
            Self::PollOption(added) => {
                message.poll_add_option_message = Some(message::PollAddOptionMessage {
                    poll_creation_message_key: key(added.target.as_ref()),
                    add_option: Some(message::poll_creation_message::Option {
                        option_name: Some(added.option.clone()),
                        option_hash: None,
                    }),
                    ..Default::default()
                });
            }
            Self::Contact(contact) => {
                message.contact_message = Some(Box::new(contact_message(contact, info)));
            }
            Self::Contacts(contacts) => {
                message.contacts_array_message = Some(Box::new(message::ContactsArrayMessage {
                    display_name: Some(contacts.name.clone()),
                    contacts: contacts.contacts.iter().map(|c| contact_message(c, None)).collect(),
                    context_info: info,
                }));
            }
            Self::Reaction(reaction) => {
                message.reaction_message = Some(message::ReactionMessage {
                    key: key(reaction.target.as_ref()),
                    text: Some(reaction.emoji.clone()),
                    sender_timestamp_ms: reaction.at_ms,
                    ..message::ReactionMessage::default()
                });
            }
            Self::Edit(edit) => return edit_message(edit, context),
            Self::Revoke(revoke) => {
                let mut m =
                    ProtocolMessage { key: key(revoke.target.as_ref()), ..Default::default() };
                m.set_type(Type::Revoke);
                message.protocol_message = Some(Box::new(m));
            }
            Self::Pin(pin) => message.pin_in_chat_message = Some(pin_message(pin)),
            Self::Keep(keep) => message.keep_in_chat_message = Some(keep_message(keep)),
            Self::Poll(poll) => return Ok(poll_message(poll, info)),
            Self::EncryptedReaction(_)
            | Self::EncryptedComment(_)
            | Self::EncryptedEdit(_)
            | Self::EventResponse(_)
            | Self::PollVote(_) => return Ok(self.to_sealed_message()),
            Self::Protocol(protocol) => message.protocol_message = Some(Box::new(protocol.to_pb())),
            _ => return Err(UnsendableContent { kind: self.kind() }),
        }
        Ok(message)
    }

    fn to_sealed_message(&self) -> Message {
        let mut message = Message::default();
        match self {
            Self::EncryptedReaction(sealed) => {
                message.enc_reaction_message = Some(message::EncReactionMessage {
                    target_message_key: key(sealed.target.as_ref()),
                    enc_payload: Some(sealed.payload.clone()),
                    enc_iv: Some(sealed.iv.clone()),
                });
            }
            Self::EncryptedComment(sealed) => {
                message.enc_comment_message = Some(message::EncCommentMessage {
                    target_message_key: key(sealed.target.as_ref()),
                    enc_payload: Some(sealed.payload.clone()),
                    enc_iv: Some(sealed.iv.clone()),
                });
            }
            Self::EncryptedEdit(SealedEdit { kind, sealed }) => {
                use message::secret_encrypted_message::SecretEncType as Type;
                let kind = match kind {
                    SealedEditKind::Event => Type::EventEdit,
                    SealedEditKind::Message => Type::MessageEdit,
                    SealedEditKind::Schedule => Type::MessageSchedule,
                    SealedEditKind::Poll => Type::PollEdit,
                    SealedEditKind::PollOption => Type::PollAddOption,
                    SealedEditKind::Unknown => Type::Unknown,
                };
                message.secret_encrypted_message = Some(message::SecretEncryptedMessage {
                    target_message_key: key(sealed.target.as_ref()),
                    enc_payload: Some(sealed.payload.clone()),
                    enc_iv: Some(sealed.iv.clone()),
                    secret_enc_type: Some(kind.into()),
                    ..Default::default()
                });
            }
            Self::EventResponse(sealed) => {
                message.enc_event_response_message = Some(message::EncEventResponseMessage {
                    event_creation_message_key: key(sealed.target.as_ref()),
                    enc_payload: Some(sealed.payload.clone()),
                    enc_iv: Some(sealed.iv.clone()),
                });
            }
            Self::PollVote(vote) => {
                message.poll_update_message = Some(message::PollUpdateMessage {
                    poll_creation_message_key: key(vote.sealed.target.as_ref()),
                    vote: Some(message::PollEncValue {
                        enc_payload: Some(vote.sealed.payload.clone()),
                        enc_iv: Some(vote.sealed.iv.clone()),
                    }),
                    sender_timestamp_ms: vote.at_ms,
                    ..Default::default()
                });
            }
            _ => {}
        }
        message
    }

    fn to_media_message(&self, info: Option<Box<ContextInfo>>) -> Message {
        let mut message = Message::default();
        match self {
            Self::Image(media) => {
                let m = message::ImageMessage { context_info: info, ..media.to_image() };
                message.image_message = Some(Box::new(m));
            }
            Self::Video(media) | Self::Gif(media) | Self::VideoNote(media) => {
                let mut m = message::VideoMessage { context_info: info, ..media.to_video() };
                m.gif_playback = matches!(self, Self::Gif(_)).then_some(true);
                if matches!(self, Self::VideoNote(_)) {
                    message.ptv_message = Some(Box::new(m));
                } else {
                    message.video_message = Some(Box::new(m));
                }
            }
            Self::Audio(media) | Self::VoiceNote(media) => {
                let mut m = message::AudioMessage { context_info: info, ..media.to_audio() };
                m.ptt = Some(matches!(self, Self::VoiceNote(_)));
                message.audio_message = Some(Box::new(m));
            }
            Self::Document(media) => {
                let m = message::DocumentMessage { context_info: info, ..media.to_document() };
                let captioned = m.caption.is_some();
                message.document_message = Some(Box::new(m));
                if captioned {
                    let wrapper = FutureProofMessage { message: Some(Box::new(message)) };
                    return Message {
                        document_with_caption_message: Some(Box::new(wrapper)),
                        ..Message::default()
                    };
                }
            }
            Self::Sticker(media) => {
                let m = message::StickerMessage { context_info: info, ..media.to_sticker() };
                message.sticker_message = Some(Box::new(m));
            }
            _ => {}
        }
        message
    }
}

/// A text without anything else has a field of its own; only the long form carries context.
fn text_message(text: &Text, info: Option<Box<ContextInfo>>) -> Message {
    if info.is_none() && text.is_plain() {
        return Message { conversation: Some(text.body.clone()), ..Message::default() };
    }
    let mut m = message::ExtendedTextMessage {
        text: Some(text.body.clone()),
        background_argb: text.background_argb,
        text_argb: text.text_argb,
        font: text.font,
        context_info: info,
        ..Default::default()
    };
    if let Some(preview) = &text.preview {
        m.matched_text = Some(preview.url.clone());
        m.title = preview.title.clone();
        m.description = preview.description.clone();
        m.jpeg_thumbnail = preview.thumbnail.clone();
    }
    Message { extended_text_message: Some(Box::new(m)), ..Message::default() }
}

fn location_message(
    location: &Location,
    info: Option<Box<ContextInfo>>,
) -> message::LocationMessage {
    message::LocationMessage {
        degrees_latitude: Some(location.latitude),
        degrees_longitude: Some(location.longitude),
        name: location.name.clone(),
        address: location.address.clone(),
        url: location.url.clone(),
        comment: location.comment.clone(),
        jpeg_thumbnail: location.thumbnail.clone(),
        context_info: info,
        ..Default::default()
    }
}

fn live_location(
    location: &LiveLocation,
    info: Option<Box<ContextInfo>>,
) -> message::LiveLocationMessage {
    message::LiveLocationMessage {
        degrees_latitude: Some(location.latitude),
        degrees_longitude: Some(location.longitude),
        accuracy_in_meters: location.accuracy_in_meters,
        speed_in_mps: location.speed,
        degrees_clockwise_from_magnetic_north: location.bearing,
        caption: location.caption.clone(),
        sequence_number: location.sequence_number,
        context_info: info,
        ..Default::default()
    }
}

fn event_message(event: &Event, info: Option<Box<ContextInfo>>) -> message::EventMessage {
    let location = event.location.as_ref();
    message::EventMessage {
        name: Some(event.name.clone()),
        description: event.description.clone(),
        location: location.map(|location| Box::new(location_message(location, None))),
        join_link: event.join_link.clone(),
        start_time: event.starts_at,
        end_time: event.ends_at,
        is_canceled: Some(event.canceled),
        context_info: info,
        ..Default::default()
    }
}

fn contact_message(contact: &Contact, info: Option<Box<ContextInfo>>) -> message::ContactMessage {
    message::ContactMessage {
        display_name: Some(contact.name.clone()),
        vcard: Some(contact.vcard.clone()),
        context_info: info,
        ..Default::default()
    }
}

fn pin_message(pin: &Pin) -> message::PinInChatMessage {
    use message::pin_in_chat_message::Type;
    let kind = if pin.pinned { Type::PinForAll } else { Type::UnpinForAll };
    message::PinInChatMessage {
        key: key(pin.target.as_ref()),
        r#type: Some(kind.into()),
        sender_timestamp_ms: pin.at_ms,
    }
}

fn keep_message(keep: &Keep) -> message::KeepInChatMessage {
    let kind = if keep.kept { pb::KeepType::KeepForAll } else { pb::KeepType::UndoKeepForAll };
    message::KeepInChatMessage {
        key: key(keep.target.as_ref()),
        keep_type: Some(kind.into()),
        timestamp_ms: keep.at_ms,
    }
}

/// The context goes into the new content, where receivers look for its mentions.
fn edit_message(edit: &Edit, context: &MessageContext) -> Result<Message, UnsendableContent> {
    let mut m = ProtocolMessage {
        key: key(edit.target.as_ref()),
        edited_message: Some(Box::new(edit.content.to_bare_message(context)?)),
        timestamp_ms: edit.at_ms,
        ..Default::default()
    };
    m.set_type(Type::MessageEdit);
    let message = Message { protocol_message: Some(Box::new(m)), ..Message::default() };
    let wrapper = FutureProofMessage { message: Some(Box::new(message)) };
    Ok(Message { edited_message: Some(Box::new(wrapper)), ..Message::default() })
}

fn poll_message(poll: &Poll, info: Option<Box<ContextInfo>>) -> Message {
    let option = |name: &String| message::poll_creation_message::Option {
        option_name: Some(name.clone()),
        option_hash: None,
    };
    let m = Some(Box::new(message::PollCreationMessage {
        name: Some(poll.question.clone()),
        options: poll.options.iter().map(option).collect(),
        selectable_options_count: Some(poll.selectable),
        correct_answer: poll.correct.as_ref().map(option),
        end_time: poll.ends_at,
        context_info: info,
        ..Default::default()
    }));
    let mut message = Message::default();
    match poll.version {
        2 => message.poll_creation_message_v2 = m,
        3 => message.poll_creation_message_v3 = m,
        4 => {
            message.poll_creation_message_v3 = m;
            let wrapper = FutureProofMessage { message: Some(Box::new(message)) };
            return Message {
                poll_creation_message_v4: Some(Box::new(wrapper)),
                ..Message::default()
            };
        }
        5 => message.poll_creation_message_v5 = m,
        6 => message.poll_creation_message_v6 = m,
        _ => message.poll_creation_message = m,
    }
    message
}

fn key(key: Option<&MessageKey>) -> Option<pb::MessageKey> {
    key.map(MessageKey::to_pb)
}
