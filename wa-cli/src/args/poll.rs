//! The commands about polls.

use clap::Subcommand;

use super::named::NamedMessage;

/// `poll`.
#[derive(Debug, Subcommand)]
pub(crate) enum PollCommand {
    /// Show how a poll stands
    Show(NamedMessage),
}
