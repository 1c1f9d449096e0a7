//! Conversations.

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Cause, Failure,
    api::{ArrangedView, ChatArrange, ChatChange, ChatGet, ChatList, ListedChat},
};

use super::{Kind, Page, Readable, Tool, Toolset, bounded};
use crate::{call::ToolCall, text};

/// Lists chats.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListChats {
    /// Only chats whose name or number holds this.
    #[serde(default)]
    query: Option<String>,
    /// How many chats; 20 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Which page of so many, 0 for the first.
    #[serde(default)]
    page: u32,
    /// With the newest message of each; yes unless said.
    #[serde(default)]
    include_last_message: Option<bool>,
    /// In which order.
    #[serde(default)]
    sort_by: SortBy,
    /// Only chats with something unread.
    #[serde(default)]
    unread_only: bool,
    /// Only archived chats, or only those that are not.
    #[serde(default)]
    archived: Option<bool>,
}

/// The order of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortBy {
    /// The latest first, after those that are pinned.
    #[default]
    LastActive,
    /// By name.
    Name,
}

/// A chat in the form in which assistants know it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Chat {
    #[serde(flatten)]
    listed: ListedChat,
}

/// Chats.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Chats {
    /// The chats.
    chats: Vec<ListedChat>,
    /// The next page, if there is one.
    next_page: Option<u32>,
}

impl Chats {
    fn new(mut chats: Vec<ListedChat>, page: Page) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let next_page = (chats.len() > limit).then(|| page.page + 1);
        chats.truncate(limit);
        Self { chats, next_page }
    }
}

impl Readable for Chats {
    fn text(&self) -> String {
        let mut lines = text::lines(&self.chats, "no chats", text::chat);
        if let Some(page) = self.next_page {
            lines.push_str(&format!("\nmore: page {page}"));
        }
        lines
    }
}

impl Readable for Chat {
    fn text(&self) -> String {
        text::chat(&self.listed)
    }
}

/// The most chats that are sorted by name.
const MOST_SORTED: u32 = 1_000;

impl Tool for ListChats {
    type Output = Chats;
    const NAME: &'static str = "list_chats";
    const TITLE: &'static str = "List chats";
    const ABOUT: &'static str = "List conversations with people and groups, the most recently active first, with unread counts and each one's newest message. Filter by name or number; set unread_only to see what waits.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Chats, Failure> {
        let page = Page { page: self.page, limit: bounded(self.limit, 20, 200) };
        let mut list = ChatList {
            query: self.query,
            unread_only: self.unread_only,
            archived: self.archived,
            last_message: self.include_last_message.unwrap_or(true),
            ..ChatList::default()
        };
        if self.sort_by == SortBy::LastActive {
            list.offset = page.offset();
            list.limit = Some(page.limit + 1);
            return Ok(Chats::new(call.ask(list).await?, page));
        }
        list.limit = Some(MOST_SORTED);
        let mut chats = call.ask(list).await?;
        chats.sort_by_key(|listed| {
            let name = listed.chat.name.as_deref().map(str::to_lowercase);
            (name.is_none(), name, listed.chat.jid.clone())
        });
        let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        Ok(Chats::new(chats.into_iter().skip(offset).collect(), page))
    }
}

/// One chat.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetChat {
    /// The chat: a jid, a phone number in any usual notation, or a name.
    chat_jid: String,
    /// With its newest message; yes unless said.
    #[serde(default)]
    include_last_message: Option<bool>,
}

impl Tool for GetChat {
    type Output = Chat;
    const NAME: &'static str = "get_chat";
    const TITLE: &'static str = "Get a chat";
    const ABOUT: &'static str =
        "Tell how one chat stands: its name, number, unread count, and newest message.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Chat, Failure> {
        let mut listed = call.ask(ChatGet { chat: self.chat_jid }).await?;
        if self.include_last_message == Some(false) {
            listed.last_message = None;
        }
        Ok(Chat { listed })
    }
}

/// The direct chat with a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetDirectChatByContact {
    /// The person: a phone number in any usual notation, a jid, or a name.
    sender_phone_number: String,
}

