//! Messages by time, with what is around them.

use std::{collections::HashSet, time::Duration};

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Cause, Failure,
    api::{
        FetchedView, HistoryFetch, MessageContext, MessageList, MessageView, PollGet, PollView,
        Search,
    },
};

use super::{Kind, Page, Readable, Tool, Toolset, bounded};
use crate::{call::ToolCall, text};

/// The most messages that are skipped to get to a page.
const MOST_SKIPPED: u32 = 1_000;

/// Lists messages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMessages {
    /// Only messages of this date or time on, such as 2026-11-22 or 2026-11-22T18:00.
    #[serde(default)]
    after: Option<String>,
    /// Only messages before this date or time.
    #[serde(default)]
    before: Option<String>,
    /// Only what this person wrote: a phone number in any usual notation, a jid or a name.
    #[serde(default)]
    sender_phone_number: Option<String>,
    /// Only this chat: a jid, a phone number or a name.
    #[serde(default)]
    chat_jid: Option<String>,
    /// Only messages with these words.
    #[serde(default)]
    query: Option<String>,
    /// How many messages; 20 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Which page of so many, 0 for the newest.
    #[serde(default)]
    page: u32,
    /// With the messages around each; yes unless said. Only where a query, a person or a kind
    /// leaves some out.
    #[serde(default)]
    include_context: Option<bool>,
    /// How many before each; 1 unless said.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    context_before: Option<u32>,
    /// How many after each; 1 unless said.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    context_after: Option<u32>,
}

/// Messages, from old to new.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Messages {
    /// The messages, from old to new.
    messages: Vec<MessageView>,
    /// The next, older page, if there is one.
    next_page: Option<u32>,
}

impl Readable for Messages {
    fn text(&self) -> String {
        let mut lines = text::messages(&self.messages);
        if let Some(page) = self.next_page {
            lines.push_str(&format!("\nolder: page {page}"));
        }
        lines
    }
}

impl Tool for ListMessages {
    type Output = Messages;
    const NAME: &'static str = "list_messages";
    const TITLE: &'static str = "List messages";
    const ABOUT: &'static str = "Read messages by time: of one chat, one person or all, within a time, and with words if given. Returns them from old to new, the newest page first. For searching by words over all chats, search_messages is better.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Messages, Failure> {
        let page = Page { page: self.page, limit: bounded(self.limit, 20, 200) };
        if page.offset() > MOST_SKIPPED {
            let message = format!("page {} is too far back", page.page);
            return Err(Failure::new(Cause::Usage, message).remedy(
                "set before to the time of the oldest message that was read, and page to 0",
            ));
        }
        let wanted = page.offset() + page.limit + 1;
        let (around, has_query) = (self.around(), self.query.is_some());
        let leaves_out = has_query || self.sender_phone_number.is_some();
        let mut newest_first = if has_query {
            self.search(call, wanted).await?
        } else {
            self.list(call, wanted).await?
        };
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        newest_first.drain(..offset.min(newest_first.len()));
        let next_page = (newest_first.len() > limit).then(|| page.page + 1);
        newest_first.truncate(limit);
        newest_first.reverse();
        let messages = match around {
            Some(around) if leaves_out => with_context(call, newest_first, around).await?,
            _ => newest_first,
        };
        Ok(Messages { messages, next_page })
    }
}

impl ListMessages {
    /// How many before and after each, if that is wanted.
    fn around(&self) -> Option<(u32, u32)> {
        let count = |count: Option<u32>| count.unwrap_or(1).min(10);
        let wanted = self.include_context.unwrap_or(true);
        wanted.then(|| (count(self.context_before), count(self.context_after)))
    }

    async fn list(self, call: &ToolCall<'_>, limit: u32) -> Result<Vec<MessageView>, Failure> {
        let list = MessageList {
            chat: self.chat_jid,
            from: self.sender_phone_number,
            after: self.after,
            before: self.before,
            limit: Some(limit),
            ..MessageList::default()
        };
        call.ask(list).await
    }

    async fn search(self, call: &ToolCall<'_>, limit: u32) -> Result<Vec<MessageView>, Failure> {
        let search = Search {
            query: self.query.unwrap_or_default(),
            chat: self.chat_jid,
            from: self.sender_phone_number,
            after: self.after,
            before: self.before,
            limit: Some(limit),
            ..Search::default()
        };
        Ok(call.ask(search).await?.hits.into_iter().map(|hit| hit.message).collect())
    }
}

/// Messages with those around each, every one once, in the order of time within each chat.
async fn with_context(
    call: &ToolCall<'_>,
    messages: Vec<MessageView>,
    (before, after): (u32, u32),
) -> Result<Vec<MessageView>, Failure> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for message in messages {
        let context = MessageContext {
            id: message.id.clone(),
            chat: Some(message.chat.clone()),
            before: Some(before),
            after: Some(after),
        };
        // Several may bear one id; then the message alone is given.
        let around = call.ask(context).await.ok();
        let (before, after) = around.map(|view| (view.before, view.after)).unwrap_or_default();
        for message in before.into_iter().chain([message]).chain(after) {
            if seen.insert(message.seq) {
                all.push(message);
            }
        }
    }
    Ok(all)
}

