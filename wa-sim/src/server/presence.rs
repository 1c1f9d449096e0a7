//! Who is there and who writes: told to those who asked, passed on and never kept. Knows nothing of
//! messages.

use std::collections::{BTreeMap, BTreeSet};

use wa_proto::{Jid, Node, OwnedNode};

use super::{Server, directory::Addressing};
use crate::address::{DeviceAddress, PhoneNumber};

/// The most people a connection may watch.
const MAX_WATCHED: usize = 1_000;

/// Who is available, and who wants to know of whom. All of it ends with the connection.
#[derive(Debug, Default)]
pub(crate) struct Presences {
    available: BTreeSet<DeviceAddress>,
    /// The people a device asked about, by the address it named them by.
    watched: BTreeMap<DeviceAddress, BTreeMap<PhoneNumber, Jid>>,
    last_seen: BTreeMap<PhoneNumber, u64>,
}

impl Presences {
    fn has(&self, account: PhoneNumber) -> bool {
        self.available.iter().any(|device| device.account == account)
    }
}

impl Server {
    /// `<presence>`: the push name is kept; a state is told to those who watch, a subscription is
    /// answered with the state there is.
    pub(super) fn take_presence(&mut self, from: DeviceAddress, node: &Node<'_>) {
        if let (Some(name), Some(device)) = (node.attrs.text("name"), self.device_mut(from)) {
            device.push_name = Some(name.into_owned());
        }
        match node.attrs.text("type").as_deref() {
            None | Some("available") => self.set_available(from, true),
            Some("unavailable") => self.set_available(from, false),
            Some("subscribe") => self.watch(from, node),
            Some(_) => {}
        }
    }

    /// A device is used by somebody, or no longer.
    pub(crate) fn set_available(&mut self, device: DeviceAddress, available: bool) {
        let was = self.presences.has(device.account);
        if available {
            self.presences.available.insert(device);
        } else {
            self.presences.available.remove(&device);
        }
        let is = self.presences.has(device.account);
        if was && !is {
            self.presences.last_seen.insert(device.account, self.now);
        }
        if was != is {
            self.tell_watchers(device.account);
        }
        if available {
            let watched = self.presences.watched.get(&device).cloned().unwrap_or_default();
            for (account, name) in watched {
                self.tell_presence(device, account, &name);
            }
        }
    }

    /// A device's connection is gone.
    pub(super) fn forget_presence(&mut self, device: DeviceAddress) {
        self.presences.watched.remove(&device);
        self.set_available(device, false);
    }

    fn watch(&mut self, from: DeviceAddress, node: &Node<'_>) {
        let Some(to) = node.attrs.jid("to") else { return };
        let Some(account) = self.account_of(&to) else { return };
        if !self.may_watch(from.account, account, node) {
            return;
        }
        let watched = self.presences.watched.entry(from).or_default();
        if watched.len() < MAX_WATCHED {
            watched.insert(account, to.to_user());
            self.tell_presence(from, account, &to.to_user());
        }
    }

    /// What a person lets be seen: by everybody, by those they permitted, or by nobody.
    fn may_watch(&self, watcher: PhoneNumber, of: PhoneNumber, node: &Node<'_>) -> bool {
        let setting = self.accounts.get(&of).and_then(|account| account.privacy.get("last"));
        match setting.map(String::as_str) {
            Some("none") => false,
            Some("contacts") => self.is_permitted(watcher, of, node),
            _ => true,
        }
    }

    fn tell_watchers(&mut self, of: PhoneNumber) {
        let watchers: Vec<_> = self
            .presences
            .watched
            .iter()
            .filter_map(|(&device, watched)| Some((device, watched.get(&of)?.clone())))
            .collect();
        for (device, name) in watchers {
            self.tell_presence(device, of, &name);
        }
    }

    /// Tells a device, which gets to know it only while it is available itself.
    fn tell_presence(&mut self, to: DeviceAddress, of: PhoneNumber, name: &Jid) {
        if !self.presences.available.contains(&to) {
            return;
        }
        let available = self.presences.has(of);
        let last = self.presences.last_seen.get(&of).copied().filter(|_| !available);
        let presence = Node::new("presence")
            .attr("from", name.clone())
            .attr_opt("type", (!available).then_some("unavailable"))
            .attr_opt("last", last);
        self.send_to_device(to, presence);
    }

    /// `<chatstate to>`: typing, passed on to whoever is connected now.
    pub(super) fn route_chatstate(&mut self, from: DeviceAddress, node: &Node<'_>) {
        let Some(to) = node.attrs.jid("to") else { return };
        let content = node.nodes().iter().map(|child| child.clone().into_owned());
        let state: OwnedNode = Node::new("chatstate");
        if to.is_group() {
            let Ok(members) = self.group_members_for(from.account, &to.user) else { return };
            let author = self.user_jid(from.account, self.group_addressing(&to.user));
            let state = state.attr("from", to).attr("participant", author).children(content);
            for account in members.into_iter().filter(|&member| member != from.account) {
                self.send_to_all(account, &state);
            }
        } else if let Some(account) = self.account_of(&to) {
            let sender = self.user_jid(from.account, Addressing::of(&to));
            self.send_to_all(account, &state.attr("from", sender).children(content));
        }
    }

    fn send_to_all(&mut self, account: PhoneNumber, node: &OwnedNode) {
        for address in self.devices_of(account) {
            self.send_to_device(address, node.clone());
        }
    }
}
