//! `generate`: completions and the manual page, made from the command line's own description.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{
    args::{Arguments, GenerateArguments, Generated},
    failure::{Cause, Failure},
};

pub(crate) fn run(arguments: &GenerateArguments) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let mut printed = Vec::new();
    let shell = match arguments.what {
        Generated::Bash => Some(Shell::Bash),
        Generated::Zsh => Some(Shell::Zsh),
        Generated::Fish => Some(Shell::Fish),
        Generated::Powershell => Some(Shell::PowerShell),
        Generated::Man => None,
    };
    let rendered = match shell {
        Some(shell) => {
            generate(shell, &mut command, "wa-cli", &mut printed);
            Ok(())
        }
        None => clap_mangen::Man::new(command).render(&mut printed),
    };
    rendered
        .and_then(|()| io::stdout().lock().write_all(&printed))
        .map_err(|error| Failure::new(Cause::Failed, format!("cannot print: {error}")))
}
