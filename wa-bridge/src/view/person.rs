//! A person, by every name there is for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{Store, StoreError};

use super::{contact_name, number};

/// A person, by every name there is for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PersonView {
    /// The address by which every call names the person.
    pub jid: String,
    /// The phone number, where it is known.
    pub phone: Option<String>,
    /// The name to show, where one is known.
    pub name: Option<String>,
    /// Whether it is the account itself.
    pub is_me: bool,
}

impl PersonView {
    /// Looks up what is known of a person.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(jid: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
        let contact = store.contact(jid).await?;
        let phone = match contact.as_ref().and_then(|contact| contact.phone.clone()) {
            Some(phone) => Some(phone),
            None => store.phone_of(jid).await?,
        };
        let phone = phone.unwrap_or_else(|| jid.clone());
        let account = store.account().await?;
        let own = account.iter().flat_map(|account| [&account.jid, &account.lid]).flatten();
        let is_me = own.into_iter().any(|own| own.to_user() == jid.to_user());
        Ok(Self {
            jid: jid.to_user().to_string(),
            phone: number(&phone),
            name: contact_name(contact.as_ref()),
            is_me,
        })
    }

    /// The same where the number was told besides.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn with_phone(
        jid: &Jid,
        phone: Option<&Jid>,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let mut view = Self::new(jid, store).await?;
        view.phone = view.phone.or_else(|| phone.and_then(number));
        Ok(view)
    }

    /// Several people.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(people: &[Jid], store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let mut views = Vec::with_capacity(people.len());
        for jid in people {
            views.push(Self::new(jid, store).await?);
        }
        Ok(views)
    }
}
