//! Messages: each device that is addressed gets its own ciphertext, with who sent it and to which
//! chat, and the sender gets its ack. Knows nothing of what is encrypted.

use std::collections::BTreeSet;

use wa_proto::{Jid, Node, OwnedNode, Server as NameSpace};

use super::{
    Server, ack_node, directory::Addressing, groups::GroupError, restrictions::NACK_RESTRICTED,
    strict::NACK_STALE_ADDRESSING,
};
use crate::address::{DeviceAddress, PHONE, PhoneNumber};

/// The most devices one message may be addressed to.
pub(crate) const MAX_FANOUT: usize = 10_000;

/// Attributes of a message that concern the recipient as well.
const KEPT_ATTRS: [&str; 6] =
    ["type", "edit", "category", "push_priority", "verified_name", "expiration"];

/// What is not simply passed on of a message's children.
const CONSUMED_CHILDREN: [&str; 5] =
    ["participants", "enc", "tctoken", "cstoken", "device-identity"];

/// Where a message goes.
enum Chat {
    /// The sender's own other device, without the chat being anyone's: `category=peer`.
    Peer(DeviceAddress),
    Person(PhoneNumber),
    Group(String),
    /// Status posts: to those whom the post itself names.
    Status,
}

impl Server {
    /// `<message id to>` from a device.
    pub(super) fn route_message(&mut self, from: DeviceAddress, node: &Node<'_>) {
        if let Some(device) = self.device_mut(from) {
            device.counters.messages_in += 1;
        }
        let newsletter = node.attrs.jid("to").filter(|to| to.server == NameSpace::Newsletter);
        if let Some(newsletter) = newsletter {
            let ack = ack_node("message", node).attr("t", self.now);
            let ack = match self.post_to_newsletter(from, &newsletter, node) {
                Ok(server_id) => ack.attr("server_id", server_id),
                Err(code) => ack.attr("error", code),
            };
            return self.send_to_device(from, ack);
        }
        let ack = match self.fan_out(from, node) {
            Ok(current_hash) => {
                ack_node("message", node).attr("t", self.now).attr_opt("phash", current_hash)
            }
            Err(code) => {
                let mode = (code == NACK_STALE_ADDRESSING).then(|| self.mode_of_group(node));
                ack_node("message", node)
                    .attr("t", self.now)
                    .attr("error", code)
                    .attr_opt("addressing_mode", mode)
            }
        };
        if from.is_phone() || !self.faults.withholds_ack() {
            self.send_to_device(from, ack);
        }
    }

    /// Gives each device its part. Answers the hash of the devices there are if the sender's was
    /// of others, or the code of the error for which nothing was sent.
    fn fan_out(&mut self, from: DeviceAddress, node: &Node<'_>) -> Result<Option<String>, u16> {
        let to = node.attrs.jid("to").ok_or(NACK_MALFORMED)?;
        if node.attrs.value("id").is_none() {
            return Err(NACK_MALFORMED);
        }
        if let Some(code) = self.objection(node, &to).filter(|_| !from.is_phone()) {
            return Err(code);
        }
        let parts = self.addressed_parts(node)?;
        match self.chat_of(from, node, &to)? {
            Chat::Peer(address) => {
                self.deliver_direct(from, node, &to, address);
                Ok(None)
            }
            Chat::Person(recipient) if parts.is_empty() => {
                // A resend, to one device: the chat is that of `recipient` for one's own device.
                self.deliver_direct(from, node, &to, DeviceAddress::new(recipient, to.device));
                Ok(None)
            }
            Chat::Person(recipient) => {
                if !self.may_write(from.account, recipient, node) {
                    return Err(NACK_RESTRICTED);
                }
                self.remember_contacts(from.account, recipient);
                for (address, enc) in &parts {
                    if address.account == recipient || address.account == from.account {
                        let message =
                            self.message_for(*address, from, node, &to, std::slice::from_ref(enc));
                        self.deliver(*address, message);
                    }
                }
                Ok(self.stale_hash(from, node, &parts, &[from.account, recipient]))
            }
            Chat::Group(group) => self.fan_out_to_group(from, node, &to, &group, &parts),
            Chat::Status => self.fan_out_status(from, node, &to, &parts),
        }
    }

    fn chat_of(&self, from: DeviceAddress, node: &Node<'_>, to: &Jid) -> Result<Chat, u16> {
        if to.is_group() {
            return Ok(Chat::Group(to.user.to_string()));
        }
        if to.is_status() {
            return Ok(Chat::Status);
        }
        let account = self.account_of(to).ok_or(NACK_UNKNOWN_RECIPIENT)?;
        if node.attrs.is("category", "peer") {
            let own = account == from.account;
            return own
                .then_some(Chat::Peer(DeviceAddress::new(account, to.device)))
                .ok_or(NACK_MALFORMED);
        }
        Ok(Chat::Person(account))
    }

