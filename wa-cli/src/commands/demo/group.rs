//! Three people in a group, one of them with a phone alone.

use serde_json::json;
use wa_proto::Jid;
use wa_sim::{Phone, PhoneMessage};
use wa_store::Store;

use super::{
    failed,
    person::{PATIENCE, Person, acked},
    stage::{Stage, hold},
};
use crate::failure::Failure;

/// The group, and the person in it who has no computer.
pub(super) struct Group {
    pub(super) jid: Jid,
    third: Phone,
    pub(super) third_name: &'static str,
}

const SUBJECT: &str = "Analytical Engine Society";
const INVITATION: &str = "We meet on Tuesday, in the library.";

impl Group {
    /// Makes the group; each writes to it and is read by the others.
    pub(super) async fn make(
        ada: &mut Person,
        grace: &mut Person,
        third: &Phone,
        third_name: &'static str,
        stage: &mut Stage,
    ) -> Result<Self, Failure> {
        let title = format!("{} makes a group of three; {third_name} has a phone alone", ada.name);
        stage.begin("group", &title)?;
        let people = [grace.phone.jid(), third.jid()];
        let made = ada.client.groups().create(SUBJECT).with(people).await?;
        hold(made.participants.len() == 3, "three people are in it")?;
        let jid = made.jid;
        let id = acked(ada.client.send(jid.clone(), INVITATION)).await?;
        let arrived = grace.archived_in(&jid, &id).await?;
        hold(arrived.text.as_deref() == Some(INVITATION), "the other computer reads it")?;
        let group = Self { jid, third: third.clone(), third_name };
        group.on_phone(&id, "text").await?;

        let answer = "I bring the biscuits.";
        let sent = third.send_text(&group.jid, answer).map_err(|error| failed(&error))?;
        for person in [&mut *ada, &mut *grace] {
            let read = person.archived_in(&group.jid, &sent).await?;
            hold(read.text.as_deref() == Some(answer), "both computers read the phone")?;
        }
        let known = grace.store.group(&group.jid).await?;
        let subject = known.map(|known| known.subject);
        hold(subject.as_deref() == Some(SUBJECT), "its subject is known to who was taken in")?;
        stage.say(&format!("“{SUBJECT}”, 3 people"))?;
        stage.quote(&ada.name, INVITATION)?;
        stage.quote(third_name, answer)?;
        stage.done(json!({ "jid": group.jid.to_string(), "subject": SUBJECT, "people": 3 }))?;
        Ok(group)
    }

    /// Waits until the phone of the third person shows a message.
    pub(super) async fn on_phone(&self, id: &str, kind: &str) -> Result<(), Failure> {
        let is_it = |message: &PhoneMessage| message.id == id && message.kind == kind;
        let shown = self.third.wait_for_message(is_it, PATIENCE).await;
        hold(shown.is_some(), "the third phone shows it")
    }
}
