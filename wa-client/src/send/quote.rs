//! What an answer tells of the message it answers.

use prost::Message as _;
use wa_proto::{Jid, MessageId, content::Quoted, pb};

use crate::{error::Error, inner::Inner};

/// What is told of the quoted message: its sender and what it said.
pub(super) async fn quote(inner: &Inner, chat: &Jid, id: &MessageId) -> Result<Quoted, Error> {
    let found = inner.store.messages_by_id(chat, &id.as_str().into()).await?;
    let quoted = found.into_iter().next();
    let quoted = quoted.ok_or(Error::InvalidInput("the quoted message is not in this chat"))?;
    let message = pb::Message::decode(quoted.raw.as_bytes()).ok();
    Ok(Quoted {
        id: id.clone(),
        sender: Some(quoted.key.sender),
        chat: None,
        message: message.map(bare).map(Box::new),
    })
}

/// A quoted message as it is shown: out of its wrapper, and without what stands beside it.
fn bare(mut message: pb::Message) -> pb::Message {
    if let Some(inner) = message.device_sent_message.take().and_then(|sent| sent.message) {
        message = *inner;
    }
    message.message_context_info = None;
    message.sender_key_distribution_message = None;
    message
}
