//! What an answer tells of the message it answers.

use wa_proto::{
    Content, Jid, MessageId, Unwrapped,
    content::{MessageContext, Quoted},
    pb,
};
use wa_store::ArchivedMessage;

use crate::{error::Error, inner::Inner};

/// What is told of the quoted message: its sender and what it said.
pub(super) async fn quote(inner: &Inner, chat: &Jid, id: &MessageId) -> Result<Quoted, Error> {
    let found = inner.store.messages_by_id(chat, &id.as_str().into()).await?;
    let quoted = found.into_iter().next();
    let quoted = quoted.ok_or(Error::InvalidInput("the quoted message is not in this chat"))?;
    let message = shown(&quoted).map(Box::new);
    Ok(Quoted { id: id.clone(), sender: Some(quoted.key.sender), chat: None, message })
}

/// A quoted message as it is shown: what it says, out of its wrappers, without its secret and
/// without what it quotes itself. Of a kind that cannot be written, its text.
fn shown(quoted: &ArchivedMessage) -> Option<pb::Message> {
    let nothing = MessageContext::default();
    if quoted.revoked.is_some() || quoted.view_once {
        return None;
    }
    let content = Unwrapped::decode(quoted.raw.as_bytes().to_vec()).ok().map(|it| it.content);
    let content = match (content, quoted.edited_at) {
        (Some(content), None) => content.to_message(&nothing).ok(),
        (Some(content), Some(_)) if content.media().is_some() => content.to_message(&nothing).ok(),
        _ => None,
    };
    content.or_else(|| Content::from(quoted.text.clone()?).to_message(&nothing).ok())
}
