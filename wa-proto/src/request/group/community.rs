//! Communities: groups of groups.

use super::super::{Request, group_iq};
use crate::{
    Jid, Node, OwnedNode,
    entries::readable,
    stanza::{CommunityRole, GroupInfo, GroupParticipant, ParseError},
};

/// The groups of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubGroups {
    /// The community.
    pub community: Jid,
}

/// A group of a community.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubGroup {
    /// The group.
    pub jid: Jid,
    /// What it is called.
    pub subject: String,
    /// Whether it is the one for announcements, in which everybody is.
    pub is_default: bool,
}

/// Without the name.
impl std::fmt::Debug for SubGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubGroup").field("is_default", &self.is_default).finish_non_exhaustive()
    }
}

impl Request for SubGroups {
    type Response = Vec<SubGroup>;

    fn to_node(&self, id: &str) -> OwnedNode {
        group_iq(id, "get", self.community.clone()).child(Node::new("sub_groups"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<SubGroup>, ParseError> {
        let groups = result.need_child("sub_groups")?;
        let read = |node: &OwnedNode| {
            let GroupInfo { jid, subject, community, .. } = GroupInfo::read(node)?;
            let is_default = matches!(community, CommunityRole::SubGroup { is_default: true, .. });
            Ok(SubGroup { jid, subject, is_default })
        };
        Ok(readable(groups.find_all("group"), read))
    }
}

/// Everybody in the groups of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedParticipants {
    /// The community.
    pub community: Jid,
}

impl Request for LinkedParticipants {
    type Response = Vec<GroupParticipant>;

    fn to_node(&self, id: &str) -> OwnedNode {
        group_iq(id, "get", self.community.clone()).child(Node::new("linked_groups_participants"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<GroupParticipant>, ParseError> {
        let people = result.need_child("linked_groups_participants")?;
        Ok(readable(people.find_all("participant"), GroupParticipant::read))
    }
}

/// Makes a group part of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSubGroup {
    /// The community.
    pub community: Jid,
    /// The group.
    pub group: Jid,
}

impl Request for LinkSubGroup {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let group = Node::new("group").attr("jid", &self.group);
        let link = Node::new("link").attr("link_type", "sub_group").child(group);
        group_iq(id, "set", self.community.clone()).child(Node::new("links").child(link))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Takes a group out of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkSubGroup {
    /// The community.
    pub community: Jid,
    /// The group.
    pub group: Jid,
}

impl Request for UnlinkSubGroup {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let group = Node::new("group").attr("jid", &self.group);
        let unlink = Node::new("unlink").attr("unlink_type", "sub_group").child(group);
        group_iq(id, "set", self.community.clone()).child(unlink)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
