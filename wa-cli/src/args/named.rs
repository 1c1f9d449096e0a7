//! Chats, people and messages as they are named on the command line.

use clap::Args;

/// A chat.
#[derive(Debug, Args)]
pub(crate) struct NamedChat {
    /// A phone number with its country code, a JID, or the name of a contact or chat
    pub(crate) chat: String,
    /// Which of several of that name, as listed in the error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) pick: Option<u64>,
}

/// A message of a chat.
#[derive(Debug, Args)]
pub(crate) struct NamedMessage {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The message's id, as `messages CHAT --ids` shows it
    pub(crate) id: String,
}
