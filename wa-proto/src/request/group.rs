//! Requests about groups (`w:g2`).
//!
//! Owns what is asked of a group as a whole: its description, the account's groups, leaving. The
//! parts are in files of their own. Knows nothing of who may do what; the server decides.

mod community;
mod create;
mod invite;
mod join_requests;
mod participants;
mod picture;
mod settings;

pub use community::{LinkSubGroup, LinkedParticipants, SubGroup, SubGroups, UnlinkSubGroup};
pub use create::{CreateGroup, NewCommunity};
pub use invite::{GroupByInvite, GroupByLink, InviteCode, JoinByInvite, JoinByLink, JoinedByLink};
pub use join_requests::{JoinRequest, JoinRequests, UpdateJoinRequests};
pub use participants::{AddRequest, ChangeParticipants, ParticipantAction, ParticipantResult};
pub use picture::GroupPicture;
pub use settings::{DescribeGroup, GroupSetting, SetGroup};

use super::{Request, group_iq, groups_server};
use crate::{
    Jid, Node, OwnedNode,
    entries::readable,
    stanza::{GroupInfo, ParseError},
};

/// What a group is, and who is in it. 403 for one the account is not in, 404 for one that is not
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupQuery {
    /// The group.
    pub group: Jid,
}

impl Request for GroupQuery {
    type Response = GroupInfo;

    fn to_node(&self, id: &str) -> OwnedNode {
        let query = Node::new("query").attr("request", "interactive");
        group_iq(id, "get", self.group.clone()).child(query)
    }

    fn parse(&self, result: &OwnedNode) -> Result<GroupInfo, ParseError> {
        read_asked(result, &self.group)
    }
}

/// Reads a `<group>` that has to be the one that was asked about: a message for one group must not
/// go to the members of another.
fn read_asked(result: &OwnedNode, asked: &Jid) -> Result<GroupInfo, ParseError> {
    let info = GroupInfo::read(result.need_child("group")?)?;
    Some(info).filter(|info| info.jid == *asked).ok_or(ParseError::NotAsked("group"))
}

/// Every group the account is in, with its people and description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParticipatingGroups;

/// The groups the account is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipatingGroupsAnswer {
    /// Those that can be read.
    pub groups: Vec<GroupInfo>,
    /// How many more there are. Of a group that is not listed it is not known then whether the
    /// account left it.
    pub unreadable: usize,
}

impl Request for ParticipatingGroups {
    type Response = ParticipatingGroupsAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let participating = Node::new("participating")
            .child(Node::new("participants"))
            .child(Node::new("description"));
        group_iq(id, "get", groups_server()).child(participating)
    }

    fn parse(&self, result: &OwnedNode) -> Result<ParticipatingGroupsAnswer, ParseError> {
        let Some(list) = result.find("groups") else {
            return Ok(ParticipatingGroupsAnswer::default());
        };
        let groups = readable(list.find_all("group"), GroupInfo::read);
        let unreadable = list.find_all("group").count().saturating_sub(groups.len());
        Ok(ParticipatingGroupsAnswer { groups, unreadable })
    }
}

/// Leaves groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveGroup {
    /// The group.
    pub group: Jid,
}

impl Request for LeaveGroup {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let group = Node::new("group").attr("id", &self.group);
        group_iq(id, "set", groups_server()).child(Node::new("leave").child(group))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
