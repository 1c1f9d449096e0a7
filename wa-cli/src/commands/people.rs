//! `check`, `block`, `unblock`, `blocked`, `typing`: other people.

use std::time::Duration;

use serde_json::json;
use wa_bridge::api::{Block, BlockList, CheckedView, ContactCheck, Typing};

use crate::{
    args::{BlockArguments, CheckArguments, TypingArguments},
    failure::Failure,
    session::Session,
    view::person,
};

pub(crate) async fn check(
    arguments: &CheckArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let views = session.call(ContactCheck { numbers: arguments.numbers.clone() }).await?;
    let line = |view: &CheckedView| {
        let answer = if view.on_whatsapp { "is on WhatsApp" } else { "is not on WhatsApp" };
        format!("{}  {answer}\n", view.number)
    };
    let lines: String = views.iter().map(line).collect();
    session.output.result(&views, &lines)
}

/// Blocks people, or no longer.
pub(crate) async fn block(
    arguments: &BlockArguments,
    blocked: bool,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let views = session.call(Block { people: arguments.people.clone(), blocked }).await?;
    let done = if blocked { "blocked" } else { "no longer blocked" };
    let text = format!("{done}: {}", person::labels(&views));
    session.output.result(&json!({ "blocked": blocked, "people": views }), &text)
}

pub(crate) async fn blocked(session: &Session<'_>) -> Result<(), Failure> {
    let views = session.call(BlockList {}).await?;
    if views.is_empty() {
        session.output.note("nobody is blocked");
    }
    let lines: String = views.iter().map(|view| format!("{}\n", person::line(view))).collect();
    session.output.result(&views, &lines)
}

/// Shows in a chat that somebody writes.
pub(crate) async fn typing(
    arguments: &TypingArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let typing = Typing {
        chat: session.chat(&arguments.chat).await?,
        recording: arguments.recording,
        seconds: Some(arguments.seconds),
    };
    // It takes as long as it is shown, besides what everything takes.
    let limit = session.global.timeout() + Duration::from_secs(arguments.seconds);
    let view = session.bridge.call_within(typing, limit).await?;
    session.output.result(&view, &format!("shown for {} seconds", view.seconds))
}
