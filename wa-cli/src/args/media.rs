//! The commands about files in messages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::named::NamedMessage;

/// `media`.
#[derive(Debug, Subcommand)]
pub(crate) enum MediaCommand {
    /// Download the file of a message
    Download(DownloadArguments),
}

/// `media download`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is ever replaced, and only this user can read what was downloaded. The sender's name for
the file is used as far as it is harmless.

Examples:
  wa-cli media download Anna 3EB0C0FFEE
  wa-cli media download Anna 3EB0C0FFEE --output cat.jpg")]
pub(crate) struct DownloadArguments {
    #[command(flatten)]
    pub(crate) message: NamedMessage,
    /// Write to this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write into this folder, under the sender's name for it [default: the current one]
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    pub(crate) folder: Option<PathBuf>,
}
