//! `generate`: completions and the manual page, made from the command line's own description; and
//! the text that has a browser sign with a passkey.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{
    args::{Arguments, GenerateArguments, Generated},
    failure::{Cause, Failure},
    output::Output,
};

pub(crate) fn run(arguments: &GenerateArguments, output: &Output) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let mut printed = Vec::new();
    let shell = match arguments.what {
        Generated::Bash => Some(Shell::Bash),
        Generated::Zsh => Some(Shell::Zsh),
        Generated::Fish => Some(Shell::Fish),
        Generated::Powershell => Some(Shell::PowerShell),
        Generated::Man | Generated::PasskeyHelper => None,
    };
    if arguments.what == Generated::PasskeyHelper {
        return output.text(&wa_bridge::passkey_helper(None));
    }
    match shell {
        Some(shell) => generate(shell, &mut command, "wa-cli", &mut printed),
        None => clap_mangen::Man::new(command).render(&mut printed).map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot make the manual page: {error}"))
        })?,
    }
    output.text(&String::from_utf8_lossy(&printed))
}
