//! A person, by every name there is for them.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{Contact, Store, StoreError};

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
    /// Whether others than the user chose that name: then it proves nothing about who it is.
    pub self_chosen: bool,
    /// Whether it is the account itself.
    pub is_me: bool,
}

impl PersonView {
    /// Looks up what is known of a person.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(jid: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
        Ok(People::look_up([jid], store).await?.view(jid))
    }

    /// Several people, in their order.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(people: &[Jid], store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let known = People::look_up(people, store).await?;
        Ok(people.iter().map(|jid| known.view(jid)).collect())
    }
}

/// What is known of several people, looked up at once: a page of messages or a large group takes
/// three reads, however many people are in it.
#[derive(Debug, Default)]
pub(crate) struct People {
    own: Vec<Jid>,
    contacts: HashMap<Jid, Contact>,
    /// The numbers of those who are in no address book.
    phones: HashMap<Jid, Jid>,
}

impl People {
    /// Looks them up.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub(crate) async fn look_up<'a>(
        people: impl IntoIterator<Item = &'a Jid>,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let mut people: Vec<Jid> = people.into_iter().cloned().collect();
        people.sort_unstable();
        people.dedup();
        let contacts = store.contacts_of(&people).await?;
        people.retain(|jid| jid.is_lid() && !contacts.contains_key(jid));
        let phones = match people.as_slice() {
            [] => HashMap::new(),
            unknown => store.phones_of(unknown).await?,
        };
        let account = store.account().await?;
        let own = account.into_iter().flat_map(|account| [account.jid, account.lid]).flatten();
        Ok(Self { own: own.map(|own| own.to_user()).collect(), contacts, phones })
    }

    /// The name to show of one of them.
    pub(crate) fn name(&self, jid: &Jid) -> Option<String> {
        contact_name(self.contacts.get(jid))
    }

    /// Whether the user's address book has one of them.
    pub(crate) fn is_in_address_book(&self, jid: &Jid) -> bool {
        self.contacts.get(jid).is_some_and(Contact::is_in_address_book)
    }

    /// The phone number of one of them, as people write it.
    pub(crate) fn phone(&self, jid: &Jid) -> Option<String> {
        let known = self.contacts.get(jid).and_then(|contact| contact.phone.as_ref());
        number(known.or_else(|| self.phones.get(jid)).unwrap_or(jid))
    }

    /// One of them.
    pub(crate) fn view(&self, jid: &Jid) -> PersonView {
        let user = jid.to_user();
        PersonView {
            phone: self.phone(jid),
            name: self.name(jid),
            self_chosen: self.name(jid).is_some() && !self.is_in_address_book(jid),
            is_me: self.own.contains(&user),
            jid: user.to_string(),
        }
    }

    /// The same where the number was told besides.
    pub(crate) fn view_with_phone(&self, jid: &Jid, phone: Option<&Jid>) -> PersonView {
        let mut view = self.view(jid);
        view.phone = view.phone.or_else(|| phone.and_then(number));
        view
    }
}
