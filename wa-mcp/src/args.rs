//! What was typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use wa_bridge::ClientName;

use crate::tools::Toolset;

/// WhatsApp for Claude and other assistants: an MCP server on standard input and output.
#[derive(Debug, Parser)]
#[command(
    name = "wa-mcp",
    version,
    about = "An MCP server for WhatsApp: read, search and send, with a person in control",
    after_help = "\
Examples:
  wa-mcp --demo                                  try it: a WhatsApp inside, no phone
  wa-mcp install --client claude-desktop         let Claude Desktop start it
  wa-mcp install --client claude-code --read-only
  wa-mcp --http 127.0.0.1:8931                   serve over HTTP instead

What may be sent, and to whom, is decided by policy.toml; see the README."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

/// What else it does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the configuration of an MCP client, keeping what is there
    Install(InstallArguments),
    /// Take this server out of the configuration of an MCP client
    Uninstall(UninstallArguments),
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArguments {
    /// Offer only tools that change nothing; nothing can be sent through this server
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Offer only these sets of tools
    #[arg(long, value_name = "SETS", value_delimiter = ',')]
    pub(crate) toolsets: Vec<Toolset>,
    /// Never offer these tools
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    pub(crate) exclude_tools: Vec<String>,
    /// Have a person agree at least this often before something is sent
    #[arg(long, value_name = "WHEN")]
    pub(crate) confirm: Option<ConfirmWhen>,
    /// Only people in the address book, and groups
    #[arg(long)]
    pub(crate) contacts_only: bool,
    /// Which account: letters, digits, '-' and '_'
    #[arg(long, value_name = "NAME", default_value = "default", env = "WA_PROFILE")]
    pub(crate) profile: String,
    /// Ask as this assistant, which `install` let in: the policy may have a section for it, the audit
    /// names it, and its token can be revoked
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<ClientName>,
    /// The account's folder, instead of the profile's own
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Read the database key (64 hexadecimal digits) from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Read the passphrase of the database key from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Let the person send or drop drafts in a browser, at this address of the machine itself, path
    /// /drafts, for as long as this process owns the account
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) page: Option<SocketAddr>,
    /// Serve over Streamable HTTP at this address of the machine itself, path /mcp
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// The file with the token that HTTP clients need; made if it is not there
    #[arg(long, value_name = "FILE", requires = "http")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve an account with a WhatsApp that runs inside, to try it without a phone
    #[arg(long, conflicts_with_all = ["store", "key_file", "passphrase_file"])]
    pub(crate) demo: bool,
    /// Say on stderr what is going on; never shows texts, numbers or keys
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// How often a person has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfirmWhen {
    /// Before every message
    Always,
    /// Before the first message of a chat
    NewChats,
}

/// The MCP clients whose configuration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum McpClient {
    /// Claude Desktop
    ClaudeDesktop,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// Visual Studio Code
    Vscode,
}

/// `install`.
#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    /// Which client
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: McpClient,
    /// The name under which the client knows the server
    #[arg(long, value_name = "NAME", default_value = "whatsapp")]
    pub(crate) name: String,
    /// Have the client start it with --read-only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Have the client start it with --page at this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) page: Option<SocketAddr>,
    /// Which account the client is to have
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The client's configuration file, where it is not in its usual place
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only print what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `uninstall`.
#[derive(Debug, Args)]
pub(crate) struct UninstallArguments {
    /// Which client
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: McpClient,
    /// The name under which the client knows the server
    #[arg(long, value_name = "NAME", default_value = "whatsapp")]
    pub(crate) name: String,
    /// The client's configuration file, where it is not in its usual place
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
