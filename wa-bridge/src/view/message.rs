//! A message, with all that people added to it.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::{Jid, content::Kind};
use wa_store::{ArchivedMessage, MessageKey, PollTally, Reaction, StoreError, TextVersion};

use super::{
    ChatTitle, MediaView, PersonView, PollView,
    person::People,
    poll::{keep_votes, voters},
};
use crate::{Archive, moment};

/// A message, with all that people added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MessageView {
    /// Its place in the archive; later arrivals have greater ones.
    pub seq: u64,
    /// Its id, by which other calls name it, together with the chat.
    pub id: String,
    /// The chat's address.
    pub chat: String,
    /// Who or what that is.
    pub chat_title: ChatTitle,
    /// The sender's address.
    pub sender: String,
    /// The sender's name, where one is known.
    pub sender_name: Option<String>,
    /// Whether others than the user chose that name: then it proves nothing about who it is.
    pub sender_self_chosen: bool,
    /// The sender's phone number, where it is known.
    pub sender_phone: Option<String>,
    /// Whether this account sent it.
    pub from_me: bool,
    /// When it was sent (RFC 3339, UTC).
    pub timestamp: String,
    /// What it is: text, image, video, voice-note, document, poll, …
    pub kind: String,
    /// Its text, or the caption of its file.
    pub text: Option<String>,
    /// How far it got: pending, failed, sent, delivered, read or played.
    pub status: String,
    /// The id of the message it answers.
    pub reply_to: Option<String>,
    /// Whether its text was changed later.
    pub edited: bool,
    /// What it said before it was edited, the first text first.
    pub earlier_texts: Vec<Option<String>>,
    /// Whether it was deleted for everyone.
    pub revoked: bool,
    /// Whether it has a star.
    pub starred: bool,
    /// Whether it is to be looked at once.
    pub view_once: bool,
    /// When it disappears (RFC 3339).
    pub expires_at: Option<String>,
    /// Its file, if it has one.
    pub media: Option<MediaView>,
    /// The reactions to it.
    pub reactions: Vec<ReactionView>,
    /// How it stands, if it is a poll.
    pub poll: Option<PollView>,
}

/// Somebody's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ReactionView {
    /// The emoji.
    pub emoji: String,
    /// Who reacted.
    pub by: PersonView,
}

impl MessageView {
    /// Looks up who wrote a message, and what became of it.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(message: &ArchivedMessage, archive: &Archive<'_>) -> Result<Self, StoreError> {
        Ok(Surroundings::look_up([message], archive).await?.view(message))
    }

    /// The same without what people wrote.
    pub(crate) fn without_texts(self) -> Self {
        Self {
            text: None,
            earlier_texts: Vec::new(),
            media: None,
            reactions: Vec::new(),
            poll: None,
            ..self
        }
    }

    /// The same of several messages, in their order.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn all(
        messages: &[ArchivedMessage],
        archive: &Archive<'_>,
    ) -> Result<Vec<Self>, StoreError> {
        let known = Surroundings::look_up(messages, archive).await?;
        Ok(messages.iter().map(|message| known.view(message)).collect())
    }
}

/// What is shown with several messages and stands elsewhere in the archive, looked up at once: most
/// pages take the same few reads, however many messages they have.
#[derive(Debug)]
pub(crate) struct Surroundings {
    reactions: HashMap<MessageKey, Vec<Reaction>>,
    polls: HashMap<MessageKey, PollTally>,
    earlier_texts: HashMap<MessageKey, Vec<Option<String>>>,
    people: People,
    titles: HashMap<Jid, ChatTitle>,
}

