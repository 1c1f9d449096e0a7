//! Events as objects, one shape for each name.
//!
//! Knows nothing of new messages, which are read from the archive.

use serde_json::{Value, json};
use wa_client::{CallState, ChatChange, Event, HistoryEvent, SendState, Typing};
use wa_proto::stanza::GroupChange;
use wa_store::Alteration;

/// The object for an event, if it is one that scripts are told.
pub(super) fn object(event: &Event) -> Option<Value> {
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
