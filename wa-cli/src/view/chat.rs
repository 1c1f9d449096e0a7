//! A conversation.

use jiff::tz::TimeZone;
use wa_bridge::{
    ChatKind,
    api::{ChatTitle, ChatView, SentView},
    foreign,
};

use super::{shown_name, shown_time};
use crate::output::Output;

/// Whom something was sent to: what they are called, and the number or address. A name that they
/// chose themself has a wave before it, as on phones.
pub(crate) fn recipient(view: &SentView) -> String {
    let ChatTitle { name, self_chosen, kind, .. } = &view.recipient;
    match name {
        Some(name) if *kind == ChatKind::Person => {
            format!("{} ({})", shown_name(name, *self_chosen), view.chat)
        }
        Some(name) => format!("{} {:?} ({})", kind.as_str(), foreign::plain(name, " "), view.chat),
        None => view.chat.clone(),
    }
}

/// The line of a list.
pub(crate) fn line(view: &ChatView, output: &Output, zone: &TimeZone) -> String {
    let at = view.last_message_at.as_deref().map_or_else(|| "-".into(), |at| shown_time(at, zone));
    let name = view.name.as_deref().map(|name| shown_name(name, view.self_chosen));
    let phone = view.phone.as_deref().map(|phone| foreign::plain(phone, " "));
    let who = name.into_iter().chain(phone).collect::<Vec<_>>().join("  ");
    let who = if who.is_empty() { view.jid.clone() } else { who };
    let unread = match view.unread {
        0 if view.marked_unread => Some("unread".into()),
        0 => None,
        unread => Some(format!("{unread} unread")),
    };
    let states = [(view.pinned, "pinned"), (view.muted, "muted"), (view.archived, "archived")];
    let states = states.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name.into());
    let notes: Vec<String> = unread.into_iter().chain(states).collect();
    let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) };
    format!("{}  {}{notes}\n", output.dim(&format!("{at:16}")), output.bold(&who))
}