    /// `participants/to`, each with the device it names.
    fn addressed_parts(&self, node: &Node<'_>) -> Result<Vec<(DeviceAddress, OwnedNode)>, u16> {
        let Some(participants) = node.find("participants") else { return Ok(Vec::new()) };
        if participants.nodes().len() > MAX_FANOUT {
            return Err(NACK_MALFORMED);
        }
        let parts = participants.find_all("to").filter_map(|part| {
            let address = self.address_of(&part.attrs.jid("jid")?)?;
            Some((address, part.find("enc")?.clone().into_owned()))
        });
        Ok(parts.collect())
    }

    /// A message whose `enc` is not in `participants`: for one device.
    fn deliver_direct(
        &mut self,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
        address: DeviceAddress,
    ) {
        let encs: Vec<_> = node.find_all("enc").map(|enc| enc.clone().into_owned()).collect();
        let message = self.message_for(address, from, node, to, &encs);
        self.deliver(address, message);
    }

    fn fan_out_to_group(
        &mut self,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
        group: &str,
        parts: &[(DeviceAddress, OwnedNode)],
    ) -> Result<Option<String>, u16> {
        let members = match self.group_readers_of(from.account, group) {
            Ok(members) => members,
            Err(GroupError::Unknown) => return Err(NACK_UNKNOWN_RECIPIENT),
            Err(GroupError::NotAMember | GroupError::AdminsOnly) => return Err(NACK_NOT_A_MEMBER),
        };
        if let Some(participant) = node.attrs.jid("participant") {
            // A resend, to one device.
            let address = self.address_of(&participant).ok_or(NACK_UNKNOWN_RECIPIENT)?;
            self.deliver_direct(from, node, to, address);
            return Ok(None);
        }
        let shared: Vec<_> = node.find_all("enc").map(|enc| enc.clone().into_owned()).collect();
        for address in self.devices_of_all(members.iter().copied()) {
            if address == from {
                continue;
            }
            let own = parts.iter().filter(|(to, _)| *to == address).map(|(_, enc)| enc.clone());
            let encs: Vec<_> = own.chain(shared.iter().cloned()).collect();
            let message = self.message_for(address, from, node, to, &encs);
            self.deliver(address, message);
        }
        Ok(self.stale_group_hash(node, group, &members))
    }

    fn fan_out_status(
        &mut self,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
        parts: &[(DeviceAddress, OwnedNode)],
    ) -> Result<Option<String>, u16> {
        if let Some(participant) = node.attrs.jid("participant") {
            // A resend, to one device.
            let address = self.address_of(&participant).ok_or(NACK_UNKNOWN_RECIPIENT)?;
            self.deliver_direct(from, node, to, address);
            return Ok(None);
        }
        let shared: Vec<_> = node.find_all("enc").map(|enc| enc.clone().into_owned()).collect();
        for (address, enc) in parts.iter().filter(|(address, _)| *address != from) {
            let encs: Vec<_> = [enc.clone()].into_iter().chain(shared.iter().cloned()).collect();
            let message = self.message_for(*address, from, node, to, &encs);
            self.deliver(*address, message);
        }
        Ok(None)
    }

    /// The people who see the status posts of an account: its contacts, as its setting narrows
    /// them.
    pub(crate) fn status_readers_of(&self, account: PhoneNumber) -> Vec<PhoneNumber> {
        let Some(account) = self.accounts.get(&account) else { return Vec::new() };
        let contacts = account.contacts.iter().copied();
        match &account.status_audience {
            Some(("whitelist", people)) => people.to_vec(),
            Some((_, people)) => contacts.filter(|contact| !people.contains(contact)).collect(),
            None => contacts.collect(),
        }
    }

    /// The message as one device gets it.
    fn message_for(
        &self,
        address: DeviceAddress,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
        encs: &[OwnedNode],
    ) -> OwnedNode {
        let mut message = Node::new("message")
            .attr("id", node.attrs.text("id").unwrap_or_default().into_owned())
            .attr("t", node.attrs.number("t").unwrap_or(self.now));
        for name in KEPT_ATTRS {
            let value = node.attrs.text(name).map(|value| value.into_owned());
            message = message.attr_opt(name, value);
        }
        message = self.address_message(message, address, from, node, to);
        if let Some(account) = self.accounts.get(&from.account) {
            message = message.attr("notify", account.push_name(from.device).to_owned());
        }
        message = message.children(encs.iter().cloned());
        if encs.iter().any(|enc| enc.attrs.is("type", "pkmsg")) {
            let identity = node.find("device-identity").map(|node| node.clone().into_owned());
            message = message.children(identity);
        }
        let others = node.nodes().iter().filter(|child| !CONSUMED_CHILDREN.contains(&&*child.tag));
        message.children(others.map(|child| child.clone().into_owned()))
    }

