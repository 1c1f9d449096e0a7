//! Conversations: listing them and changing how they are shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ChatView, MessageView, operation};

/// The chats, the pinned first, then those with the newest messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatList {
    /// Only those whose name or number holds every word of this.
    #[serde(default)]
    pub query: Option<String>,
    /// Only archived chats, or only those that are not.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Only those with something unread.
    #[serde(default)]
    pub unread_only: bool,
    /// Only those in which this person is or writes: a group they are in, or their own chat.
    #[serde(default)]
    pub with: Option<String>,
    /// How many to leave out at the beginning.
    #[serde(default)]
    pub offset: u32,
    /// How many; 50 unless said, 1,000 at most.
    #[serde(default)]
    pub limit: Option<u32>,
    /// With the newest message of each.
    #[serde(default)]
    pub last_message: bool,
}
operation!(ChatList => Vec<ListedChat>, "chats/list", Read, "Lists the chats, the latest first.");

/// A chat, and what was said in it last.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ListedChat {
    /// The chat.
    #[serde(flatten)]
    pub chat: ChatView,
    /// The newest message, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Box<MessageView>>,
}

/// One chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatGet {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
}
operation!(ChatGet => ListedChat, "chats/get", Read, "Tells how one chat stands.");

/// Changes how a chat is shown on all devices of the account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatArrange {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// What is to change.
    pub change: ChatChange,
}
operation!(ChatArrange => ArrangedView, "chats/arrange", Arrange,
    "Mutes, pins, archives, labels or marks a chat, on all devices of the account.");

/// What is to change about a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ChatChange {
    /// Silent for so many seconds; for ever where none is given.
    Mute {
        /// For how long.
        #[serde(default)]
        seconds: Option<u64>,
    },
    /// No longer silent.
    Unmute,
    /// At the top of the list.
    Pin,
    /// No longer at the top.
    Unpin,
    /// Among the archived ones.
    Archive,
    /// No longer archived.
    Unarchive,
    /// Read; the senders are told unless `quietly` is set.
    Read {
        /// Do not tell the senders.
        #[serde(default)]
        quietly: bool,
    },
    /// Marked as unread.
    Unread,
    /// With this label, by its id or name.
    Label {
        /// The label.
        label: String,
    },
    /// Without this label.
    Unlabel {
        /// The label.
        label: String,
    },
}

/// Deletes a chat's messages, for this account alone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatDelete {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// Keep the chat itself.
    #[serde(default)]
    pub keep_chat: bool,
    /// Keep messages with a star; only together with `keep_chat`.
    #[serde(default)]
    pub keep_starred: bool,
}
operation!(ChatDelete => ArrangedView, "chats/delete", Delete,
    "Deletes a chat or its messages, for this account alone.");

/// A change that the account's other devices learn of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ArrangedView {
    /// The chat: its number where that is known, else its address.
    pub chat: String,
    /// The chat's address.
    pub jid: String,
    /// What was changed, as words: `muted`, `archived`, …
    pub change: String,
    /// `done`, or `queued` until the phone gives the keys for it.
    pub state: String,
}
