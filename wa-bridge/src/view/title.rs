//! Who or what a chat is: its name, who chose that, its number and its kind.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{Chat, Contact, Store, StoreError};

use super::number;
use crate::ChatKind;

/// Who or what a chat is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChatTitle {
    /// Who or what it is.
    pub kind: ChatKind,
    /// Its name, where one is known.
    pub name: Option<String>,
    /// Whether others than the user chose the name: then it proves nothing about who it is.
    pub self_chosen: bool,
    /// The phone number of a person, where it is known.
    pub phone: Option<String>,
}

impl ChatTitle {
    /// Looks it up.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn look_up(chat: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
        match ChatKind::of(chat) {
            ChatKind::Person => person(chat, store).await,
            _ => match store.chat(chat).await? {
                Some(known) => Self::of_chat(&known, store).await,
                None => subject(chat, None, store).await,
            },
        }
    }

    /// The same of a chat that was read already.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub(crate) async fn of_chat(chat: &Chat, store: &dyn Store) -> Result<Self, StoreError> {
        match ChatKind::of(&chat.jid) {
            ChatKind::Person => person(&chat.jid, store).await,
            _ => subject(&chat.jid, chat.name.clone(), store).await,
        }
    }

    /// The same of several chats, each looked up once.
    pub(crate) async fn all(
        chats: HashSet<Jid>,
        store: &dyn Store,
    ) -> Result<HashMap<Jid, Self>, StoreError> {
        let mut titles = HashMap::new();
        for chat in chats {
            let title = Self::look_up(&chat, store).await?;
            titles.insert(chat, title);
        }
        Ok(titles)
    }
}

async fn person(jid: &Jid, store: &dyn Store) -> Result<ChatTitle, StoreError> {
    let contact = store.contact(jid).await?;
    let named = contact.as_ref().and_then(Contact::named);
    let (self_chosen, name) = match named {
        Some((source, name)) => (source.is_self_chosen(), Some(name.to_owned())),
        None => (false, None),
    };
    let phone = contact.and_then(|contact| contact.phone);
    let phone = match phone.as_ref().or(Some(jid)).and_then(number) {
        Some(number) => Some(number),
        None => store.phone_of(jid).await?.as_ref().and_then(number),
    };
    Ok(ChatTitle { kind: ChatKind::Person, name, self_chosen, phone })
}

/// What everybody in it, or who follows it, may have called it.
async fn subject(
    chat: &Jid,
    name: Option<String>,
    store: &dyn Store,
) -> Result<ChatTitle, StoreError> {
    let name = match name {
        None if chat.is_group() => store.group(chat).await?.map(|group| group.subject),
        name => name,
    };
    Ok(ChatTitle { kind: ChatKind::of(chat), self_chosen: name.is_some(), name, phone: None })
}
