//! The person's part where WhatsApp demands a passkey: they are told what to do, and what they
//! paste, or what comes as a file, is passed on.
//!
//! Knows nothing of how linking goes on after that.

use std::{
    io::{BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinHandle,
    time::sleep,
};
use wa_bridge::api::{LinkState, PasskeyAnswer, PasskeyCompared};

use crate::{
    failure::{Cause, Failure},
    session::Session,
};

/// How often a file is looked for.
const LOOK: Duration = Duration::from_millis(300);

/// The largest answer, in bytes; in life it has a thousand.
const MAX_ANSWER: u64 = 64 << 10;

/// Each line of what the helper shows, but for the last, has so many letters: no terminal takes an
/// answer as one line (1,024 bytes on some).
const LINE: usize = 64;

/// What is asked of the person, and where their words come from.
pub(super) struct Passkey<'a> {
    session: &'a Session<'a>,
    source: Source,
    step: Step,
    /// The lines of an answer so far.
    typed: String,
    /// What is being passed on; it is not lost where something else happens meanwhile.
    passing: Option<JoinHandle<Result<(), Failure>>>,
}

enum Step {
    Nothing,
    Answer,
    Compare,
}

/// Where answers come from.
enum Source {
    Nowhere,
    File { path: PathBuf, seen: Option<String> },
    Lines(Option<UnboundedReceiver<String>>),
}

impl<'a> Passkey<'a> {
    pub(super) fn new(session: &'a Session<'a>, file: Option<&Path>) -> Self {
        let is_typed = std::io::stdin().is_terminal() && !session.output.json;
        let source = match file {
            Some(path) if path != Path::new("-") => {
                Source::File { path: path.to_owned(), seen: None }
            }
            None if !is_typed => Source::Nowhere,
            _ => Source::Lines(None),
        };
        Self { session, source, step: Step::Nothing, typed: String::new(), passing: None }
    }

    /// Tells the person what is asked of them now.
    pub(super) fn show(&mut self, state: &LinkState) -> Result<(), Failure> {
        let output = self.session.output;
        self.typed.clear();
        let is_asked =
            matches!(state, LinkState::Passkey { .. } | LinkState::PasskeyCompare { .. });
        if let (true, Source::Lines(lines @ None)) = (is_asked, &mut self.source) {
            *lines = Some(read_lines());
        }
        match state {
            LinkState::Passkey { request, check, page, expires_in } => {
                self.step = Step::Answer;
                if output.json {
                    return output.object(&json!({ "event": "passkey", "request": request,
                        "check": check, "page": page, "expires_in": expires_in }));
                }
                output.note(&self.how_to_sign(request, check, page.as_deref(), *expires_in));
            }
            LinkState::PasskeyCompare { code, page, expires_in } => {
                self.step = Step::Compare;
                if output.json {
                    return output.object(&json!({ "event": "passkey_code", "code": code,
                        "page": page, "expires_in": expires_in }));
                }
                output.note(&format!(
                    "The passkey has signed. Does the phone show this code as well?\n\n    {code}\n"
                ));
                match (&self.source, page) {
                    (Source::Lines(_), _) => output.stderr("The same? [y/n] "),
                    (_, Some(page)) => output.note(&format!("Say so on this page: {page}")),
                    _ => {}
                }
            }
            LinkState::PasskeyAnswered => {
                self.step = Step::Nothing;
                if output.json {
                    return output.object(&json!({ "event": "passkey_answered" }));
                }
                output.note("The passkey has signed; keep WhatsApp open on the phone …");
            }
            _ => self.step = Step::Nothing,
        }
        Ok(())
    }

