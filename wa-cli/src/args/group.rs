//! The commands about groups.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::named::{Lifetime, Switch};

/// `groups`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  wa-cli groups create 'Book club' Anna '+44 7700 900123'
  wa-cli groups add 'Book club' '+44 7700 900124'
  wa-cli groups settings 'Book club' --announce on
  wa-cli groups invite 'Book club'")]
pub(crate) enum GroupCommand {
    /// List the groups this account is in
    List,
    /// Show a group: who is in it and what it permits
    Info(NamedGroup),
    /// Make a group
    Create(CreateGroupArguments),
    /// Take people in
    Add(MembersArguments),
    /// Put people out
    Remove(MembersArguments),
    /// Make people admins
    Promote(MembersArguments),
    /// Make admins ordinary members
    Demote(MembersArguments),
    /// Change what a group is called
    Subject(SubjectArguments),
    /// Change what a group is said to be about
    Description(DescriptionArguments),
    /// Change a group's picture
    Photo(PhotoArguments),
    /// Change what a group permits
    Settings(SettingsArguments),
    /// Show the link by which people join
    Invite(InviteArguments),
    /// Join by a link
    Join(JoinArguments),
    /// Leave a group; its messages stay in the archive
    Leave(NamedGroup),
    /// Show who waits to be let in, and let them in or turn them down
    Requests(RequestsArguments),
}

/// A group.
#[derive(Debug, Args)]
pub(crate) struct NamedGroup {
    /// A group's name or JID
    pub(crate) group: String,
    /// Which of several of that name, as listed in the error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) pick: Option<u64>,
}

/// `groups create`.
#[derive(Debug, Args)]
pub(crate) struct CreateGroupArguments {
    /// What it is called
    pub(crate) subject: String,
    /// Who is in it besides this account
    #[arg(value_name = "PERSON")]
    pub(crate) people: Vec<String>,
    /// Only admins may write
    #[arg(long)]
    pub(crate) announce: bool,
    /// Only admins may change name, picture and description
    #[arg(long)]
    pub(crate) locked: bool,
    /// Admins have to let people in
    #[arg(long)]
    pub(crate) approval: bool,
    /// Messages disappear after this time
    #[arg(long, value_name = "TIME")]
    pub(crate) disappearing: Option<Lifetime>,
}

/// `groups add` and the like.
#[derive(Debug, Args)]
pub(crate) struct MembersArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// Who
    #[arg(required = true, value_name = "PERSON")]
    pub(crate) people: Vec<String>,
}

/// `groups subject`.
#[derive(Debug, Args)]
pub(crate) struct SubjectArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// The new name
    pub(crate) subject: String,
}

/// `groups description`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["text", "remove"]))]
pub(crate) struct DescriptionArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// The new description
    pub(crate) text: Option<String>,
    /// Take it away
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `groups photo`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "remove"]))]
pub(crate) struct PhotoArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// A square JPEG
    pub(crate) file: Option<PathBuf>,
    /// Take it away
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `groups settings`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("setting").required(true).multiple(true)
    .args(["announce", "locked", "approval", "disappearing", "add_members"]))]
pub(crate) struct SettingsArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// Whether only admins may write
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(crate) announce: Option<Switch>,
    /// Whether only admins may change name, picture and description
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(crate) locked: Option<Switch>,
    /// Whether admins have to let people in
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(crate) approval: Option<Switch>,
    /// After which time messages disappear
    #[arg(long, value_name = "TIME")]
    pub(crate) disappearing: Option<Lifetime>,
    /// Who may add people
    #[arg(long, value_name = "WHO")]
    pub(crate) add_members: Option<Adders>,
}

/// Who may add people to a group.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Adders {
    /// Admins alone
    Admins,
    /// Every member
    Everybody,
}

/// `groups invite`.
#[derive(Debug, Args)]
pub(crate) struct InviteArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// Make another link; the old one is void from then on
    #[arg(long)]
    pub(crate) reset: bool,
}

/// `groups join`.
#[derive(Debug, Args)]
pub(crate) struct JoinArguments {
    /// A link (chat.whatsapp.com/…), or its code
    pub(crate) link: String,
    /// Only show which group it is
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `groups requests`.
#[derive(Debug, Args)]
pub(crate) struct RequestsArguments {
    #[command(flatten)]
    pub(crate) group: NamedGroup,
    /// Let this person in; may be given several times
    #[arg(long, value_name = "PERSON")]
    pub(crate) approve: Vec<String>,
    /// Turn this person down; may be given several times
    #[arg(long, value_name = "PERSON")]
    pub(crate) reject: Vec<String>,
}
