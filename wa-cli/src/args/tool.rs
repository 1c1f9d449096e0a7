//! The commands that need no account.

use clap::{Args, ValueEnum};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    /// The text that has a browser sign with a passkey, for its console on web.whatsapp.com
    PasskeyHelper,
}
