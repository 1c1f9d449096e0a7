//! `groups`: making groups, changing them, and who is in them.

use wa_bridge::{
    api::{GroupCreate, GroupGet, GroupJoin, GroupLeave, GroupList, GroupLookUp, MemberAction},
    foreign,
};

use crate::{
    args::{CreateGroupArguments, GroupCommand, JoinArguments, Lifetime, NamedGroup},
    failure::Failure,
    session::Session,
    view::group,
};

mod members;
mod settings;

pub(crate) async fn run(command: &GroupCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        GroupCommand::List => list(session).await,
        GroupCommand::Info(named) => info(named, session).await,
        GroupCommand::Create(arguments) => create(arguments, session).await,
        GroupCommand::Add(named) => members::change(named, MemberAction::Add, session).await,
        GroupCommand::Remove(named) => members::change(named, MemberAction::Remove, session).await,
        GroupCommand::Promote(named) => {
            members::change(named, MemberAction::Promote, session).await
        }
        GroupCommand::Demote(named) => members::change(named, MemberAction::Demote, session).await,
        GroupCommand::Requests(arguments) => members::requests(arguments, session).await,
        GroupCommand::Subject(arguments) => settings::subject(arguments, session).await,
        GroupCommand::Description(arguments) => settings::description(arguments, session).await,
        GroupCommand::Photo(arguments) => settings::photo(arguments, session).await,
        GroupCommand::Settings(arguments) => settings::change(arguments, session).await,
        GroupCommand::Invite(arguments) => settings::invite(arguments, session).await,
        GroupCommand::Join(arguments) => join(arguments, session).await,
        GroupCommand::Leave(named) => leave(named, session).await,
    }
}

async fn list(session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    let views = session.call(GroupList {}).await?;
    if views.is_empty() {
        output.note("this account is in no group");
    }
    let lines: String = views.iter().map(|view| group::line(view, output)).collect();
    output.result(&views, &lines)
}

async fn info(named: &NamedGroup, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(GroupGet { group: session.group(named).await? }).await?;
    session.output.result(&view, &group::lines(&view, session.output))
}

async fn create(arguments: &CreateGroupArguments, session: &Session<'_>) -> Result<(), Failure> {
    let create = GroupCreate {
        subject: arguments.subject.clone(),
        people: arguments.people.clone(),
        announce: arguments.announce,
        locked: arguments.locked,
        approval: arguments.approval,
        disappearing: arguments.disappearing.map(Lifetime::seconds),
    };
    let view = session.call(create).await?;
    session.output.result(&view, &group::lines(&view, session.output))
}

async fn join(arguments: &JoinArguments, session: &Session<'_>) -> Result<(), Failure> {
    let link = arguments.link.clone();
    if arguments.dry_run {
        let view = session.call(GroupLookUp { link }).await?;
        return session.output.result(&view, &group::lines(&view, session.output));
    }
    let view = session.call(GroupJoin { link }).await?;
    let text = match view.state.as_str() {
        "joined" => "joined",
        _ => "asked to be let in; an admin has to agree to",
    };
    session.output.result(&view, &format!("{text} {}", view.group))
}

async fn leave(named: &NamedGroup, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(GroupLeave { group: session.group(named).await? }).await?;
    session.output.result(&view, &format!("left {}", foreign::plain(&named.group, " ")))
}
