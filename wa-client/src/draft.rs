//! What a stanza is about to change, and a view of the store as if it had.
//!
//! Owns the changes of one transaction. Knows nothing of what they mean. Nothing of a draft exists
//! before the commit. Several stanzas may share a transaction: each has a draft of its own over
//! what those before it gathered, and joins them once it is sure to be kept.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use wa_crypto::PublicKey;
use wa_proto::Jid;
use wa_signal::{PreKey, PreKeyId, SenderKeyRecord, SessionRecord, SignedPreKey, SignedPreKeyId};
use wa_store::{
    Change, Changes, ContactUpdate, DeviceVoucher, FormerIdentity, Seen, Store, StoreError,
    Timestamp,
};

use crate::{app_state, lid};

/// Changes that are not committed yet, over the store.
pub(crate) struct Draft<'s> {
    store: &'s dyn Store,
    /// What earlier stanzas change that are not committed yet, the latest first.
    beneath: Vec<&'s Gathered>,
    own: Gathered,
    /// Whether archived chats come back with a new message, where that was looked up before.
    brings_chats_back: Option<bool>,
}

/// Changes that are to be committed, and what keys will be then.
#[derive(Default)]
pub(crate) struct Gathered {
    sessions: HashMap<Jid, Arc<SessionRecord>>,
    identities: HashMap<Jid, PublicKey>,
    vouchers: HashMap<Jid, DeviceVoucher>,
    /// The identities that were put and replaced before the commit.
    replaced: HashSet<(Jid, PublicKey)>,
    sender_keys: HashMap<(Jid, Jid), Arc<SenderKeyRecord>>,
    /// Whose sender keys end: a device, or a phone and with it its whole account.
    silenced: HashSet<Jid>,
    seen: HashSet<Seen>,
    used_prekeys: HashSet<PreKeyId>,
    changed_people: BTreeSet<Jid>,
    /// What was last learnt of people, by whether it is a push name and whether a username.
    contacts: HashMap<(Jid, (bool, bool)), Box<ContactUpdate>>,
    changes: Changes,
}

impl Gathered {
    /// Takes what a later stanza changes. What is learnt of a person over and over again is kept
    /// once.
    pub(crate) fn join(&mut self, later: Self) {
        self.sender_keys.retain(|(_, sender), _| !later.is_silenced(sender));
        self.sessions.extend(later.sessions);
        self.identities.extend(later.identities);
        self.vouchers.extend(later.vouchers);
        self.replaced.extend(later.replaced);
        self.sender_keys.extend(later.sender_keys);
        self.silenced.extend(later.silenced);
        self.seen.extend(later.seen);
        self.used_prekeys.extend(later.used_prekeys);
        self.changed_people.extend(later.changed_people);
        for change in later.changes {
            if let Change::PutContact(update) = &change {
                let names = (update.push_name.is_some(), update.username.is_some());
                let known = self.contacts.insert((update.jid.clone(), names), update.clone());
                if known.as_ref() == Some(update) {
                    continue;
                }
            }
            self.changes.push(change);
        }
    }

    /// Takes what keys are after a later stanza, without its changes.
    pub(crate) fn take_keys(&mut self, later: &Self) {
        let sessions = later.sessions.iter();
        self.sessions.extend(sessions.map(|(device, record)| (device.clone(), Arc::clone(record))));
        self.identities.extend(later.identities.iter().map(|(device, key)| (device.clone(), *key)));
        let vouchers = later.vouchers.iter();
        self.vouchers.extend(vouchers.map(|(device, voucher)| (device.clone(), *voucher)));
        self.replaced.extend(later.replaced.iter().cloned());
        self.sender_keys.retain(|(_, sender), _| !later.is_silenced(sender));
        self.silenced.extend(later.silenced.iter().cloned());
        let sender_keys = later.sender_keys.iter();
        self.sender_keys
            .extend(sender_keys.map(|(name, record)| (name.clone(), Arc::clone(record))));
        self.seen.extend(later.seen.iter().copied());
        self.used_prekeys.extend(later.used_prekeys.iter().copied());
    }

    /// Whether the sender keys that a device told before end with this.
    fn is_silenced(&self, sender: &Jid) -> bool {
        self.silenced.contains(sender) || self.silenced.contains(&lid::person(sender))
    }

    /// Everything to be committed: sessions and sender keys as they are in the end. An identity
    /// comes before them, since the sender keys of the one before it go with that.
    pub(crate) fn into_changes(mut self) -> Changes {
        self.take_changes()
    }

    /// The same; what keys will be then stays here, for whoever reads before it has landed.
    pub(crate) fn take_changes(&mut self) -> Changes {
        let mut changes = std::mem::take(&mut self.changes);
        changes.extend(self.sessions.iter().map(|(device, record)| Change::PutSession {
            device: device.clone(),
            record: record.to_bytes().to_vec().into(),
        }));
        let identities = self.identities.iter();
        changes.extend(
            identities
                .map(|(device, key)| Change::AcceptIdentity { device: device.clone(), key: *key }),
        );
        let vouchers = self.vouchers.iter();
        changes.extend(vouchers.map(|(device, voucher)| Change::PutDeviceVoucher {
            device: device.clone(),
            voucher: *voucher,
        }));
        changes.extend(self.sender_keys.iter().map(|((group, sender), record)| {
            Change::PutSenderKey {
                group: group.clone(),
                sender: sender.clone(),
                record: record.to_bytes().to_vec().into(),
            }
        }));
        changes
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }
}

