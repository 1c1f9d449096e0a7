//! From a plaintext to the changes it makes: archive rows, edits, reactions, keys, secrets.
//!
//! Owns what each content does to the archive and who may do it. Puts changes into a draft and
//! commits nothing. Knows nothing of encryption and answers nobody.

mod addition;
mod arrival;
pub(crate) mod row;
pub(crate) mod sealed;
mod sender_key;

use prost::Message as _;
use wa_proto::{Content, Jid, Unwrapped, content::Protocol, pb, stanza::ChatKind};
use wa_store::{Added, Change, ChatUpdate, ContactUpdate, MessageKey, StoreError};

pub(crate) use arrival::{Arrival, Way};
use row::row;

use super::provenance::{Authenticated, Clear};
use crate::draft::Draft;

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
    said: &Authenticated,
) -> Result<Recorded, StoreError> {
    if !said.is_of(arrival) {
        tracing::warn!(id = %arrival.id, "a message is not of the device it is said to be of");
        return Ok(Recorded::Forged);
    }
    let raw = said.plaintext();
    let Some(unwrapped) = decoded(draft, arrival, raw) else { return Ok(Recorded::Malformed) };
    if unwrapped.is_device_sent() && !arrival.from_me {
        tracing::warn!(id = %arrival.id, "somebody else claims to be a device of this account");
        return Ok(Recorded::Forged);
    }
    if let Some(device) = said.device() {
        for key in &unwrapped.sender_keys {
            sender_key::keep_sender_key(draft, arrival, device, key).await?;
        }
    }
    let arrival = &destined(draft, arrival, &unwrapped).await?;
    note_push_name(draft, arrival);
    put(draft, arrival, unwrapped, raw).await
}

/// The same of a post of a channel: it is archived, and may change earlier posts of the channel.
/// What it says to the client itself, or for devices of people, is not looked at.
///
/// # Errors
/// The store's.
pub(crate) async fn record_post(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    post: &Clear<'_>,
) -> Result<Recorded, StoreError> {
    if !post.is_of(arrival) {
        tracing::warn!(id = %arrival.id, "a post is not of the channel it is said to be of");
        return Ok(Recorded::Forged);
    }
    let raw = post.plaintext();
    let Some(unwrapped) = decoded(draft, arrival, raw) else { return Ok(Recorded::Malformed) };
    if unwrapped.is_device_sent() {
        return Ok(Recorded::Forged);
    }
    match unwrapped.content {
        Content::Protocol(_) => Ok(Recorded::Noted),
        _ => put(draft, arrival, unwrapped, raw).await,
    }
}

/// This client's own note that a call was missed, of which the server told: no more can be archived
/// without a device that said it.
///
/// # Errors
/// The store's.
pub(crate) async fn record_missed_call(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    call: pb::message::CallLogMessage,
) -> Result<Recorded, StoreError> {
    let message = pb::Message { call_log_messsage: Some(call), ..Default::default() };
    let raw = message.encode_to_vec();
    put(draft, arrival, Unwrapped::from_message(message), &raw).await
}

/// A plaintext that can be decoded; of any other, the bytes are archived.
fn decoded(draft: &mut Draft<'_>, arrival: &Arrival, raw: &[u8]) -> Option<Unwrapped> {
    let unwrapped = Unwrapped::decode(raw.to_vec());
    if unwrapped.is_err() {
        draft.push(Change::Archive(Box::new(row::malformed(arrival, raw))));
    }
    unwrapped.ok()
}

async fn put(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    unwrapped: Unwrapped,
    raw: &[u8],
) -> Result<Recorded, StoreError> {
    let recorded = apply(draft, arrival, unwrapped, raw);
    if matches!(recorded, Recorded::Message) && arrival.way != Way::History {
        bring_back(draft, arrival, arrival.chat.clone()).await?;
    }
    if matches!(recorded, Recorded::Noted | Recorded::Protocol(_)) {
        clear_placeholder(draft, arrival.key()).await?;
    }
    Ok(recorded)
}

