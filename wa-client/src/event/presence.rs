//! Who is there and who writes, as events.

use std::fmt;

use wa_proto::Jid;

/// Somebody came or went.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceEvent {
    /// Who, by LID where it is known.
    pub user: Jid,
    /// Whether they are there.
    pub is_available: bool,
    /// When they were there last, in seconds since 1970; `None` if they do not let it be seen.
    pub last_seen: Option<u64>,
}

impl fmt::Debug for PresenceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceEvent")
            .field("is_available", &self.is_available)
            .finish_non_exhaustive()
    }
}

/// Somebody writes in a chat, or stopped.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatPresenceEvent {
    /// The chat: a person or a group.
    pub chat: Jid,
    /// Who, by LID where it is known.
    pub by: Jid,
    /// What they do.
    pub typing: Typing,
}

impl fmt::Debug for ChatPresenceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatPresenceEvent").field("typing", &self.typing).finish_non_exhaustive()
    }
}

/// What somebody does in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Typing {
    /// Writes.
    Composing,
    /// Records a voice message.
    Recording,
    /// Stopped.
    Paused,
}
