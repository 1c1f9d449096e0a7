//! Two people write to each other: the first message, an answer, receipts, and a phone that joins in.

use std::time::Instant;

use serde_json::json;
use wa_store::MessageStatus;

use super::{
    person::Person,
    stage::{self, Stage, hold},
};
use crate::failure::{Cause, Failure};

/// The first message makes the session; it must arrive on the computer and on the phone.
pub(super) async fn first_message(
    ada: &mut Person,
    grace: &mut Person,
    stage: &mut Stage,
) -> Result<String, Failure> {
    let title = format!("{} writes to {}, who never heard of this device", ada.name, grace.name);
    stage.begin("send", &title)?;
    let text = "Tea at the café at five? I finally understood the engine.";
    let started = Instant::now();
    let id = ada.send(grace, text).await?;
    let acked = stage::milliseconds(started);
    let arrived = grace.archived(ada, &id).await?;
    let received = stage::milliseconds(started);
    hold(arrived.text.as_deref() == Some(text), "the text arrived as it was written")?;
    hold(!arrived.key.from_me, "it counts as received")?;
    grace.on_phone(&id).await?;
    stage.quote(&ada.name, text)?;
    stage.say(&format!("server ack after {acked:.0} ms, in the archive after {received:.0} ms"))?;
    stage.done(json!({ "id": id, "ack_ms": acked, "received_ms": received }))?;
    Ok(id)
}

pub(super) async fn reply(
    ada: &mut Person,
    grace: &mut Person,
    question: &str,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("reply", &format!("{} answers, quoting", grace.name))?;
    let text = "Five is perfect. Bring the punched cards!";
    let id = grace.reply(ada, text, question).await?;
    let arrived = ada.archived(grace, &id).await?;
    hold(arrived.text.as_deref() == Some(text), "the answer arrived as it was written")?;
    let quoted = arrived.reply_to.as_ref().map(ToString::to_string);
    hold(quoted.as_deref() == Some(question), "the answer quotes the question")?;
    stage.quote(&grace.name, text)?;
    stage.done(json!({ "id": id, "quotes": question }))
}

pub(super) async fn read(
    ada: &mut Person,
    grace: &Person,
    question: &str,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("receipts", &format!("{} opens the chat, and {} sees it", grace.name, ada.name))?;
    let delivered = ada.reached(grace, question, MessageStatus::Delivered).await?;
    hold(delivered == MessageStatus::Delivered, "delivered, and not yet read")?;
    let started = Instant::now();
    grace.mark_read(ada, question).await?;
    ada.reached(grace, question, MessageStatus::Read).await?;
    let read = stage::milliseconds(started);
    stage.say(&format!("✓ sent   ✓✓ delivered   ✓✓ read, {read:.0} ms later"))?;
    stage.done(json!({ "id": question, "delivered": true, "read": true, "read_ms": read }))
}

/// What a phone sends reaches the other person's computer and the own one.
pub(super) async fn from_the_phone(
    ada: &mut Person,
    grace: &mut Person,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("phone", &format!("{} goes on from the phone", grace.name))?;
    let text = "On my way. The nanosecond wire is in my bag.";
    let id = grace
        .phone
        .send_text(&ada.phone.jid(), text)
        .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
    let theirs = ada.archived(grace, &id).await?;
    let own = grace.archived(ada, &id).await?;
    hold(theirs.text.as_deref() == Some(text), "the other computer has it")?;
    hold(own.text.as_deref() == Some(text) && own.key.from_me, "the own computer has it as sent")?;
    stage.quote(&grace.name, text)?;
    stage.say("it is on both computers, on one as received, on the other as sent")?;
    stage.done(json!({ "id": id }))
}
