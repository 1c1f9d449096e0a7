//! From a `Message`, out of its wrappers, to what it says.
//!
//! Owns the choice among the fields of `Message`: people's contents come first, then what is
//! about other messages, then what clients tell each other. Knows nothing of wrappers.

use prost::Message as _;

use super::undescribed::first_field;
use super::{
    Answer, Choice, Comment, Content, Edit, NewsletterInvite, Payment, PaymentKind, Poll, Protocol,
    Revoke, ScheduledCall, Sealed, StickerPack, Text, Unwrapped, key,
};
use crate::pb::message::protocol_message::Type;
use crate::pb::{ContextInfo, Message, message};

/// A content, and the context that was inside its message.
pub(super) struct Found {
    pub(super) content: Content,
    pub(super) info: Option<Box<ContextInfo>>,
}

impl Found {
    fn new(content: Content, info: Option<Box<ContextInfo>>) -> Option<Self> {
        Some(Self { content, info })
    }

    fn bare(content: Content) -> Option<Self> {
        Self::new(content, None)
    }
}

/// Reads a message whose wrappers, context and sender key have been taken off. Messages inside it
/// may have `depth` more wrappers.
pub(super) fn content(mut message: Message, depth: usize) -> Found {
    let m = &mut message;
    media(m)
        .or_else(|| card(m))
        .or_else(|| text(m))
        .or_else(|| addition(m, depth))
        .or_else(|| poll_or_event(m))
        .or_else(|| menu(m))
        .or_else(|| reply(m))
        .or_else(|| trade(m, depth))
        .or_else(|| call_or_history(m))
        .or_else(|| protocol(m, depth))
        .unwrap_or_else(|| {
            let content = match first_field(&message.encode_to_vec()) {
                Some(field) => Content::Unknown { field },
                None => Content::Empty,
            };
            Found { content, info: None }
        })
}

fn text(message: &mut Message) -> Option<Found> {
    if let Some(mut m) = message.extended_text_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Text(Text::from(*m)), info);
    }
    if let Some(mut m) = message.rich_response_message.take() {
        let info = m.context_info.take();
        let parts = m.submessages.into_iter().filter_map(|part| part.message_text);
        let body = parts.collect::<Vec<_>>().join("\n");
        return Found::new(Content::RichResponse(Text::new(body)), info);
    }
    message.conversation.take().and_then(|body| Found::bare(Content::Text(Text::new(body))))
}

fn media(message: &mut Message) -> Option<Found> {
    if let Some(mut m) = message.image_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Image((*m).into()), info);
    }
    if let Some(mut m) = message.video_message.take() {
        let info = m.context_info.take();
        let gif = m.gif_playback.unwrap_or(false);
        let media = (*m).into();
        return Found::new(if gif { Content::Gif(media) } else { Content::Video(media) }, info);
    }
    if let Some(mut m) = message.ptv_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::VideoNote((*m).into()), info);
    }
    if let Some(mut m) = message.audio_message.take() {
        let info = m.context_info.take();
        let voice = m.ptt.unwrap_or(false);
        let media = (*m).into();
        return Found::new(
            if voice { Content::VoiceNote(media) } else { Content::Audio(media) },
            info,
        );
    }
    if let Some(mut m) = message.document_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Document((*m).into()), info);
    }
    if let Some(mut m) = message.sticker_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Sticker((*m).into()), info);
    }
    if let Some(mut m) = message.sticker_pack_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::StickerPack(Box::new(StickerPack::from(*m))), info);
    }
    let m = message.album_message.take()?;
    let images = m.expected_image_count.unwrap_or_default();
    let videos = m.expected_video_count.unwrap_or_default();
    Found::new(Content::Album { images, videos }, m.context_info)
}

fn card(message: &mut Message) -> Option<Found> {
    if let Some(mut m) = message.location_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Location((*m).into()), info);
    }
    if let Some(mut m) = message.live_location_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::LiveLocation((*m).into()), info);
    }
    if let Some(mut m) = message.contact_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Contact((*m).into()), info);
    }
    if let Some(mut m) = message.contacts_array_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Contacts((*m).into()), info);
    }
    if let Some(mut m) = message.group_invite_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::GroupInvite((*m).into()), info);
    }
    if let Some(mut m) = message.newsletter_admin_invite_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::NewsletterInvite(NewsletterInvite::from(*m)), info);
    }
    let mut m = message.newsletter_follower_invite_message_v2.take()?;
    let info = m.context_info.take();
    Found::new(Content::NewsletterInvite(NewsletterInvite::from(*m)), info)
}

