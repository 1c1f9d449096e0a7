//! Communities: a group of groups, with one for announcements in which everybody is. Knows nothing
//! of how one is asked for.

use std::collections::BTreeSet;

use wa_proto::{Jid, Node, OwnedNode};

use super::{BAD_REQUEST, Community, FORBIDDEN, NOT_FOUND, NewGroup};
use crate::{
    address::PhoneNumber,
    server::{Server, iq::IqError},
};

impl Server {
    /// Makes a community and its group for announcements; answers the community.
    pub(crate) fn create_community(&mut self, new: NewGroup) -> Jid {
        let announcements =
            NewGroup { announcement: true, ..NewGroup::new(new.subject.clone(), new.creator) };
        let community = self.found_group(new, Community::Parent);
        let parent = community.user.to_string();
        self.found_group(announcements, Community::SubGroup { parent, default: true });
        community
    }

    fn sub_groups_of(&self, community: &str) -> Vec<String> {
        let is_sub = |role: &Community| matches!(role, Community::SubGroup { parent, .. } if parent == community);
        let groups = self.groups.values().filter(|group| is_sub(&group.community));
        groups.map(|group| group.id.clone()).collect()
    }

    /// `<sub_groups>`
    pub(crate) fn sub_groups(
        &self,
        actor: PhoneNumber,
        community: &str,
    ) -> Result<OwnedNode, IqError> {
        self.group_of(actor, community)?;
        let groups = self.sub_groups_of(community);
        let nodes = groups.iter().filter_map(|id| self.groups.get(id));
        Ok(Node::new("sub_groups").children(nodes.map(|group| self.group_outside(group))))
    }

    /// `<linked_groups_participants>`
    pub(crate) fn linked_participants(
        &self,
        actor: PhoneNumber,
        community: &str,
    ) -> Result<OwnedNode, IqError> {
        let addressing = self.group_of(actor, community)?.addressing;
        let groups = self.sub_groups_of(community);
        let people: BTreeSet<_> = groups
            .iter()
            .filter_map(|id| self.groups.get(id))
            .flat_map(super::Group::accounts)
            .collect();
        let nodes = people.into_iter().map(|account| self.person_node(addressing, account));
        Ok(Node::new("linked_groups_participants").children(nodes))
    }

    /// Makes a group part of a community, and its members part of that.
    pub(crate) fn link_group(
        &mut self,
        actor: PhoneNumber,
        community: &str,
        id: &str,
    ) -> Result<(), IqError> {
        if self.group_run_by(actor, community)?.community != Community::Parent {
            return Err(BAD_REQUEST);
        }
        let group = self.group_run_by(actor, id)?;
        if group.community != Community::None {
            return Err(FORBIDDEN);
        }
        group.community = Community::SubGroup { parent: community.to_owned(), default: false };
        let people = group.accounts();
        self.tell_of_link(actor, community, id, "link", "link_type");
        let default = self.sub_groups_of(community).into_iter().find(|sub| {
            let role = self.groups.get(sub).map(|group| &group.community);
            matches!(role, Some(Community::SubGroup { default: true, .. }))
        });
        self.add_along(actor, community, &people);
        if let Some(default) = default {
            self.add_along(actor, &default, &people);
        }
        Ok(())
    }

    /// Takes a group out of a community.
    pub(crate) fn unlink_group(
        &mut self,
        actor: PhoneNumber,
        community: &str,
        id: &str,
    ) -> Result<(), IqError> {
        self.group_run_by(actor, community)?;
        let group = self.groups.get_mut(id).ok_or(NOT_FOUND)?;
        match &group.community {
            Community::SubGroup { parent, default: false } if parent == community => {
                group.community = Community::None;
            }
            _ => return Err(NOT_FOUND),
        }
        self.tell_of_link(actor, community, id, "unlink", "unlink_type");
        Ok(())
    }

    /// Tells the members of both of what became of the tie between them.
    fn tell_of_link(
        &mut self,
        actor: PhoneNumber,
        community: &str,
        id: &str,
        tag: &'static str,
        attr: &'static str,
    ) {
        for (told, about, kind) in [(community, id, "sub_group"), (id, community, "parent_group")] {
            let Some(group) = self.groups.get(about) else { continue };
            let other = Node::new("group")
                .attr("jid", group.jid())
                .attr("subject", group.subject.text.clone());
            let change = Node::new(tag).attr(attr, kind).child(other);
            self.tell_members(told, actor, &change);
        }
    }
}
