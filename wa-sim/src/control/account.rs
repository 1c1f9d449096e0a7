//! Calls about people and their accounts: presence and what else a phone's user sets.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use wa_proto::stanza::Activity;

use super::{Answer, ControlError, known_phone, parse, recipient};
use crate::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/accounts/{phone}/presence", post(set_presence))
        .route("/accounts/{phone}/typing", post(set_typing).get(typing))
        .route("/accounts/{phone}/calls", post(call).get(calls))
        .route("/accounts/{phone}/profile", post(set_profile).get(profile))
        .route("/accounts/{phone}/privacy", post(set_privacy))
        .route("/accounts/{phone}/blocked", post(set_blocked).get(blocked))
        .route("/accounts/{phone}/restrictions", post(restrict))
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

/// What is given is changed; a `picture` of `null` takes it away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProfile {
    about: Option<String>,
    #[serde(default, deserialize_with = "given")]
    picture: Option<Option<String>>,
    disappearing_timer: Option<u32>,
    business: Option<String>,
    username: Option<String>,
}

fn given<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

async fn set_profile(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let new: NewProfile = parse(&body)?;
    if let Some(about) = new.about {
        phone.set_about(&about);
    }
    if let Some(picture) = new.picture {
        let bytes = picture.map(|text| STANDARD.decode(text)).transpose();
        phone.set_picture(bytes.map_err(|_| {
            ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, "the picture is no base64")
        })?);
    }
    if let Some(seconds) = new.disappearing_timer {
        phone.set_disappearing_timer(seconds);
    }
    if let Some(business) = new.business {
        phone.set_business(&business);
    }
    if let Some(username) = new.username {
        phone.set_username(&username);
    }
    Ok(Json(json!({})))
}

/// `{"about","picture","privacy"}`, the picture in base64.
async fn profile(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let picture = phone.picture().map(|picture| STANDARD.encode(picture));
    let privacy = ["last", "online", "profile", "status", "readreceipts", "groupadd", "calladd"];
    let privacy: serde_json::Map<String, Value> = privacy
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), phone.privacy(name)?.into())))
        .collect();
    Ok(Json(json!({ "about": phone.about(), "picture": picture, "privacy": privacy })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    name: String,
    value: String,
}

async fn set_privacy(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let Privacy { name, value } = parse(&body)?;
    if !known_phone(&sim, &phone)?.set_privacy(&name, &value) {
        let text = "there is no such privacy setting";
        return Err(ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocked {
    person: String,
    blocked: bool,
}

async fn set_blocked(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let Blocked { person, blocked } = parse(&body)?;
    if !phone.set_blocked(&recipient(&person)?, blocked) {
        let text = "there is no such account to block";
        return Err(ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    Ok(Json(json!({})))
}

async fn blocked(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let blocked = known_phone(&sim, &phone)?.blocked();
    Ok(Json(blocked.iter().map(ToString::to_string).collect()))
}

/// What keeps the account from writing to people; times in unix seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restrictions {
    #[serde(default, deserialize_with = "given_time")]
    timelock_until: Option<Option<u64>>,
    new_chats: Option<NewChats>,
    demand_tokens: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChats {
    total: u64,
    until: u64,
}

fn given_time<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(value).map(Some)
}

async fn restrict(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let Restrictions { timelock_until, new_chats, demand_tokens } = parse(&body)?;
    if let Some(until) = timelock_until {
        phone.set_timelock(until);
    }
    if let Some(NewChats { total, until }) = new_chats {
        phone.set_message_cap(total, until);
    }
    if let Some(demand) = demand_tokens {
        phone.demand_tokens(demand);
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCall {
    to: String,
    #[serde(default)]
    video: bool,
    /// A call of the phone's own that ends.
    end: Option<String>,
}

async fn call(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let NewCall { to, video, end } = parse(&body)?;
    let to = recipient(&to)?;
    let id = match end {
        Some(id) => {
            phone.end_call(&to, &id, None);
            id
        }
        None => phone.call(&to, video),
    };
    Ok(Json(json!({ "id": id })))
}

/// What others said about calls: `[{"id","by","word"}]`.
async fn calls(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let shown = known_phone(&sim, &phone)?
        .calls()
        .into_iter()
        .map(|call| json!({ "id": call.id, "by": call.by.to_string(), "word": call.word }));
    Ok(Json(Value::Array(shown.collect())))
}
