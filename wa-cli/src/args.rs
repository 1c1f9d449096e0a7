//! What was typed: the command line as clap reads it, before anything is looked up.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// WhatsApp on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "wa-cli",
    version,
    about = "WhatsApp on the command line: link, send, read and search",
    long_about = "WhatsApp on the command line: link, send, read and search.\n\nUnofficial. WhatsApp may restrict accounts that misuse unofficial clients.",
    after_help = EXIT_CODES,
    after_long_help = EXAMPLES_AND_EXIT_CODES,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 cancelled, 4 not linked, 5 offline or timed out, 6 locked, 130 interrupted";

const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  wa-cli demo                                   two people talk; no phone, no network
  wa-cli link                                   link this machine to your phone
  wa-cli send '+44 7700 900123' 'See you at six'
  date | wa-cli send Anna -
  wa-cli search --chat Anna 'train ticket'
  wa-cli messages Anna --limit 20 --json

Exit codes:
  0 done, 1 failed, 2 usage, 3 cancelled, 4 not linked, 5 offline or timed out, 6 locked, 130 interrupted

Environment:
  WA_PROFILE                     names the account, as --profile does
  WA_SERVER_URL, WA_NOISE_ROOT   point the client at a loopback server (URL, hexadecimal key)
  NO_COLOR                       prints without colour";

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// Print JSON on stdout: {"ok":true,"data":…} or {"ok":false,"error":…}
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Which account: letters, digits, '-' and '_'
    #[arg(long, global = true, value_name = "NAME", default_value = "default", env = "WA_PROFILE")]
    pub(crate) profile: String,
    /// Keep the account in this folder instead of the profile's own
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Read the database key (64 hexadecimal digits) from this file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Give up waiting for the server after this many seconds [default: 60; for link, until the
    /// last code expires]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: Option<u64>,
    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Say on stderr what is going on; twice for more. Never shows texts, numbers or keys
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl GlobalArguments {
    /// How long to wait for the server.
    pub(crate) fn timeout(&self) -> Duration {
        self.given_timeout().unwrap_or(DEFAULT_TIMEOUT)
    }

    /// How long to wait for the server, if that was said.
    pub(crate) fn given_timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Link this machine to your phone by a QR code
    Link(LinkArguments),
    /// Send a text message
    Send(SendArguments),
    /// List the chats, the latest first
    Chats(ChatsArguments),
    /// Show the messages of a chat
    Messages(MessagesArguments),
    /// Find messages by words
    Search(SearchArguments),
    /// Tell which account is linked, and how much is kept
    Status(StatusArguments),
    /// Unlink this machine
    Logout(LogoutArguments),
    /// Watch two people talk over a WhatsApp that runs in this process
    Demo(DemoArguments),
    /// Print shell completions or the manual page
    Generate(GenerateArguments),
}

/// `link`.
#[derive(Debug, Args)]
pub(crate) struct LinkArguments {
    /// How to show the codes
    #[arg(long, value_name = "FORMAT", default_value = "half-block")]
    pub(crate) qr_format: QrFormat,
    /// The name the phone shows for this device
    #[arg(long, value_name = "NAME")]
    pub(crate) device_name: Option<String>,
}

/// How to show a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QrFormat {
    /// Half blocks on stderr, to be scanned from the terminal
    HalfBlock,
    /// The text of each code on a line of its own on stdout
    Text,
}

/// `send`.
#[derive(Debug, Args)]
pub(crate) struct SendArguments {
    /// A phone number with its country code, a JID, or the name of a contact or chat
    pub(crate) recipient: String,
    /// The text; '-' reads it from standard input
    pub(crate) text: String,
    /// Quote this message
    #[arg(long, value_name = "MESSAGE-ID")]
    pub(crate) reply_to: Option<String>,
    /// Sending again with the same key sends nothing and answers with the first message
    #[arg(long, value_name = "KEY")]
    pub(crate) id_key: Option<String>,
    /// Which of several people of that name, as listed in the error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) pick: Option<u64>,
}

/// `chats`.
#[derive(Debug, Args)]
pub(crate) struct ChatsArguments {
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
    /// Only chats whose name or number holds this
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// Connect first and take in what has arrived
    #[arg(long)]
    pub(crate) sync: bool,
}

/// `messages`.
#[derive(Debug, Args)]
pub(crate) struct MessagesArguments {
    /// A phone number with its country code, a JID, or the name of a contact or chat
    pub(crate) chat: String,
    /// Show at most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
    /// Only messages before this date or time (2026-11-22, 2026-11-22T18:00)
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// Only messages from this date or time on
    #[arg(long, value_name = "TIME")]
    pub(crate) after: Option<String>,
    /// Which of several chats of that name, as listed in the error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) pick: Option<u64>,
    /// Connect first and take in what has arrived
    #[arg(long)]
    pub(crate) sync: bool,
}

/// `search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// Words that must all be there; "a phrase", begin*, -without
    pub(crate) query: String,
    /// Only this chat
    #[arg(long, value_name = "CHAT")]
    pub(crate) chat: Option<String>,
    /// Only from this person
    #[arg(long, value_name = "PERSON")]
    pub(crate) from: Option<String>,
    /// Only messages before this date or time
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<String>,
    /// Only messages from this date or time on
    #[arg(long, value_name = "TIME")]
    pub(crate) after: Option<String>,
    /// Only this kind: text, image, video, audio, document, …
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only what was sent from this account
    #[arg(long, conflicts_with = "received")]
    pub(crate) sent: bool,
    /// Only what was received
    #[arg(long)]
    pub(crate) received: bool,
    /// Best matches first instead of newest first
    #[arg(long)]
    pub(crate) ranked: bool,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) limit: u64,
    /// Go on where the page with this cursor ended
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// Exit with 1 if nothing was found
    #[arg(long)]
    pub(crate) exit_status: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Connect, to see whether the link still holds
    #[arg(long)]
    pub(crate) online: bool,
}

/// `logout`.
#[derive(Debug, Args)]
pub(crate) struct LogoutArguments {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Delete the archive of messages too
    #[arg(long)]
    pub(crate) delete_archive: bool,
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Who plays; the same seed gives the same people with the same phones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// `generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// What to print
    pub(crate) what: Generated,
}

/// What `generate` prints.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Generated {
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// Completions for PowerShell
    Powershell,
    /// The manual page
    Man,
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
