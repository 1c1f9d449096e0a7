//! A person, by every name there is for them.

use wa_bridge::{api::PersonView, foreign};

use super::shown_name;

/// Who it is, in a word or two.
pub(crate) fn label(view: &PersonView) -> String {
    if view.is_me {
        return "you".into();
    }
    match &view.name {
        Some(name) => shown_name(name, view.self_chosen),
        None => foreign::plain(view.phone.as_deref().unwrap_or(&view.jid), " "),
    }
}

/// Who they are, in a line.
pub(crate) fn labels(people: &[PersonView]) -> String {
    people.iter().map(label).collect::<Vec<_>>().join(", ")
}

/// Name and number.
pub(crate) fn line(view: &PersonView) -> String {
    let name = view.name.as_deref().map(|name| shown_name(name, view.self_chosen && !view.is_me));
    let address = view.phone.clone().unwrap_or_else(|| view.jid.clone());
    let me = if view.is_me { "  (you)" } else { "" };
    match name {
        Some(name) => format!("{name}  {address}{me}"),
        None => format!("{address}{me}"),
    }
}