impl<'s> Draft<'s> {
    pub(crate) fn new(store: &'s dyn Store) -> Self {
        Self::over(store, Vec::new())
    }

    /// A draft that sees what earlier stanzas change that are not committed yet, the latest first.
    pub(crate) fn over(store: &'s dyn Store, beneath: Vec<&'s Gathered>) -> Self {
        Self { store, beneath, own: Gathered::default(), brings_chats_back: None }
    }

    /// The same, where it was looked up before whether archived chats come back.
    pub(crate) fn bringing_chats_back(mut self, brings: bool) -> Self {
        self.brings_chats_back = Some(brings);
        self
    }

    /// Whether archived chats come back with a new message.
    pub(crate) async fn brings_chats_back(&self) -> Result<bool, StoreError> {
        match self.brings_chats_back {
            Some(known) => Ok(known),
            None => app_state::brings_chats_back(self.store).await,
        }
    }

    /// What this stanza changes, without what is beneath.
    pub(crate) fn into_gathered(self) -> Gathered {
        self.own
    }

    /// What this stanza changes, then what is beneath, the latest first.
    fn layers(&self) -> impl Iterator<Item = &Gathered> {
        std::iter::once(&self.own).chain(self.beneath.iter().copied())
    }

    /// What is found first: here, then beneath.
    fn find<T>(&self, find: impl FnMut(&Gathered) -> Option<T>) -> Option<T> {
        self.layers().find_map(find)
    }

