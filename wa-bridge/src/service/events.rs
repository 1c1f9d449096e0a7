//! What happens, as a stream: new messages by their numbers, each once, and everything else as it
//! comes.
//!
//! Events may be missed, the archive's numbers not: whoever comes back says which message was the
//! last they saw, and gets every one after it.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    watch,
};
use wa_client::{CallState, ChatChange, Event, HistoryEvent, SendState, Typing};
use wa_proto::{Jid, stanza::GroupChange};
use wa_store::{Alteration, MessageQuery, Order, Seq};

use super::{Call, Perform, Service};
use crate::{
    Caller,
    api::{Effect, EventView, LastMessage, MessageView},
    failure::{Failure, ending},
};

/// How many messages are read at once.
const PAGE: usize = 100;

/// A stream of events.
pub struct EventSource {
    service: Arc<Service>,
    caller: Caller,
    events: Receiver<Event>,
    ending: watch::Receiver<bool>,
    /// The last message that was given.
    seen: Seq,
    /// There may be messages after it.
    behind: bool,
    ready: VecDeque<EventView>,
}

impl std::fmt::Debug for EventSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSource").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl EventSource {
    pub(super) async fn new(
        service: Arc<Service>,
        caller: &Caller,
        after: Option<u64>,
    ) -> Result<Self, Failure> {
        // Subscribed before the archive is asked, so that nothing falls in between.
        let events = service.line.events();
        let seen = match after {
            Some(seq) => Seq(seq),
            None => service.store.last_seq().await?,
        };
        let behind = after.is_some();
        let (caller, ending) = (caller.clone(), service.ending.subscribe());
        Ok(Self { service, caller, events, ending, seen, behind, ready: VecDeque::new() })
    }

    /// The next event; nothing once the account is no longer served.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be read.
    pub async fn next(&mut self) -> Result<Option<EventView>, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.behind {
                self.read_messages().await?;
                continue;
            }
            let received = tokio::select! {
                received = self.events.recv() => received,
                _ = self.ending.wait_for(|ending| *ending) => return Ok(None),
            };
            let event = match received {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => {
                    self.behind = true;
                    continue;
                }
                Err(RecvError::Closed) => return Ok(None),
            };
            self.behind = brings_messages(&event);
            if let Some((chat, object)) = told(&event)
                && self.may_tell(chat.as_ref(), author_of(&event)).await?
            {
                self.ready.push_back(EventView::Other(object));
            }
        }
    }

    /// The number of the last message that was given.
    pub fn seen(&self) -> u64 {
        self.seen.0
    }

    async fn read_messages(&mut self) -> Result<(), Failure> {
        let service = Arc::clone(&self.service);
        let call = Call::new(&service, &self.caller, "events", Effect::Read, None).await?;
        let mut query = MessageQuery::default();
        query.order = Order::Committed;
        query.after = Some(self.seen);
        query.limit = PAGE;
        let messages = call.archive().messages(query).await?;
        let (last, more) = (messages.last().map(|last| last.seq), messages.len() == PAGE);
        let views = MessageView::all(&messages, &call.archive()).await?.into_iter();
        // An assistant is told that something came. What it says is read by a call, which counts.
        let is_human = call.is_human();
        let views = views.map(|view| if is_human { view } else { view.without_texts() });
        self.ready.extend(views.map(|view| EventView::Message { message: Box::new(view) }));
        // Only now: what could not be read is read again.
        self.seen = last.unwrap_or(self.seen);
        self.behind = more;
        Ok(())
    }

    async fn may_tell(&self, chat: Option<&Jid>, author: Option<&Jid>) -> Result<bool, Failure> {
        let Some(chat) = chat else { return Ok(true) };
        let call = Call::new(&self.service, &self.caller, "events", Effect::Read, None).await?;
        if !call.may_read(chat).await? {
            return Ok(false);
        }
        // Who stands for the chat itself is heard where the chat is.
        match author.filter(|author| chat.is_group() && *author != chat) {
            Some(author) => {
                let author = author.to_user();
                let heard = call.archive().authors(std::slice::from_ref(&author)).await?;
                Ok(heard.contains(&author))
            }
            None => Ok(true),
        }
    }
}

