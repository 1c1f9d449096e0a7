//! `search`: messages by their words.

use jiff::tz::TimeZone;
use wa_bridge::{
    api::{HitView, Search},
    foreign,
};
use wa_store::Snippet;

use crate::{
    args::SearchArguments,
    failure::{Cause, Failure},
    output::Output,
    session::Session,
    view::message,
};

/// Stand around a highlight until the snippet has been made safe to print. They are private-use
/// characters; a message that holds them gains bold type and nothing more.
const OPEN: char = '\u{f8f0}';
const CLOSE: char = '\u{f8f1}';

pub(crate) async fn run(arguments: &SearchArguments, session: &Session<'_>) -> Result<(), Failure> {
    let (output, zone) = (session.output, TimeZone::system());
    let view = session.call(query(arguments)).await?;
    let mut lines = String::new();
    for hit in &view.hits {
        let shown = highlighted(&marked(hit), output);
        lines.push_str(&match arguments.ids {
            true => message::line_with_id(&hit.message, &shown, output, &zone),
            false => message::line(&hit.message, &shown, output, &zone),
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
    output.result(&view, &lines)
}

fn query(arguments: &SearchArguments) -> Search {
    Search {
        query: arguments.query.clone(),
        chat: arguments.chat.clone(),
        from: arguments.from.clone(),
        kind: arguments.kind.clone(),
        from_me: match (arguments.sent, arguments.received) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        after: arguments.after.clone(),
        before: arguments.before.clone(),
        ranked: arguments.ranked,
        limit: u32::try_from(arguments.limit).ok(),
        cursor: arguments.cursor.clone(),
    }
}

/// The snippet with marks around what matched.
fn marked(hit: &HitView) -> String {
    let text = hit.message.text.as_deref().unwrap_or_default();
    let snippet = Snippet {
        excerpt: hit.excerpt.0..hit.excerpt.1,
        highlights: hit.highlights.iter().map(|(start, end)| *start..*end).collect(),
    };
    snippet.marked(text, &OPEN.to_string(), &CLOSE.to_string())
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