/// An archived chat comes back with a new message if the user wants that, unless it is silent.
async fn bring_back(draft: &mut Draft<'_>, arrival: &Arrival, chat: Jid) -> Result<(), StoreError> {
    if !draft.brings_chats_back().await? {
        return Ok(());
    }
    let known = draft.store().chat(&chat).await?;
    if known.is_some_and(|known| known.archived && !known.is_muted(arrival.timestamp)) {
        let mut update = ChatUpdate::new(chat);
        update.archived = Some(false);
        draft.push(Change::PutChat(Box::new(update)));
    }
    Ok(())
}

/// What could not be read at first stood in the chat, and turned out to be nothing that stands
/// there.
async fn clear_placeholder(draft: &mut Draft<'_>, key: MessageKey) -> Result<(), StoreError> {
    if draft.store().placeholder(&key).await?.is_some() {
        draft.push(Change::DeleteMessage(key));
    }
    Ok(())
}

/// The arrival in the chat it is for: an own device names that within its message, and is believed
/// whatever the stanza says.
async fn destined(
    draft: &Draft<'_>,
    arrival: &Arrival,
    unwrapped: &Unwrapped,
) -> Result<Arrival, StoreError> {
    let names_it =
        arrival.from_me && (arrival.way == Way::Live || arrival.own.is_me(&arrival.chat));
    let Some(to) = unwrapped.destination.as_ref().filter(|_| names_it) else {
        return Ok(arrival.clone());
    };
    let chat = crate::lid::canonical(draft.store(), &to.to_user()).await?;
    if chat == arrival.chat || arrival.own.is_me(&chat) && arrival.own.is_me(&arrival.chat) {
        return Ok(arrival.clone());
    }
    Ok(Arrival { kind: ChatKind::of(&chat), chat, ..arrival.clone() })
}

fn note_push_name(draft: &mut Draft<'_>, arrival: &Arrival) {
    if arrival.from_me || arrival.push_name.is_none() {
        return;
    }
    let mut contact = ContactUpdate::new(arrival.sender.to_user());
    contact.push_name.clone_from(&arrival.push_name);
    draft.push(Change::PutContact(Box::new(contact)));
}

/// Keeps the secret that a message carries for what will be added to it.
fn keep_secret(draft: &mut Draft<'_>, key: &MessageKey, unwrapped: &Unwrapped) {
    if let Some(secret) = &unwrapped.context.message_secret {
        let secret = secret.as_bytes().into();
        draft.push(Change::PutMessageSecret { key: key.clone(), secret });
    }
}

fn apply(draft: &mut Draft<'_>, arrival: &Arrival, unwrapped: Unwrapped, raw: &[u8]) -> Recorded {
    let (chat, key) = (&arrival.chat, arrival.key());
    match &unwrapped.content {
        Content::Protocol(protocol) => {
            return match addition::timer(arrival, chat, protocol) {
                Some(change) => {
                    draft.push(change);
                    Recorded::Noted
                }
                None => Recorded::Protocol(Box::new(protocol.clone())),
            };
        }
        Content::SenderKeyDistribution => return Recorded::KeyOnly,
        Content::Placeholder | Content::ContextOnly | Content::Empty => return Recorded::Noted,
        _ => {}
    }
    keep_secret(draft, &key, &unwrapped);
    if let Some(target) = arrival.target(chat, unwrapped.content.target())
        && let Some(recorded) = apply_to(draft, arrival, &key, target, &unwrapped, raw)
    {
        return recorded;
    }
    if matches!(unwrapped.content, Content::Edit(_) | Content::Revoke(_)) {
        // Whose they change cannot be told.
        return Recorded::Forged;
    }
    draft.push(Change::Archive(Box::new(row(arrival, key.clone(), &unwrapped, raw))));
    match &unwrapped.content {
        Content::Poll(poll) => {
            addition::add(draft, arrival, key, None, addition::poll(poll));
        }
        Content::LiveLocation(location) => {
            if let Some(position) = addition::position(location) {
                addition::add(draft, arrival, key, None, position);
            }
        }
        _ => {}
    }
    match row::is_addition(unwrapped.kind()) {
        true => Recorded::Noted,
        false => Recorded::Message,
    }
}

