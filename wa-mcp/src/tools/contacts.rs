//! People.

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Failure,
    api::{CheckedView, ContactCheck, ContactList, ContactView},
};

use super::{Kind, Readable, Tool, Toolset, bounded};
use crate::{call::ToolCall, text};

/// Finds people by name or number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchContacts {
    /// A part of a name or of a phone number.
    #[schemars(length(min = 1, max = 200))]
    query: String,
    /// How many people at most; 50 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// People who were found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Contacts {
    /// The people.
    contacts: Vec<ContactView>,
}

impl Tool for SearchContacts {
    type Output = Contacts;
    const NAME: &'static str = "search_contacts";
    const TITLE: &'static str = "Search contacts";
    const ABOUT: &'static str = "Find people by a part of their name or phone number. Returns each person's name, phone number and jid; use the jid or the number to name them in other tools.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Contacts, Failure> {
        let list = ContactList {
            query: Some(self.query),
            limit: Some(bounded(self.limit, 50, 200)),
            ..ContactList::default()
        };
        Ok(Contacts { contacts: call.ask(list).await? })
    }
}

impl Readable for Contacts {
    fn text(&self) -> String {
        text::lines(&self.contacts, "nobody was found", text::contact)
    }
}

/// Asks which numbers are on WhatsApp.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckNumbers {
    /// Phone numbers with their country codes, in any usual notation.
    #[schemars(length(min = 1, max = 50))]
    numbers: Vec<String>,
}

/// What is known of numbers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// The numbers, in the order in which they were asked about.
    numbers: Vec<CheckedView>,
}

impl Tool for CheckNumbers {
    type Output = Checked;
    const NAME: &'static str = "check_numbers";
    const TITLE: &'static str = "Check numbers";
    const ABOUT: &'static str = "Ask WhatsApp which phone numbers have an account. Use it before writing to a number for the first time.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<Checked, Failure> {
        let check = ContactCheck { numbers: self.numbers };
        Ok(Checked { numbers: call.ask(check).await? })
    }
}

impl Readable for Checked {
    fn text(&self) -> String {
        text::lines(&self.numbers, "no numbers", |number| {
            let is = if number.on_whatsapp { "is on WhatsApp" } else { "is not on WhatsApp" };
            format!("{}  {is}", number.number)
        })
    }
}
