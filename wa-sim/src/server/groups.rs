//! Groups: who is in them, and what a client is told of them. Every group is addressed by LID.
//! Knows nothing of messages.

use wa_proto::{Jid, Node, OwnedNode};

use super::{Server, directory::Addressing};
use crate::address::PhoneNumber;

/// The most members of a group.
pub(crate) const MAX_MEMBERS: usize = 1_024;

/// The most groups of a simulation.
pub(crate) const MAX_GROUPS: usize = 10_000;

/// The longest subject, in characters.
pub(crate) const MAX_SUBJECT: usize = 100;

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) created: u64,
    /// The creator first.
    pub(crate) members: Vec<PhoneNumber>,
}

/// Why an account may not write to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupError {
    Unknown,
    NotAMember,
}

impl Server {
    /// Makes a group, its creator being the first of the members, and tells their devices.
    pub(crate) fn create_group(&mut self, subject: String, members: Vec<PhoneNumber>) -> Jid {
        use rand_core::Rng as _;
        let id = format!("120363{:012}", self.rng.next_u64() % 1_000_000_000_000);
        let jid = Jid::group(id.clone());
        let group = Group { id: id.clone(), subject, created: self.now, members };
        let members = group.members.clone();
        self.groups.insert(id.clone(), group);
        self.announce_group(&id, members);
        jid
    }

    /// `<notification type=w:gp2><create><group/></create></notification>`
    fn announce_group(&mut self, id: &str, members: Vec<PhoneNumber>) {
        let Some(group) = self.groups.get(id) else { return };
        let Some(&creator) = group.members.first() else { return };
        let described = self.group_node(group);
        for address in self.devices_of_all(members) {
            let stanza_id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", Jid::group(id.to_owned()))
                .attr("type", "w:gp2")
                .attr("id", stanza_id)
                .attr("participant", self.user_jid(creator, Addressing::Lid))
                .attr("participant_pn", self.user_jid(creator, Addressing::Phone))
                .attr("addressing_mode", "lid")
                .attr("t", self.now)
                .child(Node::new("create").child(described.clone()));
            self.deliver(address, notification);
        }
    }

    /// The members, if the account is one of them.
    pub(crate) fn group_members_for(
        &self,
        account: PhoneNumber,
        group: &str,
    ) -> Result<Vec<PhoneNumber>, GroupError> {
        let group = self.groups.get(group).ok_or(GroupError::Unknown)?;
        if group.members.contains(&account) {
            Ok(group.members.clone())
        } else {
            Err(GroupError::NotAMember)
        }
    }

    /// `<group>` as queries and notifications have it.
    pub(super) fn group_node(&self, group: &Group) -> OwnedNode {
        let creator = group.members.first().copied();
        let creator_jid = |addressing| creator.map(|creator| self.user_jid(creator, addressing));
        let participants = group.members.iter().map(|&member| {
            let admin = (Some(member) == creator).then_some("superadmin");
            Node::new("participant")
                .attr("jid", self.user_jid(member, Addressing::Lid))
                .attr("phone_number", self.user_jid(member, Addressing::Phone))
                .attr_opt("type", admin)
        });
        Node::new("group")
            .attr("id", group.id.clone())
            .attr("subject", group.subject.clone())
            .attr("s_t", group.created)
            .attr_opt("s_o", creator_jid(Addressing::Lid))
            .attr_opt("s_o_pn", creator_jid(Addressing::Phone))
            .attr("creation", group.created)
            .attr_opt("creator", creator_jid(Addressing::Lid))
            .attr_opt("creator_pn", creator_jid(Addressing::Phone))
            .attr("addressing_mode", "lid")
            .attr("size", group.members.len())
            .children(participants)
    }
}
