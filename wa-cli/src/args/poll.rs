//! The commands about polls.

use clap::{ArgGroup, Args, Subcommand};

use super::{
    named::{NamedChat, NamedMessage},
    send::SendOptions,
};

/// `poll`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  wa-cli poll create Family 'Pizza or pasta?' Pizza Pasta
  wa-cli poll vote Family 3EB0C0FFEE Pizza
  wa-cli poll show Family 3EB0C0FFEE")]
pub(crate) enum PollCommand {
    /// Ask a question
    Create(PollCreateArguments),
    /// Vote, in place of an earlier vote
    Vote(PollVoteArguments),
    /// Show how a poll stands
    Show(NamedMessage),
}

/// `poll create`.
#[derive(Debug, Args)]
pub(crate) struct PollCreateArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The question
    pub(crate) question: String,
    /// What can be chosen: two to twelve
    #[arg(required = true, value_name = "OPTION")]
    pub(crate) choices: Vec<String>,
    /// How many a vote may choose [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) selectable: Option<u32>,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// `poll vote`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["choices", "none"]))]
pub(crate) struct PollVoteArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// What is chosen, as the poll has it
    #[arg(value_name = "OPTION")]
    pub(crate) choices: Vec<String>,
    /// Take the vote back
    #[arg(long)]
    pub(crate) none: bool,
}
