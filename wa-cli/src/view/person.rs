//! A person, by every name there is for them.

use serde::Serialize;
use wa_proto::Jid;
use wa_store::{Store, StoreError};

use super::{contact_name, number};
use crate::output::foreign;

/// A person in `--json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PersonView {
    pub(crate) jid: String,
    pub(crate) phone: Option<String>,
    pub(crate) name: Option<String>,
    /// Whether it is the account itself.
    pub(crate) is_me: bool,
}

impl PersonView {
    /// Looks up what is known of a person.
    pub(crate) async fn new(jid: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
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
    pub(crate) async fn with_phone(
        jid: &Jid,
        phone: Option<&Jid>,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let mut view = Self::new(jid, store).await?;
        view.phone = view.phone.or_else(|| phone.and_then(number));
        Ok(view)
    }

    /// Several people.
    pub(crate) async fn all(people: &[Jid], store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let mut views = Vec::with_capacity(people.len());
        for jid in people {
            views.push(Self::new(jid, store).await?);
        }
        Ok(views)
    }

    /// Who it is, in a word or two, for a person to read.
    pub(crate) fn label(&self) -> String {
        if self.is_me {
            return "you".into();
        }
        let label = self.name.as_deref().or(self.phone.as_deref()).unwrap_or(&self.jid);
        foreign::plain(label, " ")
    }

    /// Who they are, in a line.
    pub(crate) fn labels(people: &[Self]) -> String {
        people.iter().map(Self::label).collect::<Vec<_>>().join(", ")
    }

    /// Name and number.
    pub(crate) fn line(&self) -> String {
        let name = self.name.as_deref().map(|name| foreign::plain(name, " "));
        let address = self.phone.clone().unwrap_or_else(|| self.jid.clone());
        let me = if self.is_me { "  (you)" } else { "" };
        match name {
            Some(name) => format!("{name}  {address}{me}"),
            None => format!("{address}{me}"),
        }
    }
}
