//! The commands that read what is archived.

use clap::Args;

use super::named::NamedChat;

/// `chats`.
#[derive(Debug, Args)]
pub(crate) struct ChatsArguments {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
    /// Only chats whose name or number holds this
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// Connect first and take in what has arrived
    #[arg(long)]
    pub(crate) sync: bool,
}

/// `messages`.
#[derive(Debug, Args)]
pub(crate) struct MessagesArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Show at most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
    /// Only messages before this date or time (2026-11-22, 2026-11-22T18:00)
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// Only messages from this date or time on
    #[arg(long, value_name = "TIME")]
    pub(crate) after: Option<String>,
    /// Show the messages' ids, by which other commands name them
    #[arg(long)]
    pub(crate) ids: bool,
    /// Connect first and take in what has arrived
    #[arg(long)]
    pub(crate) sync: bool,
}

/// `search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// Words that must all be there; "a phrase", begin*, -without
    pub(crate) query: String,
    /// Only this chat
    #[arg(long, value_name = "CHAT")]
    pub(crate) chat: Option<String>,
    /// Only from this person
    #[arg(long, value_name = "PERSON")]
    pub(crate) from: Option<String>,
    /// Only messages before this date or time
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// Only messages from this date or time on
    #[arg(long, value_name = "TIME")]
    pub(crate) after: Option<String>,
    /// Only this kind: text, image, video, audio, document, …
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only what was sent from this account
    #[arg(long, conflicts_with = "received")]
    pub(crate) sent: bool,
    /// Only what was received
    #[arg(long)]
    pub(crate) received: bool,
    /// Best matches first instead of newest first
    #[arg(long)]
    pub(crate) ranked: bool,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
    /// Go on where the page with this cursor ended
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// Show the messages' ids, by which other commands name them
    #[arg(long)]
    pub(crate) ids: bool,
    /// Exit with 1 if nothing was found
    #[arg(long)]
    pub(crate) exit_status: bool,
}

/// `contacts`.
#[derive(Debug, Args)]
pub(crate) struct ContactsArguments {
    /// Only people whose name or number holds this
    pub(crate) query: Option<String>,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
}

/// `labels`.
#[derive(Debug, Args)]
pub(crate) struct LabelsArguments {
    /// Show what has this label, by its id or name
    pub(crate) label: Option<String>,
}
