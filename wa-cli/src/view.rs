//! People, chats and messages as the commands show them: as objects for scripts and as lines for
//! people.

mod media;
mod message;
mod person;
mod poll;

use jiff::tz::TimeZone;
use serde::Serialize;
use wa_proto::Jid;
use wa_store::{Account, Chat, Contact, Store, StoreError, Timestamp};

use crate::{
    moment,
    output::{Output, foreign},
};

pub(crate) use media::{MediaView, bytes};
pub(crate) use message::MessageView;
pub(crate) use person::PersonView;
pub(crate) use poll::PollView;

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
    pub(crate) pinned: bool,
    pub(crate) muted: bool,
    pub(crate) marked_unread: bool,
    /// After how many seconds messages disappear; null for never.
    pub(crate) disappearing: Option<u32>,
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
            pinned: chat.pinned_at.is_some(),
            muted: chat.muted_until.is_some_and(|until| until > now()),
            marked_unread: chat.marked_unread,
            disappearing: chat.ephemeral_secs.filter(|seconds| *seconds > 0),
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
        let unread = match self.unread {
            0 if self.marked_unread => Some("unread".into()),
            0 => None,
            unread => Some(format!("{unread} unread")),
        };
        let states = [(self.pinned, "pinned"), (self.muted, "muted"), (self.archived, "archived")];
        let states = states.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name.into());
        let notes: Vec<String> = unread.into_iter().chain(states).collect();
        let notes =
            if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) };
        format!("{}  {}{notes}\n", output.dim(&format!("{at:16}")), output.bold(&who))
    }
}

/// A phone number as people write it, if this JID is one.
pub(crate) fn number(jid: &Jid) -> Option<String> {
    jid.is_phone().then(|| format!("+{}", jid.user))
}

/// This second.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(jiff::Timestamp::now().as_second())
}

fn contact_name(contact: Option<&Contact>) -> Option<String> {
    contact.and_then(Contact::name).map(str::to_owned)
}
