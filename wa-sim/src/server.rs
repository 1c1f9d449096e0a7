//! The server: accounts, connections and the stanzas between them, as one value.
//!
//! Stanzas go in, one at a time, with the time of their arrival; what is to be sent collects in
//! `outputs` (to connections) and `phone_inbox` (to the phones, which are in the process). It knows
//! nothing of bytes, sockets, tasks or of what messages say.

pub(crate) mod account;
mod account_news;
pub(crate) mod app_state;
mod calls;
pub(crate) mod directory;
mod dirty;
pub(crate) mod groups;
pub(crate) mod iq;
mod login;
pub(crate) mod newsletters;
mod notifications;
pub(crate) mod offline;
mod pairing;
mod pairing_code;
mod pairing_passkey;
pub(crate) mod prekey_shelf;
mod presence;
mod properties;
pub(crate) mod receipts;
pub(crate) mod restrictions;
mod router;
mod strict;
mod tokens;
mod usync;

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use wa_proto::{Jid, Node, OwnedNode};

use self::{
    account::Account, groups::Group, login::Session, offline::StanzaClass, pairing::Pairing,
};
pub(crate) use self::{
    login::Login,
    pairing::{IssuedIdentity, SignDevice},
    pairing_code::{CodeFinish, CodeHello, WRAPPED_KEY},
    pairing_passkey::{PasskeyStep, PasskeyWord},
};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    fault::Faults,
    hostile::Tampering,
    media_host::Media,
};

/// A connection, numbered in the order of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// What a connection is to do.
#[derive(Debug)]
pub(crate) enum Output {
    Stanza(OwnedNode),
    Close,
}

/// A client version: primary, secondary, tertiary.
pub(crate) type Version = [u32; 3];

pub(crate) struct Server {
    pub(crate) rng: ChaCha20Rng,
    /// The time of the input at hand, in unix seconds.
    pub(crate) now: u64,
    pub(crate) accounts: BTreeMap<PhoneNumber, Account>,
    lids: BTreeMap<u64, PhoneNumber>,
    pub(crate) groups: BTreeMap<String, Group>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Which connection a device is on.
    online: BTreeMap<DeviceAddress, ConnectionId>,
    presences: presence::Presences,
    pub(crate) newsletters: BTreeMap<String, newsletters::Newsletter>,
    properties: properties::Properties,
    /// The tokens that one account gave another.
    tokens: BTreeMap<(PhoneNumber, PhoneNumber), tokens::Token>,
    pub(crate) outputs: Vec<(ConnectionId, Output)>,
    pub(crate) phone_inbox: VecDeque<(PhoneNumber, OwnedNode)>,
    /// Clients below this version are refused.
    pub(crate) required_version: Option<Version>,
    pub(crate) media: Media,
    /// A newcomer gets a snapshot of a collection with more patches than this, else the patches.
    pub(crate) snapshot_after: u64,
    /// How many messages each phone remembers.
    pub(crate) remembered: usize,
    pub(crate) faults: Faults,
    /// Companions that asked to be taken off their account.
    pub(crate) unlink_requests: VecDeque<DeviceAddress>,
    /// Companions that have become active for the first time.
    pub(crate) new_companions: VecDeque<DeviceAddress>,
    /// Companions that are active once more.
    pub(crate) back_companions: VecDeque<DeviceAddress>,
    /// Clients that answered the phone which typed their code.
    pub(crate) code_finishes: VecDeque<CodeFinish>,
    /// What clients that link by passkey say to the phone.
    pub(crate) passkey_steps: VecDeque<PasskeyStep>,
    pub(crate) given_up: u64,
    /// What devices said, while somebody listens.
    pub(crate) heard: Option<Vec<(DeviceAddress, OwnedNode)>>,
    /// What is done to what devices are told, while the server is hostile to them.
    pub(crate) tampering: BTreeMap<DeviceAddress, Tampering>,
    next_id: u64,
}

/// What the server knows of an open connection.
enum Connection {
    /// A client that waits to be linked.
    Pairing(Box<Pairing>),
    /// A device that has logged in.
    Session(Session),
    /// What it was sent last was the end of the stream.
    Ending,
}

