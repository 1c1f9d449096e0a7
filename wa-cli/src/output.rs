//! Everything that is printed: data on stdout, all else on stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::{
    args::ColorChoice,
    failure::{self, Cause, Failure, FailureView},
};

pub(crate) mod qr;

/// How this run prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON object instead of text.
    pub(crate) json: bool,
    /// Escape sequences are welcome on stdout.
    pub(crate) color: bool,
    /// A person watches stderr.
    pub(crate) interactive: bool,
}

/// What `--json` prints in the end, whatever the command.
#[derive(Serialize)]
struct Envelope<'a, T> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureView<'a>>,
}

impl Output {
    /// Works out how to print from what was typed and where it goes.
    pub(crate) fn new(json: bool, color: ColorChoice) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stdout().is_terminal() && !no_color,
        };
        Self { json, color: color && !json, interactive: io::stderr().is_terminal() && !json }
    }

    /// Prints a command's result: `json` as the envelope's data, or the text.
    pub(crate) fn result<T: Serialize>(&self, data: &T, text: &str) -> Result<(), Failure> {
        if self.json {
            return self.object(&Envelope { ok: true, data: Some(data), error: None });
        }
        self.text(text)
    }

    /// Prints one JSON object on a line of its own.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(object);
        self.text(&text.map_err(|error| unwritten(&error))?)
    }

    /// Prints text on stdout and ends its last line, whatever the format. Where nobody reads on,
    /// as `head` does not, nothing is wrong.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let mut stdout = io::stdout().lock();
        let printed = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(|error| unwritten(&error)),
        }
    }

    /// Tells a person what is going on, on stderr; says nothing with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// Writes to stderr as it is.
    pub(crate) fn stderr(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        // Nobody is left to tell if stderr is gone.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Reports a failure: one line on stderr, and with `--json` an object on stdout.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            // Nobody is left to tell if stdout is gone.
            let error = Some(FailureView::new(failure));
            let _ = self.object(&Envelope::<()> { ok: false, data: None, error });
        }
        self.stderr(&format!("{}\n", failure::line(failure)));
    }

    /// Marks text as bold where colour is welcome.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Marks text as secondary where colour is welcome.
    pub(crate) fn dim(&self, text: &str) -> String {
        if self.color { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Cause::Failed, format!("cannot write the output: {error}"))
}
