//! What the user lets others see.
//!
//! Owns the settings: asked for at login, changed by notices and here, and on disk, so that nothing
//! read before the first answer is told to anybody who is not to know. Knows nothing of receipts.

mod setting;

use std::sync::Arc;

use wa_proto::{
    Jid,
    request::{PrivacySettings as AskSettings, SetPrivacy, StatusPrivacy},
};
use wa_store::{Change, Changes, StoreError};

pub use setting::{PrivacyKind, PrivacySettings, PrivacyValue};

use crate::{
    Client,
    connection::Link,
    error::Error,
    event::{AccountEvent, Event},
    inner::Inner,
};

/// Before the name of each setting in the store.
const PREFIX: &str = "privacy/";

impl Client {
    /// What the user lets others see.
    pub fn privacy(&self) -> Privacy {
        Privacy { inner: Arc::clone(self.inner()) }
    }
}

/// What the user lets others see. Made by [`Client::privacy`].
#[derive(Debug, Clone)]
pub struct Privacy {
    inner: Arc<Inner>,
}

impl Privacy {
    /// The settings as they are known: asked for at every login, and kept by notices since.
    ///
    /// # Errors
    /// The store's.
    pub async fn settings(&self) -> Result<PrivacySettings, Error> {
        Ok(known(&self.inner).await?)
    }

    /// Changes a setting, for all devices of the account.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the setting has no such value; as every request.
    pub async fn set(&self, kind: PrivacyKind, value: PrivacyValue) -> Result<(), Error> {
        if !kind.takes(&value) {
            return Err(Error::InvalidInput("this privacy setting has no such value"));
        }
        let request = SetPrivacy { category: kind.as_str().into(), value: value.as_str().into() };
        self.inner.request(&request).await?;
        keep(&self.inner, &[(kind.as_str(), value.as_str())]).await?;
        Ok(())
    }

    /// Who sees the account's status posts.
    ///
    /// # Errors
    /// As every request.
    pub async fn status_audience(&self) -> Result<StatusAudience, Error> {
        audience(&self.inner).await
    }
}

/// Who sees the account's status posts.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusAudience {
    /// All contacts.
    Contacts,
    /// All contacts but these people.
    ContactsExcept(Vec<Jid>),
    /// These people alone.
    Only(Vec<Jid>),
}

impl std::fmt::Debug for StatusAudience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Contacts => "Contacts",
            Self::ContactsExcept(_) => "ContactsExcept(…)",
            Self::Only(_) => "Only(…)",
        })
    }
}

/// Who sees the account's status posts.
///
/// # Errors
/// As every request.
pub(crate) async fn audience(inner: &Inner) -> Result<StatusAudience, Error> {
    let lists = match inner.request(&StatusPrivacy).await.map_err(Error::from) {
        Ok(lists) => lists,
        // Nothing was ever chosen.
        Err(Error::Server { code: 404 }) => return Ok(StatusAudience::Contacts),
        Err(error) => return Err(error),
    };
    let in_force = lists.iter().find(|list| list.is_default).or_else(|| lists.first());
    Ok(match in_force {
        Some(list) if list.kind == "whitelist" => StatusAudience::Only(list.people.clone()),
        Some(list) if list.kind == "blacklist" => {
            StatusAudience::ContactsExcept(list.people.clone())
        }
        _ => StatusAudience::Contacts,
    })
}

/// Asks the server and keeps the answer.
///
/// # Errors
/// The server's or the store's; then what was known before stays in force.
pub(crate) async fn refresh(inner: &Inner, link: &Link) -> Result<(), Error> {
    let settings = inner.request_on(link, &AskSettings).await?;
    keep(inner, &settings).await?;
    Ok(())
}

/// Keeps what the server said of the settings: all of them, or those that changed. Those of a kind
/// that this version does not know are passed over.
///
/// # Errors
/// The store's.
pub(crate) async fn keep<T: AsRef<str>>(
    inner: &Inner,
    settings: &[(T, T)],
) -> Result<(), StoreError> {
    let before = known(inner).await?;
    let mut changes = Changes::new();
    let mut events = Vec::new();
    for (name, value) in settings {
        let Some(kind) = PrivacyKind::from_name(name.as_ref()) else { continue };
        let value = PrivacyValue::from_name(value.as_ref());
        if before.of(kind) == Some(&value) {
            continue;
        }
        let stored = Some(value.as_str().as_bytes().to_vec());
        changes.push(Change::PutSetting { name: name_of(kind), value: stored });
        // What is learnt for the first time is no change.
        if before.of(kind).is_some() {
            events.push(AccountEvent::PrivacyChanged { kind, value });
        }
    }
    if !changes.is_empty() {
        inner.store.commit(changes).await?;
    }
    events.into_iter().for_each(|event| inner.emit(Event::Account(event)));
    Ok(())
}

fn name_of(kind: PrivacyKind) -> String {
    format!("{PREFIX}{}", kind.as_str())
}

async fn known(inner: &Inner) -> Result<PrivacySettings, StoreError> {
    let mut settings = PrivacySettings::default();
    for kind in PrivacyKind::ALL {
        let kept = inner.store.setting(&name_of(kind)).await?;
        if let Some(value) = kept.and_then(|kept| String::from_utf8(kept).ok()) {
            settings.put(kind, PrivacyValue::from_name(&value));
        }
    }
    Ok(settings)
}

/// Whether senders may learn that their messages were read.
///
/// # Errors
/// The store's.
pub(crate) async fn tells_what_was_read(inner: &Inner) -> Result<bool, StoreError> {
    let value = inner.store.setting(&name_of(PrivacyKind::ReadReceipts)).await?;
    Ok(value.is_none_or(|value| value != b"none"))
}
