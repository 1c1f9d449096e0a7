//! `send`, `location`, `contact`: something new for a chat.

use wa_bridge::api::{FileKind as Kind, Outgoing, SendMessage};

use crate::{
    args::{ContactArguments, FileKind, LocationArguments, NamedChat, SendArguments, SendOptions},
    failure::Failure,
    file,
    session::Session,
};

pub(super) mod text;

pub(crate) async fn run(arguments: &SendArguments, session: &Session<'_>) -> Result<(), Failure> {
    let text = match &arguments.text {
        Some(typed) => Some(text::read(typed)?),
        None => None,
    };
    let what = match (&arguments.file, &arguments.voice) {
        (Some(path), _) => Outgoing::File {
            path: file::absolute(path)?,
            caption: text,
            send_as: arguments.kind.map(kind),
            name: None,
            view_once: arguments.view_once,
        },
        (None, Some(path)) => {
            let view_once = arguments.view_once;
            Outgoing::Voice { path: file::absolute(path)?, view_once }
        }
        (None, None) => Outgoing::Text { text: text.unwrap_or_default() },
    };
    send(&arguments.chat, what, &arguments.mention, &arguments.options, session).await
}

const fn kind(kind: FileKind) -> Kind {
    match kind {
        FileKind::Image => Kind::Image,
        FileKind::Video => Kind::Video,
        FileKind::Gif => Kind::Gif,
        FileKind::VideoNote => Kind::VideoNote,
        FileKind::Audio => Kind::Audio,
        FileKind::Voice => Kind::Voice,
        FileKind::Document => Kind::Document,
        FileKind::Sticker => Kind::Sticker,
    }
}

pub(crate) async fn location(
    arguments: &LocationArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let what = Outgoing::Location {
        latitude: arguments.latitude,
        longitude: arguments.longitude,
        name: arguments.name.clone(),
        address: arguments.address.clone(),
    };
    send(&arguments.chat, what, &[], &arguments.options, session).await
}

pub(crate) async fn contact(
    arguments: &ContactArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let what = Outgoing::Contact { name: arguments.name.clone(), number: arguments.number.clone() };
    send(&arguments.chat, what, &[], &arguments.options, session).await
}

/// Sends something new, and tells what became of it.
pub(super) async fn send(
    chat: &NamedChat,
    what: Outgoing,
    mention: &[String],
    options: &SendOptions,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let message = SendMessage {
        chat: session.chat(chat).await?,
        what,
        reply_to: options.reply_to.clone(),
        mention: mention.to_vec(),
        idempotency_key: options.id_key.clone(),
        wait: None,
    };
    session.sent(&session.call(message).await?)
}
