//! From what a caller wants to say to the content and context that say it.
//!
//! Owns what each intent needs to know of the archive, and the refusals. Knows nothing of devices
//! and stanzas.

pub(crate) mod forward;
mod seal;
mod target;

use rand_core::Rng as _;
use wa_proto::{
    Content, Jid, Unwrapped,
    content::{
        Comment, Edit, Keep, MessageContext, MessageSecret, Pin, PollVote, Protocol, Reaction,
        Revoke, Text,
    },
};
use wa_store::{EDIT_WINDOW_SECS, MessageKey, MessageKind};

use super::{
    check::{check_content, check_fits},
    quote::quote,
    said::{Manner, Said},
};
use crate::{error::Error, inner::Inner};

/// What is sent.
pub(super) struct Composed {
    pub(super) content: Content,
    pub(super) context: MessageContext,
}

/// Composes a message for a chat, which is given by its canonical address.
///
/// # Errors
/// [`Error::InvalidInput`] and the like if it cannot be said; the store's.
pub(super) async fn compose(
    inner: &Inner,
    chat: &Jid,
    said: Said,
    manner: Manner,
) -> Result<Composed, Error> {
    let now_ms = Some(inner.next_ms());
    let mut context = MessageContext::default();
    let content = match said {
        Said::Content(content) => *content,
        Said::Reaction { target, emoji } => {
            let target = Some(target::key(&target)?);
            return bare(Content::Reaction(Reaction { target, emoji, at_ms: now_ms }));
        }
        Said::Edit { target, text, late } => {
            let content = Box::new(edited(inner, &target, text, late).await?);
            context.mentions = manner.mentions;
            context.mentions_everyone = manner.mentions_everyone;
            let target = Some(target::key(&target)?);
            let content = Content::Edit(Edit { target, content, at_ms: now_ms });
            return Ok(Composed { content, context });
        }
        Said::Revoke { target } => {
            if !target.from_me && !target.chat.is_group() {
                return Err(Error::InvalidInput("only groups have admins who delete for others"));
            }
            return bare(Content::Revoke(Revoke { target: Some(target::key(&target)?) }));
        }
        Said::Vote { poll, options } => {
            let sealed = seal::vote(inner, &poll, &options).await?;
            return bare(Content::PollVote(PollVote { sealed, at_ms: now_ms }));
        }
        Said::Answer { event, attendance, guests } => {
            let sealed = seal::answer(inner, &event, attendance, guests, now_ms).await?;
            return bare(Content::EventResponse(sealed));
        }
        Said::Pin { target, seconds } => {
            context.add_on_seconds = seconds;
            let pin = Pin {
                target: Some(target::key(&target)?),
                pinned: seconds.is_some(),
                at_ms: now_ms,
            };
            return Ok(Composed { content: Content::Pin(pin), context });
        }
        Said::Keep { target, kept } => {
            let keep = Keep { target: Some(target::key(&target)?), kept, at_ms: now_ms };
            return bare(Content::Keep(keep));
        }
        Said::Timer { seconds } => {
            if !chat.is_person() {
                return Err(Error::InvalidInput("the timer of a group is a setting of the group"));
            }
            let set_at = now_ms.map(|now| now / 1_000);
            let timer = Protocol::EphemeralSetting { expiration: seconds, set_at };
            return bare(Content::Protocol(timer));
        }
        Said::Forward { source, unchanged_since } => {
            forward::forward(inner, &source, unchanged_since, &mut context).await?
        }
        Said::Comment { target, text } => {
            let content = Box::new(Content::from(text));
            check_content(&content)?;
            Content::Comment(Comment { target: Some(target::key(&target)?), content })
        }
    };
    finish(inner, chat, content, context, manner).await
}

/// Something that has no context of its own.
fn bare(content: Content) -> Result<Composed, Error> {
    Ok(Composed { content, context: MessageContext::default() })
}

/// What stands beside every message of its own: its secret, what it quotes and whom it mentions,
/// and when it disappears.
async fn finish(
    inner: &Inner,
    chat: &Jid,
    mut content: Content,
    mut context: MessageContext,
    manner: Manner,
) -> Result<Composed, Error> {
    check_content(&content)?;
    check_fits(chat, &content)?;
    if matches!(content, Content::Protocol(_)) {
        return bare(content);
    }
    if manner.view_once {
        looked_at_once(&mut content)?;
    }
    context.message_secret = Some(inner.with_rng(|rng| {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        MessageSecret::new(secret.to_vec())
    }));
    context.mentions = manner.mentions;
    context.mentions_everyone = manner.mentions_everyone;
    context.parent = manner.parent;
    if let Some(quoted) = &manner.quoting {
        context.quoted = Some(quote(inner, chat, quoted).await?);
    }
    if let Some(settings) = inner.store.chat(chat).await?
        && let Some(seconds) = settings.ephemeral_secs.filter(|seconds| *seconds != 0)
    {
        context.expiration = Some(seconds);
        context.ephemeral_setting_timestamp = settings.ephemeral_set_at.map(|at| at.secs());
    }
    Ok(Composed { content, context })
}

/// Marks media as to be looked at once.
fn looked_at_once(content: &mut Content) -> Result<(), Error> {
    match content {
        Content::Image(media)
        | Content::Video(media)
        | Content::VideoNote(media)
        | Content::Audio(media)
        | Content::VoiceNote(media) => {
            media.view_once = true;
            Ok(())
        }
        _ => Err(Error::InvalidInput("only pictures, videos and audio can be looked at once")),
    }
}

/// An own message with another text: a text, or the caption of media.
async fn edited(
    inner: &Inner,
    target: &MessageKey,
    text: String,
    late: bool,
) -> Result<Content, Error> {
    let message = target::archived(inner, target).await?;
    if !message.key.from_me {
        return Err(Error::InvalidInput("only own messages can be edited"));
    }
    if !late && message.timestamp.plus_secs(EDIT_WINDOW_SECS) < inner.now() {
        return Err(Error::InvalidInput("the time to edit this message is over"));
    }
    if message.kind == MessageKind::TEXT {
        let content = Content::Text(Text::new(text));
        check_content(&content)?;
        return Ok(content);
    }
    let unwrapped = Unwrapped::decode(message.raw.as_bytes().to_vec());
    let mut content = unwrapped.map_err(|_| Error::InvalidInput(NOT_EDITABLE))?.content;
    match &mut content {
        Content::Image(media)
        | Content::Video(media)
        | Content::Gif(media)
        | Content::Document(media) => media.caption = Some(text).filter(|text| !text.is_empty()),
        _ => return Err(Error::InvalidInput(NOT_EDITABLE)),
    }
    Ok(content)
}

const NOT_EDITABLE: &str = "only texts and captions can be edited";
