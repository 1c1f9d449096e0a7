//! A message, with all that people added to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::{ArchivedMessage, Contact, Reaction, Store, StoreError, TextVersion};

use super::{MediaView, PersonView, PollView, contact_name, number};
use crate::moment;

/// A message, with all that people added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MessageView {
    /// Its place in the archive; later arrivals have greater ones.
    pub seq: u64,
    /// Its id, by which other calls name it, together with the chat.
    pub id: String,
    /// The chat's address.
    pub chat: String,
    /// The sender's address.
    pub sender: String,
    /// The sender's name, where one is known.
    pub sender_name: Option<String>,
    /// The sender's phone number, where it is known.
    pub sender_phone: Option<String>,
    /// Whether this account sent it.
    pub from_me: bool,
    /// When it was sent (RFC 3339, UTC).
    pub timestamp: String,
    /// What it is: text, image, video, voice-note, document, poll, …
    pub kind: String,
    /// Its text, or the caption of its file.
    pub text: Option<String>,
    /// How far it got: pending, failed, sent, delivered, read or played.
    pub status: String,
    /// The id of the message it answers.
    pub reply_to: Option<String>,
    /// Whether its text was changed later.
    pub edited: bool,
    /// What it said before it was edited, the first text first.
    pub earlier_texts: Vec<Option<String>>,
    /// Whether it was deleted for everyone.
    pub revoked: bool,
    /// Whether it has a star.
    pub starred: bool,
    /// Whether it is to be looked at once.
    pub view_once: bool,
    /// When it disappears (RFC 3339).
    pub expires_at: Option<String>,
    /// Its file, if it has one.
    pub media: Option<MediaView>,
    /// The reactions to it.
    pub reactions: Vec<ReactionView>,
    /// How it stands, if it is a poll.
    pub poll: Option<PollView>,
}

/// Somebody's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReactionView {
    /// The emoji.
    pub emoji: String,
    /// Who reacted.
    pub by: PersonView,
}

impl MessageView {
    /// Looks up who wrote a message, and what became of it.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(message: &ArchivedMessage, store: &dyn Store) -> Result<Self, StoreError> {
        let key = &message.key;
        let contact = store.contact(&key.sender).await?;
        let phone = match &contact {
            Some(Contact { phone: Some(phone), .. }) => Some(phone.clone()),
            _ => store.phone_of(&key.sender).await?,
        };
        let phone = phone.or_else(|| Some(key.sender.clone()));
        Ok(Self {
            seq: message.seq.0,
            id: key.id.to_string(),
            chat: key.chat.to_string(),
            sender: key.sender.to_string(),
            sender_name: contact_name(contact.as_ref()).or_else(|| message.push_name.clone()),
            sender_phone: phone.as_ref().and_then(number),
            from_me: key.from_me,
            timestamp: moment::rfc3339(message.timestamp),
            kind: message.kind.to_string(),
            text: message.text.clone(),
            status: message.status.as_str().to_owned(),
            reply_to: message.reply_to.as_ref().map(ToString::to_string),
            edited: message.edited_at.is_some(),
            earlier_texts: earlier_texts(message, store).await?,
            revoked: message.revoked.is_some(),
            starred: message.starred,
            view_once: message.view_once,
            expires_at: message.expires_at.map(moment::rfc3339),
            media: MediaView::of(message),
            reactions: reactions(message, store).await?,
            poll: poll(message, store).await?,
        })
    }

    /// The same of several messages, in their order.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(
        messages: &[ArchivedMessage],
        store: &dyn Store,
    ) -> Result<Vec<Self>, StoreError> {
        let mut views = Vec::with_capacity(messages.len());
        for message in messages {
            views.push(Self::new(message, store).await?);
        }
        Ok(views)
    }
}

async fn poll(
    message: &ArchivedMessage,
    store: &dyn Store,
) -> Result<Option<PollView>, StoreError> {
    match store.poll(&message.key).await? {
        Some(tally) if message.revoked.is_none() => Ok(Some(PollView::new(&tally, store).await?)),
        _ => Ok(None),
    }
}

async fn reactions(
    message: &ArchivedMessage,
    store: &dyn Store,
) -> Result<Vec<ReactionView>, StoreError> {
    let mut views = Vec::new();
    for Reaction { sender, emoji, .. } in store.reactions(&message.key).await? {
        views.push(ReactionView { emoji, by: PersonView::new(&sender, store).await? });
    }
    Ok(views)
}

async fn earlier_texts(
    message: &ArchivedMessage,
    store: &dyn Store,
) -> Result<Vec<Option<String>>, StoreError> {
    if message.edited_at.is_none() || message.revoked.is_some() {
        return Ok(Vec::new());
    }
    let mut versions = store.text_versions(&message.key).await?;
    versions.pop();
    Ok(versions.into_iter().map(|TextVersion { text, .. }| text).collect())
}
