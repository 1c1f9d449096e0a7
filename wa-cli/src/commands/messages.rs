//! `messages`: what was said in a chat, oldest at the top.

use jiff::tz::TimeZone;
use wa_store::{MessageQuery, Store};

use crate::{args::MessagesArguments, failure::Failure, output::Output, plan, view::MessageView};

pub(crate) async fn run(
    arguments: &MessagesArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let zone = TimeZone::system();
    let chat = plan::known_chat(&arguments.chat.chat, arguments.chat.pick, store).await?;
    let mut query = MessageQuery::chat(chat);
    query.limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    query.filter.since = plan::time(arguments.after.as_deref(), &zone)?;
    query.filter.until = plan::time(arguments.before.as_deref(), &zone)?;

    let mut newest_first = store.messages(&query).await?;
    newest_first.reverse();
    let mut views = Vec::new();
    let mut lines = String::new();
    for message in &newest_first {
        let view = MessageView::new(message, store).await?;
        let text = view.shown_text();
        lines.push_str(&match arguments.ids {
            true => view.line_with_id(message, &text, output, &zone),
            false => view.line(message, &text, output, &zone),
        });
        views.push(view);
    }
    if views.is_empty() {
        output.note("no messages");
    }
    Ok(output.result(&views, &lines)?)
}