    /// `from`, `participant`, `recipient` and the sender's other name.
    fn address_message(
        &self,
        message: OwnedNode,
        address: DeviceAddress,
        from: DeviceAddress,
        node: &Node<'_>,
        to: &Jid,
    ) -> OwnedNode {
        if to.is_group() || to.is_status() {
            let addressing = self.group_addressing(&to.user);
            let (mode, other) = match addressing {
                Addressing::Lid => ("lid", "participant_pn"),
                Addressing::Phone => ("pn", "participant_lid"),
            };
            return message
                .attr("from", to.clone())
                .attr("participant", self.device_jid(from, addressing))
                .attr(other, self.user_jid(from.account, addressing.other()))
                .attr_opt("participant_username", self.username_of(from.account))
                .attr("addressing_mode", mode);
        }
        let addressing = Addressing::of(to);
        let message = message.attr("from", self.device_jid(from, addressing));
        if address.account != from.account {
            let other = self.user_jid(from.account, addressing.other());
            let name = if addressing == Addressing::Lid { "sender_pn" } else { "sender_lid" };
            return message.attr(name, other);
        }
        if node.attrs.is("category", "peer") {
            return message;
        }
        // One's own message, told to one's own device: whose chat it belongs to.
        let chat = node.attrs.jid("recipient").unwrap_or_else(|| to.clone()).to_user();
        let other =
            self.account_of(&chat).map(|account| self.user_jid(account, addressing.other()));
        let name =
            if addressing == Addressing::Lid { "peer_recipient_pn" } else { "recipient_lid" };
        message.attr("recipient", chat).attr_opt(name, other)
    }

    /// That one account wrote to another.
    fn remember_contacts(&mut self, one: PhoneNumber, other: PhoneNumber) {
        if let Some(account) = self.accounts.get_mut(&one) {
            account.wrote_to.insert(other);
        }
        for (account, contact) in [(one, other), (other, one)] {
            if let Some(account) = self.accounts.get_mut(&account) {
                account.contacts.insert(contact);
            }
        }
    }

    /// By which kind of address the group that a message is for names its people.
    fn mode_of_group(&self, node: &Node<'_>) -> &'static str {
        let to = node.attrs.jid("to");
        match to.map_or(Addressing::Lid, |to| self.group_addressing(&to.user)) {
            Addressing::Lid => "lid",
            Addressing::Phone => "pn",
        }
    }

    /// The hash of the devices of a group, if the sender gave one and it is of others. The sending
    /// device is among them.
    fn stale_group_hash(
        &self,
        node: &Node<'_>,
        group: &str,
        members: &[PhoneNumber],
    ) -> Option<String> {
        let told = node.attrs.text("phash")?;
        let devices = self.devices_of_all(members.iter().copied());
        let current = self.participant_hash(&devices, self.group_addressing(group));
        (told != current).then_some(current)
    }

    /// The hash of the devices there are, if the sender gave one and it is of others.
    fn stale_hash(
        &self,
        from: DeviceAddress,
        node: &Node<'_>,
        parts: &[(DeviceAddress, OwnedNode)],
        accounts: &[PhoneNumber],
    ) -> Option<String> {
        node.attrs.value("phash")?;
        let accounts: BTreeSet<_> = accounts.iter().copied().collect();
        let devices = self.devices_of_all(accounts);
        let others: Vec<_> = devices.iter().copied().filter(|&device| device != from).collect();
        let covered: BTreeSet<_> = parts.iter().map(|(address, _)| *address).collect();
        let current = self.participant_hash(&others, Addressing::Lid);
        let same = others.iter().all(|device| covered.contains(device));
        (!same).then_some(current)
    }

    /// `2:` and the base64 of six bytes of SHA-256 over the sorted AD JIDs.
    fn participant_hash(&self, devices: &[DeviceAddress], addressing: Addressing) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
        let mut names: Vec<String> = devices
            .iter()
            .map(|&address| {
                let jid = self.device_jid(address, addressing);
                format!("{}.{}:{}@{}", jid.user, jid.agent, jid.device, jid.server)
            })
            .collect();
        names.sort();
        let hash = wa_crypto::sha256(&[names.concat().as_bytes()]);
        format!("2:{}", STANDARD_NO_PAD.encode(hash.first_chunk::<6>().unwrap_or(&[0; 6])))
    }

    /// All devices a message from this one to these accounts has to reach.
    pub(crate) fn recipients(
        &self,
        from: DeviceAddress,
        accounts: impl IntoIterator<Item = PhoneNumber>,
    ) -> Vec<DeviceAddress> {
        let accounts: BTreeSet<_> = accounts.into_iter().chain([from.account]).collect();
        let devices = accounts.into_iter().flat_map(|account| self.devices_of(account));
        devices.filter(|&device| device != from).collect()
    }

    /// Whether the account exists, so that its phone can be addressed.
    pub(crate) fn has_phone(&self, account: PhoneNumber) -> bool {
        self.device(DeviceAddress::new(account, PHONE)).is_some()
    }
}

/// The stanza lacks what it needs.
const NACK_MALFORMED: u16 = 400;
/// A group message from outside the group, or of somebody who may not write there.
const NACK_NOT_A_MEMBER: u16 = 403;
/// Nobody of that name.
const NACK_UNKNOWN_RECIPIENT: u16 = 404;
