//! A conversation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::{Chat, Store, StoreError};

use super::{now, number, person::People};
use crate::moment;

/// A conversation and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChatView {
    /// The address by which every call names the chat.
    pub jid: String,
    /// The phone number of a person, where it is known.
    pub phone: Option<String>,
    /// The group's subject, or the person's name.
    pub name: Option<String>,
    /// How many messages wait to be read.
    pub unread: u32,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is silent now.
    pub muted: bool,
    /// Whether it was marked as unread by hand.
    pub marked_unread: bool,
    /// After how many seconds messages disappear; null for never.
    pub disappearing: Option<u32>,
    /// When the newest message was sent (RFC 3339).
    pub last_message_at: Option<String>,
}

impl ChatView {
    /// Looks up what a chat is called where it has no name of its own.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(chat: &Chat, store: &dyn Store) -> Result<Self, StoreError> {
        let people = People::look_up([&chat.jid], store).await?;
        Self::of(chat, &people, store).await
    }

    /// The same of several chats, in their order.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(chats: &[Chat], store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let people = People::look_up(chats.iter().map(|chat| &chat.jid), store).await?;
        let mut views = Vec::with_capacity(chats.len());
        for chat in chats {
            views.push(Self::of(chat, &people, store).await?);
        }
        Ok(views)
    }

    async fn of(chat: &Chat, people: &People, store: &dyn Store) -> Result<Self, StoreError> {
        let name = match chat.name.clone().or_else(|| people.name(&chat.jid)) {
            None if chat.jid.is_group() => store.group(&chat.jid).await?.map(|group| group.subject),
            name => name,
        };
        Ok(Self {
            jid: chat.jid.to_string(),
            phone: chat.phone.as_ref().and_then(number).or_else(|| people.phone(&chat.jid)),
            name,
            unread: chat.unread,
            archived: chat.archived,
            pinned: chat.pinned_at.is_some(),
            muted: chat.muted_until.is_some_and(|until| until > now()),
            marked_unread: chat.marked_unread,
            disappearing: chat.ephemeral_secs.filter(|seconds| *seconds > 0),
            last_message_at: chat.last_message.map(|(_, at)| moment::rfc3339(at)),
        })
    }
}
