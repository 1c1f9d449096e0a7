//! A phone's sessions with other devices: starting, writing and reading. Knows nothing of stanzas
//! beyond the `enc` node.

use prost::Message as _;
use wa_adv::{AccountKey, Address, SignedDeviceIdentity};
use wa_crypto::PublicKey;
use wa_proto::{Node, OwnedNode, pb};
use wa_signal::{
    DecryptError, PreKeyBundle, PreKeyMessageHeader, SenderKeyError, SenderKeyRecord, padding,
};

use super::Endpoint;
use crate::{address::DeviceAddress, server::Server};

/// Why an `enc` was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It was read before.
    Duplicate,
    /// Its sender can help: the `error` of the retry receipt.
    Retry(u32),
}

/// The `error` codes of a retry receipt that a phone uses.
mod retry_reason {
    pub(super) const UNKNOWN: u32 = 0;
    pub(super) const NO_SESSION: u32 = 1;
    pub(super) const INVALID_KEY: u32 = 2;
    pub(super) const INVALID_KEY_ID: u32 = 3;
    pub(super) const INVALID_MESSAGE: u32 = 4;
    pub(super) const INVALID_SIGNATURE: u32 = 5;
    pub(super) const FUTURE_MESSAGE: u32 = 6;
    pub(super) const BAD_MAC: u32 = 7;
    pub(super) const DEVICE_IDENTITY: u32 = 12;
}

impl Endpoint {
    /// Encrypts for one device, with a session from its shelf if there is none.
    pub(super) fn encrypt_for(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        message: &pb::Message,
    ) -> Option<OwnedNode> {
        let has_session = self.sessions.get(&to).is_some_and(wa_signal::SessionRecord::has_session);
        if !has_session {
            let bundle = server.take_bundle(to)?;
            self.start_session(server, to, &bundle)?;
        }
        let plaintext = padding::pad(message.encode_to_vec(), &mut server.rng);
        let (record, ciphertext) =
            self.sessions.get(&to)?.encrypt(&self.local(), &plaintext).ok()?;
        self.sessions.insert(to, record);
        let kind = ciphertext.kind_str();
        Some(Node::new("enc").attr("v", "2").attr("type", kind).bytes(ciphertext.into_bytes()))
    }

    pub(super) fn start_session(
        &mut self,
        server: &mut Server,
        with: DeviceAddress,
        bundle: &PreKeyBundle,
    ) -> Option<()> {
        let record = self.sessions.remove(&with).unwrap_or_default();
        let started = record.process_bundle(&self.local(), bundle, &mut server.rng);
        let ok = started.is_ok();
        self.sessions.insert(with, started.unwrap_or(record));
        ok.then_some(())
    }

    /// Decrypts one `enc` and takes the padding off.
    pub(super) fn decrypt(
        &mut self,
        server: &mut Server,
        from: DeviceAddress,
        group: Option<&str>,
        stanza: &Node<'_>,
        enc: &Node<'_>,
    ) -> Result<pb::Message, Unread> {
        let bytes = enc.content_bytes().ok_or(Unread::Retry(retry_reason::INVALID_MESSAGE))?;
        let plaintext = match (enc.attrs.text("type").as_deref(), group) {
            (Some("msg"), _) => self.decrypt_signal(server, from, bytes)?,
            (Some("pkmsg"), _) => self.decrypt_prekey(server, from, stanza, bytes)?,
            (Some("skmsg"), Some(group)) => self.decrypt_group(from, group, bytes)?,
            _ => return Err(Unread::Retry(retry_reason::INVALID_MESSAGE)),
        };
        padding::unpad(&plaintext)
            .ok()
            .and_then(|plaintext| pb::Message::decode(plaintext).ok())
            .ok_or(Unread::Retry(retry_reason::INVALID_MESSAGE))
    }

