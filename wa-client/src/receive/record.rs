//! From a plaintext to the changes it makes: archive rows, edits, reactions, keys, secrets.
//!
//! Owns what each content does to the archive and who may do it. Puts changes into a draft and
//! commits nothing. Knows nothing of encryption and answers nobody.

use wa_proto::{
    Content, Jid, Unwrapped,
    content::{Kind, Protocol, SenderKeyDistribution},
    stanza::{ChatKind, OwnJids},
};
use wa_store::{
    Change, ChatUpdate, ContactUpdate, Edit, MessageKey, MessageKind, NewMessage, Reaction,
    StoreError, Timestamp,
};

use crate::draft::Draft;

/// A message on its way into the archive: whose it is, by canonical addresses.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) id: String,
    /// The chat, without device.
    pub(crate) chat: Jid,
    pub(crate) kind: ChatKind,
    /// The device that sent it.
    pub(crate) sender: Jid,
    /// The same by the other kind of address.
    pub(crate) sender_alt: Option<Jid>,
    pub(crate) from_me: bool,
    /// Whether this device sends it and the server does not have it yet.
    pub(crate) is_outgoing: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) push_name: Option<String>,
    pub(crate) own: OwnJids,
}

impl Arrival {
    /// The message's name in the store.
    pub(crate) fn key(&self) -> MessageKey {
        self.key_in(self.chat.clone())
    }

    fn key_in(&self, chat: Jid) -> MessageKey {
        MessageKey {
            chat,
            sender: self.sender.to_user(),
            id: self.id.as_str().into(),
            from_me: self.from_me,
        }
    }

    fn is_group_like(&self) -> bool {
        matches!(self.kind, ChatKind::Group | ChatKind::Broadcast | ChatKind::Status)
    }

    /// The message a key points at, seen from this account. The key is written from the view of
    /// whoever sent it.
    fn target(&self, chat: &Jid, target: Option<&wa_proto::MessageKey>) -> Option<MessageKey> {
        let target = target?;
        let author = if target.from_me {
            self.sender.to_user()
        } else if self.is_group_like() {
            target.sender.as_ref()?.to_user()
        } else if self.from_me {
            chat.clone()
        } else {
            self.own.phone.to_user()
        };
        Some(MessageKey {
            chat: chat.clone(),
            from_me: self.own.is_me(&author),
            sender: author,
            id: target.id.as_str().into(),
        })
    }
}

/// What a plaintext turned out to be.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// A message that is archived with the commit.
    Message,
    /// A sender key and nothing else.
    KeyOnly,
    /// A change to an earlier message, or nothing a person sees.
    Noted,
    /// Something for the client itself.
    Protocol(Box<Protocol>),
    /// It cannot be decoded. Its bytes are archived all the same.
    Malformed,
    /// It claims something that its sender has no right to; nothing of it is believed.
    Forged,
}

/// Decodes a plaintext and puts what it changes into the draft.
///
/// # Errors
/// The store's.
pub(crate) async fn record(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    raw: &[u8],
) -> Result<Recorded, StoreError> {
    let unwrapped = match Unwrapped::decode(raw.to_vec()) {
        Ok(unwrapped) => unwrapped,
        Err(_) => {
            archive(draft, arrival, arrival.key(), MALFORMED, None, raw, None);
            return Ok(Recorded::Malformed);
        }
    };
    if unwrapped.is_device_sent() && !arrival.from_me {
        tracing::warn!(id = %arrival.id, "somebody else claims to be a device of this account");
        return Ok(Recorded::Forged);
    }
    for key in &unwrapped.sender_keys {
        keep_sender_key(draft, arrival, key).await?;
    }
    let chat = destination(draft, arrival, &unwrapped).await?;
    note_push_name(draft, arrival);
    Ok(apply(draft, arrival, chat, unwrapped, raw))
}

/// The chat: what the stanza says, except that an own message without a recipient names it within.
async fn destination(
    draft: &Draft<'_>,
    arrival: &Arrival,
    unwrapped: &Unwrapped,
) -> Result<Jid, StoreError> {
    match &unwrapped.destination {
        Some(to) if arrival.from_me && arrival.own.is_me(&arrival.chat) => {
            Ok(crate::lid::canonical(draft.store(), &to.to_user()).await?)
        }
        _ => Ok(arrival.chat.clone()),
    }
}

