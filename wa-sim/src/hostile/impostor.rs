//! A device that the server makes up: keys of its own, signed by an account key of its own, under
//! an address of somebody else's. Knows nothing of how it is smuggled in.

use std::collections::HashMap;

use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use wa_crypto::{KeyPair, PublicKey};
use wa_proto::{Jid, Node, OwnedNode, pb};
use wa_signal::{
    LocalIdentity, PreKey, PreKeyBundle, PreKeyId, RegistrationId, SenderKeyRecord, SessionRecord,
    SignedPreKey, SignedPreKeyId, padding,
};

use crate::server::prekey_shelf::{one_time_prekey_node, signed_prekey_node};

/// Before what an account signs of a companion.
const ACCOUNT_SIGNATURE_PREFIX: [u8; 2] = [6, 0];
/// Before what a companion signs of itself.
const DEVICE_SIGNATURE_PREFIX: [u8; 2] = [6, 1];
/// Before what an account signs of its list of companions.
const KEY_INDEX_SIGNATURE_PREFIX: [u8; 2] = [6, 2];

/// The key index that it says it has.
pub(crate) const KEY_INDEX: u32 = 66;

/// A device whose keys are the attacker's.
pub struct Impostor {
    jid: Jid,
    account: KeyPair,
    identity: KeyPair,
    registration_id: RegistrationId,
    signed_prekey: SignedPreKey,
    prekey: PreKey,
    session: SessionRecord,
    sender_keys: HashMap<String, SenderKeyRecord>,
    rng: ChaCha20Rng,
}

