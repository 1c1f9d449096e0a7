//! Calls about what all devices of an account share: chats silent, pinned, archived, names.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::json;
use wa_proto::app_state::MuteEnd;

use super::{Answer, ControlError, known_phone, parse, recipient};
use crate::{AppStateCounts, ChatSettings, Sim};

/// One change; the fields that it needs are there.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Change {
    /// Until when, in milliseconds since 1970; -1 for ever; null for no longer.
    Mute {
        chat: String,
        until: Option<i64>,
    },
    Pin {
        chat: String,
        on: bool,
    },
    Archive {
        chat: String,
        on: bool,
    },
    /// Whether the chat is read.
    Read {
        chat: String,
        on: bool,
    },
    Clear {
        chat: String,
    },
    Delete {
        chat: String,
    },
    Star {
        chat: String,
        id: String,
        on: bool,
    },
    DeleteForMe {
        chat: String,
        id: String,
    },
    Contact {
        person: String,
        name: Option<String>,
    },
    PushName {
        name: String,
    },
    Label {
        id: String,
        name: Option<String>,
    },
    LabelChat {
        chat: String,
        label: String,
        on: bool,
    },
}

/// `POST {"pin": {"chat", "on"}}` and so on.
pub(super) async fn change(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Bytes,
) -> Answer {
    let phone = known_phone(&sim, &phone)?;
    let missing = |found: bool| {
        let text = "there is no such message";
        if found { Ok(()) } else { Err(ControlError::new(StatusCode::NOT_FOUND, text)) }
    };
    match parse::<Change>(&body)? {
        Change::Mute { chat, until } => {
            let until = until.map(|end| if end < 0 { MuteEnd::Never } else { MuteEnd::At(end) });
            phone.mute_chat(&recipient(&chat)?, until);
        }
        Change::Pin { chat, on } => phone.pin_chat(&recipient(&chat)?, on),
        Change::Archive { chat, on } => phone.archive_chat(&recipient(&chat)?, on),
        Change::Read { chat, on } => phone.mark_chat(&recipient(&chat)?, on),
        Change::Clear { chat } => phone.clear_chat(&recipient(&chat)?, true),
        Change::Delete { chat } => phone.delete_chat(&recipient(&chat)?),
        Change::Star { chat, id, on } => missing(phone.star_message(&recipient(&chat)?, &id, on))?,
        Change::DeleteForMe { chat, id } => missing(phone.delete_for_me(&recipient(&chat)?, &id))?,
        Change::Contact { person, name } => {
            phone.set_contact(&recipient(&person)?, name.as_deref());
        }
        Change::PushName { name } => phone.set_push_name(&name),
        Change::Label { id, name } => phone.edit_label(&id, name.as_deref()),
        Change::LabelChat { chat, label, on } => phone.label_chat(&recipient(&chat)?, &label, on),
    }
    Ok(Json(json!({})))
}

/// What the phone has heard of its companions.
pub(super) async fn counts(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<AppStateCounts>, ControlError> {
    Ok(Json(known_phone(&sim, &phone)?.app_state_counts()))
}

/// How the phone shows a chat.
pub(super) async fn settings(
    State(sim): State<Sim>,
    Path((phone, chat)): Path<(String, String)>,
) -> Result<Json<ChatSettings>, ControlError> {
    Ok(Json(known_phone(&sim, &phone)?.chat_settings(&recipient(&chat)?)))
}
