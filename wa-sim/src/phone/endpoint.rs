//! A phone as an endpoint: its keys, its sessions, and what it has sent and read. It takes the
//! stanzas that the server has for device 0 and answers them as any client would. Knows nothing of
//! connections.

mod anew;
mod app_state;
mod history;
mod link;
mod link_code;
mod media;
mod passkey;
mod placeholder;
mod receive;
mod retry;
pub(crate) mod send;
mod sessions;
mod stored;
mod synced;
mod vault;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_core::Rng as _;
use wa_crypto::KeyPair;
use wa_proto::{
    Node, pb::message::peer_data_operation_request_message::HistorySyncOnDemandRequest,
};
use wa_signal::{
    LocalIdentity, PreKey, PreKeyId, RegistrationId, SenderKeyRecord, SessionRecord, SignedPreKey,
    SignedPreKeyId,
};

pub(crate) use self::{
    history::Past,
    link::QrCode,
    link_code::normal_code,
    media::{download, upload, upload_under},
    receive::chat_of,
    stored::{Chat, StoredMessage, describe},
    synced::ChatState,
};
use super::MessageStatus;
use crate::{
    address::{DeviceAddress, PhoneNumber},
    media_host::Media,
    server::{
        Server, account::Account, offline::StanzaClass, prekey_shelf::PrekeyShelf,
        receipts::receipt_ids,
    },
};

/// How many messages a phone remembers; the oldest are forgotten.
pub(crate) const MAX_MESSAGES: usize = 20_000;

/// How many one-time prekeys a phone leaves on its shelf.
const PREKEYS: usize = 100;

pub(crate) struct Endpoint {
    pub(crate) address: DeviceAddress,
    identity: KeyPair,
    registration_id: RegistrationId,
    /// Names the account in the identities it signs.
    raw_id: u32,
    /// The highest key index that a companion was ever given.
    last_key_index: u32,
    signed_prekey: SignedPreKey,
    prekeys: BTreeMap<PreKeyId, PreKey>,
    next_prekey: PreKeyId,
    sessions: BTreeMap<DeviceAddress, SessionRecord>,
    /// By group and the device that writes; one's own under one's own address.
    sender_keys: BTreeMap<(String, DeviceAddress), SenderKeyRecord>,
    /// Who has been told one's own sender key of a group.
    told: BTreeMap<String, BTreeSet<DeviceAddress>>,
    pub(crate) messages: VecDeque<StoredMessage>,
    /// How often a resend was asked for, by sender and message.
    asked: BTreeMap<(DeviceAddress, String), u32>,
    /// How often a message was sent again, by recipient and message.
    resent: BTreeMap<(DeviceAddress, String), u32>,
    /// The code that was typed last, until its client answers.
    typed_code: Option<link_code::TypedCode>,
    /// The client that is being linked by passkey.
    pub(crate) passkey: Option<passkey::PasskeyLink>,
    /// What others said about calls.
    pub(crate) calls: VecDeque<super::PhoneCall>,
    /// What others were seen to do.
    pub(crate) activities: VecDeque<super::PhoneActivity>,
    /// Whether messages that arrive are marked as read at once.
    pub(crate) reads_at_once: bool,
    /// What it uploads for companions that are new.
    pub(crate) past: Option<Past>,
    history_pushes: BTreeMap<DeviceAddress, history::HistoryPush>,
    /// What companions asked of the history, the newest last.
    pub(crate) history_requests: VecDeque<(String, HistorySyncOnDemandRequest)>,
    pub(crate) app_state: app_state::AppState,
    media: Media,
    vault: vault::Vault,
    /// Whether it uploads files again when a companion asks.
    pub(crate) answers_media_retries: bool,
}

