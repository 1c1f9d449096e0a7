//! A conversation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::{Chat, Store, StoreError};

use super::{ChatTitle, now};
use crate::{ChatKind, moment};

/// A conversation and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChatView {
    /// The address by which every call names the chat.
    pub jid: String,
    /// The phone number of a person, where it is known.
    pub phone: Option<String>,
    /// Who or what it is.
    pub kind: ChatKind,
    /// The group's subject, or the person's name.
    pub name: Option<String>,
    /// Whether others than the user chose the name: then it proves nothing about who it is.
    pub self_chosen: bool,
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
        let title = ChatTitle::of_chat(chat, store).await?;
        Ok(Self::of(chat, title))
    }

    /// The same of several chats, in their order.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(chats: &[Chat], store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let mut views = Vec::with_capacity(chats.len());
        for chat in chats {
            views.push(Self::new(chat, store).await?);
        }
        Ok(views)
    }

    fn of(chat: &Chat, title: ChatTitle) -> Self {
        Self {
            jid: chat.jid.to_string(),
            phone: title.phone,
            kind: title.kind,
            name: title.name,
            self_chosen: title.self_chosen,
            unread: chat.unread,
            archived: chat.archived,
            pinned: chat.pinned_at.is_some(),
            muted: chat.muted_until.is_some_and(|until| until > now()),
            marked_unread: chat.marked_unread,
            disappearing: chat.ephemeral_secs.filter(|seconds| *seconds > 0),
            last_message_at: chat.last_message.map(|(_, at)| moment::rfc3339(at)),
        }
    }
}
