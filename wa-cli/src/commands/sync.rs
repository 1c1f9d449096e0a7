//! `sync`: takes in what waits on the server, and on request stays and tells what happens.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use wa_bridge::api::{CatchUp, EventView};

use crate::{
    args::SyncArguments,
    failure::{Cause, Failure},
    session::Session,
    view::message,
};

pub(crate) async fn run(arguments: &SyncArguments, session: &Session<'_>) -> Result<(), Failure> {
    if arguments.follow {
        return follow(session).await;
    }
    let view = session.call(CatchUp {}).await?;
    let text = match view.messages {
        0 => "nothing new".to_owned(),
        1 => "1 new message".to_owned(),
        messages => format!("{messages} new messages"),
    };
    session.output.result(&view, &text)
}

/// Tells what happens, for as long as the link holds.
async fn follow(session: &Session<'_>) -> Result<(), Failure> {
    let mut events = session.bridge.events(None);
    events.begin().await?;
    if session.output.json {
        // From here on nothing is missed.
        session.output.object(&json!({ "event": "following" }))?;
    }
    session.bridge.stay_connected().await;
    let told = async {
        while let Some(event) = events.next().await? {
            tell(&event, session)?;
        }
        Err(Failure::new(Cause::Failed, "the account was closed"))
    };
    // That there is a connection at all is worth waiting for only so long.
    let connected = async {
        match session.call(CatchUp {}).await {
            Ok(_) => std::future::pending().await,
            Err(failure) => Err(failure),
        }
    };
    tokio::select! {
        ended = told => ended,
        failed = connected => failed,
    }
}

fn tell(event: &EventView, session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    if output.json {
        output.object(event)?;
    }
    match event {
        EventView::Message { message: view } if !output.json => {
            let text = message::shown_text(view);
            output.text(&message::line(view, &text, output, &TimeZone::system()))
        }
        EventView::Other(object) => match ending(object) {
            Some(failure) => Err(failure),
            None => {
                note(object, session);
                Ok(())
            }
        },
        _ => Ok(()),
    }
}

/// What ended the connection for good, if this event says so.
pub(super) fn ending(object: &Value) -> Option<Failure> {
    if object.get("event")? != "ended" {
        return None;
    }
    serde_json::from_value(object.get("error")?.clone()).ok()
}

/// Tells a person of the connection.
fn note(object: &Value, session: &Session<'_>) {
    match object.get("event").and_then(Value::as_str) {
        Some("disconnected") => session.output.note("the connection ended"),
        Some("reconnecting") => {
            let seconds = object.get("seconds").and_then(Value::as_u64).unwrap_or_default();
            session.output.note(&format!("connecting again in {seconds} seconds"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_ending_ends_the_following() {
        let failure = Failure::new(Cause::NotLinked, "no longer linked");
        let ended = json!({ "event": "ended", "error": failure });
        assert_eq!(ending(&ended), Some(failure));
        assert_eq!(ending(&json!({ "event": "disconnected" })), None);
        assert_eq!(ending(&json!({ "event": "ended" })), None);
    }
}
