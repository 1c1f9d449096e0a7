//! `send`, `location`, `contact`: something new for a chat.

use wa_proto::{
    Content, Jid,
    content::{Contact, Location},
};
use wa_store::Store;

use crate::{
    args::{
        ContactArguments, GlobalArguments, LocationArguments, NamedChat, SendArguments, SendOptions,
    },
    delivery::{self, with_options},
    failure::{Cause, Failure},
    output::Output,
    plan, session,
};

mod file;
pub(super) mod text;
mod vcard;

pub(crate) async fn run(
    arguments: &SendArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let text = match &arguments.text {
        Some(typed) => Some(text::read(typed)?),
        None => None,
    };
    let media = match (&arguments.file, &arguments.voice) {
        (Some(path), _) => Some(file::outgoing(path, arguments.kind)?),
        (None, Some(path)) => Some(file::voice(path).await?),
        (None, None) => None,
    };
    let media = media.map(|it| if arguments.view_once { it.view_once() } else { it });
    let sent = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let chat = plan::chat(&arguments.chat, store).await?;
        let (text, mentioned) = match text {
            Some(text) => mention(text, &arguments.mention, store)
                .await
                .map(|(text, people)| (Some(text), people))?,
            None => (None, Vec::new()),
        };
        let Some(media) = media else {
            let text = text.unwrap_or_default();
            let message = session.client.send(chat.clone(), text).mentions(mentioned);
            let message = with_options(message, &arguments.options)?;
            return delivery::deliver(session, &chat, message, account).await;
        };
        let media = match text {
            Some(text) => media.caption(text),
            None => media,
        };
        let message = session.client.send_media(chat.clone(), media).mentions(mentioned);
        let message = file::with_options(message, &arguments.options)?;
        delivery::deliver_file(session, &chat, message, account).await
    });
    sent.await?.print(output)
}

pub(crate) async fn location(
    arguments: &LocationArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let (latitude, longitude) = (arguments.latitude, arguments.longitude);
    if !(latitude.abs() <= 90.0 && longitude.abs() <= 180.0) {
        return Err(Failure::new(Cause::Usage, "there is no such place")
            .remedy("a latitude is within 90 degrees, a longitude within 180"));
    }
    let location = Location {
        latitude,
        longitude,
        name: arguments.name.clone(),
        address: arguments.address.clone(),
        ..Location::default()
    };
    let content = Content::Location(location);
    send(&arguments.chat, content, &arguments.options, global, output).await
}

pub(crate) async fn contact(
    arguments: &ContactArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let vcard = vcard::write(&arguments.name, &arguments.number)?;
    let content = Content::Contact(Contact { name: arguments.name.clone(), vcard });
    send(&arguments.chat, content, &arguments.options, global, output).await
}

async fn send(
    chat: &NamedChat,
    content: Content,
    options: &SendOptions,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let sent = session::with(global, async |session, account| {
        let chat = plan::chat(chat, account.store.as_ref()).await?;
        let message = session.client.send(chat.clone(), content);
        delivery::deliver(session, &chat, with_options(message, options)?, account).await
    });
    sent.await?.print(output)
}

/// Writes mentions as WhatsApp does: `@` and the user part of the address, wherever the text names
/// the person as they were named on the command line.
async fn mention(
    mut text: String,
    named: &[String],
    store: &dyn Store,
) -> Result<(String, Vec<Jid>), Failure> {
    let people = plan::people(named, store).await?;
    for (name, jid) in named.iter().zip(&people) {
        let typed = format!("@{name}");
        if !text.contains(&typed) {
            return Err(Failure::new(Cause::Usage, format!("the text does not mention {name:?}"))
                .remedy(format!("write {typed} where the person is mentioned")));
        }
        text = text.replace(&typed, &format!("@{}", jid.user));
    }
    text::check_length(&text)?;
    Ok((text, people))
}
