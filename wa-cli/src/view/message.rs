//! A message, with all that people added to it.

use jiff::tz::TimeZone;
use wa_bridge::{api::MessageView, foreign};

use super::{media, person, poll, shown_name, shown_time};
use crate::output::Output;

/// The line of a list, and below it what was added; `text` is what to show as the text.
pub(crate) fn line(view: &MessageView, text: &str, output: &Output, zone: &TimeZone) -> String {
    let who = if view.from_me { "you".to_owned() } else { sender(view) };
    let state = if view.from_me { format!(" [{}]", view.status) } else { String::new() };
    let mark = if view.edited { " (edited)" } else { "" };
    let at = output.dim(&shown_time(&view.timestamp, zone));
    let who = output.bold(&who);
    let mut lines = format!("{at}  {who}{state}  {text}{mark}\n");
    for added in added(view) {
        lines.push_str(&format!("    {}\n", output.dim(&added)));
    }
    lines
}

/// The same with the message's id before it.
pub(crate) fn line_with_id(
    view: &MessageView,
    text: &str,
    output: &Output,
    zone: &TimeZone,
) -> String {
    let id = output.dim(&foreign::plain(&view.id, " "));
    format!("{id}  {}", line(view, text, output, zone))
}

/// What to show as the text: where it is more than that, with its kind in brackets.
pub(crate) fn shown_text(view: &MessageView) -> String {
    let kind = match view.media.as_ref().map(media::facts) {
        Some(facts) if !facts.is_empty() => format!("[{}: {facts}]", view.kind),
        _ => format!("[{}]", view.kind),
    };
    match (&view.text, view.revoked) {
        (_, true) => "(deleted)".into(),
        (Some(text), false) if view.kind == "text" => foreign::plain(text, "\n    "),
        (Some(text), false) => format!("{kind} {}", foreign::plain(text, "\n    ")),
        (None, false) => kind,
    }
}

/// What people added, one line each.
pub(crate) fn added(view: &MessageView) -> Vec<String> {
    let mut added = Vec::new();
    for earlier in view.earlier_texts.iter().flatten() {
        added.push(format!("before: {}", foreign::plain(earlier, " ")));
    }
    added.extend(view.poll.iter().flat_map(poll::lines));
    for reaction in &view.reactions {
        let by = person::label(&reaction.by);
        added.push(format!("{} {by}", foreign::plain(&reaction.emoji, " ")));
    }
    added
}

fn sender(view: &MessageView) -> String {
    match &view.sender_name {
        Some(name) => shown_name(name, view.sender_self_chosen),
        None => foreign::plain(view.sender_phone.as_deref().unwrap_or(&view.sender), " "),
    }
}
