//! Three people in a group, one of them with a phone alone: texts, reactions, an edit and a poll.

use serde_json::json;
use wa_bridge::{Archive, api::PollView};
use wa_proto::Jid;
use wa_sim::{Phone, PhoneMessage};
use wa_store::{ArchivedMessage, MessageKey, Store};

use super::{
    failed,
    person::{PATIENCE, Person, acked},
    stage::{Stage, hold},
};
use crate::{
    failure::{Cause, Failure},
    view::poll,
};

/// The group, and the person in it who has no computer.
pub(super) struct Group {
    pub(super) jid: Jid,
    pub(super) third: Phone,
    pub(super) third_name: &'static str,
    /// The message that is edited later.
    invitation: String,
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
        let group = Self { jid, third: third.clone(), third_name, invitation: id };
        group.on_phone(&group.invitation, "text").await?;

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

    /// Two reactions on the picture: one from a computer, one from a phone.
    pub(super) async fn react(
        &self,
        ada: &mut Person,
        grace: &Person,
        picture: &str,
        stage: &mut Stage,
    ) -> Result<(), Failure> {
        stage.begin(
            "reaction",
            &format!("{} and {} like the picture", grace.name, self.third_name),
        )?;
        let theirs = self.message(grace, picture).await?;
        acked(grace.client.react(&theirs.key, "👍")).await?;
        self.third.react(&self.jid, picture, "🌅").map_err(|error| failed(&error))?;
        let key = self.message(ada, picture).await?.key;
        let reactions = ada.until("two reactions", async |store| {
            let reactions = store.reactions(&key).await?;
            Ok((reactions.len() == 2).then_some(reactions))
        });
        let mut emoji: Vec<String> = reactions.await?.into_iter().map(|it| it.emoji).collect();
        emoji.sort();
        hold(emoji == ["🌅", "👍"], "both hang on the picture, as they were given")?;
        stage.say(&format!("on {}'s picture: {}", ada.name, emoji.join(" ")))?;
        stage.done(json!({ "id": picture, "reactions": emoji }))
    }

    /// A text is changed; the archive keeps what it said before.
    pub(super) async fn edit(
        &self,
        ada: &Person,
        grace: &mut Person,
        stage: &mut Stage,
    ) -> Result<(), Failure> {
        stage.begin("edit", &format!("{} changes the day", ada.name))?;
        let text = "We meet on Wednesday, in the library.";
        let own = self.message(ada, &self.invitation).await?;
        acked(ada.client.edit(&own.key, text)).await?;
        let key: MessageKey = self.message(grace, &self.invitation).await?.key;
        let edited = grace.until("the edited text", async |store| {
            let message = store.message(&key).await?;
            Ok(message.filter(|message| message.edited_at.is_some()))
        });
        hold(edited.await?.text.as_deref() == Some(text), "it says the new text")?;
        let versions = grace.store.text_versions(&key).await?;
        let earlier = versions.first().and_then(|version| version.text.clone());
        hold(earlier.as_deref() == Some(INVITATION), "what it said before is kept")?;
        stage.quote(&ada.name, &format!("{text}  (before: {INVITATION})"))?;
        stage.done(json!({ "id": self.invitation, "text": text, "earlier": earlier }))
    }

    /// A poll; one votes from a computer and changes their mind, one votes from a phone.
    pub(super) async fn poll(
        &self,
        ada: &mut Person,
        grace: &mut Person,
        stage: &mut Stage,
    ) -> Result<(), Failure> {
        stage.begin("poll", &format!("{} asks the group, and they vote", grace.name))?;
        let (question, options) = ("Where do we go afterwards?", ["Observatory", "Museum", "Home"]);
        let poll = grace.client.send_poll(self.jid.clone(), question, options).selectable(1);
        let id = acked(poll).await?;
        self.on_phone(&id, "poll").await?;
        let theirs = ada.archived_in(&self.jid, &id).await?;
        acked(ada.client.vote(&theirs.key, ["Home"])).await?;
        acked(ada.client.vote(&theirs.key, ["Observatory"])).await?;
        self.third.vote(&self.jid, &id, &["Observatory"]).map_err(|error| failed(&error))?;
        let key = self.message(grace, &id).await?.key;
        let tally = grace.until("both votes", async |store| {
            let tally = store.poll(&key).await?;
            Ok(tally.filter(|tally| {
                let votes: Vec<usize> = tally.options.iter().map(|it| it.voters.len()).collect();
                votes == [2, 0, 0]
            }))
        });
        let view = PollView::new(tally.await?, &Archive::whole(grace.store.as_ref())).await?;
        stage.quote(&grace.name, question)?;
        for line in poll::lines(&view) {
            stage.say(&line)?;
        }
        stage.done(json!({ "id": id, "poll": view }))
    }

    /// Waits until the phone of the third person shows a message.
    pub(super) async fn on_phone(&self, id: &str, kind: &str) -> Result<(), Failure> {
        let is_it = |message: &PhoneMessage| message.id == id && message.kind == kind;
        let shown = self.third.wait_for_message(is_it, PATIENCE).await;
        hold(shown.is_some(), "the third phone shows it")
    }

    /// A message of the group, as somebody's archive has it.
    async fn message(&self, whose: &Person, id: &str) -> Result<ArchivedMessage, Failure> {
        let found = whose.store.messages_by_id(&self.jid, &id.into()).await?;
        let missing = || Failure::new(Cause::Failed, "a message is missing");
        found.into_iter().next().ok_or_else(missing)
    }
}
