//! What the server tells devices of its own accord: changed device lists, prekeys running low.
//! Knows nothing of content.

use std::collections::BTreeSet;

use wa_crypto::sha256;
use wa_proto::{Jid, Node};

use super::{Server, directory::Addressing};
use crate::address::{DeviceAddress, PhoneNumber};

impl Server {
    /// `<notification type=devices>` about one device, to the account's other devices and to all
    /// who have had to do with the account.
    pub(super) fn announce_device(&mut self, about: DeviceAddress, change: &'static str) {
        let Some(account) = self.accounts.get(&about.account) else { return };
        let key_index = account.devices.get(&about.device).map(|device| device.key_index);
        let change_node = {
            let device = Node::new("device")
                .attr("jid", account.jid(Addressing::Phone).with_device(about.device))
                .attr("lid", account.jid(Addressing::Lid).with_device(about.device))
                .attr_opt("key-index", key_index);
            let list = Node::new("key-index-list")
                .attr("ts", account.key_index_time)
                .bytes(account.key_index_list.clone());
            Node::new(change)
                .attr("device_hash", self.device_hash(about.account))
                .child(device)
                .child(list)
        };
        let (jid, lid) = (account.jid(Addressing::Phone), account.jid(Addressing::Lid));
        let mut told = self.acquaintances(about.account);
        told.insert(about.account);
        for address in self.devices_of_all(told) {
            if address == about {
                continue;
            }
            let id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", jid.clone())
                .attr("type", "devices")
                .attr("id", id)
                .attr("t", self.now)
                .attr("lid", lid.clone())
                .child(change_node.clone());
            self.deliver(address, notification);
        }
    }

    /// `<notification type=encrypt><identity/></notification>`: a phone was set up anew. To all who
    /// have had to do with its account.
    pub(crate) fn announce_identity(&mut self, phone: DeviceAddress) {
        let jid = self.user_jid(phone.account, Addressing::Phone);
        let lid = self.user_jid(phone.account, Addressing::Lid);
        for address in self.devices_of_all(self.acquaintances(phone.account)) {
            let id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", jid.clone())
                .attr("type", "encrypt")
                .attr("id", id)
                .attr("t", self.now)
                .attr("lid", lid.clone())
                .child(Node::new("identity"));
            self.deliver(address, notification);
        }
    }

    /// All others who have had to do with an account.
    fn acquaintances(&self, of: PhoneNumber) -> BTreeSet<PhoneNumber> {
        let contacts = self.accounts.get(&of).map(|account| account.contacts.clone());
        let mut people = contacts.unwrap_or_default();
        let groups = self.groups.values().filter(|group| group.has(of));
        people.extend(groups.flat_map(super::groups::Group::accounts));
        people.remove(&of);
        people
    }

    /// `2:` and a short hash over the account's devices.
    fn device_hash(&self, account: PhoneNumber) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
        let devices = self.devices_of(account);
        let names: String = devices.iter().map(|address| format!("{}.", address.device)).collect();
        let hash = sha256(&[names.as_bytes()]);
        format!("2:{}", STANDARD_NO_PAD.encode(hash.first_chunk::<6>().unwrap_or(&[0; 6])))
    }

    /// `<notification type=encrypt><count/></notification>` if the device's shelf runs low.
    pub(super) fn warn_of_low_shelf(&mut self, address: DeviceAddress) {
        let Some(device) = self.device_mut(address) else { return };
        if !device.shelf.should_warn() {
            return;
        }
        let count = device.shelf.count();
        let id = self.stanza_id();
        let notification = Node::new("notification")
            .attr("from", Jid::server())
            .attr("type", "encrypt")
            .attr("id", id)
            .attr("t", self.now)
            .child(Node::new("count").attr("value", count));
        self.deliver(address, notification);
    }
}
