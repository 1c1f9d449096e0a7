//! How the demo tells its story: one block a step for people, one object a step for scripts.
//!
//! Knows nothing of what happens in a step.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use wa_bridge::foreign;
use wa_store::Snippet;

use crate::{
    failure::{Cause, Failure},
    output::{Output, qr},
};

/// Where the steps are told.
pub(super) struct Stage {
    output: Output,
    started: Instant,
    step: Option<Step>,
    count: u32,
}

struct Step {
    name: &'static str,
    started: Instant,
}

/// A step in `--json`.
#[derive(Serialize)]
struct StepView<'a> {
    step: &'a str,
    ms: f64,
    #[serde(flatten)]
    facts: Value,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct EndView {
    ok: bool,
    steps: u32,
    ms: f64,
}

impl Stage {
    pub(super) fn new(output: Output) -> Self {
        Self { output, started: Instant::now(), step: None, count: 0 }
    }

    /// What comes before the first step.
    pub(super) fn title(&self, title: &str) -> Result<(), Failure> {
        self.text(&format!("\n{}\n", self.output.bold(title)))
    }

    /// A step begins.
    pub(super) fn begin(&mut self, name: &'static str, title: &str) -> Result<(), Failure> {
        self.count += 1;
        self.step = Some(Step { name, started: Instant::now() });
        self.text(&format!("\n{:>2}  {}\n", self.count, self.output.bold(title)))
    }

    /// The step held; how long it took and what is known of it.
    pub(super) fn done(&mut self, facts: Value) -> Result<(), Failure> {
        let Some(step) = self.step.take() else { return Ok(()) };
        let ms = milliseconds(step.started);
        if self.output.json {
            return self.output.object(&StepView { step: step.name, ms, facts });
        }
        self.text(&format!("    {}\n", self.output.dim(&format!("ok, {ms:.0} ms"))))
    }

    /// All steps held.
    pub(super) fn close(self) -> Result<(), Failure> {
        let ms = milliseconds(self.started);
        let steps = self.count;
        if self.output.json {
            return self.output.object(&EndView { ok: true, steps, ms });
        }
        let all = format!("All {steps} steps held, in {:.1} seconds.", ms / 1_000.0);
        let next = "Now with your own phone: wa-cli link";
        self.text(&format!("\n{}\n{next}\n\n", self.output.bold(&all)))
    }

    /// Something worth knowing.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        self.text(&format!("    {}\n", text.trim_end()))
    }

    /// Somebody writes.
    pub(super) fn quote(&self, name: &str, text: &str) -> Result<(), Failure> {
        self.text(&format!("    {}  {}\n", self.output.bold(name), foreign::plain(text, " ")))
    }

    /// A code on a screen.
    pub(super) fn qr(&self, code: &str) -> Result<(), Failure> {
        let drawing = qr::half_blocks(code, self.output.color)
            .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
        let indented: String = drawing.lines().map(|line| format!("    {line}\n")).collect();
        self.text(&indented)
    }

    /// What a search found.
    pub(super) fn hit(&self, snippet: &Snippet, text: &str) -> Result<(), Failure> {
        let [open, close] = if self.output.color { ["\x1b[1;4m", "\x1b[0m"] } else { ["[", "]"] };
        self.text(&format!("    {}\n", snippet.marked(text, open, close)))
    }

    pub(super) fn output(&self) -> &Output {
        &self.output
    }

    fn text(&self, text: &str) -> Result<(), Failure> {
        if self.output.json { Ok(()) } else { self.output.text(text) }
    }
}

/// Ends the demo where something does not hold.
pub(super) fn hold(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(Cause::Failed, format!("it does not hold that {what}")))
    }
}

/// How long ago that was, to a tenth of a millisecond.
pub(super) fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
