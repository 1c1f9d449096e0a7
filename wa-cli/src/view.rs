//! Chats and messages as the commands show them: as objects for scripts and as lines for people.

use jiff::tz::TimeZone;
use serde::Serialize;
use wa_proto::Jid;
use wa_store::{Account, ArchivedMessage, Chat, Contact, Store, StoreError};

use crate::{
    moment,
    output::{Output, foreign},
};

/// Who is linked here, in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct AccountView {
    pub(crate) phone: Option<String>,
    pub(crate) lid: Option<String>,
    pub(crate) device: u16,
    pub(crate) name: Option<String>,
    pub(crate) linked_at: Option<String>,
}

impl AccountView {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            phone: account.jid.as_ref().and_then(number),
            lid: account.lid.as_ref().map(|lid| lid.to_user().to_string()),
            device: account.jid.as_ref().map(|jid| jid.device).unwrap_or_default(),
            name: account.push_name.clone(),
            linked_at: account.linked_at.map(moment::rfc3339),
        }
    }

    /// Who it is, for a person.
    pub(crate) fn who(&self) -> String {
        let phone = self.phone.as_deref().unwrap_or("an account without a number");
        match &self.name {
            Some(name) => format!("{phone} ({})", foreign::plain(name, " ")),
            None => phone.to_owned(),
        }
    }
}

/// A chat in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct ChatView {
    pub(crate) jid: String,
    pub(crate) phone: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) unread: u32,
    pub(crate) archived: bool,
    pub(crate) last_message_at: Option<String>,
}

impl ChatView {
    /// Looks up what a chat is called where it has no name of its own.
    pub(crate) async fn new(chat: &Chat, store: &dyn Store) -> Result<Self, StoreError> {
        let contact = store.contact(&chat.jid).await?;
        let name = chat.name.clone().or_else(|| contact_name(contact.as_ref()));
        let phone = chat.phone.clone().or_else(|| contact.and_then(|contact| contact.phone));
        Ok(Self {
            jid: chat.jid.to_string(),
            phone: phone.as_ref().and_then(number),
            name,
            unread: chat.unread,
            archived: chat.archived,
            last_message_at: chat.last_message.map(|(_, at)| moment::rfc3339(at)),
        })
    }

    /// The line for a person.
    pub(crate) fn line(&self, chat: &Chat, output: &Output, zone: &TimeZone) -> String {
        let at = chat.last_message.map_or_else(|| "-".into(), |(_, at)| moment::local(at, zone));
        let who = [self.name.as_deref(), self.phone.as_deref()]
            .into_iter()
            .flatten()
            .map(|text| foreign::plain(text, " "))
            .collect::<Vec<_>>()
            .join("  ");
        let who = if who.is_empty() { self.jid.clone() } else { who };
        let unread =
            if self.unread > 0 { format!("  ({} unread)", self.unread) } else { String::new() };
        format!("{}  {}{unread}\n", output.dim(&format!("{at:16}")), output.bold(&who))
    }
}

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
    pub(crate) revoked: bool,
    pub(crate) starred: bool,
}

impl MessageView {
    /// Looks up who wrote a message.
    pub(crate) async fn new(
        message: &ArchivedMessage,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let contact = store.contact(&message.key.sender).await?;
        let phone = match &contact {
            Some(Contact { phone: Some(phone), .. }) => Some(phone.clone()),
            _ => store.phone_of(&message.key.sender).await?,
        };
        let phone = phone.or_else(|| Some(message.key.sender.clone()));
        Ok(Self {
            seq: message.seq.0,
            id: message.key.id.to_string(),
            chat: message.key.chat.to_string(),
            sender: message.key.sender.to_string(),
            sender_name: contact_name(contact.as_ref()).or_else(|| message.push_name.clone()),
            sender_phone: phone.as_ref().and_then(number),
            from_me: message.key.from_me,
            timestamp: moment::rfc3339(message.timestamp),
            kind: message.kind.to_string(),
            text: message.text.clone(),
            status: message.status.as_str(),
            reply_to: message.reply_to.as_ref().map(ToString::to_string),
            edited: message.edited_at.is_some(),
            revoked: message.revoked.is_some(),
            starred: message.starred,
        })
    }

    /// The line for a person; `text` is what to show as the text.
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
        format!("{}  {}{state}  {text}{mark}\n", output.dim(&at), output.bold(&who))
    }

    /// What to show where a message has no text: its kind, in brackets.
    pub(crate) fn shown_text(&self) -> String {
        match (&self.text, self.revoked) {
            (_, true) => "(deleted)".into(),
            (Some(text), false) if self.kind == "text" => foreign::plain(text, "\n    "),
            (Some(text), false) => format!("[{}] {}", self.kind, foreign::plain(text, "\n    ")),
            (None, false) => format!("[{}]", self.kind),
        }
    }

    fn sender_label(&self) -> &str {
        self.sender_name.as_deref().or(self.sender_phone.as_deref()).unwrap_or(&self.sender)
    }
}

/// A phone number as people write it, if this JID is one.
pub(crate) fn number(jid: &Jid) -> Option<String> {
    jid.is_phone().then(|| format!("+{}", jid.user))
}

fn contact_name(contact: Option<&Contact>) -> Option<String> {
    contact.and_then(Contact::name).map(str::to_owned)
}
