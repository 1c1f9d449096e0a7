//! A link for which WhatsApp demands a passkey: which step it is at, and when a step has taken too
//! long. Knows nothing of who carries the request and the answer.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use wa_client::{Client, DisconnectReason, Event, PasskeyRequest};

use super::{Line, LineState};
use crate::{
    api::LinkState,
    failure::{Cause, Failure, remedy},
    passkey::{check_code, ended, not_asked, problem, read_answer, request_code},
};

/// How long the phone may take to go on after the passkey has signed.
const PHONE_TIME: Duration = Duration::from_secs(90);

/// How long a person may take to compare two codes.
const COMPARE_TIME: Duration = Duration::from_secs(5 * 60);

impl LineState {
    /// Takes in what happened to a link with a passkey.
    pub(super) fn take_in_passkey(&mut self, event: &Event) {
        match event {
            Event::PasskeyRequested { options } => match PasskeyRequest::parse(options) {
                Ok(request) => self.show_until(request.lifetime(), |expires_in| {
                    let (request, check) = (request_code(options), check_code(options));
                    LinkState::Passkey { request, check, page: None, expires_in }
                }),
                Err(error) => self.ended = Some(problem(&error, "")),
            },
            // Where it may be skipped, the phone knows this device by the code it took before.
            Event::PasskeyConfirmation { code, may_skip: false } => {
                self.show_until(COMPARE_TIME, |expires_in| LinkState::PasskeyCompare {
                    code: code.clone(),
                    page: None,
                    expires_in,
                });
            }
            Event::Disconnected { .. } if self.is_at_passkey() && self.ended.is_none() => {
                self.ended = Some(ended::lost());
            }
            _ => {}
        }
    }

    /// What is to be shown now; a code's time is what is left of it.
    pub(crate) fn shown(&self) -> Option<(u64, LinkState)> {
        let (revision, mut state) = self.link.clone()?;
        if let LinkState::Passkey { expires_in, .. } | LinkState::PasskeyCompare { expires_in, .. } =
            &mut state
            && let Some(until) = self.step_ends
        {
            *expires_in = until.saturating_duration_since(Instant::now()).as_secs();
        }
        Some((revision, state))
    }

    fn is_at_passkey(&self) -> bool {
        matches!(
            self.link,
            Some((
                _,
                LinkState::Passkey { .. }
                    | LinkState::PasskeyAnswered
                    | LinkState::PasskeyCompare { .. }
            ))
        )
    }

    fn show_until(&mut self, time: Duration, shown: impl FnOnce(u64) -> LinkState) {
        self.step_ends = Some(Instant::now() + time);
        self.show(shown(time.as_secs()));
    }
}

/// After an event was taken in: has the step end when it takes too long, and goes on where nobody
/// has to be asked.
pub(super) fn follow(event: &Event, state: &watch::Sender<LineState>, client: &Client) {
    let (is_ended, is_at_passkey) = {
        let state = state.borrow();
        (state.ended.is_some(), state.is_at_passkey())
    };
    match event {
        Event::PasskeyRequested { .. } if !is_ended => expire(state, client, ended::unsigned),
        // What was asked on a connection that is gone, or for another site, is not asked again.
        Event::PasskeyRequested { .. } => disconnect(client),
        Event::Disconnected { reason }
            if is_ended && is_at_passkey && *reason != DisconnectReason::Requested =>
        {
            disconnect(client);
        }
        Event::PasskeyConfirmation { may_skip: false, .. } => {
            expire(state, client, ended::uncompared);
        }
        Event::PasskeyConfirmation { .. } => {
            let attempt = Attempt::new(state, client);
            tokio::spawn(async move {
                if let Err(error) = attempt.client.confirm_passkey().await {
                    attempt.end(ended::refused(error)).await;
                }
            });
        }
        _ => {}
    }
}

fn disconnect(client: &Client) {
    let client = client.clone();
    tokio::spawn(async move { client.disconnect().await });
}

/// Ends the link, unless it has gone on by the end of the step that it is at now.
fn expire(state: &watch::Sender<LineState>, client: &Client, failure: fn() -> Failure) {
    let (revision, ends) = {
        let state = state.borrow();
        let Some((revision, _)) = state.link else { return };
        (revision, state.step_ends)
    };
    let left = ends.map_or(PHONE_TIME, |ends| ends.saturating_duration_since(Instant::now()));
    let attempt = Attempt::new(state, client);
    tokio::spawn(async move {
        sleep(left).await;
        let is_there = {
            let state = attempt.state.borrow();
            state.link.as_ref().is_some_and(|(now, _)| *now == revision) && state.ended.is_none()
        };
        if is_there {
            attempt.end(failure()).await;
        }
    });
}

/// One attempt to link. What ends it ends no other, however late it comes.
struct Attempt {
    number: u64,
    state: watch::Sender<LineState>,
    client: Client,
}

impl Attempt {
    fn new(state: &watch::Sender<LineState>, client: &Client) -> Self {
        let number = state.borrow().attempt;
        Self { number, state: state.clone(), client: client.clone() }
    }

    async fn end(&self, failure: Failure) {
        self.state.send_if_modified(|state| {
            let is_own = state.attempt == self.number;
            if is_own {
                state.ended = Some(failure);
            }
            is_own
        });
        self.client.disconnect().await;
    }
}

