//! The commands that read what is archived.

use clap::{Args, Subcommand, ValueEnum};

use super::named::{NamedChat, NamedMessage};

/// `chats`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  wa-cli chats --query family
  wa-cli chats mute Family --for 8h
  wa-cli chats archive '+44 7700 900123'
  wa-cli chats star Anna 3EB0C0FFEE"
)]
pub(crate) struct ChatsArguments {
    #[command(subcommand)]
    pub(crate) command: Option<ChatsCommand>,
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

/// `chats …`: all devices of the account follow.
#[derive(Debug, Subcommand)]
pub(crate) enum ChatsCommand {
    /// Make a chat silent
    Mute(MuteArguments),
    /// End the silence of a chat
    Unmute(NamedChat),
    /// Pin a chat
    Pin(NamedChat),
    /// Take a chat's pin away
    Unpin(NamedChat),
    /// Archive a chat
    Archive(NamedChat),
    /// Bring a chat back from the archived ones
    Unarchive(NamedChat),
    /// Mark a chat as read
    Read(ReadArguments),
    /// Mark a chat as unread
    Unread(NamedChat),
    /// Put a star on a message
    Star(NamedMessage),
    /// Take a message's star off
    Unstar(NamedMessage),
    /// Put a label on a chat
    Label(LabelArguments),
    /// Take a label off a chat
    Unlabel(LabelArguments),
    /// Delete all messages of a chat, for this account alone
    Clear(ClearArguments),
    /// Delete a chat with its messages, for this account alone
    Delete(DeleteChatArguments),
}

/// `chats mute`.
#[derive(Debug, Args)]
pub(crate) struct MuteArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "always")]
    pub(crate) time: MuteTime,
}

/// For how long a chat is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MuteTime {
    /// Eight hours
    #[value(name = "8h")]
    Hours,
    /// A week
    #[value(name = "7d")]
    Week,
    /// Until it is told otherwise
    Always,
}

/// `chats read`.
#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Do not tell the senders
    #[arg(long)]
    pub(crate) quietly: bool,
}

/// `chats label` and `chats unlabel`.
#[derive(Debug, Args)]
pub(crate) struct LabelArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// A label's id or name, as `labels` shows it
    pub(crate) label: String,
}

/// `chats clear`.
#[derive(Debug, Args)]
pub(crate) struct ClearArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Keep messages with a star
    #[arg(long)]
    pub(crate) keep_starred: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `chats delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteChatArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}
