//! Receipts: confirm what a device has been given, and are passed on to whom they are for.
//! Knows nothing of why a receipt is sent.

use wa_proto::{Jid, Node, OwnedNode};

use super::{Server, directory::Addressing, offline::StanzaClass};
use crate::address::{DeviceAddress, PhoneNumber};

impl Server {
    /// `<receipt id to [participant] [recipient] [type]>` from a device.
    pub(super) fn route_receipt(&mut self, from: DeviceAddress, node: &Node<'_>) {
        let kind = node.attrs.text("type").map(|kind| kind.into_owned());
        let kind = kind.as_deref();
        if let Some(device) = self.device_mut(from) {
            if kind == Some("retry") {
                device.counters.retries += 1;
            } else {
                device.counters.receipts += 1;
                device.counters.hist_sync += u64::from(kind == Some("hist_sync"));
            }
        }
        let to = node.attrs.jid("to");
        for id in receipt_ids(node) {
            self.confirm(from, StanzaClass::Message, &id, to.as_ref());
        }
        self.ack(from, "receipt", node);
        let Some(to) = to else { return };
        if kind == Some("view") {
            return self.view_posts(from, &to, node);
        }
        if to.is_group() || to.is_status() {
            self.forward_group_receipt(from, node, &to, kind);
        } else {
            self.forward_personal_receipt(from, node, &to, kind);
        }
    }

    fn forward_personal_receipt(
        &mut self,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
        kind: Option<&str>,
    ) {
        let Some(target) = self.account_of(to) else { return };
        let addressing = Addressing::of(to);
        let device = self.device_jid(from, addressing);
        match kind {
            // A retry is for the one device whose message could not be read.
            Some("retry") => {
                let receipt = forwarded(node, device, self.now)
                    .attr_opt("recipient", node.attrs.jid("recipient"));
                self.deliver(DeviceAddress::new(target, to.device), receipt);
            }
            // About a message of one's own, for the device that sent it.
            Some("sender" | "peer_msg" | "hist_sync" | "server-error") => {
                let receipt = forwarded(node, device, self.now)
                    .attr_opt("recipient", node.attrs.jid("recipient"));
                let address = DeviceAddress::new(target, to.device);
                if address != from && target == from.account {
                    self.deliver(address, receipt);
                }
            }
            // What was read on one device is read on all.
            Some("read-self" | "played-self") => self.tell_own_devices(from, node, to),
            _ => {
                let receipt = forwarded(node, device.to_user(), self.now);
                self.deliver_to_account(target, &receipt);
                if matches!(kind, Some("read" | "played")) {
                    self.tell_own_devices(from, node, to);
                }
            }
        }
    }

    fn forward_group_receipt(
        &mut self,
        from: DeviceAddress,
        node: &Node<'_>,
        group: &Jid,
        kind: Option<&str>,
    ) {
        let Some(author) = node.attrs.jid("participant") else { return };
        let Some(target) = self.account_of(&author) else { return };
        let participant = self.device_jid(from, Addressing::of(&author));
        match kind {
            Some("retry") => {
                let receipt =
                    forwarded(node, group.clone(), self.now).attr("participant", participant);
                self.deliver(DeviceAddress::new(target, author.device), receipt);
            }
            Some("read-self" | "played-self") => self.tell_own_devices(from, node, group),
            _ if target == from.account => {}
            _ => {
                let receipt = forwarded(node, group.clone(), self.now)
                    .attr("participant", participant.to_user());
                self.deliver_to_account(target, &receipt);
            }
        }
    }

    /// Tells the reader's other devices, as a receipt from the reader about a chat.
    fn tell_own_devices(&mut self, from: DeviceAddress, node: &Node<'_>, chat: &Jid) {
        let own = self.user_jid(from.account, Addressing::of(chat));
        let mut receipt = forwarded(node, own, self.now)
            .attr("recipient", chat.to_user())
            .attr_opt("participant", node.attrs.jid("participant"));
        for (name, value) in &mut receipt.attrs.0 {
            if name == "type" && matches!(&*value.to_text(), "read" | "played") {
                *value = format!("{}-self", value.to_text()).into();
            }
        }
        for address in self.devices_of(from.account) {
            if address != from {
                self.deliver(address, receipt.clone());
            }
        }
    }

    fn deliver_to_account(&mut self, account: PhoneNumber, node: &OwnedNode) {
        for address in self.devices_of(account) {
            self.deliver(address, node.clone());
        }
    }
}

/// The ids a receipt is about: its own, and those in its `list`.
pub(crate) fn receipt_ids(node: &Node<'_>) -> Vec<String> {
    let items = node.find("list").map(|list| list.nodes()).unwrap_or_default();
    let listed = items.iter().filter_map(|item| item.attrs.text("id"));
    node.attrs.text("id").into_iter().chain(listed).map(|id| id.into_owned()).collect()
}

/// The receipt as its target gets it: the same id, type and children, another `from`.
fn forwarded(node: &Node<'_>, from: Jid, now: u64) -> OwnedNode {
    Node::new("receipt")
        .attr("from", from)
        .attr("id", node.attrs.text("id").unwrap_or_default().into_owned())
        .attr_opt("type", node.attrs.text("type").map(|kind| kind.into_owned()))
        .attr("t", now)
        .children(node.nodes().iter().map(|child| child.clone().into_owned()))
}
