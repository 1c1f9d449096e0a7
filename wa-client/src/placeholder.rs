//! Messages this device could not read, and the phone that may have them.
//!
//! Owns asking the phone for its copy, at most once at a time for each message, and filling the
//! archive's gap with the answer. Knows nothing of why a message could not be read.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prost::Message as _;
use wa_proto::{
    Jid,
    pb::{self, message::PeerDataOperationRequestType as Operation},
    stanza::ChatKind,
};
use wa_store::{
    Change, Changes, Committed, MessageKey, MessageKind, Placeholder, StoreError, Timestamp,
};

use crate::{
    draft::Draft,
    event::LossReason,
    inner::Inner,
    lid,
    receive::{
        provenance::{Authenticated, OwnPhone},
        record::{Arrival, Way, record},
    },
    retry, send,
};

/// How long the sender has for its own answer before the phone is asked.
pub(crate) const PHONE_DELAY: Duration = Duration::from_secs(5);
/// How long the phone has before a message counts as lost. Its answer is taken later too.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The oldest message the phone is asked for, in seconds: 14 days.
const MAX_AGE_SECS: i64 = 14 * 24 * 60 * 60;
/// How many messages the phone is asked for at a time.
const MAX_PENDING: usize = 512;
/// How many messages are looked at after a restart.
const MAX_RESUMED: usize = 256;
/// How often the phone is asked for one message, restarts included.
const MAX_ATTEMPTS: u32 = 3;
/// The reason of a placeholder that no companion ever gets: a view-once message, for instance.
pub(crate) const NOT_SHARED: &str = "not-shared";

/// The messages the phone was asked for and has not given yet.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    pending: Mutex<HashSet<String>>,
}

impl Placeholders {
    fn with<T>(&self, use_it: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        use_it(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether this message may be asked for now; from then on it is pending.
    fn begin(&self, id: &str) -> bool {
        self.with(|pending| pending.len() < MAX_PENDING && pending.insert(id.to_owned()))
    }

    fn end(&self, id: &str) -> bool {
        self.with(|pending| pending.remove(id))
    }
}

/// Whether a message of this time is young enough to be asked for.
pub(crate) fn may_ask(inner: &Inner, timestamp: Timestamp) -> bool {
    timestamp.plus_secs(MAX_AGE_SECS) >= inner.now()
}

/// A commit brought messages: nobody has to be asked for them any more.
pub(crate) fn arrived(inner: &Inner, committed: &Committed) {
    for archived in &committed.archived {
        inner.placeholders.end(archived.message.key.id.as_str());
    }
}

/// A message was read, whatever it turned out to be: nobody has to be asked for it any more.
pub(crate) fn was_read(inner: &Inner, id: &str) {
    inner.placeholders.end(id);
}

/// Asks the phone for its copy, after a while, unless the message has arrived by then.
pub(crate) fn ask_phone(
    inner: &Arc<Inner>,
    key: MessageKey,
    timestamp: Timestamp,
    after: Duration,
) {
    if !may_ask(inner, timestamp) {
        retry::emit_lost(inner, &key, LossReason::TooOld);
        return;
    }
    if !inner.placeholders.begin(key.id.as_str()) {
        return;
    }
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        tokio::time::sleep(after).await;
        if let Err(error) = request(&shared, &key).await {
            tracing::warn!(id = key.id.as_str(), %error, "the phone cannot be asked for a message");
        } else {
            tokio::time::sleep(ANSWER_TIMEOUT).await;
        }
        // Still pending means that neither the phone nor the sender gave it.
        if shared.placeholders.end(key.id.as_str()) {
            retry::emit_lost(&shared, &key, LossReason::NoAnswer);
        }
    });
}

/// Asks the phone again for what an earlier run of this client could not get: what nobody is to be
/// asked for any more is forgotten, the rest is asked for once more. To be called when the backlog
/// is over, because that may bring what is missing.
///
/// # Errors
/// The store's.
pub(crate) async fn resume(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let mut given_up = Changes::new();
    for placeholder in inner.store.placeholders(MAX_RESUMED).await? {
        if is_worth_asking(&placeholder, inner.now()) {
            ask_phone(inner, placeholder.key, placeholder.timestamp, PHONE_DELAY);
        } else {
            given_up.push(Change::RemovePlaceholder(placeholder.key));
        }
    }
    if !given_up.is_empty() {
        inner.store.commit(given_up).await?;
    }
    Ok(())
}

/// Whether the phone may still give a message: it was not asked too often, has it at all, and the
/// message is young enough.
fn is_worth_asking(placeholder: &Placeholder, now: Timestamp) -> bool {
    let is_status = placeholder.key.chat == Jid::status();
    let lifetime = if is_status { retry::STATUS_LIFETIME_SECS } else { MAX_AGE_SECS };
    placeholder.attempts < MAX_ATTEMPTS
        && placeholder.reason != NOT_SHARED
        && placeholder.timestamp.plus_secs(lifetime) >= now
}

