//! The commands that bring the archive up to date.

use clap::{Args, Subcommand};

use super::named::NamedChat;

/// `sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wa-cli sync                         once, for a timer
  wa-cli sync --follow --json         one object a line for every event, until interrupted

Events with --json: {\"event\":\"message\",\"message\":{…}}, and others by their \"event\".")]
pub(crate) struct SyncArguments {
    /// Stay connected and tell what happens, until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
}

/// `history`.
#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Ask the phone for older messages of a chat
    Fetch(FetchArguments),
    /// Show where the archive is known to lack messages
    Gaps(GapsArguments),
}

/// `history gaps`.
#[derive(Debug, Args)]
pub(crate) struct GapsArguments {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
}

/// `history fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// How many; the phone may give fewer
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) count: u32,
}
