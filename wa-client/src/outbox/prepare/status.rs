//! Whom a status post is for.
//!
//! Owns the choice: the people in the user's address book, as the privacy setting narrows them.
//! Knows nothing of how a post is encrypted.

use std::collections::BTreeSet;

use wa_proto::{Jid, stanza::AddressingMode};
use wa_store::{ContactQuery, MAX_PAGE, StoreError};

use super::group::Audience;
use crate::{
    devices,
    error::Error,
    inner::Inner,
    lid,
    privacy::{self, StatusAudience},
};

impl Audience {
    /// Everybody who is to see the account's status posts, and its own other devices.
    ///
    /// # Errors
    /// The server could not be asked, or the store failed.
    pub(super) async fn of_status(inner: &Inner) -> Result<Self, Error> {
        let own = inner.account().jid.as_ref().ok_or(Error::NotLinked)?.to_user();
        let chosen = privacy::audience(inner).await?;
        let status_setting = Some(setting(&chosen));
        let mut people = readers(&address_book(inner).await?, chosen);
        people.push(own);
        // Asking for their devices may tell the LIDs by which they are named.
        devices::devices_of(inner, &people).await?;
        let people: BTreeSet<Jid> =
            lid::canonical_all(&*inner.store, &people).await?.into_iter().collect();
        Ok(Self {
            chat: Jid::status(),
            addressing: AddressingMode::Lid,
            people: people.into_iter().collect(),
            expiration: None,
            status_setting,
        })
    }
}

/// The people who have a name in the user's address book.
async fn address_book(inner: &Inner) -> Result<Vec<Jid>, StoreError> {
    let mut people = Vec::new();
    let mut query = ContactQuery::default();
    query.limit = MAX_PAGE;
    loop {
        let page = inner.store.contacts(&query).await?;
        let is_last = page.len() < query.limit;
        query.offset += page.len();
        let named = page
            .into_iter()
            .filter(|contact| contact.full_name.is_some() && contact.jid.is_person());
        people.extend(named.map(|contact| contact.jid));
        if is_last {
            return Ok(people);
        }
    }
}

/// What the server is told of who sees a post: the words of WhatsApp Web's own setting, as zapo
/// sends them.
const fn setting(chosen: &StatusAudience) -> &'static str {
    match chosen {
        StatusAudience::Contacts => "contacts",
        StatusAudience::ContactsExcept(_) => "denylist",
        StatusAudience::Only(_) => "allowlist",
    }
}

fn readers(contacts: &[Jid], chosen: StatusAudience) -> Vec<Jid> {
    match chosen {
        StatusAudience::Contacts => contacts.to_vec(),
        StatusAudience::ContactsExcept(hidden) => {
            let shown = |person: &&Jid| !hidden.iter().any(|one| one.is_same_user(person));
            contacts.iter().filter(shown).cloned().collect()
        }
        StatusAudience::Only(people) => people,
    }
}