async fn request(inner: &Arc<Inner>, key: &MessageKey) -> Result<(), crate::Error> {
    let is_missing = inner
        .store
        .message(key)
        .await?
        .is_none_or(|message| message.kind == MessageKind::UNREADABLE);
    if !is_missing {
        inner.placeholders.end(key.id.as_str());
        return Ok(());
    }
    let message_key = pb::MessageKey {
        remote_jid: Some(key.chat.to_string()),
        from_me: Some(key.from_me),
        id: Some(key.id.as_str().to_owned()),
        participant: (!key.chat.is_person()).then(|| key.sender.to_string()),
    };
    let request = pb::message::PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(Operation::PlaceholderMessageResend.into()),
        placeholder_message_resend_request: vec![
            pb::message::peer_data_operation_request_message::PlaceholderMessageResendRequest {
                message_key: Some(message_key),
            },
        ],
        ..Default::default()
    };
    let content = wa_proto::Content::Protocol(
        wa_proto::content::Protocol::PeerDataOperationRequest(Box::new(request)),
    );
    send::peer::send(inner, &content).await?;
    let asked = Change::NotePlaceholderRequested { key: key.clone(), at: inner.now() };
    inner.store.commit(asked.into()).await?;
    Ok(())
}

/// Fills the gaps that the phone's answer closes; whether there was one. The phone's copy takes
/// the place that the stanza had: its sender, its time, its name.
///
/// # Errors
/// The store's.
pub(crate) async fn fill_from_answer(
    draft: &mut Draft<'_>,
    answer: &Arrival,
    phone: &OwnPhone,
    response: &pb::message::PeerDataOperationRequestResponseMessage,
) -> Result<bool, StoreError> {
    let mut filled = false;
    for result in &response.peer_data_operation_result {
        let copy = result
            .placeholder_message_resend_response
            .as_ref()
            .and_then(|response| response.web_message_info_bytes.clone());
        let Some(Ok(copy)) = copy.map(pb::WebMessageInfo::decode) else { continue };
        filled |= fill(draft, answer, phone, copy).await?;
    }
    Ok(filled)
}

async fn fill(
    draft: &mut Draft<'_>,
    answer: &Arrival,
    phone: &OwnPhone,
    copy: pb::WebMessageInfo,
) -> Result<bool, StoreError> {
    let Some(key) = key_of(draft, answer, &copy).await? else { return Ok(false) };
    let Some(gap) = draft.store().message(&key).await? else { return Ok(false) };
    let (Some(message), true) = (copy.message, gap.kind == MessageKind::UNREADABLE) else {
        return Ok(false);
    };
    let arrival = Arrival {
        id: gap.key.id.as_str().to_owned(),
        kind: ChatKind::of(&gap.key.chat),
        chat: gap.key.chat,
        sender: gap.key.sender,
        from_me: gap.key.from_me,
        way: Way::History,
        deletes_as_admin: true,
        timestamp: gap.timestamp,
        push_name: gap.push_name.or(copy.push_name),
        own: answer.own.clone(),
    };
    let told = Authenticated::told(phone, message.encode_to_vec());
    record(draft, &arrival, &told).await?;
    Ok(true)
}

/// The message a copy is of.
async fn key_of(
    draft: &Draft<'_>,
    answer: &Arrival,
    copy: &pb::WebMessageInfo,
) -> Result<Option<MessageKey>, StoreError> {
    let jid = |text: Option<&String>| text.and_then(|text| text.parse::<Jid>().ok());
    let Some(chat) = jid(copy.key.remote_jid.as_ref()) else { return Ok(None) };
    let Some(id) = copy.key.id.as_deref() else { return Ok(None) };
    let from_me = copy.key.from_me();
    let sender = match jid(copy.key.participant.as_ref()).or(jid(copy.participant.as_ref())) {
        Some(participant) => participant,
        None if from_me => answer.own.phone.to_user(),
        None => chat.clone(),
    };
    let store = draft.store();
    Ok(Some(MessageKey {
        chat: lid::canonical(store, &chat.to_user()).await?,
        sender: lid::canonical(store, &sender.to_user()).await?,
        id: id.into(),
        from_me,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_asked_for_once_at_a_time() {
        let placeholders = Placeholders::default();
        assert!(placeholders.begin("A"));
        assert!(!placeholders.begin("A"));
        assert!(placeholders.end("A"));
        assert!(!placeholders.end("A"), "the message arrived meanwhile");
        assert!(placeholders.begin("A"));
    }

    #[test]
    fn after_a_restart_only_what_the_phone_may_still_give_is_asked_for() {
        let now = Timestamp::from_secs(MAX_AGE_SECS * 2);
        let fresh = Placeholder {
            key: MessageKey {
                chat: Jid::lid("7"),
                sender: Jid::lid("7"),
                id: "A".into(),
                from_me: false,
            },
            timestamp: Timestamp::from_secs(MAX_AGE_SECS),
            push_name: None,
            reason: "no-session".to_owned(),
            requested_at: None,
            attempts: MAX_ATTEMPTS - 1,
        };
        assert!(is_worth_asking(&fresh, now));
        assert!(!is_worth_asking(&fresh, now.plus_secs(1)), "older than 14 days");
        assert!(!is_worth_asking(&Placeholder { attempts: MAX_ATTEMPTS, ..fresh.clone() }, now));
        let hidden = Placeholder { reason: NOT_SHARED.to_owned(), ..fresh.clone() };
        assert!(!is_worth_asking(&hidden, now));
        let mut status = fresh;
        status.key.chat = Jid::status();
        assert!(!is_worth_asking(&status, now));
    }

    #[test]
    fn no_more_requests_are_pending_than_the_bound() {
        let placeholders = Placeholders::default();
        let begun = (0..MAX_PENDING + 10).filter(|id| placeholders.begin(&id.to_string()));
        assert_eq!(begun.count(), MAX_PENDING);
    }
}
