//! People, messages and short ways to write them down.

use wa_crypto::{KeyPair, PrivateKey};
use wa_proto::Jid;
use wa_store::{
    Account, AdvSecret, Change, Changes, Committed, MessageKey, NewMessage, Store, Timestamp,
};

pub(crate) fn ada() -> Jid {
    Jid::phone("15550100")
}

pub(crate) fn ada_lid() -> Jid {
    Jid::lid("900100")
}

pub(crate) fn bob() -> Jid {
    Jid::lid("900200")
}

pub(crate) fn me() -> Jid {
    Jid::lid("900999")
}

pub(crate) fn group() -> Jid {
    Jid::group("120363000000000001")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + seconds)
}

pub(crate) fn pair(byte: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([byte; 32]))
}

pub(crate) fn account() -> Account {
    Account::new(77, pair(1), pair(2), AdvSecret::from_bytes([3; 32]), at(0))
}

/// A text from `sender` in a chat with them.
pub(crate) fn text(sender: &Jid, id: &str, seconds: i64, text: &str) -> NewMessage {
    NewMessage::text(MessageKey::received(sender.clone(), sender.clone(), id), at(seconds), text)
}

pub(crate) fn archive(message: NewMessage) -> Change {
    Change::Archive(Box::new(message))
}

pub(crate) async fn commit(
    store: &dyn Store,
    changes: impl IntoIterator<Item = Change>,
) -> Committed {
    store.commit(changes.into_iter().collect::<Changes>()).await.unwrap()
}
