//! People, chats and messages as every frontend gets them: plain objects, looked up by name.
//!
//! Texts and names are as their authors wrote them; a frontend makes them safe for where it shows
//! them (see [`crate::foreign`]).

mod account;
mod chat;
mod contact;
mod group;
mod health;
mod media;
mod message;
mod person;
mod poll;
mod sent;
mod title;

use wa_proto::Jid;
use wa_store::{Contact, Store, StoreError, Timestamp};

pub use account::AccountView;
pub use chat::ChatView;
pub use contact::{CandidateView, ContactView};
pub use group::{GroupView, ParticipantView};
pub use health::{FailedTaskView, HealthView};
pub use media::MediaView;
pub(crate) use message::Surroundings;
pub use message::{MessageView, ReactionView};
pub(crate) use person::People;
pub use person::PersonView;
pub use poll::{OptionView, PollView};
pub use sent::{SentStatus, SentView};
pub use title::ChatTitle;

/// A phone number as people write it, if this JID is one.
pub fn number(jid: &Jid) -> Option<String> {
    jid.is_phone().then(|| format!("+{}", jid.user))
}

/// This second.
pub fn now() -> Timestamp {
    Timestamp::from_secs(jiff::Timestamp::now().as_second())
}

/// How a chat is named in answers: by number where that is known.
///
/// # Errors
/// [`StoreError`] if the archive cannot be read.
pub async fn chat_label(chat: &Jid, store: &dyn Store) -> Result<String, StoreError> {
    let shown = match number(chat) {
        Some(number) => Some(number),
        None => store.phone_of(chat).await?.as_ref().and_then(number),
    };
    Ok(shown.unwrap_or_else(|| chat.to_string()))
}

fn contact_name(contact: Option<&Contact>) -> Option<String> {
    contact.and_then(Contact::name).map(str::to_owned)
}
