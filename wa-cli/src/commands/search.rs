//! `search`: messages by their words.

use jiff::tz::TimeZone;
use serde::Serialize;
use wa_store::{MessageKind, SearchOrder, SearchQuery, Store};

use crate::{
    args::SearchArguments,
    failure::{Cause, Failure},
    output::{Output, foreign},
    plan,
    view::MessageView,
};

/// Stand around a highlight until the snippet has been made safe to print. They are private-use
/// characters; a message that holds them gains bold type and nothing more.
const OPEN: char = '\u{f8f0}';
const CLOSE: char = '\u{f8f1}';

#[derive(Debug, Serialize)]
struct HitView {
    #[serde(flatten)]
    message: MessageView,
    /// The part around the matches.
    snippet: String,
    /// Where the matches are in `text`: UTF-8 byte offsets, start and end.
    highlights: Vec<(usize, usize)>,
    rank: f64,
}

#[derive(Debug, Serialize)]
struct PageView {
    hits: Vec<HitView>,
    /// Give it to --cursor for the next page; null on the last.
    cursor: Option<String>,
}

pub(crate) async fn run(
    arguments: &SearchArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let zone = TimeZone::system();
    let query = query(arguments, store, &zone).await?;
    let page = store.search(&query).await?;

    let mut view = PageView { hits: Vec::new(), cursor: page.cursor.map(|c| c.to_string()) };
    let mut lines = String::new();
    for hit in page.hits {
        let message = MessageView::new(&hit.message, store).await?;
        let text = message.text.clone().unwrap_or_default();
        let marked = hit.snippet.marked(&text, &OPEN.to_string(), &CLOSE.to_string());
        let shown = highlighted(&marked, output);
        lines.push_str(&match arguments.ids {
            true => message.line_with_id(&hit.message, &shown, output, &zone),
            false => message.line(&hit.message, &shown, output, &zone),
        });
        view.hits.push(HitView {
            snippet: hit.snippet.marked(&text, "", ""),
            highlights: hit.snippet.highlights.iter().map(|h| (h.start, h.end)).collect(),
            rank: hit.rank,
            message,
        });
    }
    let found = !view.hits.is_empty();
    if !found {
        output.note("nothing found");
    } else if let Some(cursor) = &view.cursor {
        output.note(&format!("more: --cursor {cursor}"));
    }
    if !found && arguments.exit_status {
        return Err(Failure::new(Cause::Failed, "nothing found"));
    }
    Ok(output.result(&view, &lines)?)
}

async fn query(
    arguments: &SearchArguments,
    store: &dyn Store,
    zone: &TimeZone,
) -> Result<SearchQuery, Failure> {
    let mut query = SearchQuery::new(arguments.query.as_str());
    if let Some(chat) = &arguments.chat {
        query.filter.chat = Some(plan::known_chat(chat, None, store).await?);
    }
    if let Some(person) = &arguments.from {
        query.filter.sender = Some(plan::known_chat(person, None, store).await?);
    }
    query.filter.kind = arguments.kind.as_deref().map(MessageKind::new);
    query.filter.from_me = match (arguments.sent, arguments.received) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    query.filter.since = plan::time(arguments.after.as_deref(), zone)?;
    query.filter.until = plan::time(arguments.before.as_deref(), zone)?;
    if arguments.ranked {
        query.order = SearchOrder::Ranked;
    }
    query.limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    if let Some(cursor) = &arguments.cursor {
        query.cursor = Some(cursor.parse().map_err(|_| {
            Failure::new(Cause::Usage, format!("{cursor:?} is no cursor"))
                .remedy("copy it from the end of the page before")
        })?);
    }
    Ok(query)
}

/// Makes a marked snippet safe to print and replaces the marks by bold type.
fn highlighted(marked: &str, output: &Output) -> String {
    let mut shown = String::new();
    for (i, part) in foreign::plain(marked, " ").split(OPEN).enumerate() {
        match part.split_once(CLOSE) {
            Some((match_, rest)) if i > 0 => {
                shown.push_str(&output.bold(match_));
                shown.push_str(rest);
            }
            _ => shown.push_str(part),
        }
    }
    shown
}
