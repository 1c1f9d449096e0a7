//! `drafts`: messages of assistants that wait for a person to agree.

use serde_json::Value;
use wa_bridge::api::{Approval, DraftApprove, DraftCancel, DraftList, DraftView};

use crate::{
    args::{ApproveArguments, DraftCommand, NamedDraft},
    confirm,
    failure::{Cause, Failure},
    output::Output,
    session::Session,
};

pub(crate) async fn run(command: &DraftCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        DraftCommand::List => list(session).await,
        DraftCommand::Approve(arguments) => approve(arguments, session).await,
        DraftCommand::Cancel(named) => cancel(named, session).await,
    }
}

async fn list(session: &Session<'_>) -> Result<(), Failure> {
    let views = session.call(DraftList {}).await?;
    if views.is_empty() {
        session.output.note("no drafts wait");
    }
    let lines: String = views.iter().map(|view| lines(view, session.output)).collect();
    session.output.result(&views, &lines)
}

/// All that a person has to know of a draft: its own text, as every frontend shows it.
fn lines(view: &DraftView, output: &Output) -> String {
    let about = output.dim(&format!("until {}", view.expires_at));
    format!("{}  {about}\n{}\n", output.bold(&format!("draft {}", view.id)), view.shown)
}

async fn approve(arguments: &ApproveArguments, session: &Session<'_>) -> Result<(), Failure> {
    let id = &arguments.draft.id;
    let waiting = session.call(DraftList {}).await?.into_iter().find(|view| view.id == *id);
    let view = waiting.ok_or_else(|| {
        Failure::new(Cause::NotFound, format!("no draft {id:?} waits"))
            .remedy("see: wa-cli drafts list")
    })?;
    if !arguments.yes {
        // On stderr, where the question is.
        session.output.stderr(&lines(&view, session.output));
        confirm::ask("Send it", session.output).await?;
    }
    let approval = DraftApprove { id: view.id, digest: view.digest, by: Approval::Person };
    let answer = session.call(approval).await?;
    told(answer, session)
}

/// What became of what was agreed to: a message that was sent, or whatever the call answers.
fn told(answer: Value, session: &Session<'_>) -> Result<(), Failure> {
    match serde_json::from_value(answer.clone()) {
        Ok(sent) => session.sent(&sent),
        Err(_) => session.output.result(&answer, "done"),
    }
}

async fn cancel(named: &NamedDraft, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(DraftCancel { id: named.id.clone() }).await?;
    session.output.result(&view, &format!("dropped {}; it is not sent", view.id))
}
