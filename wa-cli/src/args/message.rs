//! The commands about a message that is there already.

use clap::{ArgGroup, Args, ValueEnum};

use super::named::{Lifetime, NamedChat, NamedMessage};

/// `react`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["emoji", "remove"]))]
#[command(override_usage = "wa-cli react [OPTIONS] <CHAT> <ID> <EMOJI|--remove>")]
pub(crate) struct ReactArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// One emoji, in place of an earlier one
    pub(crate) emoji: Option<String>,
    /// Take the reaction back
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// What it says from now on; '-' reads it from standard input
    pub(crate) text: String,
    /// Try it after the 20 minutes in which clients show edits too
    #[arg(long)]
    pub(crate) even_if_late: bool,
}

/// `delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// Delete it on the devices of this account alone
    #[arg(long)]
    pub(crate) for_me: bool,
}

/// `forward`.
#[derive(Debug, Args)]
pub(crate) struct ForwardArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// The chat it goes to
    pub(crate) to: String,
}

/// `pin`.
#[derive(Debug, Args)]
pub(crate) struct PinArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "7d")]
    pub(crate) lifetime: PinLifetime,
}

/// How long a pin lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PinLifetime {
    /// A day
    #[value(name = "24h")]
    Day,
    /// A week
    #[value(name = "7d")]
    Week,
    /// 30 days
    #[value(name = "30d")]
    Month,
}

impl PinLifetime {
    /// In seconds.
    pub(crate) const fn seconds(self) -> u64 {
        const DAY: u64 = 24 * 60 * 60;
        match self {
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
        }
    }
}

/// `disappearing`.
#[derive(Debug, Args)]
pub(crate) struct DisappearingArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// After which time new messages disappear
    pub(crate) lifetime: Lifetime,
}