    fn decrypt_signal(
        &mut self,
        server: &mut Server,
        from: DeviceAddress,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Unread> {
        let record = self.sessions.get(&from).ok_or(Unread::Retry(retry_reason::NO_SESSION))?;
        let decrypted = record
            .decrypt_signal(&self.local(), bytes, &mut server.rng)
            .map_err(|error| unread(&error))?;
        self.sessions.insert(from, decrypted.session);
        Ok(decrypted.plaintext)
    }

    fn decrypt_prekey(
        &mut self,
        server: &mut Server,
        from: DeviceAddress,
        stanza: &Node<'_>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Unread> {
        let header = PreKeyMessageHeader::parse(bytes)
            .map_err(|_| Unread::Retry(retry_reason::INVALID_MESSAGE))?;
        let prekey = header.prekey_id.and_then(|id| self.prekeys.get(&id));
        let signed =
            (header.signed_prekey_id == self.signed_prekey.id).then_some(&self.signed_prekey);
        let record = self.sessions.get(&from).cloned().unwrap_or_default();
        let decrypted = record
            .decrypt_prekey(&self.local(), prekey, signed, bytes, &mut server.rng)
            .map_err(|error| unread(&error))?;
        if !is_devices_identity(server, from, stanza, &decrypted.identity) {
            return Err(Unread::Retry(retry_reason::DEVICE_IDENTITY));
        }
        if let Some(used) = decrypted.used_prekey {
            self.prekeys.remove(&used);
        }
        self.sessions.insert(from, decrypted.session);
        Ok(decrypted.plaintext)
    }

    fn decrypt_group(
        &mut self,
        from: DeviceAddress,
        group: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Unread> {
        let key = (group.to_owned(), from);
        let record = self.sender_keys.get(&key).ok_or(Unread::Retry(retry_reason::NO_SESSION))?;
        let (record, plaintext) = record.decrypt(bytes).map_err(|error| unread_group(&error))?;
        self.sender_keys.insert(key, record);
        Ok(plaintext)
    }

    /// Takes the sender key another device tells.
    pub(super) fn learn_sender_key(
        &mut self,
        from: DeviceAddress,
        told: &pb::message::SenderKeyDistributionMessage,
    ) {
        let (Some(group), Some(bytes)) =
            (&told.group_id, &told.axolotl_sender_key_distribution_message)
        else {
            return;
        };
        let group = group.split('@').next().unwrap_or_default().to_owned();
        let record = self.sender_keys.remove(&(group.clone(), from)).unwrap_or_default();
        let record: SenderKeyRecord = record.process_distribution(bytes).unwrap_or(record);
        self.sender_keys.insert((group, from), record);
    }
}

/// Whether the key is the device's own, and for a companion whether the account vouches for it in
/// the stanza's `device-identity`.
fn is_devices_identity(
    server: &Server,
    from: DeviceAddress,
    stanza: &Node<'_>,
    identity: &PublicKey,
) -> bool {
    if server.device(from).map(|device| device.shelf.identity()) != Some(*identity) {
        return false;
    }
    if from.is_phone() {
        return true;
    }
    let account = server.accounts.get(&from.account);
    let Some(account_key) = account.and_then(|account| account.account_key()) else {
        return false;
    };
    let shown = stanza.find("device-identity").and_then(|node| node.content_bytes());
    shown.is_some_and(|shown| is_vouched_for(shown, identity, &account_key))
}

/// Whether an `ADVSignedDeviceIdentity` is signed by the account and by the device.
fn is_vouched_for(shown: &[u8], identity: &PublicKey, account_key: &PublicKey) -> bool {
    let account = AccountKey::new(*account_key);
    SignedDeviceIdentity::decode(shown)
        .is_ok_and(|signed| signed.verify(identity, Address::Ordinary, &account).is_ok())
}

fn unread(error: &DecryptError) -> Unread {
    Unread::Retry(match error {
        DecryptError::DuplicateMessage => return Unread::Duplicate,
        DecryptError::NoSession => retry_reason::NO_SESSION,
        DecryptError::MissingPreKey(_) | DecryptError::MissingSignedPreKey(_) => {
            retry_reason::INVALID_KEY_ID
        }
        DecryptError::InvalidKey(_) => retry_reason::INVALID_KEY,
        DecryptError::InvalidMessage(_) | DecryptError::UnsupportedVersion(_) => {
            retry_reason::INVALID_MESSAGE
        }
        DecryptError::FutureMessage => retry_reason::FUTURE_MESSAGE,
        DecryptError::BadMac => retry_reason::BAD_MAC,
        _ => retry_reason::UNKNOWN,
    })
}

fn unread_group(error: &SenderKeyError) -> Unread {
    Unread::Retry(match error {
        SenderKeyError::DuplicateMessage => return Unread::Duplicate,
        SenderKeyError::NoSenderKey(_) => retry_reason::NO_SESSION,
        SenderKeyError::BadSignature => retry_reason::INVALID_SIGNATURE,
        SenderKeyError::FutureMessage => retry_reason::FUTURE_MESSAGE,
        SenderKeyError::InvalidKey(_) => retry_reason::INVALID_KEY,
        _ => retry_reason::INVALID_MESSAGE,
    })
}
