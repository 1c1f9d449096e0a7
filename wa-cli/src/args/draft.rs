//! The commands about what was sent, what waits to be, and what may be.

use clap::{Args, Subcommand};
use wa_bridge::{ClientName, policy::PolicyList};

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

/// `clients`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each assistant has a name and a token of its own. A section [client.NAME] in policy.toml takes away
from what it may do; `wa-cli audit` names it.

Examples:
  wa-cli clients
  wa-cli clients revoke claude-desktop")]
pub(crate) struct ClientsArguments {
    #[command(subcommand)]
    pub(crate) command: Option<ClientCommand>,
}

/// What to do with the assistants that are let in.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// List the assistants that are let in
    List,
    /// Let an assistant in; prints the file with its token (`wa-mcp install` does it for the clients
    /// it knows)
    Add(NamedClient),
    /// Shut an assistant out, from its next call on
    Revoke(NamedClient),
}

/// An assistant.
#[derive(Debug, Args)]
pub(crate) struct NamedClient {
    /// Its name, as `clients list` shows it
    pub(crate) name: ClientName,
}

/// `audit`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    /// Show at most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
    /// Only those before the one with this number
    #[arg(long, value_name = "SEQ")]
    pub(crate) before: Option<u64>,
}

/// What else to do with the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no entry was changed or taken out
    Verify(VerifyArguments),
}

/// `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The hash that an earlier run told: the entry it stands for must still be there
    #[arg(long, value_name = "HASH")]
    pub(crate) holds: Option<String>,
}

/// `policy`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) command: Option<PolicyCommand>,
}

/// What is done with the policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Put a person or chat into a list of the policy
    Add(PolicyAddArguments),
}

/// `policy add`.
#[derive(Debug, Args)]
#[command(after_help = "\
People are written by number and groups by address, with the name as a comment: names change, and
others can take them.

Examples:
  wa-cli policy add read.except Mum
  wa-cli policy add write.chats Allotment")]
pub(crate) struct PolicyAddArguments {
    /// The list: read.chats, read.except, write.chats or write.except
    pub(crate) list: PolicyList,
    #[command(flatten)]
    pub(crate) chat: super::NamedChat,
}
