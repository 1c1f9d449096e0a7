//! `link`: codes are shown until the phone scans one, the passkey signs where WhatsApp demands it,
//! then the new device logs in once.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wa_bridge::{
    api::{AccountView, HistoryWanted as Wanted, Link, LinkState, LinkView},
    ending,
};

use crate::{
    args::{HistoryWanted, LinkArguments},
    failure::{Cause, Failure},
    session::Session,
    view::account,
};

mod passkey;
mod screen;

use passkey::Passkey;
use screen::{Code, Screen};

/// How long one question for the next thing to show may take; it comes back sooner.
const POLL: Duration = Duration::from_secs(40);

pub(crate) async fn run(arguments: &LinkArguments, session: &Session<'_>) -> Result<(), Failure> {
    let mut screen = Screen::new(arguments.qr_format, *session.output);
    let linked = show_until_linked(arguments, &mut screen, session).await;
    screen.clear();
    let (account, already) = linked?;
    let who = account::who(&account);
    let text =
        if already { format!("already linked as {who}") } else { format!("linked as {who}") };
    let data = json!({ "already_linked": already, "account": account });
    session.output.result(&data, &text)
}

/// Shows each code as it comes, until a phone has linked this device and it has logged in; as whom,
/// and whether it was linked before.
async fn show_until_linked(
    arguments: &LinkArguments,
    screen: &mut Screen,
    session: &Session<'_>,
) -> Result<(AccountView, bool), Failure> {
    let limit = session.global.given_timeout();
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut progress = Progress::default();
    let mut passkey = Passkey::new(session, arguments.passkey_answer.as_deref());
    loop {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(progress.timed_out(limit.unwrap_or_default()));
        }
        let link = Link {
            phone: arguments.phone.clone(),
            history: wanted(arguments.history),
            device_name: arguments.device_name.clone(),
            after: progress.seen,
        };
        let asked = session.bridge.call_within(link, left.unwrap_or(POLL).min(POLL));
        let view = counting_down(screen, &mut passkey, asked).await?;
        if progress.seen == Some(view.revision) {
            continue;
        }
        if let LinkState::Linked { account, already } = view.state {
            return Ok((account, already));
        }
        progress.show(&view, screen, session)?;
        passkey.show(&view.state)?;
    }
}

/// Waits for an answer; counts down below the code meanwhile, and passes on what the person says.
async fn counting_down(
    screen: &mut Screen,
    passkey: &mut Passkey<'_>,
    asked: impl Future<Output = Result<LinkView, Failure>>,
) -> Result<LinkView, Failure> {
    let mut asked = std::pin::pin!(asked);
    loop {
        tokio::select! {
            answer = &mut asked => return answer,
            () = screen.tick() => {}
            passed = passkey.pass_on() => passed?,
        }
    }
}

/// How far linking has come.
#[derive(Debug, Default)]
struct Progress {
    /// What was shown last.
    seen: Option<u64>,
    /// A code waits for somebody to take it to the phone.
    waits_for_a_scan: bool,
    /// The passkey is to sign.
    waits_for_the_passkey: bool,
}

impl Progress {
    fn show(
        &mut self,
        view: &LinkView,
        screen: &mut Screen,
        session: &Session<'_>,
    ) -> Result<(), Failure> {
        self.seen = Some(view.revision);
        let output = session.output;
        self.waits_for_the_passkey = matches!(view.state, LinkState::Passkey { .. });
        match &view.state {
            LinkState::Scan { code, expires_in } => {
                self.waits_for_a_scan = true;
                screen.show(Code::Scanned(code), Duration::from_secs(*expires_in))?;
            }
            LinkState::Type { code, expires_in } => {
                self.waits_for_a_scan = true;
                screen.show(Code::Typed(code), Duration::from_secs(*expires_in))?;
            }
            LinkState::PhoneTooOld => {
                screen.clear();
                output.note("that phone's WhatsApp is too old to link devices; update it");
            }
            LinkState::Passkey { .. } | LinkState::PasskeyCompare { .. } => {
                self.waits_for_a_scan = false;
                screen.clear();
            }
            LinkState::Accepted => {
                self.waits_for_a_scan = false;
                screen.clear();
                output.note("The phone has accepted this device; logging in …");
                if output.json {
                    output.object(&json!({ "event": "paired" }))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn timed_out(&self, limit: Duration) -> Failure {
        if self.waits_for_a_scan {
            return ending::not_scanned();
        }
        if self.waits_for_the_passkey {
            let message = format!("the passkey did not sign within {} seconds", limit.as_secs());
            return Failure::new(Cause::TimedOut, message)
                .remedy("have the browser ready, and try again with more --timeout");
        }
        let message = format!("nothing came from the server within {} seconds", limit.as_secs());
        Failure::new(Cause::TimedOut, message).remedy("try again, or give more --timeout")
    }
}

const fn wanted(wanted: HistoryWanted) -> Wanted {
    match wanted {
        HistoryWanted::None => Wanted::None,
        HistoryWanted::Recent => Wanted::Recent,
        HistoryWanted::Full => Wanted::Full,
    }
}
