//! How a connection begins: the client payload is judged, and what a device missed is given to it
//! once it is active. Knows nothing of how the payload came.

use prost::Message as _;
use wa_crypto::PublicKey;
use wa_proto::{Jid, Node, OwnedNode, pb};

use super::{
    Connection, ConnectionId, Server, Version,
    directory::Addressing,
    offline::{StanzaClass, end_node, preview_node},
};
use crate::address::{DeviceAddress, PhoneNumber};

/// Who a client has proved to be in the handshake, and what it said of itself.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) static_key: PublicKey,
    /// An encoded `ClientPayload`.
    pub(crate) payload: Vec<u8>,
}

/// A device that has logged in.
pub(crate) struct Session {
    pub(crate) address: DeviceAddress,
    delivery: Delivery,
}

/// How far a session has come with what its device missed.
enum Delivery {
    /// It has not said that it is active. A batch it asked for is remembered.
    Passive { batch: Option<usize> },
    /// The backlog is given in batches.
    Backlog { total: usize, batch: usize },
    /// Everything is given as it comes.
    Live,
}

/// What routing info a client is asked to come back with.
const ROUTING_INFO: &[u8] = &[8, 2, 8, 5];

impl Session {
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.delivery, Delivery::Live)
    }
}

impl Server {
    /// The handshake is done: logs in, begins pairing, or refuses.
    pub(crate) fn opened(&mut self, id: ConnectionId, login: Login) {
        let Ok(payload) = pb::ClientPayload::decode(login.payload.as_slice()) else {
            self.connections.insert(id, Connection::Ending);
            return self.end(id, failure(500));
        };
        self.connections.insert(id, Connection::Ending);
        if self.is_outdated(&payload) {
            return self.end(id, failure(405));
        }
        if payload.device_pairing_data.is_some() && payload.username.is_none() {
            return self.begin_pairing(id, login.static_key, &payload);
        }
        match self.known_device(&login.static_key, &payload) {
            Some(address) => self.log_in(id, address, &payload),
            None => self.end(id, failure(401)),
        }
    }

    fn is_outdated(&self, payload: &pb::ClientPayload) -> bool {
        let Some(required) = self.required_version else { return false };
        let version = payload.user_agent.as_ref().and_then(|agent| agent.app_version.as_ref());
        let version: Version = version
            .map_or([0; 3], |version| [version.primary(), version.secondary(), version.tertiary()]);
        version < required
    }

    fn known_device(
        &self,
        static_key: &PublicKey,
        payload: &pb::ClientPayload,
    ) -> Option<DeviceAddress> {
        let account = PhoneNumber::from_login(payload.username?);
        let device = u16::try_from(payload.device?).ok()?;
        let address = DeviceAddress::new(account, device);
        let known = self.device(address)?.noise_key.as_ref() == Some(static_key);
        known.then_some(address)
    }

    fn log_in(&mut self, id: ConnectionId, address: DeviceAddress, payload: &pb::ClientPayload) {
        if let Some(&older) = self.online.get(&address) {
            self.end(older, conflict(None, "replaced"));
        }
        let delivery = Delivery::Passive { batch: None };
        self.connections.insert(id, Connection::Session(Session { address, delivery }));
        self.online.insert(address, id);
        let lid = self.device_jid(address, Addressing::Lid);
        let Some(device) = self.device_mut(address) else { return };
        device.counters.logins += 1;
        device.queue.begin_connection();
        let preview = device.queue.preview();
        if let Some(name) = &payload.push_name {
            device.push_name = Some(name.clone());
        }
        let now = self.now;
        self.send(
            id,
            Node::new("success")
                .attr("t", now)
                .attr("lid", lid)
                .attr("location", "sim")
                .attr("props", "27")
                .attr("abprops", "10"),
        );
        self.send(
            id,
            Node::new("ib").attr("from", Jid::server()).child(
                Node::new("edge_routing").child(Node::new("routing_info").bytes(ROUTING_INFO)),
            ),
        );
        self.send(id, preview_node(preview));
        for mark in self.dirty_nodes(address) {
            self.send(id, mark);
        }
        if !payload.passive() {
            self.become_active(address);
        }
    }

