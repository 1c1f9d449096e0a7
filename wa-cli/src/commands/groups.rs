//! `groups`: making groups, changing them, and who is in them.

use serde_json::json;
use wa_proto::{Jid, request::JoinedByLink};

use crate::{
    args::{CreateGroupArguments, GlobalArguments, GroupCommand, JoinArguments, NamedGroup},
    failure::{Cause, Failure},
    output::{Output, foreign},
    plan,
    session::{self, Session},
};

mod members;
mod settings;
mod view;

use members::Action;
use view::GroupView;

pub(crate) async fn run(
    command: &GroupCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        GroupCommand::List => list(global, output).await,
        GroupCommand::Info(group) => info(group, global, output).await,
        GroupCommand::Create(arguments) => create(arguments, global, output).await,
        GroupCommand::Add(arguments) => {
            members::change(arguments, Action::Add, global, output).await
        }
        GroupCommand::Remove(arguments) => {
            members::change(arguments, Action::Remove, global, output).await
        }
        GroupCommand::Promote(arguments) => {
            members::change(arguments, Action::Promote, global, output).await
        }
        GroupCommand::Demote(arguments) => {
            members::change(arguments, Action::Demote, global, output).await
        }
        GroupCommand::Requests(arguments) => members::requests(arguments, global, output).await,
        GroupCommand::Subject(arguments) => settings::subject(arguments, global, output).await,
        GroupCommand::Description(arguments) => {
            settings::description(arguments, global, output).await
        }
        GroupCommand::Photo(arguments) => settings::photo(arguments, global, output).await,
        GroupCommand::Settings(arguments) => settings::change(arguments, global, output).await,
        GroupCommand::Invite(arguments) => settings::invite(arguments, global, output).await,
        GroupCommand::Join(arguments) => join(arguments, global, output).await,
        GroupCommand::Leave(group) => leave(group, global, output).await,
    }
}

/// Finds the group, connects, and asks something about it.
async fn about<T>(
    named: &NamedGroup,
    global: &GlobalArguments,
    work: impl AsyncFnOnce(&mut Session, &Jid) -> Result<T, Failure>,
) -> Result<T, Failure> {
    session::with(global, async |session, account| {
        let group = plan::group(named, account.store.as_ref()).await?;
        session.begin().await?;
        work(session, &group).await
    })
    .await
}

async fn list(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let views = session::with(global, async |session, account| {
        session.begin().await?;
        let groups = session.client.groups();
        let mut views = Vec::new();
        for info in session.ask(groups.list()).await? {
            views.push(GroupView::new(&info, account.store.as_ref()).await?);
        }
        Ok(views)
    });
    let mut views = views.await?;
    views.sort_by_key(|view| view.subject.to_lowercase());
    if views.is_empty() {
        output.note("this account is in no group");
    }
    let lines: String = views.iter().map(|view| view.line(output)).collect();
    Ok(output.result(&views, &lines)?)
}

async fn info(
    named: &NamedGroup,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let view = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let group = plan::group(named, store).await?;
        session.begin().await?;
        let groups = session.client.groups();
        let info = session.ask(groups.refresh(&group)).await?;
        Ok(GroupView::new(&info, store).await?)
    });
    let view = view.await?;
    Ok(output.result(&view, &view.lines(output))?)
}

async fn create(
    arguments: &CreateGroupArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let view = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let people = plan::people(&arguments.people, store).await?;
        let mut create = session.client.groups().create(arguments.subject.as_str()).with(people);
        if arguments.announce {
            create = create.announcements_only();
        }
        if arguments.locked {
            create = create.locked();
        }
        if arguments.approval {
            create = create.with_approval();
        }
        if let Some(lifetime) = arguments.disappearing {
            create = create.ephemeral(lifetime.seconds());
        }
        session.begin().await?;
        let info = session.ask(create).await?;
        Ok(GroupView::new(&info, store).await?)
    });
    let view = view.await?;
    Ok(output.result(&view, &view.lines(output))?)
}

async fn join(
    arguments: &JoinArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let link: wa_client::InviteLink =
        arguments.link.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    if arguments.dry_run {
        let view = session::with(global, async |session, account| {
            session.begin().await?;
            let groups = session.client.groups();
            let info = session.ask(groups.info_by_link(&link)).await?;
            Ok(GroupView::new(&info, account.store.as_ref()).await?)
        });
        let view = view.await?;
        return Ok(output.result(&view, &view.lines(output))?);
    }
    let joined = session::with(global, async |session, _| {
        session.begin().await?;
        let groups = session.client.groups();
        session.ask(groups.join_by_link(&link)).await
    });
    let (group, state, text) = match joined.await? {
        JoinedByLink::Joined(group) => (group, "joined", "joined"),
        JoinedByLink::Requested(group) => {
            (group, "requested", "asked to be let in; an admin has to agree to")
        }
    };
    let view = json!({ "group": group.to_string(), "state": state });
    Ok(output.result(&view, &format!("{text} {group}"))?)
}

async fn leave(
    named: &NamedGroup,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let group = about(named, global, async |session, group| {
        let groups = session.client.groups();
        session.ask(groups.leave(group)).await?;
        Ok(group.to_string())
    });
    let group = group.await?;
    let text = format!("left {}", foreign::plain(&named.group, " "));
    Ok(output.result(&json!({ "group": group, "left": true }), &text)?)
}
