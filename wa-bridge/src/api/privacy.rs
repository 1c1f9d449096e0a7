//! Who sees what of this account, and may do what; and whom it blocks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PersonView, operation};

/// Who sees and may do what.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyGet {}
operation!(PrivacyGet => Vec<PrivacyView>, "privacy/get", Read,
    "Tells who sees what of this account, and may do what.");

/// Changes who sees or may do something.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacySet {
    /// What.
    pub setting: PrivacySetting,
    /// Who.
    pub value: PrivacyAudience,
}
operation!(PrivacySet => PrivacyView, "privacy/set", Send,
    "Changes who sees what of this account, or may do what.");

/// Who sees or may do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PrivacyView {
    /// What.
    pub setting: PrivacySetting,
    /// Who: a word of [`PrivacyAudience`], or another one that the server told.
    pub value: String,
}

/// What people see or may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacySetting {
    /// Who may add this account to groups.
    Groups,
    /// Who sees when it was there last.
    LastSeen,
    /// Who sees the "about" text.
    About,
    /// Who sees the picture.
    Picture,
    /// Whether others learn what was read: `everybody` or `nobody`.
    ReadReceipts,
    /// Who sees that it is there: `everybody` or `as-last-seen`.
    Online,
    /// Who may call.
    Calls,
    /// Who may write.
    Messages,
    /// Whether the account is protected more strictly: `on` or `off`.
    Defense,
    /// Who may use its stickers.
    Stickers,
}

/// To whom a setting applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacyAudience {
    /// Everybody.
    Everybody,
    /// The contacts.
    Contacts,
    /// The contacts but those on the list that the phone has.
    ContactsExcept,
    /// Nobody.
    Nobody,
    /// Those who see when the account was there last.
    AsLastSeen,
    /// Those whom the account knows.
    Known,
    /// On.
    On,
    /// Off.
    Off,
}

/// Blocks people, or no longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Who: addresses, phone numbers or names.
    pub people: Vec<String>,
    /// Whether they are to be blocked.
    pub blocked: bool,
}
operation!(Block => Vec<PersonView>, "people/block", Send, "Blocks people, or no longer.");

/// The people whom this account blocks.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockList {}
operation!(BlockList => Vec<PersonView>, "people/blocked", Read,
    "Lists the people whom this account blocks.");
