//! A group, and who is in it.

use wa_bridge::{api::GroupView, foreign};

use super::person;
use crate::output::Output;

/// The line of a list.
pub(crate) fn line(view: &GroupView, output: &Output) -> String {
    let subject = output.bold(&foreign::plain(&view.subject, " "));
    format!("{subject}  {}  ({} people)\n", output.dim(&view.jid), view.size)
}

/// All of it.
pub(crate) fn lines(view: &GroupView, output: &Output) -> String {
    let mut lines = line(view, output);
    if let Some(description) = &view.description {
        lines.push_str(&format!("    {}\n", foreign::plain(description, "\n    ")));
    }
    let disappearing = view
        .disappearing
        .map(|seconds| format!("messages disappear after {} days", seconds.div_ceil(24 * 60 * 60)));
    let permits = [
        (view.announce, "only admins write"),
        (view.locked, "only admins change it"),
        (view.approval, "admins let people in"),
        (view.add_members == "everybody", "everybody adds people"),
    ];
    let permits = permits.into_iter().filter(|(holds, _)| *holds);
    for rule in permits.map(|(_, rule)| rule.to_owned()).chain(disappearing) {
        lines.push_str(&format!("    {}\n", output.dim(&rule)));
    }
    for participant in &view.participants {
        let role = match participant.role.as_str() {
            "member" => String::new(),
            role => format!("  [{role}]"),
        };
        lines.push_str(&format!("    {}{role}\n", person::line(&participant.person)));
    }
    lines
}
