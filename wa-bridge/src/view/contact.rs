//! People by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::Contact;

use super::number;
use crate::Candidate;

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
    /// The name that fitted.
    pub name: String,
    /// The phone number, where it is known.
    pub phone: Option<String>,
    /// The name by which they can be found without their number, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl CandidateView {
    /// One who may be meant.
    pub fn new(candidate: &Candidate) -> Self {
        Self {
            jid: candidate.jid.to_string(),
            name: candidate.name.clone(),
            phone: candidate.phone.as_ref().and_then(number),
            username: candidate.username.clone(),
        }
    }
}