/// Does what a message says of an earlier one; nothing if it is one of its own.
fn apply_to(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    key: &MessageKey,
    target: MessageKey,
    unwrapped: &Unwrapped,
    raw: &[u8],
) -> Option<Recorded> {
    match &unwrapped.content {
        Content::Reaction(reaction) => {
            let emoji = reaction.emoji.clone();
            addition::react(draft, arrival, target, emoji, reaction.at_ms);
        }
        Content::Edit(edit) => {
            let (content, at_ms) = (&edit.content, edit.at_ms);
            return Some(addition::edit(draft, arrival, target, content, at_ms, raw));
        }
        Content::Revoke(_) => return Some(addition::revoke(draft, arrival, target)),
        Content::PollOption(added) => {
            let option = Added::PollOption(added.option.clone());
            addition::add(draft, arrival, target, None, option);
        }
        Content::Pin(pin) => {
            let seconds = unwrapped.context.add_on_seconds;
            addition::pin(draft, arrival, target, pin, seconds);
        }
        Content::Keep(keep) => {
            let what = Added::Keep { kept: keep.kept };
            addition::add(draft, arrival, target, keep.at_ms, what);
        }
        Content::Comment(_) => {
            addition::comment(draft, arrival, key.clone(), unwrapped, &target, raw);
            return Some(Recorded::Message);
        }
        content => {
            sealed::sealed_in(content)?;
            sealed::keep(draft, arrival, target, raw);
        }
    }
    Some(Recorded::Noted)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_proto::{content::MessageContext, pb, stanza::OwnJids};
    use wa_store::{MemoryStore, Store, Timestamp};

    use super::{super::provenance::OwnPhone, *};

    fn arrival(from_me: bool) -> Arrival {
        Arrival {
            id: "3EB0AA".into(),
            chat: Jid::lid("2"),
            kind: ChatKind::Direct,
            sender: if from_me { Jid::lid("1").with_device(3) } else { Jid::lid("2") },
            from_me,
            way: Way::Live,
            deletes_as_admin: false,
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
        let said = match arrival.way {
            Way::History => {
                let chunk = wa_store::HistoryChunk {
                    id: "H".into(),
                    notice: Vec::new(),
                    received_at: Timestamp::MIN,
                    attempts: 0,
                };
                Authenticated::told(&OwnPhone::of_history(&chunk), raw.to_vec())
            }
            _ => Authenticated::opened(arrival.sender.clone(), raw.to_vec()),
        };
        let recorded = record(&mut draft, arrival, &said).await.unwrap();
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
    async fn what_is_from_the_past_is_not_unread_and_replaces_no_key() {
        let keyed = pb::Message {
            conversation: Some("then".into()),
            sender_key_distribution_message: Some(pb::message::SenderKeyDistributionMessage {
                group_id: Some("120363@g.us".into()),
                axolotl_sender_key_distribution_message: Some(
                    wa_signal::SenderKeyRecord::create(&mut rand::make_rng::<rand::rngs::StdRng>())
                        .distribution_message()
                        .unwrap()
                        .into(),
                ),
            }),
            ..Default::default()
        };
        let group = Jid::group("120363");
        for (way, unread) in [(Way::Live, 1), (Way::History, 0)] {
            let arrival = Arrival { way, ..arrival(false) };
            let (_, store) = recorded(&arrival, &keyed.encode_to_vec()).await;
            let chat = store.chat(&arrival.chat).await.unwrap().unwrap();
            assert_eq!(chat.unread, unread);
            let key = store.sender_key(&group, &arrival.sender).await.unwrap();
            assert_eq!(key.is_some(), way == Way::Live);
        }
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
