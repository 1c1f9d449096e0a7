//! Who is linked here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_client::Client;
use wa_store::Account;

use super::number;
use crate::moment;

/// Who is linked here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AccountView {
    /// The account's phone number.
    pub phone: Option<String>,
    /// The account's LID.
    pub lid: Option<String>,
    /// The number of this device.
    pub device: u16,
    /// The name the account gives itself.
    pub name: Option<String>,
    /// When this device was linked (RFC 3339).
    pub linked_at: Option<String>,
}

impl AccountView {
    /// What is known of a linked account.
    pub fn new(account: &Account) -> Self {
        Self {
            phone: account.jid.as_ref().and_then(number),
            lid: account.lid.as_ref().map(|lid| lid.to_user().to_string()),
            device: account.jid.as_ref().map(|jid| jid.device).unwrap_or_default(),
            name: account.push_name.clone(),
            linked_at: account.linked_at.map(moment::rfc3339),
        }
    }

    /// The same of a client that has just been linked.
    pub(crate) fn of_client(client: &Client) -> Self {
        let jid = client.jid();
        Self {
            phone: jid.as_ref().map(|jid| jid.to_user()).as_ref().and_then(number),
            lid: client.lid().map(|lid| lid.to_user().to_string()),
            device: jid.map(|jid| jid.device).unwrap_or_default(),
            name: client.profile().name(),
            linked_at: None,
        }
    }
}
