//! Asking before something is done that cannot be undone.

use std::io::{self, IsTerminal};

use crate::{
    failure::{Cause, Failure},
    output::Output,
};

/// Asks, if there is somebody to answer.
pub(crate) async fn ask(what: &str, output: &Output) -> Result<(), Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::new(Cause::Cancelled, "nobody is there to confirm it")
            .remedy("confirm with --yes"));
    }
    output.stderr(&format!("{what}? [y/N] "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    })
    .await
    .ok()
    .and_then(Result::ok)
    .unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Cause::Cancelled, "nothing was done")),
    }
}