impl Surroundings {
    /// Looks it up. What people added who may not be heard is left out.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub(crate) async fn look_up<'a>(
        messages: impl IntoIterator<Item = &'a ArchivedMessage>,
        archive: &Archive<'_>,
    ) -> Result<Self, StoreError> {
        let store = archive.store();
        let messages: Vec<_> = messages.into_iter().collect();
        let keys: Vec<_> = messages.iter().map(|message| message.key.clone()).collect();
        let mut reactions = store.reactions_to(&keys).await?;
        let (mut polls, mut earlier_texts) = (HashMap::new(), HashMap::new());
        for message in messages.iter().filter(|message| message.revoked.is_none()) {
            let key = &message.key;
            if message.kind.as_str() == Kind::Poll.as_str()
                && let Some(tally) = store.poll(key).await?
            {
                polls.insert(key.clone(), tally);
            }
            if message.edited_at.is_some() {
                earlier_texts.insert(key.clone(), before_last(store.text_versions(key).await?));
            }
        }
        leave_out_unheard(&mut reactions, &mut polls, archive).await?;
        let titles =
            ChatTitle::all(keys.iter().map(|key| key.chat.clone()).collect(), store).await?;
        let senders = keys.iter().map(|key| &key.sender);
        let reactors = reactions.values().flatten().map(|reaction| &reaction.sender);
        let voters = polls.values().flat_map(voters);
        let people = People::look_up(senders.chain(reactors).chain(voters), store).await?;
        Ok(Self { reactions, polls, earlier_texts, people, titles })
    }

    /// One of the messages.
    pub(crate) fn view(&self, message: &ArchivedMessage) -> MessageView {
        let (key, people) = (&message.key, &self.people);
        let reactions = self.reactions.get(key).into_iter().flatten();
        let reactions = reactions.map(|Reaction { sender, emoji, .. }| ReactionView {
            emoji: emoji.clone(),
            by: people.view(sender),
        });
        MessageView {
            seq: message.seq.0,
            id: key.id.to_string(),
            chat: key.chat.to_string(),
            chat_title: self.titles.get(&key.chat).cloned().unwrap_or_default(),
            sender: key.sender.to_string(),
            sender_name: people.name(&key.sender).or_else(|| message.push_name.clone()),
            sender_self_chosen: !key.from_me && !people.is_in_address_book(&key.sender),
            sender_phone: people.phone(&key.sender),
            from_me: key.from_me,
            timestamp: moment::rfc3339(message.timestamp),
            kind: message.kind.to_string(),
            text: message.text.clone(),
            status: message.status.as_str().to_owned(),
            reply_to: message.reply_to.as_ref().map(ToString::to_string),
            edited: message.edited_at.is_some(),
            earlier_texts: self.earlier_texts.get(key).cloned().unwrap_or_default(),
            revoked: message.revoked.is_some(),
            starred: message.starred,
            view_once: message.view_once,
            expires_at: message.expires_at.map(moment::rfc3339),
            media: MediaView::of(message),
            reactions: reactions.collect(),
            poll: self.polls.get(key).map(|tally| PollView::of(tally, people)),
        }
    }
}

/// Takes away the reactions and votes of people who may not be heard.
async fn leave_out_unheard(
    reactions: &mut HashMap<MessageKey, Vec<Reaction>>,
    polls: &mut HashMap<MessageKey, PollTally>,
    archive: &Archive<'_>,
) -> Result<(), StoreError> {
    if !archive.is_limited() {
        return Ok(());
    }
    let reactors = reactions.values().flatten().map(|reaction| reaction.sender.clone());
    let people: Vec<_> = reactors.chain(polls.values().flat_map(voters).cloned()).collect();
    let heard = archive.authors(&people).await?;
    for reactions in reactions.values_mut() {
        reactions.retain(|reaction| heard.contains(&reaction.sender));
    }
    for tally in polls.values_mut() {
        keep_votes(tally, &heard);
    }
    Ok(())
}

/// The texts before the one that is shown.
fn before_last(mut versions: Vec<TextVersion>) -> Vec<Option<String>> {
    versions.pop();
    versions.into_iter().map(|TextVersion { text, .. }| text).collect()
}
