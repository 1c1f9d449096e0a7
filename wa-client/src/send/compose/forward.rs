//! A message passed on: what it says, without whom it answered and without its secret. Its media is
//! used as it is, under the same key, and not uploaded again.

use wa_crypto::sha256;
use wa_proto::{
    Content, Unwrapped,
    content::{Kind, MessageContext},
};
use wa_store::{ArchivedMessage, MessageKey, Timestamp};

use super::target;
use crate::{error::Error, inner::Inner};

/// What is passed on, as it stands now; the context tells how often it was passed on.
///
/// # Errors
/// [`Error::InvalidInput`] if it cannot be passed on, or is another than `unchanged_since` says;
/// the store's.
pub(super) async fn forward(
    inner: &Inner,
    source: &MessageKey,
    unchanged_since: Option<[u8; 32]>,
    context: &mut MessageContext,
) -> Result<Content, Error> {
    let message = target::archived(inner, source).await?;
    if unchanged_since.is_some_and(|digest| digest != forward_digest(&message)) {
        return Err(Error::InvalidInput("the message was changed since it was looked at"));
    }
    let (content, score) = passed_on(&message)?;
    context.is_forwarded = true;
    context.forwarding_score = score.saturating_add(1);
    Ok(content)
}

/// What would be passed on if a message of the archive were forwarded now.
///
/// # Errors
/// [`Error::InvalidInput`] if it cannot be.
pub fn forward_content(message: &ArchivedMessage) -> Result<Content, Error> {
    passed_on(message).map(|(content, _)| content)
}

/// A hash of all that decides what forwarding a message passes on. Another one means that the
/// message was edited, repaired or taken back since.
pub fn forward_digest(message: &ArchivedMessage) -> [u8; 32] {
    let edited = message.edited_at.map_or(i64::MIN, Timestamp::secs).to_be_bytes();
    let text = message.text.as_deref().unwrap_or_default();
    let flags = [
        u8::from(message.view_once),
        u8::from(message.revoked.is_some()),
        u8::from(message.text.is_some()),
    ];
    let raw = message.raw.as_bytes();
    let length = u64::try_from(raw.len()).unwrap_or(u64::MAX).to_be_bytes();
    sha256(&[&flags, &edited, &length, raw, text.as_bytes()])
}

/// What is passed on, and how often it was before.
fn passed_on(message: &ArchivedMessage) -> Result<(Content, u32), Error> {
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
        && let Some(now) = message.text.clone()
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
    Ok((content, before.forwarding_score))
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
