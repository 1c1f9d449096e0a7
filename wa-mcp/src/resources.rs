//! Resources: chats, messages around a point, people and files, by URI.
//!
//! `wa://chats`, `wa://chats/{chat}`, `wa://chats/{chat}/around/{message}`, `wa://contacts/{person}`,
//! `wa://media/{chat}/{message}`. A chat is named by its address, or by number or name.

use rmcp::{
    ErrorData,
    model::{
        CompleteRequestParams, CompletionInfo, ListResourcesResult, ReadResourceResult, Reference,
        Resource, ResourceContents, ResourceTemplate,
    },
};
use wa_bridge::{
    Bridge, Failure,
    api::{ChatGet, ChatList, ContactList, ListedChat, MediaRead, MessageContext, MessageList},
};

use crate::{
    account::{Account, Changed},
    confirm::error_of,
    text,
    untrusted::{self, line},
};

/// How all of them begin.
const SCHEME: &str = "wa://";

/// How many chats are listed at once.
const PAGE: u32 = 50;

/// How many messages of a chat are given.
const MESSAGES: u32 = 50;

/// How many messages around one are given, on each side.
const AROUND: u32 = 10;

/// The largest file that is given, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What a URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Chats,
    Chat(String),
    Around { chat: String, message: String },
    Contact(String),
    Media { chat: String, message: String },
}

impl Named {
    fn parse(uri: &str) -> Option<Self> {
        let path = uri.strip_prefix(SCHEME)?;
        let parts: Vec<String> = path.split('/').map(decode).collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        Some(match parts.as_slice() {
            ["chats"] => Self::Chats,
            ["chats", chat] => Self::Chat((*chat).to_owned()),
            ["chats", chat, "around", message] => {
                Self::Around { chat: (*chat).to_owned(), message: (*message).to_owned() }
            }
            ["contacts", person] => Self::Contact((*person).to_owned()),
            ["media", chat, message] => {
                Self::Media { chat: (*chat).to_owned(), message: (*message).to_owned() }
            }
            _ => return None,
        })
    }
}

/// A part of a URI without its percent-encoding (RFC 3986).
fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(*hex::decode(digits).ok()?.first()?);
    }
    String::from_utf8(bytes).ok()
}

fn not_there(uri: &str) -> ErrorData {
    ErrorData::resource_not_found(format!("there is no resource {uri:?}"), None)
}

/// Whether a URI can name a resource.
pub(crate) fn check(uri: &str) -> Result<(), ErrorData> {
    Named::parse(uri).map(drop).ok_or_else(|| not_there(uri))
}

/// The resources that a change touches.
pub(crate) fn touched(changed: &Changed) -> Vec<String> {
    vec![format!("{SCHEME}chats"), chat_uri(&changed.chat)]
}

fn chat_uri(chat: &str) -> String {
    format!("{SCHEME}chats/{chat}")
}

/// The kinds of resources there are.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let template = |uri: &str, name: &str, title: &str, about: &str| {
        ResourceTemplate::new(format!("{SCHEME}{uri}"), name)
            .with_title(title)
            .with_description(about)
    };
    let text = |template: ResourceTemplate| template.with_mime_type("text/plain");
    vec![
        text(template("chats/{chat}", "chat", "A chat", "The newest messages of a chat.")),
        text(template(
            "chats/{chat}/around/{message}",
            "messages-around",
            "Messages around one",
            "A message with those before and after it.",
        )),
        text(template("contacts/{person}", "contact", "A person", "What is known of a person.")),
        template("media/{chat}/{message}", "media", "A file", "The file of a message, up to 4 MB."),
    ]
}

/// The chats, a page at a time.
pub(crate) async fn list(
    account: &Account,
    cursor: Option<&str>,
) -> Result<ListResourcesResult, ErrorData> {
    let offset: u32 = match cursor {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .map_err(|_| ErrorData::invalid_params(format!("{cursor:?} is no cursor"), None))?,
    };
    let all = Resource::new(format!("{SCHEME}chats"), "chats")
        .with_title("All chats")
        .with_description("The chats with their newest messages.")
        .with_mime_type("text/plain");
    let mut resources = if offset == 0 { vec![all] } else { Vec::new() };
    let mut next_cursor = None;
    // Without an account there are no chats, and the server is there all the same.
    if let Ok(bridge) = account.bridge().await {
        let query = ChatList { offset, limit: Some(PAGE + 1), ..ChatList::default() };
        let mut chats = bridge.call(query).await.map_err(|failure| error_of(&failure))?;
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        if chats.len() > page {
            next_cursor = Some((offset + PAGE).to_string());
            chats.truncate(page);
        }
        for listed in &chats {
            let chat = &listed.chat;
            let name = chat.name.as_deref().or(chat.phone.as_deref()).unwrap_or(&chat.jid);
            resources.push(
                Resource::new(chat_uri(&chat.jid), line(name))
                    .with_description("The newest messages of this chat.")
                    .with_mime_type("text/plain"),
            );
        }
    }
    let mut result = ListResourcesResult::with_all_items(resources);
    result.next_cursor = next_cursor;
    Ok(result)
}

