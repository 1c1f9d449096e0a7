//! A message of the past, as the archive takes it.
//!
//! Owns whose it is, when it can have been sent, and what stands beside its content: status, star,
//! reactions, secret, and the words of the chat itself. Knows nothing of contents, which are
//! recorded as those of live messages are.

use wa_proto::{Jid, Server, Unwrapped, history::HistoryMessage, pb, stanza::ChatKind};
use wa_store::{
    Change, MessageKey, MessageKind, MessageStatus, NewMessage, Reaction, StoreError, Timestamp,
};

use super::apply::Applier;
use crate::{
    draft::Draft,
    receive::{
        provenance::Authenticated,
        record::{self, Arrival, Way},
    },
};
use pb::web_message_info::{Status, StubType};

/// Puts a message and what hangs on it into the draft; false if nobody can tell whose it is.
///
/// # Errors
/// The store's.
pub(super) async fn put(
    applier: &mut Applier<'_>,
    draft: &mut Draft<'_>,
    entry: HistoryMessage,
) -> Result<bool, StoreError> {
    let HistoryMessage { chat, info, message } = entry;
    let Some(arrival) = arrival(applier, chat.as_deref(), &info).await? else { return Ok(false) };
    applier.oldest = Some(applier.oldest.unwrap_or(arrival.timestamp).min(arrival.timestamp));
    let key = arrival.key();
    if let Some(secret) = secret(&info, message.as_deref(), applier.keeps_messages) {
        draft.push(Change::PutMessageSecret { key: key.clone(), secret: secret.into() });
    }
    if !applier.keeps_messages {
        return Ok(true);
    }
    let stub = info.message_stub_type.and_then(|number| StubType::try_from(number).ok());
    match (message, stub.filter(|stub| *stub != StubType::Unknown)) {
        (_, Some(StubType::Revoke | StubType::AdminRevoke)) => {
            let by = by(applier, &info).await?.unwrap_or_else(|| key.sender.clone());
            draft.push(Change::Revoke { key, by, at: arrival.timestamp });
            return Ok(true);
        }
        (Some(message), _) => {
            let told = Authenticated::told(&applier.phone, message);
            record::record(draft, &arrival, &told).await?;
        }
        (None, Some(stub)) => put_stub(draft, &arrival, stub, &info),
        (None, None) => return Ok(true),
    }
    put_additions(applier, draft, &key, &info).await?;
    Ok(true)
}

/// What a message of the past would have been as a live one.
async fn arrival(
    applier: &mut Applier<'_>,
    chat: Option<&str>,
    info: &pb::WebMessageInfo,
) -> Result<Option<Arrival>, StoreError> {
    let parsed = |text: Option<&str>| text.and_then(|text| text.parse::<Jid>().ok());
    let key = &info.key;
    let Some(chat) = parsed(chat).or_else(|| parsed(key.remote_jid.as_deref())) else {
        return Ok(None);
    };
    let Some(id) = key.id.clone().filter(|id| !id.is_empty() && id.len() <= MAX_ID_LEN) else {
        return Ok(None);
    };
    let Some(kind) = chat_kind(&chat) else { return Ok(None) };
    let participant =
        parsed(key.participant.as_deref()).or_else(|| parsed(info.participant.as_deref()));
    let own = applier.own.clone();
    let from_me = key.from_me() || participant.as_ref().is_some_and(|who| own.is_me(who));
    let sender = match (from_me, participant) {
        (true, _) => own.phone.to_user(),
        (false, Some(participant)) if !chat.is_person() => participant,
        // Words of the chat itself have no author.
        (false, _) => chat.clone(),
    };
    Ok(Some(Arrival {
        id,
        chat: applier.canonical(&chat).await?,
        kind,
        sender: applier.canonical(&sender).await?,
        from_me,
        way: Way::History,
        deletes_as_admin: true,
        timestamp: plausible(info.message_timestamp.unwrap_or_default(), applier.inner.now()),
        push_name: info.push_name.clone().filter(|name| !name.is_empty() && name != "-"),
        own,
    }))
}

fn chat_kind(chat: &Jid) -> Option<ChatKind> {
    Some(match chat.server {
        Server::Group => ChatKind::Group,
        Server::Newsletter => ChatKind::Newsletter,
        Server::Broadcast if chat.is_status() => ChatKind::Status,
        Server::Broadcast => ChatKind::Broadcast,
        _ if chat.is_bot() => ChatKind::Bot,
        _ if chat.is_person() => ChatKind::Direct,
        _ => return None,
    })
}

/// A time at which a message can have been sent: nothing was before WhatsApp, and nothing is later
/// than now. Times in milliseconds are understood.
pub(super) fn plausible(time: u64, now: Timestamp) -> Timestamp {
    let seconds = if time > LAST_SECONDS { time / 1000 } else { time };
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_secs(seconds).clamp(Timestamp::from_secs(FIRST_MESSAGE), now.plus_secs(SKEW))
}

