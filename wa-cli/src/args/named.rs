//! Chats, people and messages as they are named on the command line.

use clap::{Args, ValueEnum};

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

/// How long messages live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lifetime {
    /// For ever
    Off,
    /// A day
    #[value(name = "24h")]
    Day,
    /// A week
    #[value(name = "7d")]
    Week,
    /// 90 days
    #[value(name = "90d")]
    Quarter,
}

impl Lifetime {
    /// In seconds; 0 is for ever.
    pub(crate) const fn seconds(self) -> u32 {
        const DAY: u32 = 24 * 60 * 60;
        match self {
            Self::Off => 0,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Quarter => 90 * DAY,
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// On
    On,
    /// Off
    Off,
}

impl Switch {
    pub(crate) const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}
