//! Messages by their words.

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Failure,
    api::{HitView, Search},
};

use super::{Kind, Readable, Tool, Toolset, bounded};
use crate::{call::ToolCall, text, untrusted::line};

/// Finds messages by their words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchMessages {
    /// Words that must all be there, in any script; "a phrase" in quotes, begin* for beginnings,
    /// -without for words that must not be there.
    #[schemars(length(min = 1, max = 1000))]
    query: String,
    /// Only this chat: a jid, a phone number or a name.
    #[serde(default)]
    chat: Option<String>,
    /// Only what this person wrote: a jid, a phone number or a name.
    #[serde(default)]
    from: Option<String>,
    /// Only what this account wrote (true) or what others wrote (false).
    #[serde(default)]
    from_me: Option<bool>,
    /// Only this kind: text, image, video, audio, voice-note, document, sticker, location, contact,
    /// poll.
    #[serde(default)]
    kind: Option<String>,
    /// Only messages of this date or time on, such as 2026-11-22 or 2026-11-22T18:00.
    #[serde(default)]
    after: Option<String>,
    /// Only messages before this date or time.
    #[serde(default)]
    before: Option<String>,
    /// The best matches first instead of the newest.
    #[serde(default)]
    ranked: bool,
    /// How many messages; 20 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// Where the page before ended, as its answer said.
    #[serde(default)]
    cursor: Option<String>,
}

/// Messages that were found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The messages.
    hits: Vec<HitView>,
    /// Give it as cursor for the next page; null on the last.
    cursor: Option<String>,
}

impl Tool for SearchMessages {
    type Output = Found;
    const NAME: &'static str = "search_messages";
    const TITLE: &'static str = "Search messages";
    const ABOUT: &'static str = "Search the whole archive of messages by words, in milliseconds: all chats and years, any script. Returns each message with a snippet, its chat and its id, the newest by time first; use get_message_context to read around it. Filter by chat, person, kind and time; page with cursor.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Found, Failure> {
        let search = Search {
            query: self.query,
            chat: self.chat,
            from: self.from,
            from_me: self.from_me,
            kind: self.kind,
            after: self.after,
            before: self.before,
            ranked: self.ranked,
            limit: Some(bounded(self.limit, 20, 100)),
            cursor: self.cursor,
        };
        let found = call.ask(search).await?;
        Ok(Found { hits: found.hits, cursor: found.cursor })
    }
}

impl Readable for Found {
    fn text(&self) -> String {
        let mut lines = text::lines(&self.hits, "nothing was found", |hit| {
            let mut shown = hit.message.clone();
            shown.text = Some(line(&hit.snippet));
            text::message_in_chat(&shown)
        });
        if let Some(cursor) = &self.cursor {
            lines.push_str(&format!("\nmore: cursor {cursor}"));
        }
        lines
    }
}
