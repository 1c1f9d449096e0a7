//! One module a command or noun; each reads as what the command does.

use crate::{
    args::{Arguments, ChatsArguments, Command, PollCommand},
    failure::{Cause, Failure},
    output::Output,
    session::{self, Session},
    signal,
};

mod audit;
mod channels;
mod chats;
mod clients;
mod contacts;
mod demo;
mod doctor;
mod drafts;
mod generate;
mod groups;
mod history;
mod hold;
mod key;
mod labels;
mod link;
mod logout;
mod media;
mod message;
mod messages;
mod outbox;
mod people;
mod policy;
mod poll;
mod privacy;
mod profile;
mod search;
mod send;
mod serve;
mod status;
mod sync;

/// Does what was typed, until somebody asks to stop.
pub(crate) async fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Demo(arguments) => return until_stopped(demo::run(arguments, output)).await,
        Command::Generate(arguments) => return generate::run(arguments, output),
        Command::Policy(arguments) => {
            return until_stopped(policy::run(arguments, global, output)).await;
        }
        Command::Clients(arguments) => return clients::run(arguments, global, output),
        Command::Doctor => return until_stopped(doctor::run(global, output)).await,
        Command::Key(command) => return until_stopped(key::run(command, global, output)).await,
        _ => {}
    }
    let mut options = session::options(global)?;
    options.create = matches!(arguments.command, Command::Link(_));
    if let Command::Serve(arguments) = &arguments.command {
        options.health = arguments.http;
        options.token_file.clone_from(&arguments.token_file);
    }
    let session = until_stopped(Session::open(options, global, output)).await?;
    let result = match &arguments.command {
        Command::Serve(_) => serve::run(&session).await,
        command => until_stopped(with_account(command, &session)).await,
    };
    session.close_after(result).await
}

async fn until_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = signal::stop() => Err(Failure::new(Cause::Interrupted, "interrupted")),
    }
}

/// The commands about an account.
async fn with_account(command: &Command, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        Command::Link(arguments) => link::run(arguments, session).await,
        Command::Sync(arguments) => sync::run(arguments, session).await,
        Command::Status(arguments) => status::run(arguments, session).await,
        Command::Logout(arguments) => logout::run(arguments, session).await,
        Command::History(command) => history::run(command, session).await,
        Command::Chats(ChatsArguments { command: Some(command), .. }) => {
            chats::change::run(command, session).await
        }
        Command::Chats(arguments) => chats::run(arguments, session).await,
        Command::Messages(arguments) => messages::run(arguments, session).await,
        Command::Search(arguments) => search::run(arguments, session).await,
        Command::Contacts(arguments) => contacts::run(arguments, session).await,
        Command::Labels(arguments) => labels::run(arguments, session).await,
        Command::Media(command) => media::run(command, session).await,
        Command::Groups(command) => groups::run(command, session).await,
        Command::Channels(command) => channels::run(command, session).await,
        Command::Check(arguments) => people::check(arguments, session).await,
        Command::Block(arguments) => people::block(arguments, true, session).await,
        Command::Unblock(arguments) => people::block(arguments, false, session).await,
        Command::Blocked => people::blocked(session).await,
        Command::Typing(arguments) => people::typing(arguments, session).await,
        Command::Profile(command) => profile::run(command, session).await,
        Command::Privacy(command) => privacy::run(command, session).await,
        Command::Drafts(command) => drafts::run(command, session).await,
        Command::Hold => hold::hold(session).await,
        Command::Release => hold::release(session).await,
        Command::Outbox(arguments) => outbox::run(arguments, session).await,
        Command::Audit(arguments) => audit::run(arguments, session).await,
        command => sending(command, session).await,
    }
}

/// The commands that send a message.
async fn sending(command: &Command, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        Command::Send(arguments) => send::run(arguments, session).await,
        Command::Location(arguments) => send::location(arguments, session).await,
        Command::Contact(arguments) => send::contact(arguments, session).await,
        Command::Poll(PollCommand::Create(arguments)) => poll::create(arguments, session).await,
        Command::Poll(PollCommand::Vote(arguments)) => poll::vote(arguments, session).await,
        Command::Poll(PollCommand::Show(named)) => poll::show(named, session).await,
        Command::React(arguments) => message::react(arguments, session).await,
        Command::Edit(arguments) => message::edit(arguments, session).await,
        Command::Delete(arguments) => message::delete(arguments, session).await,
        Command::Forward(arguments) => message::forward(arguments, session).await,
        Command::Pin(arguments) => message::pin(arguments, session).await,
        Command::Unpin(named) => message::unpin(named, session).await,
        Command::Disappearing(arguments) => message::disappearing(arguments, session).await,
        _ => Err(Failure::new(Cause::Failed, "this command needs no account")),
    }
}
