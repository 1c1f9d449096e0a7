//! One module a command or noun; each reads as what the command does.

use wa_store::Store;

use crate::{
    account::{Access, OpenAccount},
    args::{Arguments, Command, GlobalArguments, PollCommand},
    failure::{Cause, Failure},
    output::Output,
    session,
};

mod channels;
mod chats;
mod contacts;
mod demo;
mod generate;
mod groups;
mod history;
mod labels;
mod link;
mod logout;
mod media;
mod message;
mod messages;
mod people;
mod poll;
mod privacy;
mod profile;
mod search;
mod send;
mod status;
mod sync;

/// Does what was typed.
pub(crate) async fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Link(arguments) => link::run(arguments, global, output).await,
        Command::Sync(arguments) => sync::run(arguments, global, output).await,
        Command::History(command) => history::run(command, global, output).await,
        Command::Media(command) => media::run(command, global, output).await,
        Command::Groups(command) => groups::run(command, global, output).await,
        Command::Channels(command) => channels::run(command, global, output).await,
        Command::Check(arguments) => people::check(arguments, global, output).await,
        Command::Block(arguments) => people::block(arguments, true, global, output).await,
        Command::Unblock(arguments) => people::block(arguments, false, global, output).await,
        Command::Blocked => people::blocked(global, output).await,
        Command::Typing(arguments) => people::typing(arguments, global, output).await,
        Command::Profile(command) => profile::run(command, global, output).await,
        Command::Privacy(command) => privacy::run(command, global, output).await,
        Command::Status(arguments) => status::run(arguments, global, output).await,
        Command::Logout(arguments) => logout::run(arguments, global, output).await,
        Command::Demo(arguments) => demo::run(arguments, output).await,
        Command::Generate(arguments) => generate::run(arguments, output),
        command => match sent(command, global, output).await {
            Some(result) => result,
            None => read(command, global, output).await,
        },
    }
}

/// The commands that send a message.
async fn sent(
    command: &Command,
    global: &GlobalArguments,
    output: &Output,
) -> Option<Result<(), Failure>> {
    Some(match command {
        Command::Send(arguments) => send::run(arguments, global, output).await,
        Command::Location(arguments) => send::location(arguments, global, output).await,
        Command::Contact(arguments) => send::contact(arguments, global, output).await,
        Command::Poll(PollCommand::Create(arguments)) => {
            poll::create(arguments, global, output).await
        }
        Command::Poll(PollCommand::Vote(arguments)) => poll::vote(arguments, global, output).await,
        Command::React(arguments) => message::react(arguments, global, output).await,
        Command::Edit(arguments) => message::edit(arguments, global, output).await,
        Command::Delete(arguments) => message::delete(arguments, global, output).await,
        Command::Forward(arguments) => message::forward(arguments, global, output).await,
        Command::Pin(arguments) => message::pin(arguments, global, output).await,
        Command::Unpin(named) => message::unpin(named, global, output).await,
        Command::Disappearing(arguments) => message::disappearing(arguments, global, output).await,
        _ => return None,
    })
}

/// The commands that only read the archive.
async fn read(command: &Command, global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let sync = match command {
        Command::Chats(arguments) => match &arguments.command {
            Some(command) => return chats::change::run(command, global, output).await,
            None => arguments.sync,
        },
        Command::Messages(arguments) => arguments.sync,
        _ => false,
    };
    let account = reading(global, sync).await?;
    let result = read_from(account.store.as_ref(), command, output).await;
    account.close_after(result).await
}

async fn read_from(store: &dyn Store, command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Chats(arguments) => chats::run(arguments, store, output).await,
        Command::Messages(arguments) => messages::run(arguments, store, output).await,
        Command::Search(arguments) => search::run(arguments, store, output).await,
        Command::Contacts(arguments) => contacts::run(arguments, store, output).await,
        Command::Labels(arguments) => labels::run(arguments, store, output).await,
        Command::Poll(PollCommand::Show(named)) => poll::show(named, store, output).await,
        _ => Err(Failure::new(Cause::Failed, "this command does not read")),
    }
}

/// The account to read from, after taking in what has arrived if that is wanted.
async fn reading(global: &GlobalArguments, sync: bool) -> Result<OpenAccount, Failure> {
    if sync {
        let account = OpenAccount::open(global, Access::Own).await?;
        let result = session::sync(&account, global.timeout()).await;
        account.close_after(result).await?;
    }
    OpenAccount::open(global, Access::Read).await
}
