//! WhatsApp on the command line: what was typed, what was meant, and how it ended.

use std::process::ExitCode;

use clap::Parser;

use crate::{
    account::{Access, OpenAccount},
    args::{Arguments, Command},
    failure::{Cause, Failure},
    output::Output,
};

mod account;
mod args;
mod commands;
mod failure;
mod moment;
mod output;
mod plan;
mod view;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.global.json, arguments.global.color);
    match run(&arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.to_exit_code()
        }
    }
}

fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Cause::Failed, format!("cannot start: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            result = dispatch(arguments, output) => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Cause::Interrupted, "interrupted")),
        }
    })
}
