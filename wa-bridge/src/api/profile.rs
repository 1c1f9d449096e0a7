//! What people show of themselves, and this account's own of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PersonView, operation};

/// What somebody shows of themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileGet {
    /// Who: an address, a phone number or a name; this account unless said.
    #[serde(default)]
    pub person: Option<String>,
}
operation!(ProfileGet => ProfileView, "profile/get", Read,
    "Tells what somebody shows of themselves.");

/// What somebody shows of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ProfileView {
    /// Who.
    #[serde(flatten)]
    pub person: PersonView,
    /// The "about" text.
    pub about: Option<String>,
    /// Since when it says so (RFC 3339).
    pub about_set_at: Option<String>,
    /// `set`, `none` or `hidden`.
    pub picture: String,
    /// Where the picture can be had by anybody who knows this.
    pub picture_url: Option<String>,
    /// The verified name of a business.
    pub verified_name: Option<String>,
    /// How many devices they use.
    pub devices: usize,
}

/// Changes what this account shows of itself. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdate {
    /// The name that others see; at most 25 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// The "about" text; at most 139 characters.
    #[serde(default)]
    pub about: Option<String>,
    /// A square JPEG of this machine as the picture; empty to take the picture away.
    #[serde(default)]
    pub picture_path: Option<String>,
}
operation!(ProfileUpdate => ProfileChangedView, "profile/update", Send,
    "Changes what this account shows of itself.");

/// What was changed about this account's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ProfileChangedView {
    /// What was changed: the names of the request's fields.
    pub changed: Vec<String>,
    /// `done`, or `queued` until the phone gives the keys for a change of the name.
    pub state: String,
    /// The new picture's id, if there is a new one.
    pub picture_id: Option<String>,
}
