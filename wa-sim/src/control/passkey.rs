//! Calls about passkeys: an account demands one of the clients that link, and has one made.
//!
//! Where it demands one, `/link` and `/link-code` answer `{"passkey_demanded": true}` at once; the
//! client is linked when it had the request signed.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, known_phone, parse};
use crate::{Sim, passkey::RP_ID};

pub(super) fn routes() -> Router<Sim> {
    Router::new().route("/accounts/{phone}/passkey", post(set).get(show))
}

/// Whether clients that link are asked for a passkey; `create` makes one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    demand: bool,
    #[serde(default)]
    create: bool,
}

/// `{"credential_id", "user_handle", "private_key", "rp_id"}` of a passkey that was made, as CDP's
/// `WebAuthn.addCredential` takes it: base64, the key as PKCS #8.
async fn set(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let Wish { demand, create } = parse(&body)?;
    phone.set_demands_passkey(demand);
    if !create {
        return Ok(Json(json!({})));
    }
    let passkey = phone.create_passkey();
    Ok(Json(json!({
        "credential_id": STANDARD.encode(passkey.id()),
        "user_handle": STANDARD.encode(passkey.user_handle()),
        "private_key": STANDARD.encode(passkey.private_key()),
        "rp_id": RP_ID,
    })))
}

/// `{"demanded", "code"}`: the code is the one that the phone shows, to be compared with the
/// client's.
async fn show(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    Ok(Json(json!({ "demanded": phone.demands_passkey(), "code": phone.passkey_code() })))
}

pub(super) fn demanded() -> Json<serde_json::Value> {
    Json(json!({ "passkey_demanded": true }))
}
