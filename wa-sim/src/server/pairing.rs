//! Linking a companion by QR: what the server and its connection say to each other from the refs
//! to the restart. Knows nothing of the phone's keys; the phone's part is handed in signed.

use std::collections::BTreeMap;

use prost::Message as _;
use wa_adv::{Address, SignedDeviceIdentity};
use wa_crypto::{PublicKey, Signature};
use wa_proto::{Jid, Node, OwnedNode, pb};
use wa_signal::{RegistrationId, SignedPreKeyId, SignedPreKeyPublic};

use super::{
    Connection, ConnectionId, Server,
    account::{Device, HistoryWish},
    directory::Addressing,
    iq::IqError,
    offline::OfflineQueue,
    pairing_code::CodeHello,
    pairing_passkey::Passkey,
    prekey_shelf::PrekeyShelf,
};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    stats::DeviceCounters,
};

/// How many QR codes one connection can show.
const REFS: usize = 6;

/// How long the refs of a connection are good for: one code of 60 s, five of 20 s.
const REFS_LIFETIME: u64 = 160;

/// A client that waits to be linked.
pub(crate) struct Pairing {
    static_key: PublicKey,
    registration_id: RegistrationId,
    identity: PublicKey,
    signed_prekey: SignedPreKeyPublic,
    platform: String,
    history: HistoryWish,
    refs: Vec<String>,
    expires: u64,
    offered: Option<Offered>,
    /// A code that the client shows.
    pub(super) code: Option<CodeHello>,
    /// The passkey that the client was asked for.
    pub(super) passkey: Option<Passkey>,
}

/// The phone has signed; the client's own signature is due.
struct Offered {
    iq_id: String,
    address: DeviceAddress,
    issued: IssuedIdentity,
}

/// What a phone signs for a new companion.
pub(crate) struct SignDevice {
    pub(crate) identity: PublicKey,
    pub(crate) key_index: u32,
    /// The key indexes of the companions there are.
    pub(crate) valid_indexes: Vec<u32>,
}

/// What it answers.
pub(crate) struct IssuedIdentity {
    pub(crate) key_index: u32,
    /// What the phone says of it; its own signature is due.
    pub(crate) identity: SignedDeviceIdentity,
    /// An encoded `ADVSignedDeviceIdentityHMAC` around all that.
    pub(crate) sealed: Vec<u8>,
    /// An encoded `ADVSignedKeyIndexList` with the new index.
    pub(crate) key_index_list: Vec<u8>,
}

/// What stands behind a ref.
pub(crate) struct PairingOffer {
    pub(crate) connection: ConnectionId,
    pub(crate) static_key: PublicKey,
    pub(crate) identity: PublicKey,
}

impl Server {
    pub(super) fn begin_pairing(
        &mut self,
        id: ConnectionId,
        static_key: PublicKey,
        payload: &pb::ClientPayload,
    ) {
        let Some(keys) = payload.device_pairing_data.as_ref().and_then(registration_keys) else {
            let refused = Node::new("failure").attr("reason", "400").attr("location", "sim");
            return self.end(id, refused);
        };
        let (registration_id, identity, signed_prekey, properties) = keys;
        let refs: Vec<String> = (0..REFS).map(|_| self.fresh_ref()).collect();
        let nodes = refs.iter().map(|text| Node::new("ref").bytes(text.clone().into_bytes()));
        let pair_device = Node::new("pair-device").children(nodes);
        let iq_id = self.stanza_id();
        let iq = Node::new("iq")
            .attr("from", Jid::server())
            .attr("type", "set")
            .attr("id", iq_id)
            .attr("xmlns", "md")
            .child(pair_device);
        let pairing = Pairing {
            static_key,
            registration_id,
            identity,
            signed_prekey,
            history: history_wish(&properties),
            platform: properties.os.unwrap_or_default(),
            refs,
            expires: self.now + REFS_LIFETIME,
            offered: None,
            code: None,
            passkey: None,
        };
        self.connections.insert(id, Connection::Pairing(Box::new(pairing)));
        self.send(id, iq);
    }