    fn how_to_sign(
        &self,
        request: &str,
        check: &str,
        page: Option<&str>,
        expires_in: u64,
    ) -> String {
        let minutes = expires_in.div_ceil(60);
        let here = page.map(|page| {
            format!("Open this page in a browser on this machine; it explains each step:\n\n    {page}\n\n")
        });
        let answer = match &self.source {
            Source::Lines(_) => {
                "Paste the answer on that page, or here, and press Enter:".to_owned()
            }
            Source::File { path, .. } => format!("Or write the answer to {}.", path.display()),
            Source::Nowhere => "The answer is taken on that page.".to_owned(),
        };
        format!(
            "WhatsApp asks for the passkey of this account before it links a device. It signs only\n\
             in your own browser, on WhatsApp's own site. You have about {minutes} minutes.\n\n\
             {}\
             In a browser on another machine: open https://web.whatsapp.com, paste what\n\
             wa-cli generate passkey-helper prints into the browser's console, and give it this\n\
             request code:\n\n    {request}\n\n\
             The helper must show this check code: {check}\n\
             Give the answer to nobody else: whoever has it may link a device to your account.\n\n\
             {answer}",
            here.unwrap_or_default()
        )
    }

    /// Waits for what the person says next, and passes it on; for ever where nothing is asked.
    /// Nothing is lost where this is not waited for to its end.
    pub(super) async fn pass_on(&mut self) -> Result<(), Failure> {
        loop {
            if let Some(passing) = &mut self.passing {
                let passed = passing.await;
                self.passing = None;
                let stopped = |_| Failure::new(Cause::Failed, "passing on the answer was stopped");
                return self.report(passed.map_err(stopped).and_then(|passed| passed));
            }
            let bridge = self.session.bridge.clone();
            let said = self.said().await;
            match self.step {
                Step::Nothing => {}
                Step::Answer => {
                    let answer = PasskeyAnswer { answer: said };
                    let call = async move { bridge.call(answer).await.map(drop) };
                    self.passing = Some(tokio::spawn(call));
                }
                Step::Compare => {
                    let same = match said.trim().to_lowercase().as_str() {
                        "y" | "yes" => true,
                        "n" | "no" => false,
                        _ => {
                            self.session.output.stderr("The same? [y/n] ");
                            continue;
                        }
                    };
                    let compared = PasskeyCompared { same };
                    let call = async move { bridge.call(compared).await.map(drop) };
                    self.passing = Some(tokio::spawn(call));
                }
            }
        }
    }

    /// The next thing that the person says, whole.
    async fn said(&mut self) -> String {
        match (&mut self.source, &self.step) {
            (Source::File { path, seen }, Step::Answer) => loop {
                let found = read_file(path);
                if let Some(text) = found.filter(|text| seen.as_ref() != Some(text)) {
                    *seen = Some(text.clone());
                    return text;
                }
                sleep(LOOK).await;
            },
            (Source::Lines(Some(lines)), Step::Answer | Step::Compare) => loop {
                let Some(line) = lines.recv().await else { return std::future::pending().await };
                let (line, is_answer) = (line.trim(), matches!(self.step, Step::Answer));
                self.typed.push_str(line);
                let is_whole = match self.typed.starts_with('{') {
                    true => self.typed.matches('{').count() == self.typed.matches('}').count(),
                    false => !is_answer || line.len() != LINE,
                };
                if is_whole && !self.typed.is_empty() {
                    return std::mem::take(&mut self.typed);
                }
            },
            _ => std::future::pending().await,
        }
    }

    /// What was wrong with an answer that may be given again is told; anything else ends the link.
    fn report(&self, passed: Result<(), Failure>) -> Result<(), Failure> {
        let Err(failure) = passed else { return Ok(()) };
        if failure.cause != Cause::Usage {
            return Err(failure);
        }
        let output = self.session.output;
        if output.json {
            return output.object(&json!({ "event": "passkey_refused", "error": failure }));
        }
        output.note(&failure.to_string());
        if let Source::Lines(_) = self.source {
            output.note("Paste the answer again, and press Enter:");
        }
        Ok(())
    }
}

/// What a file holds, if it is there and a text of a plausible length.
fn read_file(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(MAX_ANSWER).read_to_string(&mut text).ok()?;
    (!text.trim().is_empty()).then_some(text)
}

/// The lines of standard input as they come. The thread may wait for one when the process ends.
fn read_lines() -> UnboundedReceiver<String> {
    let (lines, read) = unbounded_channel();
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = String::new();
            match stdin.by_ref().take(MAX_ANSWER).read_line(&mut line) {
                Ok(length) if length > 0 && lines.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    read
}
