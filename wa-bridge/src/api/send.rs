//! What other people get.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SentView, operation};

/// Something new for a chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// What to send.
    pub what: Outgoing,
    /// The id of a message of the same chat that it answers.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// People who are mentioned, named as the text names them after an `@`.
    #[serde(default)]
    pub mention: Vec<String>,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// For how many seconds to wait for the server; 20 unless said. What was not sent by then
    /// stays queued.
    #[serde(default)]
    pub wait: Option<u64>,
}
operation!(SendMessage => SentView, "messages/send", Send, "Sends a text, a file, a place, a card or a poll.");

/// What is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Outgoing {
    /// A text.
    Text {
        /// The text; at most 65,536 bytes.
        text: String,
    },
    /// A file of this machine.
    File {
        /// Where it is.
        path: String,
        /// What is said of it.
        #[serde(default)]
        caption: Option<String>,
        /// What it is sent as; by its first bytes unless said.
        #[serde(default)]
        send_as: Option<FileKind>,
        /// The name the recipient sees; the file's own unless said.
        #[serde(default)]
        name: Option<String>,
        /// It can be looked at or listened to once.
        #[serde(default)]
        view_once: bool,
    },
    /// A voice message, made of a recording of this machine if it is none yet.
    Voice {
        /// Where it is.
        path: String,
        /// It can be listened to once.
        #[serde(default)]
        view_once: bool,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Its name.
        #[serde(default)]
        name: Option<String>,
        /// Its address.
        #[serde(default)]
        address: Option<String>,
    },
    /// A contact card.
    Contact {
        /// The name on it.
        name: String,
        /// The phone number on it, with its country code.
        number: String,
    },
    /// A question with options to choose from.
    Poll {
        /// What is asked.
        question: String,
        /// What can be chosen.
        options: Vec<String>,
        /// How many options a vote may choose; 1 unless said, 0 for any number.
        #[serde(default = "one")]
        selectable: u32,
    },
}

const fn one() -> u32 {
    1
}

/// What a file is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A video without sound that plays by itself.
    Gif,
    /// A round video.
    VideoNote,
    /// An audio file.
    Audio,
    /// A voice message: Opus in Ogg.
    Voice,
    /// A sticker: WebP.
    Sticker,
    /// Any file.
    Document,
}

/// Puts an emoji on a message.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct React {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// One emoji; empty to take the reaction back.
    pub emoji: String,
}
operation!(React => SentView, "messages/react", Send, "Puts an emoji on a message, or takes it off.");

/// Changes what an own message says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// What it says from now on.
    pub text: String,
    /// Also when the time for edits is over; others may not show it.
    #[serde(default)]
    pub even_if_late: bool,
}
operation!(Edit => SentView, "messages/edit", Send, "Changes what an own message says.");

/// Deletes a message for everyone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
}
operation!(Revoke => SentView, "messages/revoke", Delete, "Deletes a message for everyone.");

/// Passes a message on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The chat it is in: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// The chat it goes to.
    pub to: String,
}
operation!(Forward => SentView, "messages/forward", Send, "Passes a message on to another chat.");

/// Votes in a poll.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The poll's id.
    pub id: String,
    /// The options that are chosen, as the poll writes them; none to take the vote back.
    pub options: Vec<String>,
}
operation!(Vote => SentView, "polls/vote", Send, "Votes in a poll.");

/// Pins a message for everyone, or takes the pin away.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinMessage {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// For how many seconds: 86,400, 604,800 or 2,592,000; none to take the pin away.
    #[serde(default)]
    pub seconds: Option<u64>,
}
operation!(PinMessage => SentView, "messages/pin", Send,
    "Pins a message for everyone in the chat, or takes the pin away.");

/// Lets new messages of a chat disappear after a time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disappearing {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// After how many seconds; none to keep them.
    #[serde(default)]
    pub seconds: Option<u64>,
}
operation!(Disappearing => SentView, "chats/disappearing", Send,
    "Lets new messages of a chat disappear after a time.");

/// Shows in a chat that somebody writes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    /// The chat: an address, a phone number or a name.
    pub chat: String,
    /// As if a voice message were being recorded.
    #[serde(default)]
    pub recording: bool,
    /// For how long; 5 seconds unless said, 300 at most.
    #[serde(default)]
    pub seconds: Option<u64>,
}
operation!(Typing => TypedView, "chats/typing", Send,
    "Shows in a chat that somebody writes, for some seconds.");

/// For how long it was shown that somebody writes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TypedView {
    /// In seconds.
    pub seconds: u64,
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentGet {
    /// The message's id, or the idempotency key it was sent with.
    pub id: String,
}
operation!(SentGet => SentView, "outbox/get", Read, "Tells what became of a message that was sent.");