    pub(super) fn fresh_ref(&mut self) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        use rand_core::Rng as _;
        let mut bytes = [0; 33];
        self.rng.fill_bytes(&mut bytes);
        format!("2@{}", STANDARD.encode(bytes))
    }

    /// The connection that shows a ref, if the ref is still good.
    pub(crate) fn pairing_offer(&self, reference: &str) -> Option<PairingOffer> {
        self.connections.iter().find_map(|(&connection, state)| match state {
            Connection::Pairing(pairing)
                if pairing.offered.is_none()
                    && pairing.expires > self.now
                    && pairing.refs.iter().any(|text| text == reference) =>
            {
                let Pairing { static_key, identity, .. } = **pairing;
                Some(PairingOffer { connection, static_key, identity })
            }
            _ => None,
        })
    }

    /// The identity key of a client that waits to be linked.
    pub(crate) fn waiting_identity(&self, connection: ConnectionId) -> Option<PublicKey> {
        self.waiting_keys(connection).map(|(_, identity)| identity)
    }

    /// The same with the key of its connections.
    pub(crate) fn waiting_keys(&self, connection: ConnectionId) -> Option<(PublicKey, PublicKey)> {
        match self.connections.get(&connection)? {
            Connection::Pairing(pairing) if pairing.offered.is_none() => {
                Some((pairing.static_key, pairing.identity))
            }
            _ => None,
        }
    }

    /// Tells the client which device it becomes, and waits for its signature.
    pub(crate) fn offer_link(
        &mut self,
        connection: ConnectionId,
        address: DeviceAddress,
        issued: IssuedIdentity,
    ) {
        let iq_id = self.stanza_id();
        let Some(account) = self.accounts.get(&address.account) else { return };
        let device = Node::new("device")
            .attr("jid", account.jid(Addressing::Phone).with_device(address.device))
            .attr("lid", account.jid(Addressing::Lid).with_device(address.device));
        let success = Node::new("pair-success")
            .child(Node::new("device-identity").bytes(issued.sealed.clone()))
            .child(device)
            .child(Node::new("platform").attr("name", "android"));
        let iq = Node::new("iq")
            .attr("from", Jid::server())
            .attr("type", "set")
            .attr("id", iq_id.clone())
            .attr("xmlns", "md")
            .attr("t", self.now)
            .child(success);
        if let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&connection) {
            pairing.offered = Some(Offered { iq_id, address, issued });
            self.send(connection, iq);
        }
    }

    pub(super) fn receive_while_pairing(&mut self, id: ConnectionId, node: &Node<'_>) {
        if node.tag != "iq" {
            return;
        }
        if matches!(node.attrs.text("type").as_deref(), Some("get" | "set")) {
            let answer = Node::new("iq")
                .attr("from", Jid::server())
                .attr("id", node.attrs.text("id").unwrap_or_default().into_owned());
            let answer = match self.pairing_query(id, node) {
                Ok(child) => answer.attr("type", "result").children(child),
                Err((code, text)) => answer
                    .attr("type", "error")
                    .child(Node::new("error").attr("code", u32::from(code)).attr("text", text)),
            };
            return self.send(id, answer);
        }
        let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&id) else { return };
        let Some(offered) = pairing.offered.take_if(|offered| node.attrs.is("id", &offered.iq_id))
        else {
            return;
        };
        match signed_identity(pairing, &offered, node) {
            Some(signed) => self.complete_link(id, offered, signed),
            None => {
                let refused = Node::new("stream:error").attr("code", "401");
                self.end(id, refused);
            }
        }
    }

    fn pairing_query(
        &mut self,
        id: ConnectionId,
        node: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        if let Some(stage) = node.find("link_code_companion_reg") {
            return self.take_code_stage(id, stage);
        }
        self.take_passkey_query(id, node).unwrap_or(Ok(None))
    }

    fn complete_link(&mut self, id: ConnectionId, offered: Offered, signed: Vec<u8>) {
        let Some(Connection::Pairing(pairing)) = self.connections.get(&id) else { return };
        let Offered { address, issued, .. } = offered;
        let shelf =
            PrekeyShelf::new(pairing.registration_id, pairing.identity, pairing.signed_prekey);
        let device = Device {
            noise_key: Some(pairing.static_key),
            key_index: issued.key_index,
            signed_identity: signed,
            platform: pairing.platform.clone(),
            history: pairing.history,
            push_name: None,
            was_live: false,
            shelf,
            queue: OfflineQueue::default(),
            dirty: BTreeMap::new(),
            counters: DeviceCounters::default(),
        };
        let Some(account) = self.accounts.get_mut(&address.account) else { return };
        account.devices.insert(address.device, device);
        account.key_index_list = issued.key_index_list;
        account.key_index_time = self.now;
        self.end(id, Node::new("stream:error").attr("code", "515"));
        self.announce_device(address, "add");
    }

    /// Takes a companion off its account, ends its connection and tells who has to know.
    ///
    /// `key_index_list` is the list without it, as the phone has signed it.
    pub(crate) fn unlink(&mut self, address: DeviceAddress, key_index_list: Vec<u8>) {
        self.end_removed(address);
        let now = self.now;
        let Some(account) = self.accounts.get_mut(&address.account) else { return };
        account.devices.remove(&address.device);
        account.key_index_list = key_index_list;
        account.key_index_time = now;
        self.announce_device(address, "remove");
    }

    /// `<remove-companion-device jid/>`: a companion logs out, or another one of its account.
    pub(super) fn take_unlink_request(&mut self, from: DeviceAddress, iq: &Node<'_>) {
        let Some(remove) = iq.find("remove-companion-device") else { return };
        let address = remove.attrs.jid("jid").and_then(|jid| self.address_of(&jid));
        if let Some(address) = address.filter(|address| address.account == from.account) {
            self.unlink_requests.push_back(address);
        }
    }

    /// The devices a person has linked, with their key indexes.
    pub(crate) fn key_indexes(&self, account: PhoneNumber) -> Vec<u32> {
        let account = self.accounts.get(&account);
        account
            .map(|account| {
                let companions = account.devices.values().filter(|device| device.key_index != 0);
                companions.map(|device| device.key_index).collect()
            })
            .unwrap_or_default()
    }
}

