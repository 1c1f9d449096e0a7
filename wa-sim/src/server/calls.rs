//! Calls: the words about them, carried between devices. Nobody talks here. Knows nothing of what
//! phones show.

use wa_proto::{Jid, Node, OwnedNode};

use super::{Server, directory::Addressing};
use crate::address::{DeviceAddress, PhoneNumber};

impl Server {
    /// `<call to>` from a device: acknowledged, and passed on to everybody concerned. A token in it
    /// is more than the server takes.
    pub(super) fn route_call(&mut self, from: DeviceAddress, node: &Node<'_>) {
        let refused = node.nodes().iter().any(|word| word.find("tctoken").is_some());
        self.ack(from, "call", node);
        let Some(to) = node.attrs.jid("to").filter(|_| !refused) else { return };
        let people = match to.is_group() {
            true => self.group_members_for(from.account, &to.user).unwrap_or_default(),
            false => self.account_of(&to).into_iter().collect(),
        };
        let words: Vec<OwnedNode> =
            node.nodes().iter().map(|word| word.clone().into_owned()).collect();
        for person in people.into_iter().filter(|&person| person != from.account) {
            self.tell_call(from, person, &words);
        }
        // The other devices of the account stop ringing.
        if words.iter().any(|word| matches!(&*word.tag, "reject" | "accept")) {
            self.stop_ringing(from, &words);
        }
    }

    fn tell_call(&mut self, from: DeviceAddress, to: PhoneNumber, words: &[OwnedNode]) {
        let caller = self.device_jid(from, Addressing::Lid);
        for address in self.devices_of(to) {
            self.deliver_call(address, caller.clone(), words);
        }
    }

    fn stop_ringing(&mut self, from: DeviceAddress, words: &[OwnedNode]) {
        let Some(word) = words.first() else { return };
        let reason = if word.tag == "reject" { "rejected_elsewhere" } else { "accepted_elsewhere" };
        let ended = Node::new("terminate")
            .attr("call-id", word.attrs.text("call-id").unwrap_or_default().into_owned())
            .attr_opt("call-creator", word.attrs.jid("call-creator"))
            .attr("reason", reason);
        let own = self.user_jid(from.account, Addressing::Lid);
        for address in self.devices_of(from.account) {
            if address != from && !address.is_phone() {
                self.deliver_call(address, own.clone(), std::slice::from_ref(&ended));
            }
        }
    }

    fn deliver_call(&mut self, to: DeviceAddress, from: Jid, words: &[OwnedNode]) {
        let id = self.stanza_id();
        let call = Node::new("call")
            .attr("id", id)
            .attr("from", from)
            .attr("t", self.now)
            .children(words.iter().cloned());
        self.deliver(to, call);
    }
}