impl Perform for LastMessage {
    async fn perform(self, call: &Call<'_>) -> Result<u64, Failure> {
        if !call.archive().is_limited() {
            return Ok(call.store().last_seq().await?.0);
        }
        let mut query = MessageQuery::default();
        query.order = Order::LastCommitted;
        query.limit = 1;
        let last = call.archive().messages(query).await?.pop();
        Ok(last.map(|message| message.seq.0).unwrap_or_default())
    }
}

/// Whether the archive has something after this that it had not before.
const fn brings_messages(event: &Event) -> bool {
    matches!(
        event,
        Event::Message(_)
            | Event::MessageRepaired { .. }
            // What this account sends is in the archive before it leaves.
            | Event::SendStatus { .. }
            | Event::OfflineSyncCompleted { .. }
            | Event::Lagged { .. }
    )
}

/// The chat an event is about, and its object, if it is one that is told.
fn told(event: &Event) -> Option<(Option<Jid>, Value)> {
    Some((chat_of(event), object(event)?))
}

/// The chat whose being in reach decides whether the event is told.
fn chat_of(event: &Event) -> Option<Jid> {
    match event {
        Event::StatusChanged(change) => Some(change.chat.clone()),
        Event::SendStatus { chat, .. } | Event::MessageLost { chat, .. } => Some(chat.clone()),
        Event::MessageChanged(change) => Some(change.key.chat.clone()),
        Event::Group(event) => Some(event.group.clone()),
        Event::Presence(event) => Some(event.user.to_user()),
        Event::ChatPresence(event) => Some(event.chat.clone()),
        Event::IdentityChanged { user, .. } => Some(user.to_user()),
        Event::DeviceUnverified { device, .. } => Some(device.to_user()),
        Event::Chat(event) => Some(event.chat.clone()),
        Event::Call(event) => Some(event.caller.to_user()),
        _ => None,
    }
}

/// Whose doing in that chat it is, or whose message: who may not be heard is not told of either.
fn author_of(event: &Event) -> Option<&Jid> {
    match event {
        Event::MessageChanged(change) if !change.key.from_me => Some(&change.key.sender),
        Event::ChatPresence(event) => Some(&event.by),
        _ => None,
    }
}

/// The object for an event, one shape for each name.
fn object(event: &Event) -> Option<Value> {
    if let Some(failure) = ending::of_event(event) {
        return Some(json!({ "event": "ended", "error": failure }));
    }
    Some(match event {
        Event::Connected => json!({ "event": "connected" }),
        Event::Disconnected { .. } => json!({ "event": "disconnected" }),
        Event::Reconnecting { attempt, delay } => {
            json!({ "event": "reconnecting", "attempt": attempt, "seconds": delay.as_secs() })
        }
        Event::OfflineSyncCompleted { .. } => json!({ "event": "drained" }),
        Event::StatusChanged(change) => json!({
            "event": "status",
            "chat": change.chat.to_string(),
            "by": change.by.to_user().to_string(),
            "ids": change.ids,
            "status": status(change.state),
        }),
        Event::SendStatus { chat, id, state: SendState::Failed { reason } } => json!({
            "event": "status",
            "chat": chat.to_string(),
            "ids": [id],
            "status": "failed",
            "reason": reason.to_string(),
        }),
        Event::SendStatus { chat, id, state } => json!({
            "event": "status",
            "chat": chat.to_string(),
            "ids": [id],
            "status": status(*state),
        }),
        Event::MessageChanged(change) => json!({
            "event": "message_changed",
            "chat": change.key.chat.to_string(),
            "id": change.key.id.to_string(),
            "by": change.by.as_ref().map(|by| by.to_user().to_string()),
            "change": alteration(change.what),
        }),
        Event::MessageLost { chat, id, .. } => {
            json!({ "event": "message_lost", "chat": chat.to_string(), "id": id })
        }
        Event::Group(event) => json!({
            "event": "group",
            "group": event.group.to_string(),
            "by": event.actor.as_ref().map(|by| by.to_user().to_string()),
            "change": group_change(&event.change),
        }),
        Event::Presence(event) => json!({
            "event": "presence",
            "person": event.user.to_string(),
            "available": event.is_available,
        }),
        Event::ChatPresence(event) => json!({
            "event": "typing",
            "chat": event.chat.to_string(),
            "by": event.by.to_user().to_string(),
            "typing": match event.typing {
                Typing::Composing => "composing",
                Typing::Recording => "recording",
                _ => "paused",
            },
        }),
        Event::IdentityChanged { user, .. } => {
            json!({ "event": "identity_changed", "person": user.to_user().to_string() })
        }
        Event::DeviceUnverified { device, reason } => json!({
            "event": "device_unverified",
            "person": device.to_user().to_string(),
            "device": device.device,
            "reason": reason.to_string(),
        }),
        Event::Chat(event) => json!({
            "event": "chat",
            "chat": event.chat.to_string(),
            "change": chat_change(&event.change),
        }),
        Event::Call(event) => json!({
            "event": "call",
            "id": event.id,
            "caller": event.caller.to_user().to_string(),
            "group": event.group.as_ref().map(ToString::to_string),
            "video": event.is_video,
            "state": call_state(&event.state),
        }),
        Event::History(event) => return history(event),
        _ => return None,
    })
}