/// Keeps the key with which the sender writes to a group from now on.
async fn keep_sender_key(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    key: &SenderKeyDistribution,
) -> Result<(), StoreError> {
    let group = match &key.group {
        Some(group) if group.is_group() || group.server == wa_proto::Server::Broadcast => group,
        _ if arrival.is_group_like() => &arrival.chat,
        _ => return Ok(()),
    };
    let record = draft.sender_key(group, &arrival.sender).await?;
    match record.process_distribution(&key.message) {
        Ok(record) => draft.put_sender_key(group, &arrival.sender, record),
        Err(error) => tracing::warn!(id = %arrival.id, %error, "a sender key is refused"),
    }
    Ok(())
}

fn note_push_name(draft: &mut Draft<'_>, arrival: &Arrival) {
    if arrival.from_me || arrival.push_name.is_none() {
        return;
    }
    let mut contact = ContactUpdate::new(arrival.sender.to_user());
    contact.push_name.clone_from(&arrival.push_name);
    draft.push(Change::PutContact(Box::new(contact)));
}

fn apply(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    chat: Jid,
    unwrapped: Unwrapped,
    raw: &[u8],
) -> Recorded {
    let key = arrival.key_in(chat.clone());
    if let Some(secret) = &unwrapped.context.message_secret {
        let secret = secret.as_bytes().into();
        draft.push(Change::PutMessageSecret { key: key.clone(), secret });
    }
    let kind = unwrapped.kind();
    let quoted = unwrapped.context.quoted.as_ref().map(|quoted| quoted.id.clone());
    match unwrapped.content {
        Content::Protocol(Protocol::EphemeralSetting { expiration, .. }) => {
            let mut update = ChatUpdate::new(chat);
            update.ephemeral_secs = Some(Some(expiration).filter(|seconds| *seconds != 0));
            draft.push(Change::PutChat(Box::new(update)));
            Recorded::Noted
        }
        Content::Protocol(protocol) => Recorded::Protocol(Box::new(protocol)),
        Content::SenderKeyDistribution => Recorded::KeyOnly,
        Content::Placeholder | Content::ContextOnly | Content::Empty => Recorded::Noted,
        Content::Reaction(reaction) => {
            let Some(target) = arrival.target(&chat, reaction.target.as_ref()) else {
                return Recorded::Noted;
            };
            draft.push(Change::React(Box::new(Reaction {
                target,
                sender: arrival.sender.to_user(),
                emoji: reaction.emoji,
                timestamp: arrival.timestamp,
            })));
            Recorded::Noted
        }
        Content::Edit(edit) => {
            let target = arrival.target(&chat, edit.target.as_ref());
            let Some(target) = target.filter(|target| wrote(arrival, target)) else {
                return Recorded::Forged;
            };
            draft.push(Change::Edit(Box::new(Edit {
                target,
                id: arrival.id.as_str().into(),
                text: edit.content.text().map(str::to_owned),
                raw: raw.into(),
                edited_at: arrival.timestamp,
            })));
            Recorded::Noted
        }
        Content::Revoke(revoke) => {
            // In a group an admin may delete what others wrote; the server checks that.
            let target = arrival.target(&chat, revoke.target.as_ref());
            let may = |target: &MessageKey| arrival.is_group_like() || wrote(arrival, target);
            let Some(target) = target.filter(may) else { return Recorded::Forged };
            draft.push(Change::Revoke {
                key: target,
                by: arrival.sender.to_user(),
                at: arrival.timestamp,
            });
            Recorded::Noted
        }
        content => {
            let text = content.text().map(str::to_owned);
            archive(draft, arrival, key, kind.as_str(), text, raw, quoted);
            if is_addition(kind) { Recorded::Noted } else { Recorded::Message }
        }
    }
}

/// Whether the sender of the arrival wrote the target.
fn wrote(arrival: &Arrival, target: &MessageKey) -> bool {
    target.from_me == arrival.from_me
        && (arrival.from_me || target.sender.is_same_user(&arrival.sender))
}

