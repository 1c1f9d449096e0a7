//! A message passed on: what it says, without whom it answered and without its secret. Its media is
//! used as it is, under the same key, and not uploaded again.

use wa_proto::{
    Content, Unwrapped,
    content::{Kind, MessageContext},
};
use wa_store::MessageKey;

use super::target;
use crate::{error::Error, inner::Inner};

/// What is passed on, as it stands now; the context tells how often it was passed on.
pub(super) async fn forward(
    inner: &Inner,
    source: &MessageKey,
    context: &mut MessageContext,
) -> Result<Content, Error> {
    let message = target::archived(inner, source).await?;
    if message.view_once {
        return Err(Error::InvalidInput("what is to be looked at once cannot be forwarded"));
    }
    let unwrapped = Unwrapped::decode(message.raw.as_bytes().to_vec());
    let Unwrapped { mut content, context: before, .. } =
        unwrapped.map_err(|_| Error::InvalidInput("the message cannot be forwarded"))?;
    if !is_message(content.kind()) {
        return Err(Error::InvalidInput("this kind of message cannot be forwarded"));
    }
    if message.edited_at.is_some()
        && let Some(now) = message.text
    {
        match &mut content {
            Content::Text(text) => text.body = now,
            Content::Image(media)
            | Content::Video(media)
            | Content::Gif(media)
            | Content::Document(media) => media.caption = Some(now),
            _ => {}
        }
    }
    context.is_forwarded = true;
    context.forwarding_score = before.forwarding_score.saturating_add(1);
    Ok(content)
}

/// Whether it stands for itself.
fn is_message(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::Image
            | Kind::Video
            | Kind::Gif
            | Kind::VideoNote
            | Kind::Audio
            | Kind::VoiceNote
            | Kind::Document
            | Kind::Sticker
            | Kind::Location
            | Kind::Contact
            | Kind::Contacts
    )
}
