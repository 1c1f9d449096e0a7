//! What a list of messages and a search can be narrowed down to.

use wa_store::{MessageFilter, MessageKind};

use super::{Call, call::time};
use crate::failure::Failure;

/// Which messages are wanted, as it was typed.
#[derive(Debug, Default)]
pub(super) struct Narrow<'a> {
    pub(super) chat: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) from_me: Option<bool>,
    pub(super) after: Option<&'a str>,
    pub(super) before: Option<&'a str>,
}

impl Narrow<'_> {
    /// The same with chats and people found, and times read.
    ///
    /// # Errors
    /// As [`Call::chat`] and [`Call::person`]; [`Cause::Usage`](crate::Cause::Usage) for a time
    /// that is none.
    pub(super) async fn filter(self, call: &Call<'_>) -> Result<MessageFilter, Failure> {
        let mut filter = MessageFilter::default();
        if let Some(chat) = self.chat {
            filter.chat = Some(call.chat(chat).await?);
        }
        if let Some(person) = self.from {
            filter.sender = Some(call.person(person).await?);
        }
        filter.kind = self.kind.map(MessageKind::new);
        filter.from_me = self.from_me;
        filter.since = time(self.after)?;
        filter.until = time(self.before)?;
        Ok(filter)
    }
}
