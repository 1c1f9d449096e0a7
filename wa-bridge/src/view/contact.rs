//! People by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{Contact, Store, StoreError};

use super::{ChatTitle, number};
use crate::{ChatKind, recipient::Candidate};

/// A person who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ContactView {
    /// The address by which every call names the person.
    pub jid: String,
    /// The phone number, where it is known.
    pub phone: Option<String>,
    /// The LID, where it is known.
    pub lid: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// Whether others than the user chose that name: then it proves nothing about who it is.
    pub self_chosen: bool,
    /// The name in the address book.
    pub full_name: Option<String>,
    /// The name the person gave themself.
    pub push_name: Option<String>,
    /// The verified name of a business.
    pub business_name: Option<String>,
    /// The name by which they can be found without their number.
    pub username: Option<String>,
}

impl ContactView {
    /// What is known of a person.
    pub fn new(contact: &Contact) -> Self {
        Self {
            jid: contact.jid.to_string(),
            phone: contact.phone.as_ref().and_then(number),
            lid: contact.lid.as_ref().map(ToString::to_string),
            name: contact.name().map(str::to_owned),
            self_chosen: contact.named().is_some_and(|(source, _)| source.is_self_chosen()),
            full_name: contact.full_name.clone(),
            push_name: contact.push_name.clone(),
            business_name: contact.business_name.clone(),
            username: contact.username.clone(),
        }
    }
}

/// One of several who may be meant by a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CandidateView {
    /// The address that names exactly this one.
    pub jid: String,
    /// Who or what it is.
    pub kind: ChatKind,
    /// The name that fitted.
    pub name: String,
    /// Whether others than the user chose that name: then it proves nothing about who it is.
    pub self_chosen: bool,
    /// What the address book calls them, where that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_as: Option<String>,
    /// The phone number, where it is known.
    pub phone: Option<String>,
    /// The name by which they can be found without their number, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl CandidateView {
    /// Who an address stands for.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub(crate) async fn of(jid: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
        let ChatTitle { kind, name, self_chosen, phone } = ChatTitle::look_up(jid, store).await?;
        let username = store.contact(jid).await?.and_then(|contact| contact.username);
        let name = name.unwrap_or_default();
        Ok(Self { jid: jid.to_string(), kind, name, self_chosen, saved_as: None, phone, username })
    }

    /// One who may be meant.
    pub(crate) fn new(candidate: &Candidate) -> Self {
        Self {
            jid: candidate.jid.to_string(),
            kind: candidate.kind(),
            name: candidate.name.clone(),
            self_chosen: candidate.source.is_self_chosen(),
            saved_as: candidate.saved_as.clone(),
            phone: candidate.phone.as_ref().and_then(number),
            username: candidate.username.clone(),
        }
    }
}