/// What a resource holds.
pub(crate) async fn read(account: &Account, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let named = Named::parse(uri).ok_or_else(|| not_there(uri))?;
    let contents = contents(account, named, uri).await.map_err(|failure| error_of(&failure))?;
    Ok(ReadResourceResult::new(vec![contents]))
}

async fn contents(account: &Account, named: Named, uri: &str) -> Result<ResourceContents, Failure> {
    let bridge = account.bridge().await?;
    let text = match named {
        Named::Chats => {
            let query = ChatList { limit: Some(PAGE), last_message: true, ..ChatList::default() };
            text::lines(&bridge.call(query).await?, "no chats", text::chat)
        }
        Named::Chat(chat) => {
            let listed = bridge.call(ChatGet { chat }).await?;
            format!("{}\n\n{}", text::chat(&listed), newest(&bridge, &listed, MESSAGES).await?)
        }
        Named::Around { chat, message } => {
            let around = Some(AROUND);
            let context =
                MessageContext { id: message, chat: Some(chat), before: around, after: around };
            let view = bridge.call(context).await?;
            text::context(&view.message, &view.before, &view.after)
        }
        Named::Contact(person) => {
            let query =
                ContactList { query: Some(person), limit: Some(10), ..ContactList::default() };
            text::lines(&bridge.call(query).await?, "nobody was found", text::contact)
        }
        Named::Media { chat, message } => {
            let read = MediaRead { chat, id: message, limit: Some(MAX_FILE) };
            let file = bridge.call(read).await?;
            let mut contents = ResourceContents::blob(file.base64, uri);
            if let Some(mime) = &file.mime {
                contents = contents.with_mime_type(line(mime));
            }
            return Ok(contents);
        }
    };
    Ok(ResourceContents::text(untrusted::marked(&text), uri))
}

/// The newest messages of a chat in words, from old to new.
pub(crate) async fn newest(
    bridge: &Bridge,
    chat: &ListedChat,
    limit: u32,
) -> Result<String, Failure> {
    let jid = chat.chat.jid.clone();
    let query = MessageList { chat: Some(jid), limit: Some(limit), ..MessageList::default() };
    let mut messages = bridge.call(query).await?;
    messages.reverse();
    Ok(text::messages(&messages))
}

/// What an argument may be, by what of it is typed.
pub(crate) async fn complete(
    account: &Account,
    request: &CompleteRequestParams,
) -> Result<CompletionInfo, ErrorData> {
    let name = request.argument.name.as_str();
    let is_template = matches!(&request.r#ref, Reference::Resource(_));
    let values = match name {
        "chat" | "person" => candidates(account, &request.argument.value, is_template).await,
        _ => Vec::new(),
    };
    CompletionInfo::new(values).map_err(|error| ErrorData::internal_error(error, None))
}

/// Chats by name or number: their addresses for URIs, their names for prompts.
async fn candidates(account: &Account, typed: &str, addresses: bool) -> Vec<String> {
    let Ok(bridge) = account.bridge().await else { return Vec::new() };
    let query = ChatList {
        query: Some(typed.to_owned()).filter(|typed| !typed.trim().is_empty()),
        limit: Some(20),
        ..ChatList::default()
    };
    let chats = bridge.call(query).await.unwrap_or_default();
    let value = |chat: wa_bridge::api::ChatView| match (addresses, chat.name) {
        // A name that others chose does not say for sure who is meant.
        (false, Some(name)) if !chat.self_chosen => line(&name),
        _ => chat.jid,
    };
    chats.into_iter().map(|listed| value(listed.chat)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_one_thing_or_nothing() {
        assert_eq!(Named::parse("wa://chats"), Some(Named::Chats));
        assert_eq!(Named::parse("wa://chats/7@lid"), Some(Named::Chat("7@lid".into())));
        assert_eq!(Named::parse("wa://chats/7%40lid"), Some(Named::Chat("7@lid".into())));
        let around = Named::Around { chat: "7@lid".into(), message: "3EB0".into() };
        assert_eq!(Named::parse("wa://chats/7@lid/around/3EB0"), Some(around));
        for uri in [
            "file:///etc/passwd",
            "wa://",
            "wa://chats/",
            "wa://media/a",
            "wa://chats/%",
            "wa://chats/%f",
            "wa://chats/%ff",
            "wa://chats/a/b",
            "wa://chats/é%é",
        ] {
            assert_eq!(Named::parse(uri), None, "{uri}");
        }
    }
}