/// The whole `ADVSignedDeviceIdentity` if the client's `pair-device-sign` proves its identity key.
fn signed_identity(pairing: &Pairing, offered: &Offered, node: &Node<'_>) -> Option<Vec<u8>> {
    let identity = node.find("pair-device-sign")?.find("device-identity")?;
    let signed = SignedDeviceIdentity::decode(identity.content_bytes()?).ok()?;
    let issued = &offered.issued.identity;
    let account = issued.claimed_account_key()?;
    signed.verify(&pairing.identity, Address::Ordinary, &account).ok()?;
    let is_unchanged = signed.claimed_details() == issued.claimed_details();
    is_unchanged.then(|| signed.with_account_key(account).encode())
}

fn history_wish(properties: &pb::DeviceProps) -> HistoryWish {
    let config = properties.history_sync_config.as_ref();
    HistoryWish {
        full: properties.require_full_sync(),
        inline: config.is_some_and(|config| config.inline_initial_payload_in_e2ee_msg()),
    }
}

/// Registration id, identity, signed prekey and what the client is, if all are well formed.
fn registration_keys(
    data: &pb::client_payload::DevicePairingRegistrationData,
) -> Option<(RegistrationId, PublicKey, SignedPreKeyPublic, pb::DeviceProps)> {
    let registration_id: [u8; 4] = data.e_regid.as_deref()?.try_into().ok()?;
    let identity = PublicKey::from_slice(data.e_ident.as_deref()?).ok()?;
    let signed_prekey = SignedPreKeyPublic {
        id: SignedPreKeyId::from_be_bytes(data.e_skey_id.as_deref()?.try_into().ok()?),
        key: PublicKey::from_slice(data.e_skey_val.as_deref()?).ok()?,
        signature: Signature::from_slice(data.e_skey_sig.as_deref()?).ok()?,
    };
    signed_prekey.verify(&identity).ok()?;
    let properties =
        data.device_props.as_deref().and_then(|bytes| pb::DeviceProps::decode(bytes).ok());
    let registration_id = RegistrationId::new(u32::from_be_bytes(registration_id));
    Some((registration_id, identity, signed_prekey, properties.unwrap_or_default()))
}
