//! The commands about channels.

use clap::{Args, Subcommand};

/// `channels`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
To post in a channel of your own, send to its JID.

Examples:
  wa-cli channels info https://whatsapp.com/channel/0029Va…
  wa-cli channels follow 120363000000000001@newsletter
  wa-cli channels messages News --count 20
  wa-cli send 120363000000000001@newsletter 'Low water' --file tide.jpg")]
pub(crate) enum ChannelCommand {
    /// List the channels this account follows
    List,
    /// Show what a channel says of itself
    Info(NamedChannel),
    /// Follow a channel
    Follow(NamedChannel),
    /// Follow a channel no longer
    Unfollow(NamedChannel),
    /// Show the newest posts
    Messages(PostsArguments),
}

/// A channel.
#[derive(Debug, Args)]
pub(crate) struct NamedChannel {
    /// A channel's JID, link or name
    pub(crate) channel: String,
}

/// `channels messages`.
#[derive(Debug, Args)]
pub(crate) struct PostsArguments {
    #[command(flatten)]
    pub(crate) channel: NamedChannel,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) count: u32,
}