    /// `<passive/>` or `<active/>` was asked for.
    pub(crate) fn become_active(&mut self, address: DeviceAddress) {
        let total = self.device(address).map_or(0, |device| device.queue.len());
        let Some(session) = self.session_of_mut(address) else { return };
        if let Delivery::Passive { batch } = session.delivery {
            // A client that never asks for a batch gets the backlog in one.
            let batch = batch.unwrap_or(usize::MAX);
            session.delivery = Delivery::Backlog { total, batch };
            self.release_backlog(address);
        }
    }

    /// `<ib>`: a batch of the backlog is asked for; all else in it is telemetry.
    pub(crate) fn take_ib(&mut self, from: DeviceAddress, node: &Node<'_>) {
        let Some(asked) = node.find("offline_batch") else { return };
        let count = asked.attrs.number::<usize>("count").unwrap_or(1).max(1);
        let Some(session) = self.session_of_mut(from) else { return };
        match &mut session.delivery {
            Delivery::Passive { batch } => *batch = Some(count),
            Delivery::Backlog { batch, .. } => {
                *batch = count;
                self.release_backlog(from);
            }
            Delivery::Live => {}
        }
    }

    /// Gives the next batch; if nothing is left to give, the backlog is over.
    fn release_backlog(&mut self, address: DeviceAddress) {
        let Some(Session { delivery: Delivery::Backlog { batch, total }, .. }) =
            self.session_of(address)
        else {
            return;
        };
        let (batch, total) = (*batch, *total);
        let Some(device) = self.device_mut(address) else { return };
        let released = device.queue.release(batch);
        let more = device.queue.has_unsent();
        for node in released {
            self.send_to_device(address, node.attr("offline", "0"));
        }
        if !more {
            if let Some(session) = self.session_of_mut(address) {
                session.delivery = Delivery::Live;
            }
            self.send_to_device(address, end_node(total));
            let device = self.device_mut(address);
            match device.map(|device| std::mem::replace(&mut device.was_live, true)) {
                Some(true) => self.back_companions.push_back(address),
                Some(false) => self.new_companions.push_back(address),
                None => {}
            }
        }
    }

    /// A stanza was confirmed: when a whole batch is, the next one is due.
    pub(crate) fn confirm(
        &mut self,
        from: DeviceAddress,
        class: StanzaClass,
        id: &str,
        sender: Option<&Jid>,
    ) {
        // Split the borrow: the queue is changed while names are looked up.
        let Some(device) = self.device_mut(from) else { return };
        let mut queue = std::mem::take(&mut device.queue);
        queue.confirm(class, id, |queued| match (sender, queued) {
            (Some(sender), Some(queued)) => self.is_same_user(sender, queued),
            _ => true,
        });
        let batch_done = queue.in_flight() == 0;
        if let Some(device) = self.device_mut(from) {
            device.queue = queue;
        }
        if batch_done {
            self.release_backlog(from);
        }
    }

    /// `<ack>` from a device.
    pub(crate) fn take_ack(&mut self, from: DeviceAddress, node: &Node<'_>) {
        if let Some(device) = self.device_mut(from) {
            device.counters.acks += 1;
            device.counters.nacks += u64::from(node.attrs.value("error").is_some());
        }
        let class = node.attrs.text("class").and_then(|class| StanzaClass::of(&class));
        let (Some(class), Some(id)) = (class, node.attrs.text("id")) else { return };
        let sender = node.attrs.jid("to");
        self.confirm(from, class, &id, sender.as_ref());
    }

    /// Ends a device's connection because it is no longer linked.
    pub(crate) fn end_removed(&mut self, address: DeviceAddress) {
        if let Some(&connection) = self.online.get(&address) {
            self.end(connection, conflict(Some("401"), "device_removed"));
        }
    }
}

/// `<failure reason/>`: why there is no login.
fn failure(reason: u32) -> OwnedNode {
    Node::new("failure").attr("reason", reason).attr("location", "sim")
}

/// `<stream:error [code]><conflict type/></stream:error>`
fn conflict(code: Option<&'static str>, kind: &'static str) -> OwnedNode {
    Node::new("stream:error").attr_opt("code", code).child(Node::new("conflict").attr("type", kind))
}
