//! `profile`: what people show of themselves, and this account's own of it.

use serde_json::json;
use wa_bridge::{
    api::{Named, ProfileGet, ProfileUpdate},
    foreign,
};

use crate::{
    args::{AboutArguments, NameArguments, PictureArguments, ProfileCommand, ProfileShowArguments},
    failure::Failure,
    file,
    session::Session,
    view::person,
};

pub(crate) async fn run(command: &ProfileCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        ProfileCommand::Show(arguments) => show(arguments, session).await,
        ProfileCommand::Name(arguments) => name(arguments, session).await,
        ProfileCommand::About(arguments) => about(arguments, session).await,
        ProfileCommand::Picture(arguments) => picture(arguments, session).await,
    }
}

async fn show(arguments: &ProfileShowArguments, session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    let person = match &arguments.person {
        Some(named) => Some(session.picked(named, arguments.pick, Some(Named::Person)).await?),
        None => None,
    };
    let view = session.call(ProfileGet { person }).await?;
    let mut lines = format!("{}\n", output.bold(&person::line(&view.person)));
    let mut line = |name: &str, value: &str| {
        lines.push_str(&format!("{}  {value}\n", output.dim(&format!("{name:>9}"))));
    };
    line("jid", &view.person.jid);
    for (name, value) in [("about", &view.about), ("business", &view.verified_name)] {
        if let Some(value) = value {
            line(name, &foreign::plain(value, " "));
        }
    }
    line("picture", &foreign::plain(view.picture_url.as_deref().unwrap_or(&view.picture), " "));
    line("devices", &view.devices.to_string());
    output.result(&view, &lines)
}

async fn name(arguments: &NameArguments, session: &Session<'_>) -> Result<(), Failure> {
    let name = arguments.name.clone();
    let change = ProfileUpdate { name: Some(name.clone()), ..ProfileUpdate::default() };
    let done = session.call(change).await?;
    session.output.result(&json!({ "name": name, "state": done.state }), "changed")
}

async fn about(arguments: &AboutArguments, session: &Session<'_>) -> Result<(), Failure> {
    let about = Some(arguments.text.clone());
    session.call(ProfileUpdate { about, ..ProfileUpdate::default() }).await?;
    session.output.result(&json!({ "about": arguments.text }), "changed")
}

async fn picture(arguments: &PictureArguments, session: &Session<'_>) -> Result<(), Failure> {
    let path = match &arguments.file {
        Some(path) => file::absolute(path)?,
        // None takes the picture away.
        None => String::new(),
    };
    let done = if path.is_empty() { "removed" } else { "changed" };
    let change = ProfileUpdate { picture_path: Some(path), ..ProfileUpdate::default() };
    let view = session.call(change).await?;
    session.output.result(&json!({ "picture_id": view.picture_id }), done)
}
