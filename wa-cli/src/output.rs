//! Everything that is printed: data on stdout, all else on stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::{args::ColorChoice, failure::Failure};

pub(crate) mod foreign;
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
    pub(crate) fn result(&self, data: &impl Serialize, text: &str) -> io::Result<()> {
        if self.json {
            return self.object(&json!({ "ok": true, "data": data }));
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    }

    /// Prints one JSON object on a line of its own.
    pub(crate) fn object(&self, object: &impl Serialize) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, object)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Prints a line of data on stdout, whatever the format.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{line}")?;
        stdout.flush()
    }

    /// Tells a person what is going on, on stderr; says nothing with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Reports a failure: an object on stdout with `--json`, else one line on stderr.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            let _ = self.object(&json!({ "ok": false, "error": failure }));
        } else {
            let _ = writeln!(io::stderr().lock(), "{}", failure.line());
        }
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
