//! `/groups`: making groups, and what somebody in them changes. Knows nothing of how it is done.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use wa_proto::{
    Jid,
    stanza::{AddressingMode, GroupInfo, GroupRole},
};

use super::{Answer, ControlError, known_phone, parse, recipient};
use crate::{Addressing, GroupAction, GroupSettings, Phone, Sim};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Lid,
    Phone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    subject: String,
    participants: Vec<String>,
    addressing: Option<By>,
}

/// `{"subject", "participants", "addressing"}`; the first participant is the creator.
pub(super) async fn create(State(sim): State<Sim>, body: Bytes) -> Answer {
    let NewGroup { subject, participants, addressing } = parse(&body)?;
    let phones: Result<Vec<Phone>, _> =
        participants.iter().map(|phone| known_phone(&sim, phone)).collect();
    let phones: Vec<Phone> = phones?;
    let addressing = match addressing {
        Some(By::Phone) => Addressing::Phone,
        _ => Addressing::Lid,
    };
    let jid =
        sim.create_group_addressed(subject, &phones.iter().collect::<Vec<_>>(), addressing)?;
    Ok(Json(json!({ "jid": jid.to_string() })))
}

/// The group as its members see it.
pub(super) async fn show(State(sim): State<Sim>, Path(group): Path<String>) -> Answer {
    let info = known_group(&sim, &group)?;
    let participants = info.participants.iter().map(|person| {
        let role = match person.role {
            GroupRole::SuperAdmin => "creator",
            role if role.is_admin() => "admin",
            _ => "member",
        };
        json!({ "jid": person.jid.to_string(), "role": role })
    });
    Ok(Json(json!({
        "jid": info.jid.to_string(),
        "subject": info.subject,
        "description": info.description.map(|description| description.text),
        "addressing": if info.addressing_mode == AddressingMode::Lid { "lid" } else { "phone" },
        "locked": info.is_locked,
        "announcement": info.is_announcement,
        "ephemeral": info.ephemeral,
        "participants": Value::Array(participants.collect()),
    })))
}

#[derive(Deserialize)]
struct Change {
    by: Option<String>,
    #[serde(flatten)]
    settings: serde_json::Map<String, Value>,
}

/// `{"by", "subject", "description", "locked", "announcement", "ephemeral", "approval",
/// "everybody_adds"}`; without `by` an admin does it.
pub(super) async fn change(
    State(sim): State<Sim>,
    Path(group): Path<String>,
    body: Bytes,
) -> Answer {
    let info = known_group(&sim, &group)?;
    let Change { by, settings } = parse(&body)?;
    let settings: GroupSettings = serde_json::from_value(Value::Object(settings))
        .map_err(|error| ControlError::new(StatusCode::BAD_REQUEST, format!("{error}")))?;
    actor(&sim, &info, by)?.change_group(&info.jid, settings)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    by: Option<String>,
    action: GroupAction,
    participants: Vec<String>,
}

/// `{"by", "action", "participants"}` → for each of them the number of what went wrong, or null.
pub(super) async fn change_members(
    State(sim): State<Sim>,
    Path(group): Path<String>,
    body: Bytes,
) -> Answer {
    let info = known_group(&sim, &group)?;
    let Members { by, action, participants } = parse(&body)?;
    let people: Result<Vec<Jid>, _> = participants.iter().map(|text| recipient(text)).collect();
    let results = actor(&sim, &info, by)?.change_members(&info.jid, action, &people?)?;
    Ok(Json(json!({ "errors": results })))
}

fn known_group(sim: &Sim, text: &str) -> Result<GroupInfo, ControlError> {
    let missing = || ControlError::new(StatusCode::NOT_FOUND, "there is no such group");
    text.parse().ok().and_then(|jid: Jid| sim.group(&jid)).ok_or_else(missing)
}

/// Who does it: whoever is named, or an admin.
fn actor(sim: &Sim, group: &GroupInfo, by: Option<String>) -> Result<Phone, ControlError> {
    if let Some(by) = by {
        return known_phone(sim, &by);
    }
    let admin = group.participants.iter().find(|person| person.role.is_admin());
    let jids = admin.into_iter().flat_map(|admin| [Some(&admin.jid), admin.phone.as_ref()]);
    let phone = jids.flatten().find(|jid| jid.is_phone());
    let missing = || ControlError::new(StatusCode::NOT_FOUND, "the group has no admin");
    phone.and_then(|jid| sim.phone(&jid.user)).ok_or_else(missing)
}
