//! Invitations: the link of a group, and the message for one person.

use compact_str::CompactString;

use super::{
    super::{Request, group_iq, groups_server},
    read_asked,
};
use crate::{
    Jid, Node, OwnedNode,
    stanza::{GroupInfo, ParseError},
};

/// The code of a group's link, which begins with `https://chat.whatsapp.com/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteCode {
    /// The group.
    pub group: Jid,
    /// Whether to make another one; the old one is then void.
    pub reset: bool,
}

impl Request for InviteCode {
    type Response = CompactString;

    fn to_node(&self, id: &str) -> OwnedNode {
        let kind = if self.reset { "set" } else { "get" };
        group_iq(id, kind, self.group.clone()).child(Node::new("invite"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<CompactString, ParseError> {
        result.need_child("invite")?.need_text("code")
    }
}

/// The outside of the group behind a link. 406 for a code that is none, 410 for one that is void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupByLink {
    /// The code.
    pub code: CompactString,
}

impl Request for GroupByLink {
    type Response = GroupInfo;

    fn to_node(&self, id: &str) -> OwnedNode {
        let invite = Node::new("invite").attr("code", &self.code);
        group_iq(id, "get", groups_server()).child(invite)
    }

    fn parse(&self, result: &OwnedNode) -> Result<GroupInfo, ParseError> {
        GroupInfo::read(result.need_child("group")?)
    }
}

/// Joins by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinByLink {
    /// The code.
    pub code: CompactString,
}

/// What became of joining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinedByLink {
    /// The account is in this group now.
    Joined(Jid),
    /// An admin of this group has to let it in.
    Requested(Jid),
}

impl JoinedByLink {
    fn read(result: &OwnedNode) -> Result<Self, ParseError> {
        if let Some(request) = result.find("membership_approval_request") {
            return request.need_jid("jid").map(Self::Requested);
        }
        result.need_child("group")?.need_jid("jid").map(Self::Joined)
    }
}

impl Request for JoinByLink {
    type Response = JoinedByLink;

    fn to_node(&self, id: &str) -> OwnedNode {
        let invite = Node::new("invite").attr("code", &self.code);
        group_iq(id, "set", groups_server()).child(invite)
    }

    fn parse(&self, result: &OwnedNode) -> Result<JoinedByLink, ParseError> {
        JoinedByLink::read(result)
    }
}

/// The group behind an invitation message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupByInvite {
    /// The group.
    pub group: Jid,
    /// The message's code.
    pub code: CompactString,
    /// The message's expiration, in seconds since 1970.
    pub expiration: u64,
    /// Who sent it.
    pub admin: Jid,
}

impl Request for GroupByInvite {
    type Response = GroupInfo;

    fn to_node(&self, id: &str) -> OwnedNode {
        let request = Node::new("add_request")
            .attr("code", &self.code)
            .attr("expiration", self.expiration)
            .attr("admin", &self.admin);
        group_iq(id, "get", self.group.clone()).child(Node::new("query").child(request))
    }

    fn parse(&self, result: &OwnedNode) -> Result<GroupInfo, ParseError> {
        read_asked(result, &self.group)
    }
}

/// Joins by an invitation message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinByInvite {
    /// The group.
    pub group: Jid,
    /// The message's code.
    pub code: CompactString,
    /// The message's expiration, in seconds since 1970.
    pub expiration: u64,
    /// Who sent it.
    pub admin: Jid,
}

impl Request for JoinByInvite {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let accept = Node::new("accept")
            .attr("code", &self.code)
            .attr("expiration", self.expiration)
            .attr("admin", &self.admin);
        group_iq(id, "set", self.group.clone()).child(accept)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
