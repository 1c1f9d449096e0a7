//! Who or what a chat is: its name, who chose that, its number and its kind.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{Contact, NameSource, Store, StoreError};

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
        let kind = ChatKind::of(chat);
        let (name, phone) = match kind {
            ChatKind::Person => person(chat, store).await?,
            _ => (subject(chat, store).await?.map(|name| (NameSource::Subject, name)), None),
        };
        Ok(Self {
            kind,
            self_chosen: name.as_ref().is_some_and(|(source, _)| source.is_self_chosen()),
            name: name.map(|(_, name)| name),
            phone,
        })
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

async fn person(
    jid: &Jid,
    store: &dyn Store,
) -> Result<(Option<(NameSource, String)>, Option<String>), StoreError> {
    let contact = store.contact(jid).await?;
    let name = contact.as_ref().and_then(Contact::named);
    let name = name.map(|(source, name)| (source, name.to_owned()));
    let phone = contact.and_then(|contact| contact.phone);
    let phone = match phone.as_ref().or(Some(jid)).and_then(number) {
        Some(number) => Some(number),
        None => store.phone_of(jid).await?.as_ref().and_then(number),
    };
    Ok((name, phone))
}

async fn subject(chat: &Jid, store: &dyn Store) -> Result<Option<String>, StoreError> {
    match store.chat(chat).await?.and_then(|chat| chat.name) {
        None if chat.is_group() => Ok(store.group(chat).await?.map(|group| group.subject)),
        name => Ok(name),
    }
}
