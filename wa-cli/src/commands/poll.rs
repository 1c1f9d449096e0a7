//! `poll`: questions with options to choose from.

use wa_bridge::{
    api::{Outgoing, PollGet, Vote},
    foreign,
};

use super::{message::message, send::send};
use crate::{
    args::{NamedMessage, PollCreateArguments, PollVoteArguments},
    failure::Failure,
    session::Session,
    view::poll,
};

pub(crate) async fn create(
    arguments: &PollCreateArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let what = Outgoing::Poll {
        question: arguments.question.clone(),
        options: arguments.choices.clone(),
        selectable: arguments.selectable.unwrap_or(ANY_NUMBER),
    };
    send(&arguments.chat, what, &[], &arguments.options, session).await
}

/// A vote may choose as many options as there are.
const ANY_NUMBER: u32 = 0;

pub(crate) async fn vote(
    arguments: &PollVoteArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (chat, id) = message(&arguments.message, session).await?;
    let options = arguments.choices.clone();
    session.sent(&session.call(Vote { chat, id, options }).await?)
}

/// Shows how a poll stands.
pub(crate) async fn show(named: &NamedMessage, session: &Session<'_>) -> Result<(), Failure> {
    let (chat, id) = message(named, session).await?;
    let view = session.call(PollGet { chat, id }).await?;
    let output = session.output;
    let mut lines = format!("{}\n", output.bold(&foreign::plain(&view.question, " ")));
    for line in poll::lines(&view) {
        lines.push_str(&format!("{line}\n"));
    }
    output.result(&view, &lines)
}
