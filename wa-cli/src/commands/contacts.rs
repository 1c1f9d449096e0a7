//! `contacts`: the people who are known, by name.

use serde::Serialize;
use wa_store::{Contact, ContactQuery, Store};

use crate::{
    args::ContactsArguments,
    failure::Failure,
    output::{Output, foreign},
    view::number,
};

/// A person in `--json`.
#[derive(Debug, Serialize)]
struct ContactView {
    jid: String,
    phone: Option<String>,
    lid: Option<String>,
    /// The name to show.
    name: Option<String>,
    /// The name in the address book.
    full_name: Option<String>,
    /// The name the person gave themself.
    push_name: Option<String>,
    /// The verified name of a business.
    business_name: Option<String>,
    /// The name by which the person can be found without their number.
    username: Option<String>,
}

pub(crate) async fn run(
    arguments: &ContactsArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let mut query = ContactQuery::default();
    query.text.clone_from(&arguments.query);
    query.limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let contacts = store.contacts(&query).await?;
    let views: Vec<ContactView> = contacts.iter().map(view).collect();
    if views.is_empty() {
        output.note("nobody is known yet");
    }
    let lines: String = views.iter().map(|view| line(view, output)).collect();
    Ok(output.result(&views, &lines)?)
}

fn view(contact: &Contact) -> ContactView {
    ContactView {
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

fn line(view: &ContactView, output: &Output) -> String {
    let address = view.phone.as_deref().unwrap_or(&view.jid);
    let username = view.username.as_deref().map(|name| format!("  @{}", foreign::plain(name, " ")));
    let username = username.unwrap_or_default();
    match &view.name {
        Some(name) => {
            format!("{}  {address}{username}\n", output.bold(&foreign::plain(name, " ")))
        }
        None => format!("{address}\n"),
    }
}
