//! `contacts`: the people who are known, by name.

use wa_bridge::{
    api::{ContactList, ContactView},
    foreign,
};

use crate::{
    args::ContactsArguments, failure::Failure, output::Output, session::Session, view::shown_name,
};

pub(crate) async fn run(
    arguments: &ContactsArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let output = session.output;
    let list = ContactList {
        query: arguments.query.clone(),
        offset: 0,
        limit: u32::try_from(arguments.limit).ok(),
    };
    let views = session.call(list).await?;
    if views.is_empty() {
        output.note("nobody is known yet");
    }
    let lines: String = views.iter().map(|view| line(view, output)).collect();
    output.result(&views, &lines)
}

fn line(view: &ContactView, output: &Output) -> String {
    let address = view.phone.as_deref().unwrap_or(&view.jid);
    let username = view.username.as_deref().map(|name| format!("  @{}", foreign::plain(name, " ")));
    let username = username.unwrap_or_default();
    match &view.name {
        Some(name) => {
            let name = output.bold(&shown_name(name, view.self_chosen));
            format!("{name}  {address}{username}\n")
        }
        None => format!("{address}\n"),
    }
}
