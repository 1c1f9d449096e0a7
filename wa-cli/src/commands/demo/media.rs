//! Files in the group: a picture and a voice note, encrypted, uploaded, downloaded and compared.

use std::time::Instant;

use serde_json::json;
use wa_bridge::api::MediaView;
use wa_client::media::OutgoingMedia;
use wa_store::ArchivedMessage;

use super::{
    files,
    group::Group,
    person::{Person, acked},
    stage::{self, Stage, hold},
};
use crate::failure::{Cause, Failure};

/// A picture with a text under it; answers its id.
pub(super) async fn picture(
    ada: &Person,
    grace: &mut Person,
    group: &Group,
    stage: &mut Stage,
) -> Result<String, Failure> {
    stage.begin("image", &format!("{} sends the group a picture", ada.name))?;
    let (bytes, caption) = (files::picture(), "The view from the laboratory, 48 by 32 dots of it");
    let started = Instant::now();
    let image = OutgoingMedia::image(bytes.clone()).caption(caption);
    let id = acked(ada.client.send_media(group.jid.clone(), image)).await?;
    let arrived = grace.archived_in(&group.jid, &id).await?;
    hold(arrived.text.as_deref() == Some(caption), "the caption arrived")?;
    group.on_phone(&id, "image").await?;
    stage.quote(&ada.name, caption)?;
    let facts = compare(grace, &arrived, "image", &bytes, stage).await?;
    hold(facts.width == Some(48) && facts.height == Some(32), "its size in dots is told")?;
    let took = stage::milliseconds(started);
    stage.done(json!({ "id": id, "media": facts, "equal": true, "round_trip_ms": took }))?;
    Ok(id)
}

/// A voice note, the other way.
pub(super) async fn voice_note(
    ada: &mut Person,
    grace: &Person,
    group: &Group,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("voice", &format!("{} answers with a voice note", grace.name))?;
    let bytes = files::voice_note();
    let started = Instant::now();
    let note = OutgoingMedia::voice_note(bytes.clone());
    let id = acked(grace.client.send_media(group.jid.clone(), note)).await?;
    let arrived = ada.archived_in(&group.jid, &id).await?;
    group.on_phone(&id, "voice-note").await?;
    let facts = compare(ada, &arrived, "voice-note", &bytes, stage).await?;
    hold(facts.seconds == Some(files::VOICE_SECONDS), "its length is told")?;
    let took = stage::milliseconds(started);
    stage.done(json!({ "id": id, "media": facts, "equal": true, "round_trip_ms": took }))
}

/// Downloads a file, and compares it with the one that was sent.
async fn compare(
    whose: &Person,
    message: &ArchivedMessage,
    kind: &str,
    sent: &[u8],
    stage: &Stage,
) -> Result<MediaView, Failure> {
    hold(message.kind.as_str() == kind, "it arrived as what it is")?;
    let downloaded = whose.download(message).await?;
    hold(downloaded == sent, "what is downloaded is what was sent, byte for byte")?;
    let facts = MediaView::of(message);
    let facts = facts.ok_or_else(|| Failure::new(Cause::Failed, "the archive knows no file"))?;
    let told = crate::view::media::facts(&facts);
    stage.say(&format!("[{kind}: {told}]  downloaded by {}, every byte the same", whose.name))?;
    Ok(facts)
}
