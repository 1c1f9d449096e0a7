//! Calls: seen, turned down, and noted in the archive when they were missed.
//!
//! Owns what is remembered of a call while it goes on. Sound and picture are out of scope.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use wa_proto::{
    Jid, pb,
    stanza::{Call, CallEvent as Word, ChatKind, reject_call},
};
use wa_store::{StoreError, Timestamp};

use crate::{
    Client,
    draft::Draft,
    error::Error,
    event::{CallEvent, CallState, Event, Repair},
    inner::Inner,
    lid,
    publisher::Announcement,
    receive::{
        own_jids,
        record::{Arrival, Way, record_missed_call},
    },
    send::message_id::message_id,
};

impl Client {
    /// Turns a call down, on all devices of the account. `caller` is the event's.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; [`Error::NotConnected`]; [`Error::InvalidInput`] if no person called;
    /// the store's.
    pub async fn reject_call(&self, id: &str, caller: &Jid) -> Result<(), Error> {
        let inner = self.inner();
        let account = inner.account();
        let phone = account.jid.as_ref().ok_or(Error::NotLinked)?;
        if !caller.is_person() {
            return Err(Error::InvalidInput("only people call"));
        }
        let caller = lid::canonical(&*inner.store, &caller.to_user()).await?;
        let own = account.lid.as_ref().filter(|_| caller.is_lid()).unwrap_or(phone).to_user();
        let stanza_id = inner.with_rng(|rng| message_id(inner.clock.unix(), phone, rng));
        let node = reject_call(&stanza_id, &own, &caller, id);
        inner.send_node(&node).await.map_err(|_| Error::NotConnected)?;
        inner.calls.forget(id);
        Ok(())
    }
}

/// A call that rings.
#[derive(Debug, Clone)]
struct Ringing {
    id: String,
    caller: Jid,
    group: Option<Jid>,
    is_video: bool,
    since: u64,
}

/// The calls that ring, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    ringing: Mutex<VecDeque<Ringing>>,
}

impl Calls {
    fn with<T>(&self, use_it: impl FnOnce(&mut VecDeque<Ringing>) -> T) -> T {
        use_it(&mut self.ringing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn rings(&self, call: Ringing) {
        self.with(|ringing| {
            ringing.retain(|other| other.id != call.id);
            if ringing.len() >= MAX_RINGING {
                ringing.pop_front();
            }
            ringing.push_back(call);
        });
    }

    fn known(&self, id: &str) -> Option<Ringing> {
        self.with(|ringing| ringing.iter().find(|call| call.id == id).cloned())
    }

    /// It rings no more: it was taken, turned down, or ended.
    fn forget(&self, id: &str) -> Option<Ringing> {
        self.with(|ringing| {
            let at = ringing.iter().position(|call| call.id == id)?;
            ringing.remove(at)
        })
    }
}

/// News of a call. A call that ended and that nobody took is archived before it is told.
///
/// # Errors
/// The store's.
pub(crate) async fn told(inner: &Inner, call: Call) -> Result<(), StoreError> {
    if let (Some(creator), Some(phone)) = (&call.creator, &call.creator_phone) {
        lid::learn(inner, creator, phone).await?;
    }
    let known = inner.calls.known(&call.call_id);
    let caller = match (&known, &call.creator) {
        (Some(known), _) => known.caller.clone(),
        (None, creator) => creator.clone().unwrap_or_else(|| call.envelope.from.clone()),
    };
    let caller = lid::canonical(&*inner.store, &caller.to_user()).await?;
    let timestamp = call.timestamp.unwrap_or_else(|| inner.clock.unix());
    let mut event = CallEvent {
        id: call.call_id.to_string(),
        caller,
        group: call.group.or_else(|| known.as_ref().and_then(|known| known.group.clone())),
        is_video: known.as_ref().is_some_and(|known| known.is_video),
        timestamp,
        was_offline: call.offline.is_some(),
        state: CallState::Ringing,
    };
    event.state = match call.event {
        Word::Offer { is_video, .. } => {
            event.is_video = is_video;
            inner.calls.rings(Ringing {
                id: event.id.clone(),
                caller: event.caller.clone(),
                group: event.group.clone(),
                is_video,
                since: timestamp,
            });
            CallState::Ringing
        }
        Word::PreAccept => CallState::PreAccepted,
        Word::Accept => {
            inner.calls.forget(&event.id);
            CallState::Accepted
        }
        Word::Reject => {
            inner.calls.forget(&event.id);
            CallState::Rejected
        }
        Word::Terminate { reason } => {
            let rang = inner.calls.forget(&event.id);
            let elsewhere = reason.as_ref().is_some_and(|reason| reason.ends_with("_elsewhere"));
            let missed = rang.filter(|_| !elsewhere);
            let is_missed = match missed {
                Some(call) => archive(inner, call).await?,
                None => false,
            };
            CallState::Ended { reason: reason.map(Into::into), is_missed }
        }
        Word::Other(word) => CallState::Other(word.into()),
        _ => CallState::Other(String::new()),
    };
    inner.emit(Event::Call(event));
    Ok(())
}

/// Notes a missed call in its chat, once; whether it is the account's to miss.
async fn archive(inner: &Inner, call: Ringing) -> Result<bool, StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(false) };
    if own.is_me(&call.caller) {
        return Ok(false);
    }
    let log = pb::message::CallLogMessage {
        is_video: Some(call.is_video),
        call_outcome: Some(pb::message::call_log_message::CallOutcome::Missed.into()),
        call_type: Some(pb::message::call_log_message::CallType::Regular.into()),
        ..Default::default()
    };
    let arrival = Arrival {
        id: call.id,
        kind: if call.group.is_some() { ChatKind::Group } else { ChatKind::Direct },
        chat: call.group.unwrap_or_else(|| call.caller.clone()),
        sender: call.caller,
        from_me: false,
        way: Way::Live,
        deletes_as_admin: false,
        timestamp: Timestamp::from_secs(i64::try_from(call.since).unwrap_or(i64::MAX)),
        push_name: None,
        own,
    };
    let mut draft = Draft::new(&*inner.store);
    record_missed_call(&mut draft, &arrival, log).await?;
    let announcement = Announcement::arrived(Repair::Retry);
    inner.publisher.commit(draft.into_changes(), announcement).landed().await?;
    Ok(true)
}

/// The most calls that are remembered while they ring.
const MAX_RINGING: usize = 64;
