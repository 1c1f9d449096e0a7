//! A hostile server by HTTP: stanzas of the caller's making, and every damaged one. Knows nothing of
//! what they mean.

use axum::{Json, Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use wa_proto::Jid;

use super::{Answer, ControlError, parse};
use crate::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new().route("/hostile/stanza", post(say)).route("/hostile/damaged", post(say_damaged))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    /// A device that is connected.
    to: String,
    /// The stanza in its binary form, with the byte of flags before it.
    stanza: String,
}

/// Says a stanza once.
async fn say(State(sim): State<Sim>, body: Bytes) -> Answer {
    let Say { to, stanza } = parse(&body)?;
    let bad = |text| ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, text);
    let bytes = STANDARD.decode(stanza).map_err(|_| bad("the stanza is no base64"))?;
    if !sim.hostile().say_bytes(&jid(&to)?, &bytes) {
        return Err(bad("the bytes are no stanza, or the device is not connected"));
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SayDamaged {
    /// A device that is connected.
    to: String,
    /// Somebody whom it knows.
    other: String,
    /// A group that both are in.
    group: String,
}

/// Says every known stanza with each of its parts damaged in each way, one after the other.
async fn say_damaged(State(sim): State<Sim>, body: Bytes) -> Answer {
    let SayDamaged { to, other, group } = parse(&body)?;
    let (to, other, group) = (jid(&to)?, jid(&other)?, jid(&group)?);
    let hostile = sim.hostile();
    let mut said = 0_u32;
    for (_, damaged) in hostile.damaged(&to, &other, &group) {
        for one in damaged {
            said += u32::from(hostile.say(&to, one.stanza));
        }
    }
    Ok(Json(json!({ "said": said })))
}

fn jid(text: &str) -> Result<Jid, ControlError> {
    let bad = "expected a JID";
    text.parse().map_err(|_| ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, bad))
}
