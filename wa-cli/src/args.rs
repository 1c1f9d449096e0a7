//! What was typed: the command line as clap reads it, before anything is looked up.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

mod account;
mod archive;
mod channel;
mod draft;
mod group;
mod history;
mod media;
mod message;
mod named;
mod people;
mod poll;
mod send;
mod serve;
mod tool;

pub(crate) use account::*;
pub(crate) use archive::*;
pub(crate) use channel::*;
pub(crate) use draft::*;
pub(crate) use group::*;
pub(crate) use history::*;
pub(crate) use media::*;
pub(crate) use message::*;
pub(crate) use named::*;
pub(crate) use people::*;
pub(crate) use poll::*;
pub(crate) use send::*;
pub(crate) use serve::*;
pub(crate) use tool::*;

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

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 cancelled, 4 not linked, 5 offline, timed out or too soon, 6 locked, 130 interrupted";

const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  wa-cli demo                                   two people talk; no phone, no network
  wa-cli link                                   link this machine to your phone
  wa-cli send '+44 7700 900123' 'See you at six'
  date | wa-cli send Anna -
  wa-cli search --chat Anna 'train ticket'
  wa-cli sync --follow --json                   every event, one object a line
  wa-cli serve                                  stay connected, and do what other commands ask
  wa-cli messages Anna --limit 20 --json

Names:
  A name with a ~ before it was chosen by the person who bears it, or by whoever names the
  group: it proves nothing about who they are. Names without one are your address book's.

Exit codes:
  0 done, 1 failed, 2 usage, 3 cancelled, 4 not linked, 5 offline, timed out or too soon, 6 locked, 130 interrupted

Environment:
  WA_PROFILE                     names the account, as --profile does
  WA_SERVER_URL, WA_NOISE_ROOT   point the client at a loopback server (URL, hexadecimal key)
  WA_MEDIA_CA                    trusts this authority to name media hosts (file in PEM form)
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
    /// Read the passphrase of the database key from this file, instead of asking
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
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
    /// Link this machine to your phone by a code
    Link(LinkArguments),
    /// Send a text or a file
    Send(SendArguments),
    /// Send a place
    Location(LocationArguments),
    /// Send a contact card
    Contact(ContactArguments),
    /// Questions with options to choose from
    #[command(subcommand)]
    Poll(PollCommand),
    /// Show in a chat that you write; the phone does not notify for as long
    Typing(TypingArguments),
    /// Put an emoji on a message
    React(ReactArguments),
    /// Change what an own message says
    Edit(EditArguments),
    /// Delete a message, for everyone or for this account alone
    Delete(DeleteArguments),
    /// Pass a message on to another chat
    Forward(ForwardArguments),
    /// Pin a message for everyone in the chat
    Pin(PinArguments),
    /// Take a message's pin away
    Unpin(NamedMessage),
    /// Let new messages of a chat disappear after a time
    Disappearing(DisappearingArguments),
    /// List the chats, the latest first, or change one
    Chats(ChatsArguments),
    /// Show the messages of a chat
    Messages(MessagesArguments),
    /// Find messages by words
    Search(SearchArguments),
    /// Files in messages
    #[command(subcommand)]
    Media(MediaCommand),
    /// Groups and who is in them
    #[command(subcommand)]
    Groups(GroupCommand),
    /// Channels and what is posted in them
    #[command(subcommand)]
    Channels(ChannelCommand),
    /// List the people who are known
    Contacts(ContactsArguments),
    /// Tell which numbers are on WhatsApp
    Check(CheckArguments),
    /// Block people
    Block(BlockArguments),
    /// Block people no longer
    Unblock(BlockArguments),
    /// List whom this account blocks
    Blocked,
    /// What people show of themselves, and this account's own of it
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Who sees and may do what
    #[command(subcommand)]
    Privacy(PrivacyCommand),
    /// List the labels, or what has one
    Labels(LabelsArguments),
    /// Take in what waits on the server
    Sync(SyncArguments),
    /// Own the account and serve every other command, until stopped
    Serve(ServeArguments),
    /// The past of the chats
    #[command(subcommand)]
    History(HistoryCommand),
    /// Messages of assistants that wait for you to agree
    #[command(subcommand)]
    Drafts(DraftCommand),
    /// Stop everything that assistants send, at once, until you release it
    Hold,
    /// Let assistants send again
    Release,
    /// Tell what became of a message that was sent
    Outbox(OutboxArguments),
    /// List what was sent, changed and refused, and who asked for it
    Audit(AuditArguments),
    /// Show what may be done with the account, and where that is written
    Policy(PolicyArguments),
    /// The assistants that are let in
    Clients(ClientsArguments),
    /// Look for what is wrong with the account on this machine, and tell what to do
    Doctor,
    /// The key of the database: where it is, and whether a passphrase opens it
    #[command(subcommand)]
    Key(KeyCommand),
    /// Tell which account is linked, and how much is kept
    Status(StatusArguments),
    /// Unlink this machine
    Logout(LogoutArguments),
    /// Watch people talk over a WhatsApp that runs in this process
    Demo(DemoArguments),
    /// Print shell completions or the manual page
    Generate(GenerateArguments),
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