/// The secret of a message: in the entry, or within the message where that is not recorded.
fn secret(info: &pb::WebMessageInfo, message: Option<&[u8]>, recorded: bool) -> Option<Vec<u8>> {
    let beside = info.message_secret.as_ref().map(|secret| secret.to_vec());
    let within = || {
        let message = message.filter(|_| !recorded)?;
        let unwrapped = Unwrapped::decode(message.to_vec()).ok()?;
        Some(unwrapped.context.message_secret?.as_bytes().to_vec())
    };
    beside.or_else(within).filter(|secret| !secret.is_empty())
}

/// Who took a message back.
async fn by(
    applier: &mut Applier<'_>,
    info: &pb::WebMessageInfo,
) -> Result<Option<Jid>, StoreError> {
    let named = info.message_stub_parameters.first().and_then(|who| who.parse::<Jid>().ok());
    match named.filter(Jid::is_person) {
        Some(who) => applier.canonical(&who).await.map(Some),
        None => Ok(None),
    }
}

/// Words of the chat itself: somebody joined, a subject changed. Their parameters stay readable in
/// the raw entry.
fn put_stub(draft: &mut Draft<'_>, arrival: &Arrival, stub: StubType, info: &pb::WebMessageInfo) {
    use prost::Message as _;

    let kind = match stub {
        // The phone could not read it either.
        StubType::Ciphertext => MessageKind::UNREADABLE,
        stub => MessageKind::new(stub_kind(stub)),
    };
    let mut message = NewMessage::new(arrival.key(), arrival.timestamp, kind);
    message.unread = false;
    if stub != StubType::Ciphertext {
        message.raw = info.encode_to_vec().into();
    }
    if arrival.from_me {
        message.status = MessageStatus::Sent;
    }
    draft.push(Change::Archive(Box::new(message)));
}

/// `system-group-participant-add` and so on.
fn stub_kind(stub: StubType) -> String {
    format!("system-{}", stub.as_str_name().to_ascii_lowercase().replace('_', "-"))
}

/// What stands beside the content.
async fn put_additions(
    applier: &mut Applier<'_>,
    draft: &mut Draft<'_>,
    key: &MessageKey,
    info: &pb::WebMessageInfo,
) -> Result<(), StoreError> {
    if let Some(status) = info.status.and_then(status) {
        draft.push(Change::SetStatus { key: key.clone(), status, server_timestamp: None });
    }
    if info.starred() {
        draft.push(Change::SetStarred { key: key.clone(), starred: true });
    }
    for reaction in info.reactions.iter().take(MAX_REACTIONS) {
        let Some(sender) = reactor(applier, key, reaction).await? else { continue };
        let at = u64::try_from(reaction.sender_timestamp_ms()).unwrap_or_default();
        let emoji = reaction.text.clone().unwrap_or_default();
        let time = plausible(at, applier.inner.now());
        let mut reaction = Reaction::new(key.clone(), sender, emoji, time);
        reaction.sender_ms = i64::try_from(at).unwrap_or_default();
        draft.push(Change::React(Box::new(reaction)));
    }
    Ok(())
}

/// Who reacted: whoever the key of the reaction says wrote it.
async fn reactor(
    applier: &mut Applier<'_>,
    target: &MessageKey,
    reaction: &pb::Reaction,
) -> Result<Option<Jid>, StoreError> {
    let Some(key) = &reaction.key else { return Ok(None) };
    let participant = key.participant.as_deref().and_then(|who| who.parse::<Jid>().ok());
    let who = match participant {
        _ if key.from_me() => applier.own.phone.to_user(),
        Some(participant) => participant,
        None if target.chat.is_person() => target.chat.clone(),
        None => return Ok(None),
    };
    applier.canonical(&who).await.map(Some)
}

fn status(number: i32) -> Option<MessageStatus> {
    Some(match Status::try_from(number).ok()? {
        Status::Error => MessageStatus::Failed,
        Status::Pending => return None,
        Status::ServerAck => MessageStatus::Sent,
        Status::DeliveryAck => MessageStatus::Delivered,
        Status::Read => MessageStatus::Read,
        Status::Played => MessageStatus::Played,
    })
}

/// The longest id of a message.
const MAX_ID_LEN: usize = 256;
/// How many reactions are read of one message; a group has 1,024 members.
const MAX_REACTIONS: usize = 1_100;
/// The beginning of 2009, the year in which WhatsApp was published.
const FIRST_MESSAGE: i64 = 1_230_768_000;
/// By how many seconds a clock may be ahead.
const SKEW: i64 = 300;
/// The largest number that is taken for seconds; larger ones are milliseconds.
const LAST_SECONDS: u64 = 99_999_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_dates_become_possible_ones() {
        let now = Timestamp::from_secs(1_780_000_000);
        let first = Timestamp::from_secs(FIRST_MESSAGE);
        assert_eq!(plausible(0, now), first);
        assert_eq!(plausible(u64::MAX, now), now.plus_secs(SKEW));
        assert_eq!(plausible(1_900_000_000, now), now.plus_secs(SKEW));
        assert_eq!(plausible(1_700_000_000, now), Timestamp::from_secs(1_700_000_000));
        assert_eq!(plausible(1_700_000_000_123, now), Timestamp::from_secs(1_700_000_000));
    }

    #[test]
    fn words_of_the_chat_itself_have_names() {
        assert_eq!(stub_kind(StubType::GroupParticipantAdd), "system-group-participant-add");
    }
}
