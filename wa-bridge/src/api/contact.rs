//! People: who is known, and who is on WhatsApp.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CandidateView, ContactView, operation};

/// People by name or number.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactList {
    /// Only people of whom a name or number holds every word of this.
    #[serde(default)]
    pub query: Option<String>,
    /// How many to leave out at the beginning.
    #[serde(default)]
    pub offset: u32,
    /// How many; 50 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}
operation!(ContactList => Vec<ContactView>, "contacts/list", Read, "Lists the people who are known.");

/// Who is meant by a name, number or address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// What was named.
    pub named: String,
    /// Only a person, or only a group; either unless said.
    #[serde(default)]
    pub only: Option<Named>,
    /// Also what the policy keeps out of reach: for a person who writes the policy.
    #[serde(default)]
    pub beyond_policy: bool,
}
operation!(Resolve => CandidateView, "contacts/resolve", Read,
    "Finds out which one person or chat a name, number or address means.");

/// What is meant by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// A person.
    Person,
    /// A group.
    Group,
}

/// Which numbers are on WhatsApp.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactCheck {
    /// Phone numbers with their country codes, at most 50.
    pub numbers: Vec<String>,
}
operation!(ContactCheck => Vec<CheckedView>, "contacts/check", Read,
    "Asks the server which phone numbers are on WhatsApp.");

/// A number that was asked about.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CheckedView {
    /// The number as it was asked.
    pub number: String,
    /// Whether it is on WhatsApp.
    pub on_whatsapp: bool,
    /// The number as WhatsApp has it.
    pub phone: Option<String>,
    /// The person's LID.
    pub lid: Option<String>,
}
