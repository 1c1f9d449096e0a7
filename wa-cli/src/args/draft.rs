//! The commands about what was sent, what waits to be, and what may be.

use clap::{Args, Subcommand};

/// `drafts`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
What an assistant wants to send to somebody new waits here until a person agrees.

Examples:
  wa-cli drafts list
  wa-cli drafts approve 1f0c9a3e")]
pub(crate) enum DraftCommand {
    /// List the messages that wait for you to agree
    List,
    /// Show a message that waits, and send it
    Approve(ApproveArguments),
    /// Drop a message that waits; it is not sent
    Cancel(NamedDraft),
}

/// A draft.
#[derive(Debug, Args)]
pub(crate) struct NamedDraft {
    /// The draft's id, as `drafts list` shows it
    pub(crate) id: String,
}

/// `drafts approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    #[command(flatten)]
    pub(crate) draft: NamedDraft,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `outbox`.
#[derive(Debug, Args)]
pub(crate) struct OutboxArguments {
    /// A message's id, or the --id-key it was sent with
    pub(crate) id: String,
}

/// `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Show at most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
    /// Only those before the one with this number
    #[arg(long, value_name = "SEQ")]
    pub(crate) before: Option<u64>,
}
