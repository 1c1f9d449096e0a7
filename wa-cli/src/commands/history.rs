//! `history`: what of the past is there, and what is not.

use wa_bridge::api::{GapView, HistoryFetch, HistoryGaps};

use crate::{
    args::{FetchArguments, GapsArguments, HistoryCommand},
    failure::Failure,
    session::Session,
};

pub(crate) async fn run(command: &HistoryCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        HistoryCommand::Fetch(arguments) => fetch(arguments, session).await,
        HistoryCommand::Gaps(arguments) => gaps(arguments, session).await,
    }
}

async fn fetch(arguments: &FetchArguments, session: &Session<'_>) -> Result<(), Failure> {
    let chat = session.chat(&arguments.chat).await?;
    let view = session.call(HistoryFetch { chat, count: Some(arguments.count) }).await?;
    let older = match view.older_on_phone.as_str() {
        "yes" => "; the phone has more",
        "no" => "; that is the chat's beginning",
        "no-access" => "; the phone has more and may not give it",
        _ => "",
    };
    let text = format!("{} new messages of {}{older}", view.messages, view.chat);
    session.output.result(&view, &text)
}

async fn gaps(arguments: &GapsArguments, session: &Session<'_>) -> Result<(), Failure> {
    let views = session.call(HistoryGaps { limit: u32::try_from(arguments.limit).ok() }).await?;
    if views.is_empty() {
        session.output.note("nothing is known to be missing");
    }
    let line = |view: &GapView| {
        let place = view.chat.as_deref().unwrap_or("a part of the phone's history");
        let to = view.to.as_deref().map(|to| format!(" before {to}")).unwrap_or_default();
        format!("{place}{to}: {}\n", view.reason)
    };
    let lines: String = views.iter().map(line).collect();
    session.output.result(&views, &lines)
}
