//! The commands about people, and about what this account shows of itself.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::named::NamedChat;

/// `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Phone numbers with their country codes
    #[arg(required = true, value_name = "NUMBER")]
    pub(crate) numbers: Vec<String>,
}

/// `block` and `unblock`.
#[derive(Debug, Args)]
pub(crate) struct BlockArguments {
    /// Who
    #[arg(required = true, value_name = "PERSON")]
    pub(crate) people: Vec<String>,
}

/// `typing`.
#[derive(Debug, Args)]
pub(crate) struct TypingArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Show as recording a voice message instead
    #[arg(long)]
    pub(crate) recording: bool,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) seconds: u64,
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Show what somebody shows of themselves; this account, if nobody is named
    Show(ProfileShowArguments),
    /// Change the name that others see
    Name(NameArguments),
    /// Change the "about" text
    About(AboutArguments),
    /// Change the picture
    Picture(PictureArguments),
}

/// `profile show`.
#[derive(Debug, Args)]
pub(crate) struct ProfileShowArguments {
    /// Who
    pub(crate) person: Option<String>,
    /// Which of several of that name, as listed in the error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) pick: Option<u64>,
}

/// `profile name`.
#[derive(Debug, Args)]
pub(crate) struct NameArguments {
    /// The name, at most 25 characters
    pub(crate) name: String,
}

/// `profile about`.
#[derive(Debug, Args)]
pub(crate) struct AboutArguments {
    /// The text, at most 139 characters
    pub(crate) text: String,
}

/// `profile picture`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "remove"]))]
pub(crate) struct PictureArguments {
    /// A square JPEG
    pub(crate) file: Option<PathBuf>,
    /// Take it away
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `privacy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PrivacyCommand {
    /// Show who sees and may do what
    Show,
    /// Change who sees or may do something
    Set(PrivacySetArguments),
}

/// `privacy set`.
#[derive(Debug, Args)]
pub(crate) struct PrivacySetArguments {
    /// What
    pub(crate) setting: PrivacySetting,
    /// Who
    pub(crate) value: PrivacyAudience,
}

/// What people see or may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrivacySetting {
    /// Who may add this account to groups
    Groups,
    /// Who sees when it was there last
    LastSeen,
    /// Who sees the "about" text
    About,
    /// Who sees the picture
    Picture,
    /// Whether others learn what was read (everybody or nobody)
    ReadReceipts,
    /// Who sees that it is there (everybody or as-last-seen)
    Online,
    /// Who may call
    Calls,
    /// Who may write
    Messages,
    /// Whether the account is protected more strictly (on or off)
    Defense,
    /// Who may use its stickers
    Stickers,
}

/// To whom it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrivacyAudience {
    /// Everybody
    Everybody,
    /// The contacts
    Contacts,
    /// The contacts but those on the list that the phone has
    ContactsExcept,
    /// Nobody
    Nobody,
    /// Those who see when the account was there last
    AsLastSeen,
    /// Those whom the account knows
    Known,
    /// On
    On,
    /// Off
    Off,
}
