//! Who is there, and who is writing.
//!
//! Owns `presence` and `chatstate`, both ways.

use crate::{Jid, Node, OwnedNode};

use super::fields::ParseError;

/// Somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presence {
    /// Who.
    pub from: Jid,
    /// Whether they are there.
    pub is_available: bool,
    /// When they were there last, in seconds since 1970; `None` if they do not say.
    pub last_seen: Option<u64>,
}

impl Presence {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            from: node.need_jid("from")?,
            is_available: !node.attrs.is("type", "unavailable"),
            last_seen: node.attrs.number("last"),
        })
    }
}

/// Somebody writes, or stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatState {
    /// The chat: a person or a group.
    pub from: Jid,
    /// In groups, who.
    pub participant: Option<Jid>,
    /// What they do.
    pub activity: Activity,
}

/// What somebody does in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activity {
    /// Writes.
    Composing,
    /// Records a voice message.
    Recording,
    /// Stopped.
    Paused,
}

impl ChatState {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        let activity = match (node.find("composing"), node.find("paused")) {
            (Some(composing), _) if composing.attrs.is("media", "audio") => Activity::Recording,
            (Some(_), _) => Activity::Composing,
            (None, Some(_)) => Activity::Paused,
            (None, None) => return Err(ParseError::MissingChild("composing")),
        };
        Ok(Self {
            from: node.need_jid("from")?,
            participant: node.attrs.jid("participant"),
            activity,
        })
    }
}

/// Tells everybody whether the user is at this device. While a linked device is available, the
/// user's phone shows no notifications.
pub fn presence(is_available: bool, push_name: &str) -> OwnedNode {
    Node::new("presence")
        .attr("type", if is_available { "available" } else { "unavailable" })
        .attr("name", push_name.replace('@', ""))
}

/// Asks to be told when somebody comes and goes; the token is the one they gave this account.
pub fn subscribe_presence(id: &str, to: &Jid, token: Option<&[u8]>) -> OwnedNode {
    let token = token.map(|token| Node::new("tctoken").bytes(token.to_vec()));
    Node::new("presence")
        .attr("to", to)
        .attr("id", id.to_owned())
        .attr("type", "subscribe")
        .children(token)
}

/// Tells a chat what the user does in it.
pub fn chat_state(from: &Jid, to: &Jid, activity: Activity) -> OwnedNode {
    let child = match activity {
        Activity::Composing => Node::new("composing"),
        Activity::Recording => Node::new("composing").attr("media", "audio"),
        Activity::Paused => Node::new("paused"),
    };
    Node::new("chatstate").attr("from", from).attr("to", to).child(child)
}