impl Endpoint {
    /// Makes a phone and opens its account with the server.
    pub(crate) fn register(
        server: &mut Server,
        media: Media,
        number: PhoneNumber,
        name: String,
    ) -> Self {
        let rng = &mut server.rng;
        let identity = KeyPair::random(rng);
        let registration_id = RegistrationId::random(rng);
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, rng);
        let raw_id = rng.next_u32() >> 1;
        let shelf = PrekeyShelf::new(registration_id, identity.public, signed_prekey.public());
        let lid = fresh_lid(server);
        let mut account = Account::new(number, lid, name, shelf);
        let mut endpoint = Self {
            address: DeviceAddress::phone(number),
            identity,
            registration_id,
            raw_id,
            last_key_index: 0,
            signed_prekey,
            prekeys: BTreeMap::new(),
            next_prekey: PreKeyId::FIRST,
            sessions: BTreeMap::new(),
            sender_keys: BTreeMap::new(),
            told: BTreeMap::new(),
            messages: VecDeque::new(),
            asked: BTreeMap::new(),
            resent: BTreeMap::new(),
            typed_code: None,
            passkey: None,
            activities: VecDeque::new(),
            calls: VecDeque::new(),
            reads_at_once: false,
            past: None,
            history_pushes: BTreeMap::new(),
            history_requests: VecDeque::new(),
            app_state: app_state::AppState::default(),
            media,
            vault: vault::Vault::default(),
            answers_media_retries: true,
        };
        account.key_index_list = endpoint.sign_key_indexes(server, &[]);
        account.key_index_time = server.now;
        server.open_account(account);
        endpoint.fill_shelf(server);
        endpoint
    }

    /// A stanza for this phone.
    pub(crate) fn receive(&mut self, server: &mut Server, node: &Node<'_>) {
        match &*node.tag {
            "message" => self.receive_message(server, node),
            "receipt" => self.receive_receipt(server, node),
            "ack" => self.take_ack(node),
            "notification" => self.receive_notification(server, node),
            "call" => {
                self.note_call(server, node);
                self.ack(server, StanzaClass::Call, node);
            }
            "chatstate" => self.note_activity(server, node),
            _ => {}
        }
    }

    fn local(&self) -> LocalIdentity<'_> {
        LocalIdentity::new(&self.identity, self.registration_id)
    }

    /// Makes a one-time prekey and remembers it.
    fn fresh_prekey(&mut self, server: &mut Server) -> PreKey {
        let prekey = PreKey::generate(self.next_prekey, &mut server.rng);
        self.next_prekey = self.next_prekey.next();
        self.prekeys.insert(prekey.id, prekey.clone());
        prekey
    }

    fn fill_shelf(&mut self, server: &mut Server) {
        let left = server.device(self.address).map_or(0, |device| device.shelf.count());
        let fresh: Vec<_> = (left..PREKEYS).map(|_| self.fresh_prekey(server).public()).collect();
        if let Some(device) = server.device_mut(self.address) {
            device.shelf.add(fresh);
        }
    }

    /// The server's `<ack class=message>`: it has the message.
    fn take_ack(&mut self, node: &Node<'_>) {
        let status = if node.attrs.value("error").is_some() {
            MessageStatus::Failed
        } else {
            MessageStatus::Sent
        };
        if let (true, Some(id)) = (node.attrs.is("class", "message"), node.attrs.text("id")) {
            self.advance_status(&id, status);
        }
    }

    fn receive_receipt(&mut self, server: &mut Server, node: &Node<'_>) {
        match node.attrs.text("type").as_deref() {
            Some("retry") => self.answer_retry(server, node),
            Some("server-error") => self.answer_media_retry(server, node),
            None => self.advance_all(node, MessageStatus::Delivered),
            Some("read" | "played") => self.advance_all(node, MessageStatus::Read),
            Some(_) => {}
        }
        if !node.attrs.is("type", "retry") {
            self.take_history_receipt(server, node);
        }
        self.ack(server, StanzaClass::Receipt, node);
    }

    fn advance_all(&mut self, receipt: &Node<'_>, status: MessageStatus) {
        for id in receipt_ids(receipt) {
            self.advance_status(&id, status);
        }
    }

    fn receive_notification(&mut self, server: &mut Server, node: &Node<'_>) {
        match node.attrs.text("type").as_deref() {
            Some("encrypt") if node.find("count").is_some() => self.fill_shelf(server),
            Some("encrypt") if node.find("identity").is_some() => self.forget_account(server, node),
            Some("devices") => self.forget_removed_devices(server, node),
            Some("server_sync") => self.take_server_sync(server, node),
            _ => {}
        }
        self.ack(server, StanzaClass::Notification, node);
    }

    /// Somebody was set up anew: their devices neither read nor write as they did.
    fn forget_account(&mut self, server: &Server, node: &Node<'_>) {
        let from = node.attrs.jid("from").and_then(|jid| server.account_of(&jid));
        let Some(account) = from else { return };
        self.sessions.retain(|device, _| device.account != account);
        self.sender_keys.retain(|(_, device), _| device.account != account);
        for told in self.told.values_mut() {
            told.retain(|device| device.account != account);
        }
    }

    /// A device that is gone neither reads nor writes: its session goes, and so do the sender keys
    /// it was told.
    fn forget_removed_devices(&mut self, server: &Server, node: &Node<'_>) {
        let Some(removed) = node.find("remove") else { return };
        for device in removed.find_all("device") {
            let address = device.attrs.jid("jid").and_then(|jid| server.address_of(&jid));
            let Some(address) = address else { continue };
            self.sessions.remove(&address);
            self.history_pushes.remove(&address);
            let groups: Vec<_> = self
                .told
                .iter()
                .filter(|(_, told)| told.contains(&address))
                .map(|(group, _)| group.clone())
                .collect();
            for group in groups {
                self.told.remove(&group);
                self.sender_keys.remove(&(group, self.address));
            }
        }
    }

    /// `<ack class id to>` for a stanza that is handled.
    fn ack(&self, server: &mut Server, class: StanzaClass, node: &Node<'_>) {
        let class = match class {
            StanzaClass::Message => "message",
            StanzaClass::Receipt => "receipt",
            StanzaClass::Notification => "notification",
            StanzaClass::Call => "call",
        };
        let ack = Node::new("ack")
            .attr("class", class)
            .attr("id", node.attrs.text("id").unwrap_or_default().into_owned())
            .attr_opt("to", node.attrs.jid("from"))
            .attr_opt("participant", node.attrs.jid("participant"))
            .attr_opt("type", node.attrs.text("type").map(|kind| kind.into_owned()));
        server.receive_from_device(self.address, &ack);
    }
}

/// A LID that nobody has: 14 digits.
fn fresh_lid(server: &mut Server) -> u64 {
    loop {
        let lid = 10_000_000_000_000 + server.rng.next_u64() % 90_000_000_000_000;
        if !server.lid_is_taken(lid) {
            return lid;
        }
    }
}
