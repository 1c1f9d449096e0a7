//! What members are told of a change: `<notification type=w:gp2>`. Knows nothing of who may change
//! what.

use wa_proto::{Jid, Node, OwnedNode};

use super::{Group, Member};
use crate::{
    address::PhoneNumber,
    server::{Server, directory::Addressing},
};

impl Server {
    /// Tells everybody in the group of a change that somebody made.
    pub(super) fn tell_members(&mut self, id: &str, actor: PhoneNumber, change: &OwnedNode) {
        let Some(group) = self.groups.get(id) else { return };
        self.tell(id, actor, group.accounts(), change);
    }

    /// Tells some people of a change in a group, on all their devices.
    pub(super) fn tell(
        &mut self,
        id: &str,
        actor: PhoneNumber,
        people: Vec<PhoneNumber>,
        change: &OwnedNode,
    ) {
        let addressing = self.group_addressing(id);
        let (mode, other) = match addressing {
            Addressing::Lid => ("lid", "participant_pn"),
            Addressing::Phone => ("pn", "participant_lid"),
        };
        let notify = self.accounts.get(&actor).map(|account| account.name.clone());
        for address in self.devices_of_all(people) {
            let stanza_id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", Jid::group(id.to_owned()))
                .attr("type", "w:gp2")
                .attr("id", stanza_id)
                .attr("participant", self.user_jid(actor, addressing))
                .attr(other, self.user_jid(actor, addressing.other()))
                .attr("addressing_mode", mode)
                .attr_opt("notify", notify.clone())
                .attr("t", self.now)
                .child(change.clone());
            self.deliver(address, notification);
        }
    }

    /// `<create>`: a group that is new to these people.
    pub(super) fn tell_of_group(
        &mut self,
        id: &str,
        actor: PhoneNumber,
        people: Vec<PhoneNumber>,
        create: OwnedNode,
    ) {
        let Some(group) = self.groups.get(id) else { return };
        let described = self.group_node(group);
        self.tell(id, actor, people, &create.child(described));
    }

    /// `<add>`, `<remove>`, `<promote>` or `<demote>`, with the versions before and after it.
    pub(super) fn members_node(
        &self,
        tag: &'static str,
        group: &Group,
        previous: u64,
        members: &[Member],
    ) -> OwnedNode {
        Node::new(tag)
            .attr("prev_v_id", previous)
            .attr("v_id", group.version)
            .children(members.iter().map(|member| self.member_node(group, *member)))
    }

    /// `<notification type=picture>` about a group's picture.
    pub(super) fn tell_of_picture(&mut self, id: &str, actor: PhoneNumber, set: Option<String>) {
        let Some(group) = self.groups.get(id) else { return };
        let (people, addressing) = (group.accounts(), group.addressing);
        let author = self.user_jid(actor, addressing);
        let jid = Jid::group(id.to_owned());
        let tag = if set.is_some() { "set" } else { "delete" };
        let change =
            Node::new(tag).attr("jid", jid.clone()).attr("author", author).attr_opt("id", set);
        for address in self.devices_of_all(people) {
            let stanza_id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", jid.clone())
                .attr("type", "picture")
                .attr("id", stanza_id)
                .attr("t", self.now)
                .child(change.clone());
            self.deliver(address, notification);
        }
    }
}