fn archive(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    key: MessageKey,
    kind: &str,
    text: Option<String>,
    raw: &[u8],
    quoted: Option<wa_proto::MessageId>,
) {
    let mut message = NewMessage::new(key, arrival.timestamp, MessageKind::new(kind));
    message.text = text;
    message.raw = raw.into();
    message.push_name.clone_from(&arrival.push_name);
    message.reply_to = quoted.map(|id| id.as_str().into());
    if arrival.from_me && !arrival.is_outgoing {
        message.status = wa_store::MessageStatus::Sent;
    }
    if kind != MALFORMED && kind.parse().is_ok_and(is_addition) {
        message.unread = false;
    }
    draft.push(Change::Archive(Box::new(message)));
}

/// Whether a kind adds to an earlier message and is nothing that waits to be read.
fn is_addition(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::EncryptedReaction
            | Kind::EncryptedEdit
            | Kind::EncryptedComment
            | Kind::EventResponse
            | Kind::PollVote
            | Kind::Pin
            | Kind::Keep
    )
}

/// The kind of what was decrypted and cannot be decoded.
const MALFORMED: &str = "malformed";

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_proto::{content::MessageContext, pb};
    use wa_store::{MemoryStore, Store};

    use super::*;

    fn arrival(from_me: bool) -> Arrival {
        Arrival {
            id: "3EB0AA".into(),
            chat: Jid::lid("2"),
            kind: ChatKind::Direct,
            sender: if from_me { Jid::lid("1").with_device(3) } else { Jid::lid("2") },
            sender_alt: None,
            from_me,
            is_outgoing: false,
            timestamp: Timestamp::from_secs(1_700_000_000),
            push_name: None,
            own: OwnJids {
                phone: Jid::phone("1555").with_device(1),
                lid: Some(Jid::lid("1").with_device(1)),
            },
        }
    }

    fn text(body: &str) -> pb::Message {
        Content::from(body).to_message(&MessageContext::default()).unwrap()
    }

    fn device_sent(message: pb::Message) -> Vec<u8> {
        let sent = pb::message::DeviceSentMessage {
            destination_jid: Some("2@lid".into()),
            message: Some(Box::new(message)),
            ..Default::default()
        };
        pb::Message { device_sent_message: Some(Box::new(sent)), ..Default::default() }
            .encode_to_vec()
    }

    async fn recorded(arrival: &Arrival, raw: &[u8]) -> (Recorded, MemoryStore) {
        let store = MemoryStore::new();
        let mut draft = Draft::new(&store);
        let recorded = record(&mut draft, arrival, raw).await.unwrap();
        let changes = draft.into_changes();
        store.commit(changes).await.unwrap();
        (recorded, store)
    }

    #[tokio::test]
    async fn a_copy_of_an_own_message_is_believed_from_own_devices_only() {
        let raw = device_sent(text("hi"));
        let (mine, store) = recorded(&arrival(true), &raw).await;
        let kept = store.message(&arrival(true).key()).await.unwrap().unwrap();
        assert_eq!(kept.text.as_deref(), Some("hi"));
        assert!(matches!(mine, Recorded::Message));
        let (forged, store) = recorded(&arrival(false), &raw).await;
        assert!(matches!(forged, Recorded::Forged));
        assert_eq!(store.stats().await.unwrap().messages, 0);
    }

    #[tokio::test]
    async fn the_raw_plaintext_is_kept_also_when_it_cannot_be_decoded() {
        let (kind, store) = recorded(&arrival(false), &[0x0a, 0xff]).await;
        assert!(matches!(kind, Recorded::Malformed));
        let kept = store.message(&arrival(false).key()).await.unwrap().unwrap();
        assert_eq!(kept.raw.as_bytes(), [0x0a, 0xff]);
    }

    #[tokio::test]
    async fn nobody_deletes_or_edits_what_others_wrote_in_a_direct_chat() {
        let target = wa_proto::MessageKey {
            chat: None,
            from_me: false,
            id: "3EB0BB".parse().unwrap(),
            sender: None,
        };
        let revoke = wa_proto::content::Revoke { target: Some(target) };
        let raw = Content::Revoke(revoke).to_message(&MessageContext::default()).unwrap();
        let (kind, _) = recorded(&arrival(false), &raw.encode_to_vec()).await;
        assert!(matches!(kind, Recorded::Forged));
    }
}
