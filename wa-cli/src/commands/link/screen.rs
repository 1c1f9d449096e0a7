//! Codes on the screen: drawn, counted down, and replaced in place where that is possible.
//!
//! Knows nothing of linking.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::{
    args::QrFormat,
    failure::{Cause, Failure},
    output::{Output, qr},
};

/// Where codes are shown.
pub(super) struct Screen {
    format: QrFormat,
    output: Output,
    shown: Option<Shown>,
}

/// A code, and what is to be done with it.
pub(super) enum Code<'a> {
    /// The phone's camera reads it.
    Scanned(&'a str),
    /// A person types it into the phone.
    Typed(&'a str),
}

/// A code in `--json`.
#[derive(Serialize)]
struct CodeEvent<'a> {
    event: &'static str,
    code: &'a str,
    /// In seconds.
    expires_in: u64,
}

/// A code that stands on the screen and is counted down below.
struct Shown {
    /// How many lines it takes, the countdown aside.
    lines: usize,
    until: Instant,
    next_tick: Instant,
}

impl Screen {
    pub(super) fn new(format: QrFormat, output: Output) -> Self {
        Self { format, output, shown: None }
    }

    /// Shows a code in place of the one before.
    pub(super) fn show(&mut self, code: Code, expires_in: Duration) -> Result<(), Failure> {
        let seconds = expires_in.as_secs();
        let (event, text) = match code {
            Code::Scanned(text) => ("qr", text),
            Code::Typed(text) => ("pairing_code", text),
        };
        if self.output.json {
            return self.output.object(&CodeEvent { event, code: text, expires_in: seconds });
        }
        if self.format == QrFormat::Text {
            return self.output.text(text);
        }
        let text = match code {
            Code::Typed(text) => format!("{HOW_TO_TYPE}\n\n    {text}\n\n"),
            Code::Scanned(text) => {
                let drawing = qr::half_blocks(text, self.output.interactive)
                    .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
                format!("{HOW_TO_SCAN}\n\n{drawing}")
            }
        };
        self.clear();
        self.output.stderr(&text);
        if self.output.interactive {
            let now = Instant::now();
            let (lines, until) = (text.lines().count(), now + expires_in);
            self.shown = Some(Shown { lines, until, next_tick: now });
        } else {
            self.output.note(&format!("valid for {seconds} seconds"));
        }
        Ok(())
    }

    /// Waits for the next second and counts down; for ever where nothing is counted.
    pub(super) async fn tick(&mut self) {
        let Some(shown) = &mut self.shown else { return std::future::pending().await };
        sleep_until(shown.next_tick).await;
        shown.next_tick += Duration::from_secs(1);
        let left = shown.until.saturating_duration_since(Instant::now());
        let left = left.as_secs_f64().round();
        self.output.stderr(&format!("\r\x1b[2Kvalid for {left} more seconds"));
    }

    /// Takes the code off the screen, so that nobody scans it later.
    pub(super) fn clear(&mut self) {
        if let Some(shown) = self.shown.take() {
            // To the first of its lines, then everything below.
            self.output.stderr(&format!("\r\x1b[{}A\x1b[J", shown.lines));
        }
    }
}

const HOW_TO_SCAN: &str =
    "Scan this with your phone: WhatsApp, Settings, Linked devices, Link a device.";

const HOW_TO_TYPE: &str = "Type this into your phone: WhatsApp, Settings, Linked devices, Link a device, Link with phone number instead.";
