//! `chats`: the conversations, the latest first, and what is done with one.

use jiff::tz::TimeZone;
use wa_store::{ChatQuery, Store};

pub(super) mod change;

use crate::{args::ChatsArguments, failure::Failure, output::Output, view::ChatView};

pub(crate) async fn run(
    arguments: &ChatsArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let mut query = ChatQuery::default();
    query.text.clone_from(&arguments.query);
    query.limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let zone = TimeZone::system();

    let mut views = Vec::new();
    let mut lines = String::new();
    for chat in store.chats(&query).await? {
        let view = ChatView::new(&chat, store).await?;
        lines.push_str(&view.line(&chat, output, &zone));
        views.push(view);
    }
    if views.is_empty() {
        output.note("no chats yet");
    }
    Ok(output.result(&views, &lines)?)
}
