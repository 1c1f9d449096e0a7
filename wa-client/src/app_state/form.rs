//! How an action names chats and messages.
//!
//! A person may stand in the app state by phone number or by LID. Whichever form an entry has
//! already is kept, so that it is replaced and not doubled; new ones are written by LID. Actions on
//! a whole chat name its last message, without which phones ignore them.

use wa_appstate::IndexMac;
use wa_proto::{
    Jid, MessageId,
    app_state::{MessageEntry, MessageRange, SyncEntry},
};
use wa_store::{ArchivedMessage, MessageKey, MessageQuery, StoreError};

use super::keys;
use crate::{inner::Inner, lid};

/// The form in which a person or chat stands at an entry already, else the LID if it is known.
///
/// # Errors
/// The store's.
pub(crate) async fn own_form(
    inner: &Inner,
    jid: &Jid,
    entry: impl Fn(Jid) -> SyncEntry + Send + Sync,
) -> Result<Jid, StoreError> {
    let by_lid = lid::canonical(&*inner.store, &jid.to_user()).await?;
    let Some(by_phone) = inner.store.phone_of(&by_lid).await? else { return Ok(by_lid) };
    let Some(key) = keys::newest(inner).await? else { return Ok(by_lid) };
    let keyring = keys::keyring(inner).await?;
    let Some(keys) = keyring.find(key.as_bytes()) else { return Ok(by_lid) };
    let place = |jid: &Jid| {
        let entry = entry(jid.clone());
        let mac = IndexMac::of(&entry.to_index().to_json(), keys);
        (entry.collection(), *mac.as_bytes())
    };
    let ((collection, lid_mac), (_, phone_mac)) = (place(&by_lid), place(&by_phone));
    let there = inner.store.collection_macs(collection, &[lid_mac, phone_mac]).await?;
    let is_by_phone = there.contains_key(&phone_mac) && !there.contains_key(&lid_mac);
    Ok(if is_by_phone { by_phone } else { by_lid })
}

/// The end of a chat: its last message; nothing of a chat without messages.
///
/// # Errors
/// The store's.
pub(crate) async fn range_of(
    inner: &Inner,
    chat: &Jid,
) -> Result<Option<MessageRange>, StoreError> {
    let mut newest = MessageQuery::chat(chat.clone());
    newest.limit = 1;
    let Some(last) = inner.store.messages(&newest).await?.into_iter().next() else {
        return Ok(None);
    };
    let ArchivedMessage { key, timestamp, .. } = last;
    let Ok(id) = MessageId::new(key.id.as_str()) else { return Ok(None) };
    let sender = sender_in_group(&key);
    let named = wa_proto::MessageKey { chat: Some(chat.clone()), from_me: key.from_me, id, sender };
    Ok(Some(MessageRange::up_to(named, timestamp.secs())))
}

/// A message as an index names it; the chat in the form given.
pub(crate) fn message_entry(chat: Jid, key: &MessageKey) -> Option<MessageEntry> {
    Some(MessageEntry {
        chat,
        id: MessageId::new(key.id.as_str()).ok()?,
        from_me: key.from_me,
        sender: sender_in_group(key),
    })
}

fn sender_in_group(key: &MessageKey) -> Option<Jid> {
    (!key.chat.is_person() && !key.from_me).then(|| key.sender.to_user())
}