impl Impostor {
    /// Keys for this address. An address of device 0 gets an identity that is the account's key as
    /// well, as a phone's is.
    pub fn new(jid: Jid, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let account = KeyPair::random(&mut rng);
        let identity = if jid.device == 0 { account.clone() } else { KeyPair::random(&mut rng) };
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, &mut rng);
        let prekey = PreKey::generate(PreKeyId::FIRST, &mut rng);
        let registration_id = RegistrationId::random(&mut rng);
        let (session, sender_keys) = Default::default();
        Self {
            jid,
            account,
            identity,
            registration_id,
            signed_prekey,
            prekey,
            session,
            sender_keys,
            rng,
        }
    }

    /// Where it claims to be.
    pub const fn jid(&self) -> &Jid {
        &self.jid
    }

    /// Its identity key.
    pub const fn identity(&self) -> PublicKey {
        self.identity.public
    }

    /// The `<device>` of a list of devices.
    pub fn listed(&self) -> OwnedNode {
        Node::new("device").attr("id", self.jid.device).attr("key-index", KEY_INDEX)
    }

    /// The `<user>` of an answer to a request for keys.
    pub fn bundle(&self) -> OwnedNode {
        Node::new("user")
            .attr("jid", &self.jid)
            .child(self.registration())
            .children(self.key_nodes())
    }

    /// The `<keys>` of a retry receipt.
    pub fn keys(&self) -> OwnedNode {
        Node::new("keys").children(self.key_nodes())
    }

    fn registration(&self) -> OwnedNode {
        let registration_id = self.registration_id.as_u32().to_be_bytes().to_vec();
        Node::new("registration").bytes(registration_id)
    }

    fn key_nodes(&self) -> Vec<OwnedNode> {
        vec![
            Node::new("type").bytes(vec![wa_crypto::KEY_TYPE_CURVE25519]),
            Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()),
            one_time_prekey_node(&self.prekey.public()),
            signed_prekey_node(&self.signed_prekey.public()),
            Node::new("device-identity").bytes(self.device_identity()),
        ]
    }

    /// `<receipt type=retry>` for a message, with its keys.
    pub fn retry(&self, id: &str, count: u32, now: u64) -> OwnedNode {
        let retry = Node::new("retry")
            .attr("v", "1")
            .attr("count", count)
            .attr("id", id.to_owned())
            .attr("t", now);
        Node::new("receipt")
            .attr("id", id.to_owned())
            .attr("from", &self.jid)
            .attr("type", "retry")
            .attr("t", now)
            .child(retry)
            .child(self.registration())
            .child(self.keys())
    }

    /// An `ADVSignedDeviceIdentity` that holds in itself, under its own account key.
    pub fn device_identity(&self) -> Vec<u8> {
        let mut rng = self.rng.clone();
        let details = pb::AdvDeviceIdentity {
            raw_id: Some(1),
            timestamp: Some(1_780_000_000),
            key_index: Some(KEY_INDEX),
            account_type: Some(pb::AdvEncryptionType::E2ee.into()),
            device_type: Some(pb::AdvEncryptionType::E2ee.into()),
        }
        .encode_to_vec();
        let (identity, account) = (self.identity.public, self.account.public);
        let by_account = [&ACCOUNT_SIGNATURE_PREFIX[..], &details, identity.as_bytes()].concat();
        let by_device =
            [&DEVICE_SIGNATURE_PREFIX[..], &details, identity.as_bytes(), account.as_bytes()]
                .concat();
        let by_account = self.account.private.sign(&by_account, &mut rng);
        let by_device = self.identity.private.sign(&by_device, &mut rng);
        pb::AdvSignedDeviceIdentity {
            details: Some(details.into()),
            account_signature_key: Some(account.as_bytes().to_vec().into()),
            account_signature: Some(by_account.as_bytes().to_vec().into()),
            device_signature: Some(by_device.as_bytes().to_vec().into()),
        }
        .encode_to_vec()
    }

    /// An `ADVSignedKeyIndexList` with its index in it, under its own account key.
    pub fn key_index_list(&self, timestamp: u64) -> Vec<u8> {
        let details = pb::AdvKeyIndexList {
            raw_id: Some(1),
            timestamp: Some(timestamp),
            current_index: Some(KEY_INDEX),
            valid_indexes: (0..=KEY_INDEX).collect(),
            account_type: Some(pb::AdvEncryptionType::E2ee.into()),
        }
        .encode_to_vec();
        let message = [&KEY_INDEX_SIGNATURE_PREFIX[..], &details].concat();
        let signature = self.account.private.sign(&message, &mut self.rng.clone());
        pb::AdvSignedKeyIndexList {
            details: Some(details.into()),
            account_signature: Some(signature.as_bytes().to_vec().into()),
            account_signature_key: Some(self.account.public.as_bytes().to_vec().into()),
        }
        .encode_to_vec()
    }

    /// Encrypts a message for a device whose bundle the server has: the `<enc>`. `None` if the
    /// bundle is none.
    pub fn seal(&mut self, to: &PreKeyBundle, message: &pb::Message) -> Option<OwnedNode> {
        let local = LocalIdentity::new(&self.identity, self.registration_id);
        if !self.session.has_session() {
            self.session = self.session.process_bundle(&local, to, &mut self.rng).ok()?;
        }
        let padded = padding::pad(message.encode_to_vec(), &mut self.rng);
        let (session, sealed) = self.session.encrypt(&local, &padded).ok()?;
        self.session = session;
        let kind = sealed.kind_str();
        Some(Node::new("enc").attr("v", "2").attr("type", kind).bytes(sealed.into_bytes()))
    }

    /// What it can read of a stanza that a client said: it tries its keys on every ciphertext,
    /// whomever that is for.
    pub fn reads(&mut self, said: &OwnedNode) -> Vec<pb::Message> {
        let mut read = Vec::new();
        let group = said.attrs.text("to").unwrap_or_default().into_owned();
        for enc in encs(said) {
            let Some(message) = self.open(&group, enc) else { continue };
            if let Some(told) = &message.sender_key_distribution_message
                && let Some(bytes) = &told.axolotl_sender_key_distribution_message
                && let Ok(record) = SenderKeyRecord::new().process_distribution(bytes)
            {
                self.sender_keys.insert(told.group_id.clone().unwrap_or_default(), record);
            }
            read.push(message);
        }
        read
    }

    fn open(&mut self, group: &str, enc: &OwnedNode) -> Option<pb::Message> {
        let bytes = enc.content_bytes()?;
        let local = LocalIdentity::new(&self.identity, self.registration_id);
        let plaintext = match enc.attrs.text("type")?.as_ref() {
            "pkmsg" => {
                let (prekey, signed) = (Some(&self.prekey), Some(&self.signed_prekey));
                let rng = &mut self.rng;
                let opened =
                    self.session.decrypt_prekey(&local, prekey, signed, bytes, rng).ok()?;
                self.session = opened.session;
                opened.plaintext
            }
            "msg" => {
                let opened = self.session.decrypt_signal(&local, bytes, &mut self.rng).ok()?;
                self.session = opened.session;
                opened.plaintext
            }
            "skmsg" => self.sender_keys.get(group)?.decrypt(bytes).ok()?.1,
            _ => return None,
        };
        pb::Message::decode(padding::unpad(&plaintext).ok()?).ok()
    }
}

/// Without keys.
impl std::fmt::Debug for Impostor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Impostor").finish_non_exhaustive()
    }
}

/// Every `<enc>` in a stanza, the ones for single devices first.
fn encs<'n>(node: &'n OwnedNode) -> Vec<&'n OwnedNode> {
    let mut inner: Vec<&'n OwnedNode> = Vec::new();
    let mut own = Vec::new();
    for child in node.nodes() {
        if child.tag == "enc" {
            own.push(child);
        } else {
            inner.extend(encs(child));
        }
    }
    inner.extend(own);
    inner
}