fn addition(message: &mut Message, depth: usize) -> Option<Found> {
    if let Some(m) = message.reaction_message.take() {
        return Found::bare(Content::Reaction(m.into()));
    }
    if let Some(m) = message.enc_reaction_message.take() {
        let sealed = Sealed::new(m.target_message_key, m.enc_payload, m.enc_iv);
        return Found::bare(Content::EncryptedReaction(sealed));
    }
    if let Some(m) = message.comment_message.take() {
        let (content, info) = nested(m.message.map(|m| *m), 77, depth);
        let comment = Comment { target: key(m.target_message_key), content: Box::new(content) };
        return Found::new(Content::Comment(comment), info);
    }
    if let Some(m) = message.enc_comment_message.take() {
        let sealed = Sealed::new(m.target_message_key, m.enc_payload, m.enc_iv);
        return Found::bare(Content::EncryptedComment(sealed));
    }
    if let Some(m) = message.secret_encrypted_message.take() {
        return Found::bare(Content::EncryptedEdit(m.into()));
    }
    if let Some(m) = message.pin_in_chat_message.take() {
        return Found::bare(Content::Pin(m.into()));
    }
    if let Some(m) = message.keep_in_chat_message.take() {
        return Found::bare(Content::Keep(m.into()));
    }
    if let Some(m) = message.question_response_message.take() {
        let text = m.text.unwrap_or_default();
        return Found::bare(Content::Answer(Answer { target: key(m.key), text }));
    }
    let m = message.status_question_answer_message.take()?;
    let text = m.text.unwrap_or_default();
    Found::bare(Content::Answer(Answer { target: key(m.key), text }))
}

fn poll_or_event(message: &mut Message) -> Option<Found> {
    let polls = [
        (1, message.poll_creation_message.take()),
        (2, message.poll_creation_message_v2.take()),
        (3, message.poll_creation_message_v3.take()),
        (5, message.poll_creation_message_v5.take()),
        (6, message.poll_creation_message_v6.take()),
    ];
    for (version, poll) in polls {
        if let Some(mut m) = poll {
            let info = m.context_info.take();
            return Found::new(Content::Poll(Poll::read(*m, version)), info);
        }
    }
    if let Some(m) = message.poll_update_message.take() {
        return Found::bare(Content::PollVote(m.into()));
    }
    if let Some(m) = message.poll_add_option_message.take() {
        return Found::bare(Content::PollOption(m.into()));
    }
    let results = message.poll_result_snapshot_message.take();
    if let Some(mut m) = results.or_else(|| message.poll_result_snapshot_message_v3.take()) {
        let info = m.context_info.take();
        return Found::new(Content::PollResults((*m).into()), info);
    }
    if let Some(mut m) = message.event_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Event(Box::new((*m).into())), info);
    }
    if let Some(mut m) = message.event_invite_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::EventInvite((*m).into()), info);
    }
    let m = message.enc_event_response_message.take()?;
    let sealed = Sealed::new(m.event_creation_message_key, m.enc_payload, m.enc_iv);
    Found::bare(Content::EventResponse(sealed))
}

fn menu(message: &mut Message) -> Option<Found> {
    if let Some(mut m) = message.buttons_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Buttons(Box::new((*m).into())), info);
    }
    if let Some(mut m) = message.list_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::List(Box::new((*m).into())), info);
    }
    if let Some(mut m) = message.template_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Template(Box::new((*m).into())), info);
    }
    if let Some(mut m) = message.highly_structured_message.take() {
        let mut template = m.hydrated_hsm.take().map(|m| *m).unwrap_or_default();
        let info = template.context_info.take();
        return Found::new(Content::Template(Box::new(template.into())), info);
    }
    let mut m = message.interactive_message.take()?;
    let info = m.context_info.take();
    Found::new(Content::Interactive(Box::new((*m).into())), info)
}

fn reply(message: &mut Message) -> Option<Found> {
    if let Some(m) = message.buttons_response_message.take() {
        use message::buttons_response_message::Response;
        let text = m.response.map(|Response::SelectedDisplayText(text)| text);
        let choice = Choice::new(m.selected_button_id, text);
        return Found::new(Content::ButtonReply(choice), m.context_info);
    }
    if let Some(m) = message.list_response_message.take() {
        let row = m.single_select_reply.and_then(|reply| reply.selected_row_id);
        return Found::new(Content::ListReply(Choice::new(row, m.title)), m.context_info);
    }
    if let Some(m) = message.template_button_reply_message.take() {
        let choice = Choice::new(m.selected_id, m.selected_display_text);
        return Found::new(Content::TemplateReply(choice), m.context_info);
    }
    let m = message.interactive_response_message.take()?;
    use message::interactive_response_message::InteractiveResponseMessage as Response;
    let answer = m.interactive_response_message.and_then(|response| match response {
        Response::NativeFlowResponseMessage(m) => m.params_json,
    });
    let choice = Choice::new(answer, m.body.and_then(|body| body.text));
    Found::new(Content::InteractiveReply(choice), m.context_info)
}