impl Tool for GetDirectChatByContact {
    type Output = Chat;
    const NAME: &'static str = "get_direct_chat_by_contact";
    const TITLE: &'static str = "Get the chat with a person";
    const ABOUT: &'static str =
        "Find the direct conversation with one person, by phone number, jid or name.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Chat, Failure> {
        let listed = call.ask(ChatGet { chat: self.sender_phone_number.clone() }).await?;
        if listed.chat.jid.ends_with("@g.us") {
            let message = format!("{:?} is a group, and no person", self.sender_phone_number);
            return Err(Failure::new(Cause::Usage, message)
                .remedy("name the person by phone number, or use get_chat"));
        }
        Ok(Chat { listed })
    }
}

/// The chats a person is in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetContactChats {
    /// The person: a jid, a phone number in any usual notation, or a name.
    jid: String,
    /// How many chats; 20 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Which page of so many, 0 for the first.
    #[serde(default)]
    page: u32,
}

impl Tool for GetContactChats {
    type Output = Chats;
    const NAME: &'static str = "get_contact_chats";
    const TITLE: &'static str = "Chats with a person";
    const ABOUT: &'static str = "List every chat a person is in: their direct chat and the groups they belong to or write in.";
    const SET: Toolset = Toolset::Read;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Chats, Failure> {
        let page = Page { page: self.page, limit: bounded(self.limit, 20, 200) };
        let list = ChatList {
            with: Some(self.jid),
            last_message: true,
            offset: page.offset(),
            limit: Some(page.limit + 1),
            ..ChatList::default()
        };
        Ok(Chats::new(call.ask(list).await?, page))
    }
}

/// Marks a chat as read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkRead {
    /// The chat: a jid, a phone number in any usual notation, or a name.
    chat: String,
    /// Do not tell the senders that their messages were read.
    #[serde(default)]
    quietly: bool,
}

/// A change of how a chat is shown.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Arranged {
    #[serde(flatten)]
    change: ArrangedView,
}

impl Readable for Arranged {
    fn text(&self) -> String {
        let later = match self.change.state.as_str() {
            "done" => "",
            _ => ", as soon as the phone gives the keys for it",
        };
        format!("{}: {}{later}", self.change.chat, self.change.change)
    }
}

impl Tool for MarkRead {
    type Output = Arranged;
    const NAME: &'static str = "mark_read";
    const TITLE: &'static str = "Mark as read";
    const ABOUT: &'static str = "Mark a chat as read on all devices of the account. The senders see it, unless quietly is set.";
    const SET: Toolset = Toolset::Arrange;
    const KIND: Kind = Kind::Arranges;

    async fn run(self, call: &ToolCall<'_>) -> Result<Arranged, Failure> {
        let change = ChatChange::Read { quietly: self.quietly };
        Ok(Arranged { change: call.ask(ChatArrange { chat: self.chat, change }).await? })
    }
}

/// Archives or mutes a chat, or no longer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArchiveOrMuteChat {
    /// The chat: a jid, a phone number in any usual notation, or a name.
    chat: String,
    /// What to do with it.
    action: ArrangeAction,
    /// For mute: for how many hours; for ever unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 8760))]
    hours: Option<u32>,
}

/// How a chat is to be shown.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ArrangeAction {
    Archive,
    Unarchive,
    Mute,
    Unmute,
    Pin,
    Unpin,
    MarkUnread,
}

impl Tool for ArchiveOrMuteChat {
    type Output = Arranged;
    const NAME: &'static str = "archive_or_mute_chat";
    const TITLE: &'static str = "Archive, mute or pin a chat";
    const ABOUT: &'static str = "Archive, mute, pin or mark a chat as unread, or undo it, on all devices of the account. Nobody else sees it.";
    const SET: Toolset = Toolset::Arrange;
    const KIND: Kind = Kind::Arranges;

    async fn run(self, call: &ToolCall<'_>) -> Result<Arranged, Failure> {
        let change = match self.action {
            ArrangeAction::Archive => ChatChange::Archive,
            ArrangeAction::Unarchive => ChatChange::Unarchive,
            ArrangeAction::Mute => {
                ChatChange::Mute { seconds: self.hours.map(|hours| u64::from(hours) * 3_600) }
            }
            ArrangeAction::Unmute => ChatChange::Unmute,
            ArrangeAction::Pin => ChatChange::Pin,
            ArrangeAction::Unpin => ChatChange::Unpin,
            ArrangeAction::MarkUnread => ChatChange::Unread,
        };
        Ok(Arranged { change: call.ask(ChatArrange { chat: self.chat, change }).await? })
    }
}
