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

/// A code in `--json`.
#[derive(Serialize)]
struct QrEvent<'a> {
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
    pub(super) fn show(&mut self, code: &str, expires_in: Duration) -> Result<(), Failure> {
        let seconds = expires_in.as_secs();
        if self.output.json {
            let event = QrEvent { event: "qr", code, expires_in: seconds };
            return Ok(self.output.object(&event)?);
        }
        if self.format == QrFormat::Text {
            return Ok(self.output.text(code)?);
        }
        let drawing = qr::half_blocks(code, self.output.interactive)
            .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
        self.clear();
        let text = format!("{HOW_TO}\n\n{drawing}");
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

const HOW_TO: &str =
    "Scan this with your phone: WhatsApp, Settings, Linked devices, Link a device.";
