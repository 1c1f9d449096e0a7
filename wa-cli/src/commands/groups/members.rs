//! People in groups: each has a result of their own.

use serde::Serialize;
use serde_json::json;
use wa_proto::{Jid, request::JoinRequest};
use wa_store::{Store, StoreError, Timestamp};

use crate::{
    args::{GlobalArguments, MembersArguments, RequestsArguments},
    failure::{Cause, Failure},
    moment,
    output::Output,
    plan, session,
    view::PersonView,
};

/// What becomes of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Remove,
    Promote,
    Demote,
}

impl Action {
    const fn done(self) -> &'static str {
        match self {
            Self::Add => "added",
            Self::Remove => "removed",
            Self::Promote => "made an admin",
            Self::Demote => "no longer an admin",
        }
    }
}

/// What became of somebody, in `--json`.
#[derive(Debug, Serialize)]
struct ResultView {
    #[serde(flatten)]
    person: PersonView,
    done: bool,
    /// The server's number for what went wrong.
    error: Option<u16>,
    /// The code by which somebody joins who lets nobody add them.
    invite_code: Option<String>,
}

pub(super) async fn change(
    arguments: &MembersArguments,
    action: Action,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let views = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let group = plan::group(&arguments.group, store).await?;
        let people = plan::people(&arguments.people, store).await?;
        session.begin().await?;
        let groups = session.client.groups();
        let results = match action {
            Action::Add => session.ask(groups.add(&group, &people)).await?,
            Action::Remove => session.ask(groups.remove(&group, &people)).await?,
            Action::Promote => session.ask(groups.promote(&group, &people)).await?,
            Action::Demote => session.ask(groups.demote(&group, &people)).await?,
        };
        let mut views = Vec::new();
        for result in results {
            let who = &result.participant;
            views.push(ResultView {
                person: PersonView::with_phone(&who.jid, who.phone.as_ref(), store).await?,
                done: result.is_done(),
                error: result.error,
                invite_code: result.add_request.map(|request| request.code.to_string()),
            });
        }
        Ok(views)
    });
    report(views.await?, action.done(), output)
}

/// Tells what became of whom; where nothing was done, that is a failure.
fn report(views: Vec<ResultView>, done: &str, output: &Output) -> Result<(), Failure> {
    let line = |view: &ResultView| {
        let outcome = match view.error {
            None => done.to_owned(),
            Some(code) => format!("not {done}: {}", why(code)),
        };
        format!("{}: {outcome}", view.person.label())
    };
    if !views.iter().any(|view| view.done) {
        let lines: Vec<String> = views.iter().map(line).collect();
        let message = if lines.is_empty() { "nobody was changed".into() } else { lines.join(", ") };
        return Err(Failure::new(Cause::Failed, message).remedy("see: wa-cli groups info GROUP"));
    }
    let lines: String = views.iter().map(|view| format!("{}\n", line(view))).collect();
    Ok(output.result(&views, &lines)?)
}

/// What the server's number means.
fn why(code: u16) -> String {
    match code {
        403 => "they let nobody add them; send them the group's link".into(),
        404 => "they are not in the group, or not on WhatsApp".into(),
        406 => "the creator stays an admin".into(),
        408 => "they left a short while ago; send them the group's link".into(),
        409 => "they are in the group already".into(),
        code => format!("the server says {code}"),
    }
}

/// Somebody who waits to be let in, in `--json`.
#[derive(Debug, Serialize)]
struct RequestView {
    #[serde(flatten)]
    person: PersonView,
    requested_at: Option<String>,
    method: Option<String>,
}

pub(super) async fn requests(
    arguments: &RequestsArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    if arguments.approve.is_empty() && arguments.reject.is_empty() {
        return waiting(arguments, global, output).await;
    }
    let views = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let group = plan::group(&arguments.group, store).await?;
        let approved = plan::people(&arguments.approve, store).await?;
        let rejected = plan::people(&arguments.reject, store).await?;
        session.begin().await?;
        let groups = session.client.groups();
        let mut views = Vec::new();
        if !approved.is_empty() {
            let results = session.ask(groups.approve(&group, &approved)).await?;
            views.extend(answered(results, store).await?);
        }
        if !rejected.is_empty() {
            let results = session.ask(groups.reject(&group, &rejected)).await?;
            views.extend(answered(results, store).await?);
        }
        Ok(views)
    });
    report(views.await?, "answered", output)
}

async fn answered(
    results: Vec<(Jid, Option<u16>)>,
    store: &dyn Store,
) -> Result<Vec<ResultView>, StoreError> {
    let mut views = Vec::new();
    for (jid, error) in results {
        let person = PersonView::new(&jid, store).await?;
        views.push(ResultView { person, done: error.is_none(), error, invite_code: None });
    }
    Ok(views)
}

async fn waiting(
    arguments: &RequestsArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let views = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let group = plan::group(&arguments.group, store).await?;
        session.begin().await?;
        let groups = session.client.groups();
        let mut views = Vec::new();
        for request in session.ask(groups.join_requests(&group)).await? {
            views.push(request_view(request, store).await?);
        }
        Ok(views)
    });
    let views = views.await?;
    if views.is_empty() {
        output.note("nobody waits to be let in");
    }
    let lines: String = views.iter().map(|view| format!("{}\n", view.person.line())).collect();
    Ok(output.result(&json!(views), &lines)?)
}

async fn request_view(request: JoinRequest, store: &dyn Store) -> Result<RequestView, StoreError> {
    let requested_at = request.requested_at.and_then(|seconds| i64::try_from(seconds).ok());
    Ok(RequestView {
        person: PersonView::with_phone(&request.jid, request.phone.as_ref(), store).await?,
        requested_at: requested_at.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
        method: request.method.map(|method| method.to_string()),
    })
}
