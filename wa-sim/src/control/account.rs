//! Calls about people and their accounts: presence and what else a phone's user sets.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};
use wa_proto::stanza::Activity;

use super::{Answer, known_phone, parse, recipient};
use crate::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/accounts/{phone}/presence", post(set_presence))
        .route("/accounts/{phone}/typing", post(set_typing).get(typing))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presence {
    available: bool,
}

async fn set_presence(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let Presence { available } = parse(&body)?;
    known_phone(&sim, &phone)?.set_available(available);
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typing {
    chat: String,
    state: TypingState,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypingState {
    Composing,
    Recording,
    Paused,
}

async fn set_typing(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let Typing { chat, state } = parse(&body)?;
    let activity = match state {
        TypingState::Composing => Activity::Composing,
        TypingState::Recording => Activity::Recording,
        TypingState::Paused => Activity::Paused,
    };
    known_phone(&sim, &phone)?.set_typing(&recipient(&chat)?, activity);
    Ok(Json(json!({})))
}

/// What the phone saw others do: `[{"chat","by","state"}]`.
async fn typing(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let shown = known_phone(&sim, &phone)?.activities().into_iter().map(|seen| {
        let state = match seen.activity {
            Activity::Composing => "composing",
            Activity::Recording => "recording",
            _ => "paused",
        };
        json!({ "chat": seen.chat.to_string(), "by": seen.by.to_string(), "state": state })
    });
    Ok(Json(Value::Array(shown.collect())))
}
