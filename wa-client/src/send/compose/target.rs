//! Earlier messages as new ones name them.

use wa_proto::MessageId;
use wa_store::{ArchivedMessage, MessageKey};

use crate::{error::Error, inner::Inner};

/// A message's key as it is written from this account's view.
pub(super) fn key(target: &MessageKey) -> Result<wa_proto::MessageKey, Error> {
    let id = MessageId::new(target.id.as_str());
    let id = id.map_err(|_| Error::InvalidInput("that is no message's id"))?;
    let names_sender = !target.from_me && !target.chat.is_person();
    Ok(wa_proto::MessageKey {
        chat: Some(target.chat.to_user()),
        from_me: target.from_me,
        id,
        sender: names_sender.then(|| target.sender.to_user()),
    })
}

/// A message that is there and was not revoked.
pub(super) async fn archived(inner: &Inner, key: &MessageKey) -> Result<ArchivedMessage, Error> {
    let message = inner.store.message(key).await?;
    let message = message.ok_or(Error::InvalidInput("there is no such message"))?;
    match message.revoked {
        Some(_) => Err(Error::InvalidInput("the message was deleted")),
        None => Ok(message),
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::Jid;

    use super::*;

    #[test]
    fn the_author_is_named_where_several_people_write() {
        let (ada, me) = (Jid::lid("2"), Jid::lid("1"));
        let theirs = MessageKey::received(Jid::group("9"), ada.with_device(3), "A");
        assert_eq!(key(&theirs).unwrap().sender, Some(ada.clone()));
        let mine = key(&MessageKey::sent(Jid::group("9"), me, "A")).unwrap();
        assert_eq!((mine.sender, mine.from_me), (None, true));
        let direct = key(&MessageKey::received(ada.clone(), ada.clone(), "A")).unwrap();
        assert_eq!((direct.sender, direct.chat), (None, Some(ada)));
    }
}
