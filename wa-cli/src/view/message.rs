//! A message, with all that people added to it.

use jiff::tz::TimeZone;
use serde::Serialize;
use wa_store::{ArchivedMessage, Contact, Reaction, Store, StoreError, TextVersion};

use super::{MediaView, PersonView, PollView, contact_name, number};
use crate::{
    moment,
    output::{Output, foreign},
};

/// A message in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct MessageView {
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) chat: String,
    pub(crate) sender: String,
    pub(crate) sender_name: Option<String>,
    pub(crate) sender_phone: Option<String>,
    pub(crate) from_me: bool,
    pub(crate) timestamp: String,
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) reply_to: Option<String>,
    pub(crate) edited: bool,
    /// What it said before it was edited, the first text first.
    pub(crate) earlier_texts: Vec<Option<String>>,
    pub(crate) revoked: bool,
    pub(crate) starred: bool,
    pub(crate) view_once: bool,
    /// When it disappears.
    pub(crate) expires_at: Option<String>,
    pub(crate) media: Option<MediaView>,
    pub(crate) reactions: Vec<ReactionView>,
    pub(crate) poll: Option<PollView>,
}

/// A reaction in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct ReactionView {
    pub(crate) emoji: String,
    pub(crate) by: PersonView,
}

impl MessageView {
    /// Looks up who wrote a message, and what became of it.
    pub(crate) async fn new(
        message: &ArchivedMessage,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let key = &message.key;
        let contact = store.contact(&key.sender).await?;
        let phone = match &contact {
            Some(Contact { phone: Some(phone), .. }) => Some(phone.clone()),
            _ => store.phone_of(&key.sender).await?,
        };
        let phone = phone.or_else(|| Some(key.sender.clone()));
        Ok(Self {
            seq: message.seq.0,
            id: key.id.to_string(),
            chat: key.chat.to_string(),
            sender: key.sender.to_string(),
            sender_name: contact_name(contact.as_ref()).or_else(|| message.push_name.clone()),
            sender_phone: phone.as_ref().and_then(number),
            from_me: key.from_me,
            timestamp: moment::rfc3339(message.timestamp),
            kind: message.kind.to_string(),
            text: message.text.clone(),
            status: message.status.as_str(),
            reply_to: message.reply_to.as_ref().map(ToString::to_string),
            edited: message.edited_at.is_some(),
            earlier_texts: earlier_texts(message, store).await?,
            revoked: message.revoked.is_some(),
            starred: message.starred,
            view_once: message.view_once,
            expires_at: message.expires_at.map(moment::rfc3339),
            media: MediaView::of(message),
            reactions: reactions(message, store).await?,
            poll: match store.poll(key).await? {
                Some(tally) if message.revoked.is_none() => {
                    Some(PollView::new(&tally, store).await?)
                }
                _ => None,
            },
        })
    }

    /// The line for a person, and below it what was added; `text` is what to show as the text.
    pub(crate) fn line(
        &self,
        message: &ArchivedMessage,
        text: &str,
        output: &Output,
        zone: &TimeZone,
    ) -> String {
        let who = if self.from_me { "you" } else { self.sender_label() };
        let state = if self.from_me { format!(" [{}]", self.status) } else { String::new() };
        let mark = if self.edited { " (edited)" } else { "" };
        let at = moment::local(message.timestamp, zone);
        let who = foreign::plain(who, " ");
        let mut lines =
            format!("{}  {}{state}  {text}{mark}\n", output.dim(&at), output.bold(&who));
        for added in self.added() {
            lines.push_str(&format!("    {}\n", output.dim(&added)));
        }
        lines
    }

    /// The same with the message's id before it.
    pub(crate) fn line_with_id(
        &self,
        message: &ArchivedMessage,
        text: &str,
        output: &Output,
        zone: &TimeZone,
    ) -> String {
        let id = output.dim(&foreign::plain(&self.id, " "));
        format!("{id}  {}", self.line(message, text, output, zone))
    }

    /// What to show as the text: where it is more than that, with its kind in brackets.
    pub(crate) fn shown_text(&self) -> String {
        let kind = match self.media.as_ref().map(MediaView::facts) {
            Some(facts) if !facts.is_empty() => format!("[{}: {facts}]", self.kind),
            _ => format!("[{}]", self.kind),
        };
        match (&self.text, self.revoked) {
            (_, true) => "(deleted)".into(),
            (Some(text), false) if self.kind == "text" => foreign::plain(text, "\n    "),
            (Some(text), false) => format!("{kind} {}", foreign::plain(text, "\n    ")),
            (None, false) => kind,
        }
    }

    /// What people added, one line each.
    pub(crate) fn added(&self) -> Vec<String> {
        let mut added = Vec::new();
        for earlier in self.earlier_texts.iter().flatten() {
            added.push(format!("before: {}", foreign::plain(earlier, " ")));
        }
        added.extend(self.poll.iter().flat_map(PollView::lines));
        for reaction in &self.reactions {
            added.push(format!("{} {}", foreign::plain(&reaction.emoji, " "), reaction.by.label()));
        }
        added
    }

    fn sender_label(&self) -> &str {
        self.sender_name.as_deref().or(self.sender_phone.as_deref()).unwrap_or(&self.sender)
    }
}

async fn reactions(
    message: &ArchivedMessage,
    store: &dyn Store,
) -> Result<Vec<ReactionView>, StoreError> {
    let mut views = Vec::new();
    for Reaction { sender, emoji, .. } in store.reactions(&message.key).await? {
        views.push(ReactionView { emoji, by: PersonView::new(&sender, store).await? });
    }
    Ok(views)
}

async fn earlier_texts(
    message: &ArchivedMessage,
    store: &dyn Store,
) -> Result<Vec<Option<String>>, StoreError> {
    if message.edited_at.is_none() || message.revoked.is_some() {
        return Ok(Vec::new());
    }
    let mut versions = store.text_versions(&message.key).await?;
    versions.pop();
    Ok(versions.into_iter().map(|TextVersion { text, .. }| text).collect())
}