fn history(event: &HistoryEvent) -> Option<Value> {
    Some(match event {
        HistoryEvent::Progress { percent, chats, messages } => json!({
            "event": "history", "percent": percent, "chats": chats, "messages": messages,
        }),
        HistoryEvent::Completed { chats, messages, is_whole } => json!({
            "event": "history_completed", "chats": chats, "messages": messages, "whole": is_whole,
        }),
        _ => return None,
    })
}

const fn chat_change(change: &ChatChange) -> &'static str {
    match change {
        ChatChange::Muted(None) => "unmuted",
        ChatChange::Muted(Some(_)) => "muted",
        ChatChange::Pinned(true) => "pinned",
        ChatChange::Pinned(false) => "unpinned",
        ChatChange::Archived(true) => "archived",
        ChatChange::Archived(false) => "unarchived",
        ChatChange::Read(true) => "read",
        ChatChange::Read(false) => "unread",
        ChatChange::Cleared => "cleared",
        ChatChange::Deleted => "deleted",
        ChatChange::Labelled { .. } => "labelled",
        ChatChange::Starred { .. } => "starred",
        ChatChange::MessageDeleted { .. } => "message-deleted",
        _ => "other",
    }
}

const fn call_state(state: &CallState) -> &'static str {
    match state {
        CallState::Ringing => "ringing",
        CallState::PreAccepted | CallState::Accepted => "accepted",
        CallState::Rejected => "rejected",
        CallState::Ended { is_missed: true, .. } => "missed",
        CallState::Ended { .. } => "ended",
        _ => "other",
    }
}

const fn alteration(what: Alteration) -> &'static str {
    match what {
        Alteration::Edited => "edited",
        Alteration::Reacted => "reacted",
        Alteration::Revoked => "deleted",
        Alteration::PollVoted => "voted",
        Alteration::PollChanged => "poll-changed",
        Alteration::EventAnswered => "answered",
        Alteration::Pinned => "pinned",
        Alteration::Kept => "kept",
        Alteration::Commented => "commented",
        Alteration::Moved => "moved",
        Alteration::Expired => "expired",
        _ => "other",
    }
}

const fn group_change(change: &GroupChange) -> &'static str {
    match change {
        GroupChange::Created(_) => "created",
        GroupChange::Deleted => "deleted",
        GroupChange::Participants(_) => "participants",
        GroupChange::Subject { .. } => "subject",
        GroupChange::Description { .. } => "description",
        GroupChange::JoinRequested { .. } => "join-requested",
        _ => "settings",
    }
}

const fn status(state: SendState) -> &'static str {
    match state {
        SendState::Queued => "pending",
        SendState::Sent { .. } => "sent",
        SendState::Failed { .. } => "failed",
        SendState::Delivered => "delivered",
        SendState::Read => "read",
        SendState::Played => "played",
        _ => "unknown",
    }
}
