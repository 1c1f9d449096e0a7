//! The control API: JSON over HTTP, by which those who do not hold the simulation as a value make
//! accounts, move phones and look. Knows nothing of how it is done.

mod account;
mod app_state;
mod groups;
mod hostile;
mod outgoing;
mod passkey;

use std::time::Duration;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use wa_proto::Jid;

use crate::{
    AddAccountError, CreateGroupError, FaultPlan, GroupChangeRefused, HistoryError, HistoryPlan,
    LinkError, Phone, PhoneMessage, PhoneNumber, SendError, Sim, Stats, UnlinkError,
};

/// The longest body, in bytes.
const MAX_BODY: usize = 16 << 20;

/// How long a client has to sign for its link.
const LINK_TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) fn router(sim: Sim) -> Router {
    Router::new()
        .route("/accounts", post(add_account))
        .route("/accounts/{phone}/link", post(link))
        .route("/accounts/{phone}/link-code", post(link_code))
        .route("/accounts/{phone}/messages", post(outgoing::send).get(messages))
        .route("/accounts/{phone}/history", post(fill_history))
        .route("/accounts/{phone}/media/{id}", get(media))
        .route("/accounts/{phone}/read", post(mark_read))
        .route("/accounts/{phone}/app-state", post(app_state::change).get(app_state::counts))
        .route("/accounts/{phone}/chats/{chat}", get(app_state::settings))
        .route("/accounts/{phone}/devices", get(devices))
        .route("/accounts/{phone}/devices/{device}", delete(unlink))
        .route("/groups", post(groups::create))
        .route("/groups/{jid}", get(groups::show).patch(groups::change))
        .route("/groups/{jid}/participants", post(groups::change_members))
        .route("/faults", post(set_faults).get(faults))
        .route("/stats", get(stats))
        .merge(account::routes())
        .merge(passkey::routes())
        .merge(hostile::routes())
        .fallback(async || ControlError::new(StatusCode::NOT_FOUND, "there is no such call"))
        .method_not_allowed_fallback(async || {
            ControlError::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(sim)
}

type Answer = Result<Json<Value>, ControlError>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    phone: String,
    name: String,
}

async fn add_account(State(sim): State<Sim>, body: Bytes) -> Answer {
    let NewAccount { phone, name } = parse(&body)?;
    let phone = sim.add_account(&phone, name)?;
    Ok(Json(json!({ "jid": phone.jid().to_string(), "lid": phone.lid().to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    qr: String,
}

async fn link(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let Link { qr } = parse(&body)?;
    let jid = match phone.scan_qr(&qr) {
        Err(LinkError::PasskeyDemanded) => return Ok(passkey::demanded()),
        scanned => scanned?,
    };
    if !phone.wait_for_device(jid.device, LINK_TIMEOUT).await {
        let text = "the client did not sign for the link";
        return Err(ControlError::new(StatusCode::GATEWAY_TIMEOUT, text));
    }
    Ok(Json(json!({ "device": jid.device, "jid": jid.to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkCode {
    code: String,
}

async fn link_code(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let LinkCode { code } = parse(&body)?;
    let last = phone.devices().last().map_or(0, |device| device.id);
    phone.enter_code(&code)?;
    if phone.demands_passkey() {
        return Ok(passkey::demanded());
    }
    let Some(device) = phone.wait_for_new_device(last, LINK_TIMEOUT).await else {
        let text = "the client did not answer with this code";
        return Err(ControlError::new(StatusCode::GATEWAY_TIMEOUT, text));
    };
    Ok(Json(json!({ "device": device })))
}

async fn messages(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<Vec<PhoneMessage>>, ControlError> {
    Ok(Json(known_phone(&sim, &phone)?.messages()))
}

/// The file of a message, as the phone has it.
async fn media(State(sim): State<Sim>, Path((phone, id)): Path<(String, String)>) -> Answer {
    let file = known_phone(&sim, &phone)?.media(&id).ok_or_else(|| {
        ControlError::new(StatusCode::NOT_FOUND, "the phone has no file of this message")
    })?;
    Ok(Json(json!({ "base64": STANDARD.encode(file) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    chat: String,
}

async fn mark_read(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let Read { chat } = parse(&body)?;
    phone.mark_read(&recipient(&chat)?);
    Ok(Json(json!({})))
}

async fn devices(State(sim): State<Sim>, Path(phone): Path<String>) -> Answer {
    let devices = known_phone(&sim, &phone)?.devices();
    let shown = devices.into_iter().map(|device| {
        json!({
            "device": device.id,
            "jid": device.jid.to_string(),
            "platform": device.platform,
            "connected": device.connected,
        })
    });
    Ok(Json(Value::Array(shown.collect())))
}

async fn unlink(State(sim): State<Sim>, Path((phone, device)): Path<(String, String)>) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let number = device.parse().ok();
    let device = number.or_else(|| device.parse::<Jid>().ok().map(|jid| jid.device));
    phone.unlink(device.ok_or(UnlinkError::NoSuchDevice)?)?;
    Ok(Json(json!({})))
}

async fn set_faults(State(sim): State<Sim>, body: Bytes) -> Result<Json<FaultPlan>, ControlError> {
    sim.set_faults(parse(&body)?);
    Ok(Json(sim.faults()))
}

async fn faults(State(sim): State<Sim>) -> Json<FaultPlan> {
    Json(sim.faults())
}

async fn stats(State(sim): State<Sim>) -> Json<Stats> {
    Json(sim.stats())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    chats: u32,
    messages_per_chat: u32,
    seed: u64,
    given: Option<u32>,
    #[serde(default)]
    mixed: bool,
}

/// Answers the newest and the oldest message of the first chat, by which it can be recognised.
async fn fill_history(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let History { chats, messages_per_chat, seed, given, mixed } = parse(&body)?;
    phone.fill_history(HistoryPlan { chats, messages_per_chat, seed, given, mixed })?;
    let shown = |index| {
        phone.history_message(0, index).map(|message| {
            json!({
                "id": message.id,
                "chat": message.chat.to_string(),
                "contact": message.contact,
                "from_me": message.from_me,
                "text": message.text,
                "timestamp": message.timestamp,
            })
        })
    };
    Ok(Json(json!({ "newest": shown(0), "oldest": shown(messages_per_chat - 1) })))
}

/// What is told of a call that failed: `{"error"}`, with a status.
struct ControlError {
    status: StatusCode,
    text: String,
}

impl ControlError {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.text }))).into_response()
    }
}

macro_rules! control_error {
    ($($error:ty => $status:ident),* $(,)?) => {$(
        impl From<$error> for ControlError {
            fn from(error: $error) -> Self {
                Self::new(StatusCode::$status, error.to_string())
            }
        }
    )*};
}
control_error!(
    CreateGroupError => UNPROCESSABLE_ENTITY,
    GroupChangeRefused => UNPROCESSABLE_ENTITY,
    HistoryError => UNPROCESSABLE_ENTITY,
    LinkError => UNPROCESSABLE_ENTITY,
    UnlinkError => NOT_FOUND,
    SendError => UNPROCESSABLE_ENTITY,
);

impl From<AddAccountError> for ControlError {
    fn from(error: AddAccountError) -> Self {
        let status = match error {
            AddAccountError::Exists => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    serde_json::from_slice(body)
        .map_err(|error| ControlError::new(StatusCode::BAD_REQUEST, format!("bad JSON: {error}")))
}

fn known_phone(sim: &Sim, phone: &str) -> Result<Phone, ControlError> {
    let missing = || ControlError::new(StatusCode::NOT_FOUND, "there is no such account");
    sim.phone(phone).ok_or_else(missing)
}

/// A phone number, or a JID of any kind.
fn recipient(text: &str) -> Result<Jid, ControlError> {
    if let Ok(number) = text.parse::<PhoneNumber>() {
        return Ok(Jid::phone(number.to_string()));
    }
    let bad = "expected a phone number or a JID";
    text.parse().map_err(|_| ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, bad))
}
