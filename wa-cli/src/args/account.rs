//! The commands about the account as a whole: linking, looking, unlinking.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `link`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wa-cli link                                 scan the code with the phone
  wa-cli link --phone '+44 7700 900123'       type a code into the phone instead
  wa-cli link --qr-format text | qrencode -o code.png

If WhatsApp asks for the account's passkey, wa-cli shows the address of a page on this machine that
leads you through it. On a machine without a browser, run wa-cli generate passkey-helper for the text
that signs in a browser elsewhere, and paste its answer here.")]
pub(crate) struct LinkArguments {
    /// Show a code to type into the phone of this number, instead of one to scan
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    /// How to show the codes
    #[arg(long, value_name = "FORMAT", default_value = "half-block")]
    pub(crate) qr_format: QrFormat,
    /// How much of its past the phone is asked for
    #[arg(long, value_name = "HOW-MUCH", default_value = "recent")]
    pub(crate) history: HistoryWanted,
    /// The name the phone shows for this device
    #[arg(long, value_name = "NAME")]
    pub(crate) device_name: Option<String>,
    /// Where WhatsApp asks for the passkey: wait for what it signed in this file (- is standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) passkey_answer: Option<PathBuf>,
}

/// How to show a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum QrFormat {
    /// Half blocks on stderr, to be scanned from the terminal
    HalfBlock,
    /// The text of each code on a line of its own on stdout
    Text,
}

/// How much of its past the phone is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryWanted {
    /// No messages of the past
    None,
    /// What the phone gives unasked: some months
    Recent,
    /// Everything the phone has
    Full,
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

/// `key`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum KeyCommand {
    /// Tell where the key is
    Where,
    /// Seal the key with a passphrase, or with another one
    Passphrase {
        /// Read the new passphrase from this file, instead of asking
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Put the key into the desktop's keyring (needs a build with the feature keyring)
    Keyring,
    /// Put the key into a file again that only you can read
    File,
}
