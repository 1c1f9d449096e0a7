//! Messages that are in the archive.

use wa_store::{ArchivedMessage, MessageQuery, Order, Seq};

use super::{
    Call, Perform,
    call::{no_message_id, page},
    chats::arranged,
    narrow::Narrow,
    send::{about, target},
};
use crate::{
    api::{
        ArrangedView, ContextView, MessageContext, MessageDelete, MessageList, MessageStar,
        MessageView,
    },
    failure::{Cause, Failure},
};

/// How many messages around one are given unless that is said, and at most.
const AROUND: u32 = 5;
const MAX_AROUND: u32 = 100;

impl Perform for MessageList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<MessageView>, Failure> {
        let narrow = Narrow {
            chat: self.chat.as_deref(),
            from: self.from.as_deref(),
            kind: self.kind.as_deref(),
            from_me: self.from_me,
            after: self.after.as_deref(),
            before: self.before.as_deref(),
        };
        let mut query = MessageQuery::default();
        query.filter = narrow.filter(call).await?;
        query.before = self.before_seq.map(Seq);
        query.after = self.after_seq.map(Seq);
        query.order = if self.oldest_first { Order::OldestFirst } else { Order::NewestFirst };
        query.limit = page(self.limit, 50);
        let messages = call.archive().messages(query).await?;
        call.hand_out(&messages).await
    }
}

impl Perform for MessageContext {
    async fn perform(self, call: &Call<'_>) -> Result<ContextView, Failure> {
        let message = match &self.chat {
            Some(chat) => call.message(chat, &self.id).await?,
            None => anywhere(call, &self.id).await?,
        };
        let around = async |count: Option<u32>, order| {
            let mut query = MessageQuery::chat(message.key.chat.clone());
            query.order = order;
            match order {
                Order::OldestFirst => query.after = Some(message.seq),
                _ => query.before = Some(message.seq),
            }
            let count = count.unwrap_or(AROUND).min(MAX_AROUND);
            query.limit = usize::try_from(count).unwrap_or(usize::MAX);
            let messages = match count {
                0 => Vec::new(),
                _ => call.archive().messages(query).await?,
            };
            call.hand_out(&messages).await
        };
        let mut before = around(self.before, Order::NewestFirst).await?;
        before.reverse();
        let after = around(self.after, Order::OldestFirst).await?;
        call.note_read([&message]).await?;
        let message = MessageView::new(&message, &call.archive()).await?;
        Ok(ContextView { message, before, after })
    }
}

/// The one message with this id, in whichever chat.
async fn anywhere(call: &Call<'_>, id: &str) -> Result<ArchivedMessage, Failure> {
    wa_proto::MessageId::new(id).map_err(|_| no_message_id(id))?;
    let mut readable = call.archive().messages_with_id(&id.into()).await?;
    match (readable.pop(), readable.is_empty()) {
        (Some(message), true) => Ok(message),
        (Some(_), false) => {
            Err(Failure::new(Cause::Ambiguous, format!("several messages have the id {id:?}"))
                .remedy("name the chat besides the message's id"))
        }
        (None, _) => Err(Failure::new(Cause::NotFound, format!("there is no message {id:?}"))
            .remedy("look for the id in the list of a chat's messages")),
    }
}

impl Perform for MessageStar {
    async fn perform(self, call: &Call<'_>) -> Result<ArrangedView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let client = call.online().await?;
        let chats = client.chats();
        let (synced, done) = match self.starred {
            true => (call.ask(chats.star(&message.key)).await?, "starred"),
            false => (call.ask(chats.unstar(&message.key)).await?, "unstarred"),
        };
        arranged(call, &message.key.chat, done, synced).await
    }
}

impl Perform for MessageDelete {
    async fn perform(self, call: &Call<'_>) -> Result<ArrangedView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        call.note_detail(self.id);
        call.note_read([&message]).await?;
        let shown = about("delete a message for this account alone", &message);
        call.agree_to_delete(&message.key.chat, shown, target(&message)).await?;
        let client = call.online().await?;
        let chats = client.chats();
        let synced = call.ask(chats.delete_for_me(&message.key, DELETE_MEDIA)).await?;
        arranged(call, &message.key.chat, "deleted", synced).await
    }
}

/// The other devices drop the file with the message.
const DELETE_MEDIA: bool = true;
