//! `chats …`: what a person does with chats; all devices of the account follow.

use wa_bridge::api::{ArrangedView, ChatArrange, ChatChange, ChatDelete, MessageStar};

use crate::{
    args::{ChatsCommand, ClearArguments, DeleteChatArguments, MuteTime, NamedChat, NamedMessage},
    confirm,
    failure::Failure,
    session::Session,
};

pub(crate) async fn run(command: &ChatsCommand, session: &Session<'_>) -> Result<(), Failure> {
    use ChatsCommand as Command;
    let (chat, change) = match command {
        Command::Mute(arguments) => {
            let seconds = match arguments.time {
                MuteTime::Hours => Some(8 * 60 * 60),
                MuteTime::Week => Some(7 * 24 * 60 * 60),
                MuteTime::Always => None,
            };
            (&arguments.chat, ChatChange::Mute { seconds })
        }
        Command::Unmute(chat) => (chat, ChatChange::Unmute),
        Command::Pin(chat) => (chat, ChatChange::Pin),
        Command::Unpin(chat) => (chat, ChatChange::Unpin),
        Command::Archive(chat) => (chat, ChatChange::Archive),
        Command::Unarchive(chat) => (chat, ChatChange::Unarchive),
        Command::Unread(chat) => (chat, ChatChange::Unread),
        Command::Read(arguments) => {
            (&arguments.chat, ChatChange::Read { quietly: arguments.quietly })
        }
        Command::Label(arguments) => {
            (&arguments.chat, ChatChange::Label { label: arguments.label.clone() })
        }
        Command::Unlabel(arguments) => {
            (&arguments.chat, ChatChange::Unlabel { label: arguments.label.clone() })
        }
        Command::Star(message) => return star(message, true, session).await,
        Command::Unstar(message) => return star(message, false, session).await,
        Command::Clear(arguments) => return clear(arguments, session).await,
        Command::Delete(arguments) => return delete(arguments, session).await,
    };
    let chat = session.chat(chat).await?;
    report(&session.call(ChatArrange { chat, change }).await?, session)
}

async fn star(named: &NamedMessage, starred: bool, session: &Session<'_>) -> Result<(), Failure> {
    let chat = session.chat(&named.chat).await?;
    let id = named.id.clone();
    report(&session.call(MessageStar { chat, id, starred }).await?, session)
}

async fn clear(arguments: &ClearArguments, session: &Session<'_>) -> Result<(), Failure> {
    if !arguments.yes {
        let what = format!("Delete the messages with {}", arguments.chat.chat);
        confirm::ask(&what, session.output).await?;
    }
    remove(&arguments.chat, true, arguments.keep_starred, session).await
}

async fn delete(arguments: &DeleteChatArguments, session: &Session<'_>) -> Result<(), Failure> {
    if !arguments.yes {
        let what = format!("Delete the chat with {}", arguments.chat.chat);
        confirm::ask(&what, session.output).await?;
    }
    remove(&arguments.chat, false, false, session).await
}

async fn remove(
    chat: &NamedChat,
    keep_chat: bool,
    keep_starred: bool,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let chat = session.chat(chat).await?;
    report(&session.call(ChatDelete { chat, keep_chat, keep_starred }).await?, session)
}

/// Tells of a change.
fn report(view: &ArrangedView, session: &Session<'_>) -> Result<(), Failure> {
    let later = if view.state == "done" { "" } else { ", as soon as the phone gives the keys" };
    session.output.result(view, &format!("{}: {}{later}", view.chat, view.change))
}