impl Server {
    pub(crate) fn new(
        rng: ChaCha20Rng,
        faults: Faults,
        media: Media,
        required_version: Option<Version>,
    ) -> Self {
        Self {
            rng,
            now: 0,
            accounts: BTreeMap::new(),
            lids: BTreeMap::new(),
            groups: BTreeMap::new(),
            connections: BTreeMap::new(),
            online: BTreeMap::new(),
            presences: presence::Presences::default(),
            newsletters: BTreeMap::new(),
            properties: properties::Properties::default(),
            tokens: BTreeMap::new(),
            outputs: Vec::new(),
            phone_inbox: VecDeque::new(),
            required_version,
            media,
            snapshot_after: 0,
            remembered: crate::phone::endpoint::MAX_MESSAGES,
            faults,
            unlink_requests: VecDeque::new(),
            new_companions: VecDeque::new(),
            back_companions: VecDeque::new(),
            code_finishes: VecDeque::new(),
            passkey_steps: VecDeque::new(),
            given_up: 0,
            heard: None,
            tampering: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// A stanza from a connection.
    pub(crate) fn receive(&mut self, id: ConnectionId, node: &Node<'_>) {
        match self.connections.get(&id) {
            Some(Connection::Pairing(_)) => self.receive_while_pairing(id, node),
            Some(Connection::Session(session)) => {
                let address = session.address;
                if let Some(device) = self.device_mut(address) {
                    device.counters.stanzas_in += 1;
                }
                if let Some(heard) = self.heard.as_mut().filter(|heard| heard.len() < MAX_HEARD) {
                    heard.push((address, node.clone().into_owned()));
                }
                self.receive_from_device(address, node);
            }
            Some(Connection::Ending) | None => {}
        }
    }

    /// A stanza from a device, whether it has a connection or is a phone in the process.
    pub(crate) fn receive_from_device(&mut self, from: DeviceAddress, node: &Node<'_>) {
        match &*node.tag {
            "message" => self.route_message(from, node),
            "receipt" => self.route_receipt(from, node),
            "ack" => self.take_ack(from, node),
            "iq" => {
                let answer = self.answer_iq(from, node).and_then(|answer| {
                    match self.tampering.get_mut(&from) {
                        Some(hostile) => hostile.answered(&node.clone().into_owned(), answer),
                        None => Some(answer),
                    }
                });
                if let Some(answer) = answer {
                    self.send_to_device(from, answer);
                }
                self.after_iq(from, node);
            }
            "ib" => self.take_ib(from, node),
            "presence" => self.take_presence(from, node),
            "chatstate" => self.route_chatstate(from, node),
            "call" => self.route_call(from, node),
            _ => {}
        }
    }

    /// The connection is gone; what its device has not confirmed waits for the next one.
    pub(crate) fn closed(&mut self, id: ConnectionId) {
        if let Some(Connection::Session(session)) = self.connections.remove(&id)
            && self.online.get(&session.address) == Some(&id)
        {
            self.online.remove(&session.address);
            self.forget_presence(session.address);
        }
    }

    /// Sends to a device now if it can be reached, and forgets it otherwise: answers, presence.
    pub(crate) fn send_to_device(&mut self, to: DeviceAddress, node: OwnedNode) {
        if to.is_phone() {
            self.phone_inbox.push_back((to.account, node));
        } else if let Some(&connection) = self.online.get(&to) {
            self.send(connection, node);
        }
    }

    /// Sends to a device, and keeps it until the device confirms.
    pub(crate) fn deliver(&mut self, to: DeviceAddress, node: OwnedNode) {
        let Some(class) = StanzaClass::of(&node.tag) else {
            return self.send_to_device(to, node);
        };
        if to.is_phone() {
            if self.accounts.contains_key(&to.account) {
                self.phone_inbox.push_back((to.account, node));
            }
            return;
        }
        let live = self.session_of(to).is_some_and(Session::is_live);
        let Some(device) = self.device_mut(to) else { return };
        let overflow = device.queue.push(class, node);
        if overflow {
            self.given_up += 1;
        }
        if live {
            self.release_live(to);
        }
    }

    /// Gives a live device whatever its queue has.
    fn release_live(&mut self, to: DeviceAddress) {
        let Some(device) = self.device_mut(to) else { return };
        for node in device.queue.release(usize::MAX) {
            self.send_to_device(to, node);
        }
    }

    fn send(&mut self, connection: ConnectionId, node: OwnedNode) {
        if let Some(Connection::Session(session)) = self.connections.get(&connection) {
            let address = session.address;
            if let Some(device) = self.device_mut(address) {
                device.counters.stanzas_out += 1;
            }
            if let Some(hostile) = self.tampering.get_mut(&address) {
                let said = hostile.on_its_way(node).into_iter();
                self.outputs.extend(said.map(|node| (connection, Output::Stanza(node))));
                return;
            }
        }
        self.outputs.push((connection, Output::Stanza(node)));
    }

    /// Sends a last stanza, the end of the stream, and closes.
    fn end(&mut self, connection: ConnectionId, last: OwnedNode) {
        self.send(connection, last);
        self.outputs.push((connection, Output::Stanza(Node::new("xmlstreamend"))));
        self.outputs.push((connection, Output::Close));
        if let Some(Connection::Session(session)) =
            self.connections.insert(connection, Connection::Ending)
            && self.online.get(&session.address) == Some(&connection)
        {
            self.online.remove(&session.address);
            self.forget_presence(session.address);
        }
    }

    fn session_of(&self, address: DeviceAddress) -> Option<&Session> {
        match self.connections.get(self.online.get(&address)?)? {
            Connection::Session(session) => Some(session),
            _ => None,
        }
    }

    fn session_of_mut(&mut self, address: DeviceAddress) -> Option<&mut Session> {
        match self.connections.get_mut(self.online.get(&address)?)? {
            Connection::Session(session) => Some(session),
            _ => None,
        }
    }

    pub(crate) fn is_online(&self, address: DeviceAddress) -> bool {
        self.online.contains_key(&address)
    }

    /// An id for a stanza of the server's own.
    fn stanza_id(&mut self) -> String {
        self.next_id += 1;
        format!("{}-{}", self.rng.next_u32(), self.next_id)
    }

    /// `<ack>` for a stanza from a device.
    fn ack(&mut self, to: DeviceAddress, class: &'static str, node: &Node<'_>) {
        let ack = ack_node(class, node);
        self.send_to_device(to, ack);
    }
}

/// The most stanzas that are kept for a listener.
const MAX_HEARD: usize = 1 << 16;

/// `<ack class id from [participant] [type]>`, `from` being whom the stanza was for.
fn ack_node(class: &'static str, node: &Node<'_>) -> OwnedNode {
    let from = node.attrs.jid("to").unwrap_or_else(Jid::server);
    let mut ack = Node::new("ack")
        .attr("class", class)
        .attr("id", node.attrs.text("id").unwrap_or_default().into_owned())
        .attr("from", from)
        .attr_opt("participant", node.attrs.jid("participant"));
    if class != "message" {
        ack = ack.attr_opt("type", node.attrs.text("type").map(|text| text.into_owned()));
    }
    ack
}
