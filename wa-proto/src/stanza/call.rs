//! Calls: that there is one, and what becomes of it. Sound and picture are out of scope.
//!
//! Owns `call`, and the stanza that turns one down.

use compact_str::CompactString;

use super::{
    envelope::{Class, Envelope},
    fields::ParseError,
};
use crate::{Jid, Node, OwnedNode};

/// News of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The outside.
    pub envelope: Envelope,
    /// When, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// On the offline backlog: how many times it was handed out before.
    pub offline: Option<u32>,
    /// The call's id.
    pub call_id: CompactString,
    /// Who calls.
    pub creator: Option<Jid>,
    /// Who calls, by phone number.
    pub creator_phone: Option<Jid>,
    /// The group that is called.
    pub group: Option<Jid>,
    /// What happened.
    pub event: CallEvent,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEvent {
    /// It rings.
    Offer {
        /// Whether with picture.
        is_video: bool,
        /// Whether in a group.
        is_group: bool,
    },
    /// It is about to be taken.
    PreAccept,
    /// It was taken.
    Accept,
    /// It was turned down.
    Reject,
    /// It ended.
    Terminate {
        /// Why, `timeout` for instance.
        reason: Option<CompactString>,
    },
    /// Anything else: the tag.
    Other(CompactString),
}

impl Call {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let child = node.nodes().iter().next().ok_or(ParseError::MissingChild("offer"))?;
        Ok(Self {
            envelope: Envelope::read(Class::Call, node)?,
            timestamp: node.attrs.number("t"),
            offline: node.attrs.number("offline"),
            call_id: child.need_text("call-id")?,
            creator: child.attrs.jid("call-creator").or_else(|| child.attrs.jid("from")),
            creator_phone: child.attrs.jid("caller_pn"),
            group: child.attrs.jid("group-jid"),
            event: CallEvent::read(child),
        })
    }
}

impl CallEvent {
    fn read(node: &OwnedNode) -> Self {
        match node.tag.as_ref() {
            "offer" | "offer_notice" => Self::Offer {
                is_video: node.find("video").is_some() || node.attrs.is("media", "video"),
                is_group: node.attrs.is("type", "group") || node.attrs.value("group-jid").is_some(),
            },
            "preaccept" => Self::PreAccept,
            "accept" => Self::Accept,
            "reject" => Self::Reject,
            "terminate" => Self::Terminate { reason: node.text_opt("reason") },
            other => Self::Other(other.into()),
        }
    }
}

/// Turns a call down. No token goes along: the server refuses it with one.
pub fn reject_call(id: &str, own: &Jid, caller: &Jid, call_id: &str) -> OwnedNode {
    let reject = Node::new("reject")
        .attr("call-id", call_id.to_owned())
        .attr("call-creator", caller)
        .attr("count", "0");
    Node::new("call").attr("id", id.to_owned()).attr("from", own).attr("to", caller).child(reject)
}
