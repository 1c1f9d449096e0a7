//! Marks that something of an account changed: told at every login until the device takes them
//! away. Knows nothing of what changed.

use wa_proto::{Jid, Node, OwnedNode};

use super::Server;
use crate::address::{DeviceAddress, PhoneNumber};

/// The most marks of a device.
const MAX_MARKS: usize = 16;

impl Server {
    /// Marks something for every companion of an account.
    pub(crate) fn mark_dirty(&mut self, account: PhoneNumber, kind: &str) {
        let now = self.now;
        for address in self.devices_of(account) {
            if let Some(device) = self.device_mut(address).filter(|_| !address.is_phone())
                && device.dirty.len() < MAX_MARKS
            {
                device.dirty.insert(kind.to_owned(), now);
            }
        }
    }

    /// What a device is told of its marks when it logs in.
    pub(super) fn dirty_nodes(&self, address: DeviceAddress) -> Vec<OwnedNode> {
        let marks = self.device(address).map(|device| device.dirty.clone()).unwrap_or_default();
        let told = marks.into_iter().map(|(kind, at)| {
            let mark = Node::new("dirty").attr("type", kind).attr("timestamp", at);
            Node::new("ib").attr("from", Jid::server()).child(mark)
        });
        told.collect()
    }

    /// `<clean type>`: a device has asked for what was marked.
    pub(super) fn take_clean(&mut self, from: DeviceAddress, iq: &Node<'_>) {
        let kind = iq.find("clean").and_then(|clean| clean.attrs.text("type"));
        if let (Some(kind), Some(device)) = (kind, self.device_mut(from)) {
            device.dirty.remove(&*kind);
        }
    }
}