/// The last message of or to a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetLastInteraction {
    /// The person or group: a jid, a phone number in any usual notation, or a name.
    jid: String,
}

/// The last message, if there is one.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LastInteraction {
    /// The last message in the chat, or of the person in a group, whichever is later.
    message: Option<MessageView>,
}

impl Readable for LastInteraction {
    fn text(&self) -> String {
        self.message.as_ref().map_or_else(|| "nothing was ever said".into(), text::message_in_chat)
    }
}

impl Tool for GetLastInteraction {
    type Output = LastInteraction;
    const NAME: &'static str = "get_last_interaction";
    const TITLE: &'static str = "Last interaction";
    const ABOUT: &'static str = "Find the most recent message exchanged with a person: in their direct chat, or written by them in a group.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<LastInteraction, Failure> {
        let in_chat =
            MessageList { chat: Some(self.jid.clone()), limit: Some(1), ..MessageList::default() };
        let chat = call.ask(in_chat).await?;
        let of_person =
            MessageList { from: Some(self.jid), limit: Some(1), ..MessageList::default() };
        // A group writes nothing.
        let person = call.ask(of_person).await.unwrap_or_default();
        let message =
            chat.into_iter().chain(person).max_by_key(|view| (view.timestamp.clone(), view.seq));
        Ok(LastInteraction { message })
    }
}

/// A message with those around it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetMessageContext {
    /// The message's id, as other tools gave it.
    message_id: String,
    /// Its chat: a jid, a phone number or a name. Only needed where several messages have one id.
    #[serde(default)]
    chat_jid: Option<String>,
    /// How many before it; 5 unless said.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    before: Option<u32>,
    /// How many after it; 5 unless said.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    after: Option<u32>,
}

/// A message with those around it, from old to new.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Context {
    /// The message.
    message: MessageView,
    /// Those before it, from old to new.
    before: Vec<MessageView>,
    /// Those after it, from old to new.
    after: Vec<MessageView>,
}

impl Readable for Context {
    fn text(&self) -> String {
        text::context(&self.message, &self.before, &self.after)
    }
}

impl Tool for GetMessageContext {
    type Output = Context;
    const NAME: &'static str = "get_message_context";
    const TITLE: &'static str = "Message in its context";
    const ABOUT: &'static str =
        "Read a message with those before and after it in the same chat, by its id.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Context, Failure> {
        let context = MessageContext {
            id: self.message_id,
            chat: self.chat_jid,
            before: Some(bounded_from_zero(self.before)),
            after: Some(bounded_from_zero(self.after)),
        };
        let view = call.ask(context).await?;
        Ok(Context { message: view.message, before: view.before, after: view.after })
    }
}

fn bounded_from_zero(count: Option<u32>) -> u32 {
    count.unwrap_or(5).min(100)
}

/// How a poll stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetPoll {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The poll's message id.
    message_id: String,
}

/// A poll with its votes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Poll {
    #[serde(flatten)]
    poll: PollView,
}

impl Readable for Poll {
    fn text(&self) -> String {
        text::poll(&self.poll)
    }
}

impl Tool for GetPoll {
    type Output = Poll;
    const NAME: &'static str = "get_poll";
    const TITLE: &'static str = "Get a poll";
    const ABOUT: &'static str =
        "Tell how a poll stands: its options, the votes for each, and who voted.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Poll, Failure> {
        let get = PollGet { chat: self.chat, id: self.message_id };
        Ok(Poll { poll: call.ask(get).await? })
    }
}

/// Asks the phone for older messages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchOlderMessages {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// How many messages; 50 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    count: Option<u32>,
}

/// What the phone gave.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Fetched {
    #[serde(flatten)]
    fetched: FetchedView,
}

impl Readable for Fetched {
    fn text(&self) -> String {
        let older = match self.fetched.older_on_phone.as_str() {
            "yes" => "; the phone has older ones",
            "no" => "; that is the beginning of the chat",
            "no-access" => "; the phone has older ones and may not give them",
            _ => "",
        };
        format!("{} older messages of {} came{older}", self.fetched.messages, self.fetched.chat)
    }
}

/// How long the phone may take.
const PHONE_TIME: Duration = Duration::from_secs(120);

impl Tool for FetchOlderMessages {
    type Output = Fetched;
    const NAME: &'static str = "fetch_older_messages";
    const TITLE: &'static str = "Fetch older messages";
    const ABOUT: &'static str = "Ask the phone for messages of a chat that are older than those in the archive, and keep them. The phone has to be online; it takes seconds to a minute. Then read them with list_messages.";
    const SET: Toolset = Toolset::Arrange;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<Fetched, Failure> {
        let fetch = HistoryFetch { chat: self.chat, count: Some(bounded(self.count, 50, 500)) };
        let fetched = call.ask_long(fetch, PHONE_TIME, "waiting for the phone").await?;
        Ok(Fetched { fetched })
    }
}
