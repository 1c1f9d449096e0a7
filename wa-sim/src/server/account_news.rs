//! What devices are told when an account changes something of itself: the account's own other
//! devices, and the people who know it. Knows nothing of what changed.

use wa_proto::{Jid, Node, OwnedNode};

use super::{Server, directory::Addressing};
use crate::address::{DeviceAddress, PhoneNumber};

impl Server {
    /// `<notification type=account_sync>` to all devices of an account but one.
    pub(crate) fn tell_account(
        &mut self,
        account: PhoneNumber,
        except: Option<DeviceAddress>,
        change: &OwnedNode,
    ) {
        let own = self.user_jid(account, Addressing::Phone);
        for address in self.devices_of(account) {
            if Some(address) != except {
                self.notify(address, own.clone(), "account_sync", change.clone());
            }
        }
    }

    /// A notification of this type to everybody who has to do with an account.
    pub(crate) fn tell_contacts(
        &mut self,
        account: PhoneNumber,
        kind: &'static str,
        change: &OwnedNode,
    ) {
        let Some(known) = self.accounts.get(&account) else { return };
        let (from, told) = (known.jid(Addressing::Lid), known.contacts.clone());
        for address in self.devices_of_all(told) {
            self.notify(address, from.clone(), kind, change.clone());
        }
    }

    /// News in GraphQL's form, to all devices of an account.
    pub(crate) fn tell_mex(
        &mut self,
        account: PhoneNumber,
        operation: &'static str,
        data: &serde_json::Value,
    ) {
        let json = serde_json::json!({ "data": data }).to_string();
        let update = Node::new("update").attr("op_name", operation).bytes(json.into_bytes());
        for address in self.devices_of(account) {
            self.notify(address, Jid::server(), "mex", update.clone());
        }
    }

    pub(crate) fn notify(
        &mut self,
        to: DeviceAddress,
        from: Jid,
        kind: &'static str,
        change: OwnedNode,
    ) {
        let id = self.stanza_id();
        let notification = Node::new("notification")
            .attr("from", from)
            .attr("type", kind)
            .attr("id", id)
            .attr("t", self.now)
            .child(change);
        self.deliver(to, notification);
    }
}
