//! `serve`: owns the account for as long as it runs, so that every other frontend goes through it.

use serde_json::json;
use wa_bridge::{Environment, SocketPath, api::EventView, foreign};

use super::sync::ending;
use crate::{
    failure::{self, Cause, Failure},
    session::Session,
    signal,
};

/// Serves until somebody asks to stop, which is how it is meant to end.
pub(crate) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    if !session.bridge.is_owner().await {
        let message = "another process owns the account and serves it already";
        return Err(
            Failure::new(Cause::Locked, message).remedy("stop it first, or use another --profile")
        );
    }
    let mut events = session.bridge.events(None);
    events.begin().await?;
    session.bridge.stay_connected().await;
    started(session).await?;
    let told = async {
        while let Some(event) = events.next().await? {
            tell(&event, session);
        }
        Ok(())
    };
    tokio::select! {
        told = told => told,
        () = signal::stop() => Ok(()),
    }
}

async fn started(session: &Session<'_>) -> Result<(), Failure> {
    let profile = session.bridge.profile();
    let socket = SocketPath::of(profile, &Environment::from_process());
    let socket = socket.as_path().display().to_string();
    let http = session.bridge.health_address().await.map(|address| format!("http://{address}"));
    if session.output.json {
        return session.output.object(&json!({
            "event": "serving",
            "profile": profile.name().to_string(),
            "socket": socket,
            "http": http,
        }));
    }
    let mut places = foreign::plain(&socket, " ").to_string();
    if let Some(http) = http {
        places.push_str(&format!(" and {http}"));
    }
    session.output.note(&format!("serving {} on {places}", profile.name()));
    Ok(())
}

/// Tells of what keeps the connection away. Another process may mend it: a new link comes through
/// this one.
fn tell(event: &EventView, session: &Session<'_>) {
    if let EventView::Other(object) = event
        && let Some(ended) = ending(object)
    {
        session.output.stderr(&format!("{}\n", failure::line(&ended)));
    }
}
