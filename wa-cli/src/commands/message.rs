//! `react`, `edit`, `delete`, `forward`, `pin`, `unpin`: something about a message that is there.

use serde_json::json;
use wa_bridge::api::{Disappearing, Edit, Forward, MessageDelete, PinMessage, React, Revoke};

use super::send::text;
use crate::{
    args::{
        DeleteArguments, DisappearingArguments, EditArguments, ForwardArguments, NamedMessage,
        PinArguments, ReactArguments,
    },
    failure::{Cause, Failure},
    session::Session,
};

pub(crate) async fn react(
    arguments: &ReactArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let emoji = arguments.emoji.clone().unwrap_or_default();
    if !arguments.remove && emoji.is_empty() {
        return Err(Failure::new(Cause::Usage, "\"\" is no emoji").remedy(wa_bridge::remedy::EMOJI));
    }
    let (chat, id) = message(&arguments.message, session).await?;
    session.sent(&session.call(React { chat, id, emoji }).await?)
}

pub(crate) async fn edit(arguments: &EditArguments, session: &Session<'_>) -> Result<(), Failure> {
    let text = text::read(&arguments.text)?;
    let (chat, id) = message(&arguments.message, session).await?;
    let edit = Edit { chat, id, text, even_if_late: arguments.even_if_late };
    session.sent(&session.call(edit).await?)
}

pub(crate) async fn delete(
    arguments: &DeleteArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (chat, id) = message(&arguments.message, session).await?;
    if !arguments.for_me {
        return session.sent(&session.call(Revoke { chat, id }).await?);
    }
    let done = session.call(MessageDelete { chat, id: id.clone() }).await?;
    let view = json!({ "id": id, "change": done.change, "state": done.state });
    session.output.result(&view, &format!("deleted {id} for this account"))
}

pub(crate) async fn pin(arguments: &PinArguments, session: &Session<'_>) -> Result<(), Failure> {
    pin_for(&arguments.message, Some(arguments.lifetime.seconds()), session).await
}

pub(crate) async fn unpin(named: &NamedMessage, session: &Session<'_>) -> Result<(), Failure> {
    pin_for(named, None, session).await
}

async fn pin_for(
    named: &NamedMessage,
    seconds: Option<u64>,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (chat, id) = message(named, session).await?;
    session.sent(&session.call(PinMessage { chat, id, seconds }).await?)
}

pub(crate) async fn forward(
    arguments: &ForwardArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (chat, id) = message(&arguments.message, session).await?;
    let to = arguments.to.clone();
    session.sent(&session.call(Forward { chat, id, to }).await?)
}

pub(crate) async fn disappearing(
    arguments: &DisappearingArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let chat = session.chat(&arguments.chat).await?;
    let seconds = Some(u64::from(arguments.lifetime.seconds())).filter(|seconds| *seconds > 0);
    session.sent(&session.call(Disappearing { chat, seconds }).await?)
}

/// The chat and the id by which calls name a message.
pub(super) async fn message(
    named: &NamedMessage,
    session: &Session<'_>,
) -> Result<(String, String), Failure> {
    Ok((session.chat(&named.chat).await?, named.id.clone()))
}