    /// The store beneath, for what no draft changes.
    pub(crate) fn store(&self) -> &'s dyn Store {
        self.store
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, change: Change) {
        self.own.changes.push(change);
    }

    /// Everything to be committed: sessions and sender keys as they are in the end.
    pub(crate) fn into_changes(self) -> Changes {
        self.own.into_changes()
    }

    /// The session record with a device; an empty one if there is none, or none that can be read.
    pub(crate) async fn session(&self, device: &Jid) -> Result<SessionRecord, StoreError> {
        if let Some(record) = self.find(|there| there.sessions.get(device).cloned()) {
            return Ok(Arc::unwrap_or_clone(record));
        }
        Ok(self
            .store
            .session(device)
            .await?
            .map_or_else(SessionRecord::new, |bytes| read_session(bytes.as_bytes())))
    }

    pub(crate) fn put_session(&mut self, device: &Jid, record: SessionRecord) {
        self.own.sessions.insert(device.clone(), Arc::new(record));
    }

    pub(crate) async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>, StoreError> {
        match self.find(|there| there.identities.get(device).copied()) {
            Some(key) => Ok(Some(key)),
            None => self.store.identity(device).await,
        }
    }

    /// Keeps a device's identity. Where it is another than before, all ends that hung on that one:
    /// the device's sender keys; of a phone, also the sessions and sender keys of the account's
    /// other devices, which were linked with it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn accept_identity(
        &mut self,
        device: &Jid,
        key: PublicKey,
    ) -> Result<(), StoreError> {
        let known = self.identity(device).await?;
        if known.is_some_and(|known| known != key) {
            self.own.sender_keys.retain(|(_, sender), _| sender != device);
            self.own.silenced.insert(device.clone());
            if device.device == 0 {
                self.end_companions(device).await?;
            }
        }
        self.put_identity(device, key);
        Ok(())
    }

    /// Ends the sessions and sender keys of all devices that a phone linked.
    async fn end_companions(&mut self, phone: &Jid) -> Result<(), StoreError> {
        let person = lid::person(phone);
        self.own.sender_keys.retain(|(_, sender), _| lid::person(sender) != person);
        let mut companions = BTreeSet::new();
        for address in lid::with_hosted(&person) {
            companions.extend(self.store.session_devices(&address).await?);
        }
        for gathered in self.layers() {
            companions.extend(gathered.sessions.keys().cloned());
        }
        companions.retain(|device| device.device != 0 && lid::person(device) == person);
        for companion in companions {
            let record = self.session(&companion).await?.replace_identity();
            self.put_session(&companion, record);
        }
        Ok(())
    }

    pub(crate) fn put_identity(&mut self, device: &Jid, key: PublicKey) {
        let before = self.find(|there| there.identities.get(device).copied());
        if let Some(before) = before.filter(|before| *before != key) {
            self.own.replaced.insert((device.to_user(), before));
        }
        self.own.identities.insert(device.clone(), key);
    }

    /// What became of an identity key that a device of this one's user had before.
    pub(crate) async fn former_identity(
        &self,
        device: &Jid,
        key: &PublicKey,
    ) -> Result<Option<FormerIdentity>, StoreError> {
        let user = device.to_user();
        let name = (user, *key);
        let is_replaced = self.find(|there| there.replaced.contains(&name).then_some(())).is_some()
            // Once this is committed, it is.
            || self.identity(device).await? != Some(*key)
                && self.store.identity(device).await? == Some(*key);
        match is_replaced {
            true => Ok(Some(FormerIdentity::Replaced)),
            false => self.store.former_identity(&name.0, key).await,
        }
    }

    /// Puts an identity that is another than the one on file: once that is committed, the user is
    /// to hear of it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn replace_identity(
        &mut self,
        device: &Jid,
        key: PublicKey,
    ) -> Result<(), StoreError> {
        self.own.changed_people.insert(device.to_user());
        self.accept_identity(device, key).await
    }

    /// What a companion proved, if it did.
    pub(crate) async fn voucher(&self, device: &Jid) -> Result<Option<DeviceVoucher>, StoreError> {
        if let Some(voucher) = self.find(|there| there.vouchers.get(device).copied()) {
            return Ok(Some(voucher));
        }
        Ok(self.store.device_vouchers(std::slice::from_ref(device)).await?.remove(device))
    }

    pub(crate) fn put_voucher(&mut self, device: &Jid, voucher: DeviceVoucher) {
        self.own.vouchers.insert(device.clone(), voucher);
    }

    /// The people whose identity this draft replaces.
    pub(crate) fn changed_people(&self) -> BTreeSet<Jid> {
        self.own.changed_people.clone()
    }

    /// A device's sender key for a group; an empty record if there is none.
    pub(crate) async fn sender_key(
        &self,
        group: &Jid,
        sender: &Jid,
    ) -> Result<SenderKeyRecord, StoreError> {
        let name = (group.clone(), sender.clone());
        for gathered in self.layers() {
            if let Some(record) = gathered.sender_keys.get(&name) {
                return Ok(SenderKeyRecord::clone(record));
            }
            if gathered.is_silenced(sender) {
                return Ok(SenderKeyRecord::new());
            }
        }
        let Some(bytes) = self.store.sender_key(group, sender).await? else {
            return Ok(SenderKeyRecord::new());
        };
        Ok(SenderKeyRecord::from_bytes(bytes.as_bytes()).unwrap_or_else(|error| {
            tracing::warn!(%error, "a stored sender key cannot be read; going on without it");
            SenderKeyRecord::new()
        }))
    }

    pub(crate) fn put_sender_key(&mut self, group: &Jid, sender: &Jid, record: SenderKeyRecord) {
        self.own.sender_keys.insert((group.clone(), sender.clone()), Arc::new(record));
    }

    pub(crate) async fn is_seen(&self, seen: &Seen) -> Result<bool, StoreError> {
        let is_here = self.find(|there| there.seen.contains(seen).then_some(())).is_some();
        Ok(is_here || self.store.is_seen(seen).await?)
    }

    pub(crate) fn mark_seen(&mut self, seen: Seen, at: Timestamp) {
        if self.own.seen.insert(seen) {
            self.push(Change::MarkSeen { seen, at });
        }
    }

    /// A one-time prekey of one's own, unless it is used.
    pub(crate) async fn prekey(&self, id: PreKeyId) -> Result<Option<PreKey>, StoreError> {
        if self.find(|there| there.used_prekeys.contains(&id).then_some(())).is_some() {
            return Ok(None);
        }
        let found = self.store.prekey(id.as_u32()).await?;
        Ok(found.map(|prekey| PreKey { id, pair: prekey.pair }))
    }

    /// A one-time prekey of one's own is used, and goes with the commit.
    pub(crate) fn use_prekey(&mut self, id: PreKeyId) {
        self.own.used_prekeys.insert(id);
        self.push(Change::RemovePreKey(id.as_u32()));
    }

    /// A signed prekey of one's own, also one that was rotated out.
    pub(crate) async fn signed_prekey(
        &self,
        id: SignedPreKeyId,
    ) -> Result<Option<SignedPreKey>, StoreError> {
        let found = self.store.signed_prekey(id.as_u32()).await?;
        Ok(found.map(|key| SignedPreKey { id, pair: key.pair, signature: key.signature }))
    }
}

/// The change that ends the sessions with a device. The record stays, with what it recognises of
/// them, so that no message that somebody kept begins one again; `None` if there is no record.
pub(crate) async fn end_sessions(
    store: &dyn Store,
    device: Jid,
    end: impl FnOnce(&SessionRecord) -> SessionRecord + Send,
) -> Result<Option<Change>, StoreError> {
    let Some(bytes) = store.session(&device).await? else { return Ok(None) };
    let record = end(&read_session(bytes.as_bytes())).to_bytes().to_vec().into();
    Ok(Some(Change::PutSession { device, record }))
}

/// Reads a stored session record. One that cannot be read counts as none: the peer is then asked
/// to send again, which heals it.
pub(crate) fn read_session(bytes: &[u8]) -> SessionRecord {
    SessionRecord::from_bytes(bytes).unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored session cannot be read; going on without it");
        SessionRecord::new()
    })
}