impl Line {
    /// Gives the server what the passkey signed. It goes on to the end also if nobody waits for it.
    ///
    /// # Errors
    /// [`Cause::Usage`] where the text is no answer to the request, which may be tried again;
    /// anything else ends the link.
    pub(crate) async fn answer_passkey(
        &self,
        text: &str,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let Some((revision, LinkState::Passkey { request, .. })) = self.state().link else {
            return Err(not_asked());
        };
        let assertion = read_answer(&request, text)?;
        self.leave_step(revision)?;
        let client = self.client();
        self.finish_step(deadline, async move { client.answer_passkey(&assertion).await }).await
    }

    /// Goes on, or not, once a person has compared the code with the phone's.
    ///
    /// # Errors
    /// [`Cause::Usage`] if no code waits to be compared; [`Cause::Cancelled`] if it differs.
    pub(crate) async fn compared(&self, same: bool, deadline: Instant) -> Result<(), Failure> {
        let Some((revision, LinkState::PasskeyCompare { .. })) = self.state().link else {
            return Err(not_asked());
        };
        self.leave_step(revision)?;
        let client = self.client();
        if !same {
            let differs = ended::differs();
            Attempt::new(&self.state, &client).end(differs.clone()).await;
            return Err(differs);
        }
        self.finish_step(deadline, async move { client.confirm_passkey().await }).await
    }

    /// Leaves a step, which only one caller can.
    fn leave_step(&self, revision: u64) -> Result<(), Failure> {
        let left = self.state.send_if_modified(|state| {
            let is_there = state.link.as_ref().is_some_and(|(now, _)| *now == revision);
            let may_leave = is_there && state.ended.is_none();
            if may_leave {
                state.show_until(PHONE_TIME, |_| LinkState::PasskeyAnswered);
            }
            may_leave
        });
        if !left {
            return Err(not_asked());
        }
        expire(&self.state, &self.client(), ended::silent);
        Ok(())
    }

    async fn finish_step(
        &self,
        deadline: Instant,
        asked: impl Future<Output = Result<(), wa_client::Error>> + Send + 'static,
    ) -> Result<(), Failure> {
        let attempt = Attempt::new(&self.state, &self.client());
        let asking = tokio::spawn(async move {
            let answered = asked.await.map_err(ended::refused);
            if let Err(failure) = &answered {
                attempt.end(failure.clone()).await;
            }
            answered
        });
        match timeout_at(deadline, asking).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(Failure::new(Cause::Failed, "the answer was not sent to its end")),
            Err(_) => Err(Failure::new(Cause::TimedOut, "WhatsApp did not answer in time")
                .remedy(remedy::TIME)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str =
        r#"{"challenge":"AAECAwQFBgcICQoLDA0ODw","timeout":600000,"rpId":"whatsapp.com"}"#;

    fn asked(options: &str) -> LineState {
        let mut state = LineState::default();
        state.take_in_passkey(&Event::PasskeyRequested { options: options.into() });
        state
    }

    #[test]
    fn what_is_left_of_the_time_is_shown() {
        let mut state = asked(OPTIONS);
        let Some((1, LinkState::Passkey { check, expires_in, page: None, .. })) = state.shown()
        else {
            panic!("{:?}", state.shown())
        };
        assert_eq!(check, check_code(OPTIONS));
        assert!((599..=600).contains(&expires_in), "{expires_in}");
        state.step_ends = Some(Instant::now() + Duration::from_secs(30));
        let Some((_, LinkState::Passkey { expires_in, .. })) = state.shown() else { panic!() };
        assert!((29..=30).contains(&expires_in), "{expires_in}");
    }

    #[test]
    fn a_demand_for_another_sites_passkey_ends_the_link_and_shows_nobody_what_to_sign() {
        let state = asked(&OPTIONS.replace("whatsapp.com", "bank.example"));
        assert_eq!(state.shown(), None);
        let ended = state.ended.unwrap();
        assert!(ended.message.contains("another site"), "{ended}");
        assert!(ended.remedy.unwrap().contains("sign nothing"));
    }

    #[test]
    fn a_connection_that_ends_takes_the_demand_with_it_and_says_so() {
        let lost = Event::Disconnected { reason: DisconnectReason::ConnectionLost };
        let mut state = asked(OPTIONS);
        state.take_in_passkey(&lost);
        assert_eq!(state.ended, Some(ended::lost()));
        // Before a passkey is asked for, a lost connection only brings new codes.
        let mut showing = LineState::default();
        showing.show(LinkState::Scan { code: "2@a".into(), expires_in: 60 });
        showing.take_in_passkey(&lost);
        assert_eq!(showing.ended, None);
    }

    #[test]
    fn a_code_is_to_be_compared_unless_the_phone_knows_this_device() {
        let confirmation =
            |may_skip| Event::PasskeyConfirmation { code: "ABCD-EFGH".into(), may_skip };
        let mut state = asked(OPTIONS);
        state.take_in_passkey(&confirmation(true));
        assert!(matches!(state.shown(), Some((1, LinkState::Passkey { .. }))));
        state.take_in_passkey(&confirmation(false));
        let Some((2, LinkState::PasskeyCompare { code, expires_in, .. })) = state.shown() else {
            panic!("{:?}", state.shown())
        };
        assert_eq!(code, "ABCD-EFGH");
        assert!((299..=300).contains(&expires_in), "{expires_in}");
    }
}
