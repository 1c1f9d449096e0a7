//! The commands that send something new.

use clap::Args;

use super::named::NamedChat;

/// `send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wa-cli send '+44 7700 900123' 'See you at six'
  wa-cli send Family 'Thanks, @Anna!' --mention Anna
  date | wa-cli send Anna -")]
pub(crate) struct SendArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The text; '-' reads it from standard input
    pub(crate) text: String,
    /// Mention this person, whom the text names as @PERSON; may be given several times
    #[arg(long, value_name = "PERSON")]
    pub(crate) mention: Vec<String>,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// What may be said about anything that is sent.
#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    /// Quote this message
    #[arg(long, value_name = "MESSAGE-ID")]
    pub(crate) reply_to: Option<String>,
    /// Sending again with the same key sends nothing and answers with the first message
    #[arg(long, value_name = "KEY")]
    pub(crate) id_key: Option<String>,
}

/// `location`.
#[derive(Debug, Args)]
pub(crate) struct LocationArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Degrees north
    #[arg(allow_negative_numbers = true)]
    pub(crate) latitude: f64,
    /// Degrees east
    #[arg(allow_negative_numbers = true)]
    pub(crate) longitude: f64,
    /// What is there
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its address
    #[arg(long)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// `contact`.
#[derive(Debug, Args)]
pub(crate) struct ContactArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The name on the card
    pub(crate) name: String,
    /// The phone number on the card, with its country code
    pub(crate) number: String,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}
