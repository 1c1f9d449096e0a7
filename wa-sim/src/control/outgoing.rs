//! `POST /accounts/{phone}/messages`: the JSON forms of what a phone can be told to send. Knows
//! nothing of how it is sent.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wa_proto::{
    Jid,
    content::{Contact, Content, Location},
};

use super::{Answer, ControlError, known_phone, parse, recipient};
use crate::{FileKind, OutgoingFile, Phone, Sim};

/// What is to be sent, under the name of its kind.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Outgoing {
    Text(String),
    Image {
        base64: String,
        caption: Option<String>,
        #[serde(default)]
        view_once: bool,
    },
    Video {
        base64: String,
        caption: Option<String>,
        seconds: Option<u32>,
        #[serde(default)]
        view_once: bool,
    },
    Gif {
        base64: String,
        caption: Option<String>,
        seconds: Option<u32>,
    },
    VideoNote {
        base64: String,
        seconds: Option<u32>,
    },
    Audio {
        base64: String,
        seconds: Option<u32>,
        #[serde(default)]
        ptt: bool,
        mimetype: Option<String>,
    },
    Document {
        base64: String,
        file_name: String,
        mimetype: String,
        caption: Option<String>,
    },
    Sticker {
        base64: String,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
    },
    Contact {
        name: String,
        vcard: String,
    },
    Reaction {
        id: String,
        emoji: String,
    },
    Edit {
        id: String,
        text: String,
    },
    Revoke {
        id: String,
    },
    Poll {
        name: String,
        options: Vec<String>,
        #[serde(default = "one")]
        selectable: u32,
    },
    Reply {
        id: String,
        text: String,
    },
    Vote {
        id: String,
        options: Vec<String>,
    },
    Event {
        name: String,
        starts_at: i64,
    },
    Answer {
        id: String,
        response: i32,
    },
    Pin {
        id: String,
        seconds: u32,
    },
    Unpin {
        id: String,
    },
    Keep {
        id: String,
        #[serde(default = "yes")]
        kept: bool,
    },
    Comment {
        id: String,
        text: String,
    },
    Forward {
        from: String,
        id: String,
    },
    Timer {
        seconds: u32,
    },
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

pub(super) async fn send(State(sim): State<Sim>, Path(phone): Path<String>, body: Bytes) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let (to, outgoing) = read(parse(&body)?)?;
    let id = send_outgoing(&phone, &recipient(&to)?, outgoing)?;
    Ok(Json(json!({ "id": id })))
}

/// `to`, and exactly one kind beside it.
fn read(mut body: Map<String, Value>) -> Result<(String, Outgoing), ControlError> {
    let bad = |text: String| ControlError::new(StatusCode::BAD_REQUEST, text);
    let Some(Value::String(to)) = body.remove("to") else {
        return Err(bad("\"to\" is missing, or no text".to_owned()));
    };
    let mut kinds = body.keys();
    let (Some(kind), None) = (kinds.next().cloned(), kinds.next()) else {
        let text = "expected exactly one kind of message beside \"to\", such as \"text\"";
        return Err(bad(text.to_owned()));
    };
    let outgoing = serde_json::from_value(Value::Object(body));
    Ok((to, outgoing.map_err(|error| bad(format!("\"{kind}\": {error}")))?))
}

fn send_outgoing(phone: &Phone, to: &Jid, outgoing: Outgoing) -> Result<String, ControlError> {
    let sent = match outgoing {
        Outgoing::Text(text) => phone.send_text(to, text),
        Outgoing::Location { latitude, longitude, name } => {
            let place = place(latitude, longitude, name)?;
            phone.send_content(to, &Content::Location(place))
        }
        Outgoing::Contact { name, vcard } => {
            phone.send_content(to, &Content::Contact(Contact { name, vcard }))
        }
        Outgoing::Reaction { id, emoji } => phone.react(to, &id, &emoji),
        Outgoing::Edit { id, text } => phone.edit(to, &id, text),
        Outgoing::Revoke { id } => phone.revoke(to, &id),
        Outgoing::Poll { name, options, selectable } => {
            phone.send_poll(to, name, options, selectable)
        }
        Outgoing::Reply { id, text } => phone.reply(to, &id, text),
        Outgoing::Vote { id, options } => {
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            phone.vote(to, &id, &options)
        }
        Outgoing::Event { name, starts_at } => phone.send_event(to, &name, starts_at),
        Outgoing::Answer { id, response } => phone.answer_event(to, &id, response),
        Outgoing::Pin { id, seconds } => phone.pin(to, &id, Some(seconds)),
        Outgoing::Unpin { id } => phone.pin(to, &id, None),
        Outgoing::Keep { id, kept } => phone.keep(to, &id, kept),
        Outgoing::Comment { id, text } => phone.comment(to, &id, &text),
        Outgoing::Forward { from, id } => phone.forward(&recipient(&from)?, &id, to),
        Outgoing::Timer { seconds } => phone.set_timer(to, seconds),
        Outgoing::Image { .. }
        | Outgoing::Video { .. }
        | Outgoing::Gif { .. }
        | Outgoing::VideoNote { .. }
        | Outgoing::Audio { .. }
        | Outgoing::Document { .. }
        | Outgoing::Sticker { .. } => phone.send_file(to, file(outgoing)?),
    };
    Ok(sent?)
}

/// The file in it; whatever is none has been sent by now.
fn file(outgoing: Outgoing) -> Result<OutgoingFile, ControlError> {
    let new = |kind, base64: &str| -> Result<OutgoingFile, ControlError> {
        let bad = |_| ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, "it is not base64");
        Ok(OutgoingFile::new(kind, STANDARD.decode(base64).map_err(bad)?))
    };
    Ok(match outgoing {
        Outgoing::Image { base64, caption, view_once } => {
            OutgoingFile { caption, view_once, ..new(FileKind::Image, &base64)? }
        }
        Outgoing::Video { base64, caption, seconds, view_once } => {
            OutgoingFile { caption, seconds, view_once, ..new(FileKind::Video, &base64)? }
        }
        Outgoing::Gif { base64, caption, seconds } => {
            OutgoingFile { caption, seconds, ..new(FileKind::Gif, &base64)? }
        }
        Outgoing::VideoNote { base64, seconds } => {
            OutgoingFile { seconds, ..new(FileKind::VideoNote, &base64)? }
        }
        Outgoing::Audio { base64, seconds, ptt, mimetype } => {
            let kind = if ptt { FileKind::VoiceNote } else { FileKind::Audio };
            OutgoingFile { seconds, mimetype, ..new(kind, &base64)? }
        }
        Outgoing::Document { base64, file_name, mimetype, caption } => {
            let (file_name, mimetype) = (Some(file_name), Some(mimetype));
            OutgoingFile { file_name, mimetype, caption, ..new(FileKind::Document, &base64)? }
        }
        Outgoing::Sticker { base64 } => new(FileKind::Sticker, &base64)?,
        _ => return Err(ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, "it is no file")),
    })
}

fn place(latitude: f64, longitude: f64, name: Option<String>) -> Result<Location, ControlError> {
    if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        let text = "a latitude is within 90 degrees, a longitude within 180";
        return Err(ControlError::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    Ok(Location { latitude, longitude, name, ..Location::default() })
}
