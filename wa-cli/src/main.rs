//! WhatsApp on the command line: what was typed, what was meant, and how it ended.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{
    args::{Arguments, ColorChoice},
    failure::{Cause, Failure},
    output::Output,
};

mod args;
mod commands;
mod confirm;
mod failure;
mod file;
mod output;
mod passphrase;
mod session;
mod signal;
mod view;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let output = Output::new(arguments.global.json, arguments.global.color);
    log(arguments.global.verbose);
    match run(&arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let failure = failure::in_own_words(failure);
            output.failure(&failure);
            failure::to_exit_code(&failure)
        }
    }
}

/// Ends where the command line was not understood, or only asked for help.
fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nobody is left to tell if stdout is gone.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let failure = Failure::new(Cause::Usage, first.trim_start_matches("error: "))
            .remedy("see: wa-cli --help");
        Output::new(true, ColorChoice::Never).failure(&failure);
    } else {
        let _ = error.print();
    }
    ExitCode::from(failure::exit_code(Cause::Usage))
}

/// Sends what the libraries tell about themselves to stderr, if that was asked for.
fn log(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let ours = ["wa_cli", "wa_bridge", "wa_client", "wa_store", "wa_sim"];
    let filter = ours.map(|name| format!("{name}={level}")).join(",");
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Cause::Failed, format!("cannot start: {error}")))?;
    let result = runtime.block_on(commands::run(arguments, output));
    // Reads of the database end in order; a thread that waits for a line from the terminal may not.
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    result
}

/// How long what is still at work may take to end.
const SHUTDOWN_TIME: Duration = Duration::from_secs(1);
