//! Who asks to be let into a group, and letting them in or turning them down.

use compact_str::CompactString;

use super::{
    super::{Request, group_iq},
    participants::participant_node,
};
use crate::{Jid, Node, OwnedNode, entries::readable, stanza::ParseError};

/// Who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRequests {
    /// The group.
    pub group: Jid,
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JoinRequest {
    /// Who.
    pub jid: Jid,
    /// Who, by phone number, if that is told.
    pub phone: Option<Jid>,
    /// Since when, in seconds since 1970.
    pub requested_at: Option<u64>,
    /// How they ask: `invite_link` for instance.
    pub method: Option<CompactString>,
}

impl Request for JoinRequests {
    type Response = Vec<JoinRequest>;

    fn to_node(&self, id: &str) -> OwnedNode {
        group_iq(id, "get", self.group.clone()).child(Node::new("membership_approval_requests"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<JoinRequest>, ParseError> {
        let Some(requests) = result.find("membership_approval_requests") else {
            return Ok(Vec::new());
        };
        let read = |node: &OwnedNode| {
            Ok(JoinRequest {
                jid: node.need_jid("jid")?,
                phone: node.attrs.jid("phone_number"),
                requested_at: node.attrs.number("request_time"),
                method: node.text_opt("request_method"),
            })
        };
        Ok(readable(requests.find_all("membership_approval_request"), read))
    }
}

/// Lets people in, or turns them down; each has a result of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateJoinRequests {
    /// The group.
    pub group: Jid,
    /// Whether they are let in.
    pub approve: bool,
    /// Who.
    pub people: Vec<Jid>,
}

impl Request for UpdateJoinRequests {
    /// Each with the code of what went wrong, if it did.
    type Response = Vec<(Jid, Option<u16>)>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let people = self.people.iter().map(|jid| participant_node(&(jid.clone(), None)));
        let action = Node::new(self.action()).children(people);
        group_iq(id, "set", self.group.clone())
            .child(Node::new("membership_requests_action").child(action))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Self::Response, ParseError> {
        let answer = result.need_child("membership_requests_action")?.need_child(self.action())?;
        let read = |node: &OwnedNode| {
            let error = node.attrs.number("error").filter(|code| *code != 0 && *code != 200);
            Ok((node.need_jid("jid")?, error))
        };
        Ok(readable(answer.find_all("participant"), read))
    }
}

impl UpdateJoinRequests {
    const fn action(&self) -> &'static str {
        if self.approve { "approve" } else { "reject" }
    }
}
