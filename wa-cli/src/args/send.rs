//! The commands that send something new.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::named::NamedChat;

/// `send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wa-cli send '+44 7700 900123' 'See you at six'
  wa-cli send Family 'Thanks, @Anna!' --mention Anna
  wa-cli send Anna 'The harbour' --file harbour.jpg
  wa-cli send Anna --voice memo.m4a
  date | wa-cli send Anna -")]
pub(crate) struct SendArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The text, or what is said under the file; '-' reads it from standard input
    #[arg(required_unless_present_any = ["file", "voice"])]
    pub(crate) text: Option<String>,
    /// Send this file
    #[arg(long, value_name = "FILE", group = "attachment")]
    pub(crate) file: Option<PathBuf>,
    /// Send this recording as a voice message, made of it if it is none yet
    #[arg(long, value_name = "FILE", group = "attachment", conflicts_with = "text")]
    pub(crate) voice: Option<PathBuf>,
    /// What the file is sent as [default: as its content says]
    #[arg(long = "as", value_name = "KIND", requires = "file")]
    pub(crate) kind: Option<FileKind>,
    /// A picture, video or audio that can be looked at once
    #[arg(long, requires = "attachment")]
    pub(crate) view_once: bool,
    /// Mention this person, whom the text names as @PERSON; may be given several times
    #[arg(long, value_name = "PERSON")]
    pub(crate) mention: Vec<String>,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// What may be said about anything that is sent.
#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    /// Quote this message
    #[arg(long, value_name = "MESSAGE-ID")]
    pub(crate) reply_to: Option<String>,
    /// Sending again with the same key sends nothing and answers with the first message
    #[arg(long, value_name = "KEY")]
    pub(crate) id_key: Option<String>,
}

/// `location`.
#[derive(Debug, Args)]
pub(crate) struct LocationArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// Degrees north
    #[arg(allow_negative_numbers = true)]
    pub(crate) latitude: f64,
    /// Degrees east
    #[arg(allow_negative_numbers = true)]
    pub(crate) longitude: f64,
    /// What is there
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its address
    #[arg(long)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// `contact`.
#[derive(Debug, Args)]
pub(crate) struct ContactArguments {
    #[command(flatten)]
    pub(crate) chat: NamedChat,
    /// The name on the card
    pub(crate) name: String,
    /// The phone number on the card, with its country code
    pub(crate) number: String,
    #[command(flatten)]
    pub(crate) options: SendOptions,
}

/// What a file is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileKind {
    /// A picture
    Image,
    /// A video
    Video,
    /// A video (MP4) that loops without sound
    Gif,
    /// A round video
    VideoNote,
    /// An audio file
    Audio,
    /// A voice message: Opus in Ogg
    Voice,
    /// Any file, under its name
    Document,
    /// A sticker: WebP, 512 by 512 dots
    Sticker,
}
