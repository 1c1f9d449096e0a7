//! People in groups: each has a result of their own.

use wa_bridge::api::{GroupAnswer, GroupMembers, GroupRequests, MemberAction, MemberResultView};

use crate::{
    args::{MembersArguments, RequestsArguments},
    failure::{Cause, Failure},
    session::Session,
    view::person,
};

pub(super) async fn change(
    arguments: &MembersArguments,
    action: MemberAction,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let group = session.group(&arguments.group).await?;
    let people = arguments.people.clone();
    let views = session.call(GroupMembers { group, action, people }).await?;
    let done = match action {
        MemberAction::Add => "added",
        MemberAction::Remove => "removed",
        MemberAction::Promote => "made an admin",
        MemberAction::Demote => "no longer an admin",
    };
    report(&views, done, session)
}

/// Tells what became of whom; where nothing was done, that is a failure.
fn report(views: &[MemberResultView], done: &str, session: &Session<'_>) -> Result<(), Failure> {
    let line = |view: &MemberResultView| {
        let outcome = match &view.reason {
            None => done.to_owned(),
            Some(reason) => format!("not {done}: {reason}"),
        };
        format!("{}: {outcome}", person::label(&view.person))
    };
    if !views.iter().any(|view| view.done) {
        let lines: Vec<String> = views.iter().map(line).collect();
        let message = if lines.is_empty() { "nobody was changed".into() } else { lines.join(", ") };
        return Err(Failure::new(Cause::Failed, message).remedy("see: wa-cli groups info GROUP"));
    }
    let lines: String = views.iter().map(|view| format!("{}\n", line(view))).collect();
    session.output.result(&views, &lines)
}

pub(super) async fn requests(
    arguments: &RequestsArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let group = session.group(&arguments.group).await?;
    if arguments.approve.is_empty() && arguments.reject.is_empty() {
        return waiting(group, session).await;
    }
    let (approve, reject) = (arguments.approve.clone(), arguments.reject.clone());
    let views = session.call(GroupAnswer { group, approve, reject }).await?;
    report(&views, "answered", session)
}

async fn waiting(group: String, session: &Session<'_>) -> Result<(), Failure> {
    let views = session.call(GroupRequests { group }).await?;
    if views.is_empty() {
        session.output.note("nobody waits to be let in");
    }
    let lines: String =
        views.iter().map(|view| format!("{}\n", person::line(&view.person))).collect();
    session.output.result(&views, &lines)
}