fn trade(message: &mut Message, depth: usize) -> Option<Found> {
    if let Some(mut m) = message.order_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Order((*m).into()), info);
    }
    if let Some(mut m) = message.product_message.take() {
        let info = m.context_info.take();
        return Found::new(Content::Product(Box::new((*m).into())), info);
    }
    if let Some(m) = message.invoice_message.take() {
        let note = m.note.clone().unwrap_or_default();
        return Found::bare(Content::Invoice { note, media: m.into() });
    }
    let mut info = None;
    let payment = if let Some(m) = message.send_payment_message.take() {
        let (note, inner) = nested(m.note_message.map(|m| *m), 16, depth);
        info = inner;
        let payment = Payment::about(PaymentKind::Sent, m.request_message_key);
        Payment { note: Some(Box::new(note)), ..payment }
    } else if let Some(m) = message.request_payment_message.take() {
        let (note, inner) = nested(m.note_message.map(|m| *m), 22, depth);
        info = inner;
        let mut payment = Payment::new(PaymentKind::Requested).of(m.amount);
        if payment.thousandths.is_none() {
            payment.thousandths = m.amount1000.and_then(|amount| amount.try_into().ok());
            payment.currency = m.currency_code_iso4217;
        }
        Payment { note: Some(Box::new(note)), ..payment }
    } else if let Some(m) = message.decline_payment_request_message.take() {
        Payment::about(PaymentKind::Declined, m.key)
    } else if let Some(m) = message.cancel_payment_request_message.take() {
        Payment::about(PaymentKind::Cancelled, m.key)
    } else if message.payment_invite_message.take().is_some() {
        Payment::new(PaymentKind::Invited)
    } else if let Some(m) = message.payment_reminder_message.take() {
        Payment::new(PaymentKind::Reminded).noted(m.description).of(m.amount)
    } else {
        let m = message.split_payment_message.take()?;
        info = m.context_info;
        Payment::new(PaymentKind::Split).noted(m.description).of(m.total_amount)
    };
    Found::new(Content::Payment(payment), info)
}

fn call_or_history(message: &mut Message) -> Option<Found> {
    if let Some(m) = message.call_log_messsage.take() {
        return Found::bare(Content::CallLog(m.into()));
    }
    if let Some(m) = message.scheduled_call_creation_message.take() {
        return Found::bare(Content::ScheduledCall(ScheduledCall::from(m)));
    }
    if let Some(m) = message.scheduled_call_edit_message.take() {
        return Found::bare(Content::ScheduledCall(ScheduledCall::from(m)));
    }
    if let Some(m) = message.call.take() {
        return Found::new(Content::Call { caption: None }, m.context_info);
    }
    if let Some(m) = message.bcall_message.take() {
        return Found::bare(Content::Call { caption: m.caption });
    }
    if let Some(m) = message.request_phone_number_message.take() {
        return Found::new(Content::PhoneNumberRequest, m.context_info);
    }
    if let Some(mut m) = message.message_history_bundle.take() {
        let info = m.context_info.take();
        return Found::new(Content::HistoryBundle((*m).into()), info);
    }
    let m = message.message_history_notice.take()?;
    Found::new(Content::HistoryNotice, m.context_info)
}

fn protocol(message: &mut Message, depth: usize) -> Option<Found> {
    if message.placeholder_message.take().is_some() {
        return Found::bare(Content::Placeholder);
    }
    let m = message.protocol_message.take()?;
    // A revoke is type 0, and some senders leave a zero out.
    match Type::try_from(m.r#type.unwrap_or_default()) {
        Ok(Type::Revoke) => Found::bare(Content::Revoke(Revoke { target: key(m.key) })),
        Ok(Type::MessageEdit) => {
            let (content, info) = nested(m.edited_message.map(|m| *m), 12, depth);
            let (target, at_ms) = (key(m.key), m.timestamp_ms);
            Found::new(Content::Edit(Edit { target, content: Box::new(content), at_ms }), info)
        }
        Ok(Type::StatusMentionMessage) => {
            Found::bare(Content::StatusMention { target: key(m.key) })
        }
        _ => Found::bare(Content::Protocol(Protocol::read(*m))),
    }
}

/// Reads a message inside the content of `field`.
fn nested(
    message: Option<Message>,
    field: u32,
    depth: usize,
) -> (Content, Option<Box<ContextInfo>>) {
    match (message, depth.checked_sub(1)) {
        (Some(message), Some(depth)) => {
            let unwrapped = Unwrapped::within(message, depth);
            let info = unwrapped.context.to_info();
            (unwrapped.content, info)
        }
        (Some(_), None) => (Content::Unknown { field }, None),
        (None, _) => (Content::Empty, None),
    }
}
