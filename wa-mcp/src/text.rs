//! Answers in words: one line for each thing, foreign texts set off from ours.

use wa_bridge::{
    ChatKind,
    api::{ChatTitle, ChatView, ContactView, ListedChat, MediaView, MessageView, PollView},
};

use crate::untrusted::{line, quoted};

/// A message: when, who, what, and the id by which it is named.
pub(crate) fn message(message: &MessageView) -> String {
    let who = if message.from_me { "me".to_owned() } else { sender(message) };
    let mut text = format!("[{}] {who}: {}", message.timestamp, said(message));
    let mut notes = vec![format!("id {}", message.id)];
    if let Some(quoted) = &message.reply_to {
        notes.push(format!("answers {quoted}"));
    }
    if message.edited {
        notes.push("edited".into());
    }
    if message.from_me {
        notes.push(message.status.clone());
    }
    for reaction in &message.reactions {
        let name = reaction.by.name.as_deref().or(reaction.by.phone.as_deref());
        notes.push(format!(
            "{} by {}",
            line(&reaction.emoji),
            line(name.unwrap_or(&reaction.by.jid))
        ));
    }
    text.push_str(&format!("  ({})", notes.join(", ")));
    text
}

/// A message with the chat it is in.
pub(crate) fn message_in_chat(view: &MessageView) -> String {
    let chat = match view.chat_title.kind {
        // Whoever wrote it is the chat, and stands before it already.
        ChatKind::Person if !view.from_me => view.chat.clone(),
        _ => title(&view.chat_title, &view.chat),
    };
    format!("{} in {chat}", message(view))
}

/// A chat by name, number, kind and address.
pub(crate) fn title(title: &ChatTitle, jid: &str) -> String {
    let address = title.phone.as_deref().map_or_else(|| jid.to_owned(), |phone| phone.to_owned());
    let kind = title.kind.as_str();
    match &title.name {
        Some(name) => format!("{} ({kind}, {address})", named(name, title.self_chosen)),
        None => format!("{address} ({kind})"),
    }
}

/// A name; one that others than the person chose has a wave before it.
pub(crate) fn named(name: &str, self_chosen: bool) -> String {
    let wave = if self_chosen { "~" } else { "" };
    format!("{wave}{}", line(name))
}

fn sender(message: &MessageView) -> String {
    let name = message.sender_name.as_deref();
    let name = name.map(|name| named(name, message.sender_self_chosen));
    match (name, &message.sender_phone) {
        (Some(name), Some(phone)) => format!("{name} ({phone})"),
        (Some(name), None) => name,
        (None, Some(phone)) => phone.clone(),
        (None, None) => message.sender.clone(),
    }
}

/// What a message says: its text, and its kind where it is more than text.
pub(crate) fn said(message: &MessageView) -> String {
    if message.revoked {
        return "(deleted)".into();
    }
    let text = message.text.as_deref().map(quoted);
    let mut said = match (message.kind.as_str(), text) {
        ("text", Some(text)) => text,
        (kind, Some(text)) => format!("[{}] {text}", line(kind)),
        (kind, None) => format!("[{}]", line(kind)),
    };
    if let Some(media) = &message.media {
        said.push_str(&facts(media));
    }
    if let Some(tally) = &message.poll {
        said.push_str(&format!("\n{}", poll(tally)));
    }
    said
}

fn facts(media: &MediaView) -> String {
    let facts: Vec<String> = [
        media.file_name.as_deref().map(line),
        media.mime.as_deref().map(line),
        media.bytes.map(|bytes| format!("{bytes} bytes")),
        media.seconds.map(|seconds| format!("{seconds} s")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if facts.is_empty() { String::new() } else { format!(" <{}>", facts.join(", ")) }
}

/// A poll: its question, then a line for each option.
pub(crate) fn poll(poll: &PollView) -> String {
    let mut text = line(&poll.question);
    for option in &poll.options {
        text.push_str(&format!("\n    {} {}", option.votes, line(&option.option)));
    }
    text
}

/// Messages, one after the other.
pub(crate) fn messages(messages: &[MessageView]) -> String {
    match messages {
        [] => "no messages".into(),
        messages => messages.iter().map(message_in_chat).collect::<Vec<_>>().join("\n"),
    }
}

/// A message with those before and after it, from old to new.
pub(crate) fn context(here: &MessageView, before: &[MessageView], after: &[MessageView]) -> String {
    let here = std::iter::once(format!("> {}", message(here)));
    let lines = before.iter().map(message).chain(here).chain(after.iter().map(message));
    lines.collect::<Vec<_>>().join("\n")
}

/// A chat: its name, number and address, and how it stands.
pub(crate) fn chat(listed: &ListedChat) -> String {
    let ChatView { jid, phone, name, self_chosen, unread, archived, muted, pinned, .. } =
        &listed.chat;
    let name = name.as_deref().map(|name| named(name, *self_chosen));
    let name = name.unwrap_or_else(|| "(no name)".into());
    let mut text = match phone {
        Some(phone) => format!("{name}  {phone}  {jid}"),
        None => format!("{name}  {jid}"),
    };
    let unread = (*unread > 0).then(|| format!("{unread} unread"));
    let states = [(*pinned, "pinned"), (*muted, "muted"), (*archived, "archived")];
    let states = states.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word.to_owned());
    let notes: Vec<String> = unread.into_iter().chain(states).collect();
    if !notes.is_empty() {
        text.push_str(&format!("  ({})", notes.join(", ")));
    }
    if let Some(last) = &listed.last_message {
        text.push_str(&format!("\n    last: {}", message(last).replace('\n', "\n    ")));
    }
    text
}

/// A person: name, number and address.
pub(crate) fn contact(contact: &ContactView) -> String {
    let name = contact.name.as_deref().map(|name| named(name, contact.self_chosen));
    let name = name.unwrap_or_else(|| "(no name)".into());
    match &contact.phone {
        Some(phone) => format!("{name}  {phone}  {}", contact.jid),
        None => format!("{name}  {}", contact.jid),
    }
}

/// Several things, a line each, or what to say if there are none.
pub(crate) fn lines<T>(items: &[T], none: &str, one: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return none.to_owned();
    }
    items.iter().map(one).collect::<Vec<_>>().join("\n")
}
