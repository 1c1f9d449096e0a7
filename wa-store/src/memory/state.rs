//! Everything a memory store holds, and how each change alters it.
//!
//! Knows nothing of locks and copies.

use std::{collections::BTreeMap, sync::Arc};

use wa_crypto::PublicKey;
use wa_proto::{Jid, stanza::GroupInfo};

use crate::{
    Account, AddedKind, Addition, ArchivedMessage, AuditAnchor, AuditEntry, Change, Chat,
    ChatUpdate, Committed, Contact, ContactUpdate, DeviceList, DeviceVoucher, Edit, FormerIdentity,
    GapPlace, HistoryChunk, HistoryGap, MessageId, MessageKey, MessageSecret, OutboxEntry,
    OutboxState, PendingReceipt, Placeholder, PreKey, PrivacyToken, Reaction, SealedAddition,
    SecretBytes, Seen, SentMessage, Seq, SignedPreKey, Stats, StoreError, Timestamp,
    id::bare,
    journal::{Announce, JournalRow},
    store::Result,
};

/// A message's chat, sender and id in the archive's own form.
pub(super) type Place = (Jid, Jid, MessageId);

/// Everything a memory store holds.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) account: Option<Account>,
    unlinked: bool,
    pub(super) prekeys: BTreeMap<u32, PreKey>,
    pub(super) signed_prekeys: BTreeMap<u32, SignedPreKey>,
    pub(super) sessions: BTreeMap<Jid, SecretBytes>,
    pub(super) identities: BTreeMap<Jid, PublicKey>,
    /// The identity keys that devices had before, the newest last.
    pub(super) former: Vec<(Jid, PublicKey, FormerIdentity)>,
    pub(super) sender_keys: BTreeMap<(Jid, Jid), SecretBytes>,
    pub(super) holders: BTreeMap<(Jid, Jid), bool>,
    pub(super) lids: BTreeMap<Jid, Jid>,
    pub(super) phones: BTreeMap<Jid, Jid>,
    pub(super) device_lists: BTreeMap<Jid, DeviceList>,
    pub(super) device_vouchers: BTreeMap<Jid, DeviceVoucher>,
    pub(super) key_index_lists: BTreeMap<Jid, Vec<u8>>,
    pub(super) groups: BTreeMap<Jid, Arc<GroupInfo>>,
    pub(super) seen: BTreeMap<Seen, Timestamp>,
    pub(super) retries_sent: BTreeMap<Place, (u32, Timestamp)>,
    pub(super) retries_answered: BTreeMap<(Jid, MessageId), (u32, Timestamp)>,
    pub(super) recreated: BTreeMap<Jid, Timestamp>,
    pub(super) base_keys: BTreeMap<(Jid, MessageId), (PublicKey, Timestamp)>,
    pub(super) sent: BTreeMap<(Jid, MessageId), SentMessage>,
    /// To whom those messages were sent.
    pub(super) audiences: BTreeMap<(Jid, MessageId), Arc<[Jid]>>,
    pub(super) outbox: Vec<OutboxEntry>,
    /// The place of each outbox entry in the queue.
    pub(super) outbox_places: BTreeMap<MessageId, u64>,
    last_outbox_place: u64,
    pub(super) history_chunks: Vec<HistoryChunk>,
    pub(super) history_gaps: BTreeMap<GapPlace, HistoryGap>,
    pub(super) receipts: Vec<PendingReceipt>,
    pub(super) placeholders: BTreeMap<Place, Placeholder>,
    pub(super) secrets: BTreeMap<Place, MessageSecret>,
    pub(super) tokens: BTreeMap<Jid, PrivacyToken>,
    pub(super) nct_salt: Option<SecretBytes>,
    pub(super) contacts: BTreeMap<Jid, Contact>,
    pub(super) chats: BTreeMap<Jid, Chat>,
    pub(super) settings: BTreeMap<String, Vec<u8>>,
    pub(super) sync: super::app_state::SyncState,
    pub(super) messages: BTreeMap<Seq, Arc<ArchivedMessage>>,
    pub(super) places: BTreeMap<Place, Seq>,
    /// The first text of messages that were edited.
    pub(super) originals: BTreeMap<Place, Option<String>>,
    pub(super) edits: BTreeMap<Place, Vec<Edit>>,
    /// By target and reacting person; taken-back ones stay with an empty emoji.
    pub(super) reactions: BTreeMap<(Place, Jid), Reaction>,
    /// By target, kind and slot.
    pub(super) additions: BTreeMap<(Place, AddedKind, String), Addition>,
    /// By target, author and the message that brought it; and whether it was tried to open it.
    pub(super) sealed: BTreeMap<(Place, Jid, MessageId), (SealedAddition, bool)>,
    pub(super) last_seq: u64,
    /// Until when an outbox entry was seen to wait.
    pub(super) waited_until: BTreeMap<MessageId, Timestamp>,
    /// Groups with sender keys of which nothing else is known, and since when.
    pub(super) left_groups: BTreeMap<Jid, Timestamp>,
    /// The oldest first.
    pub(super) audit: Vec<AuditEntry>,
    pub(super) audit_anchor: AuditAnchor,
    pub(super) journal: Vec<JournalRow>,
    /// What of the commit under way is to be announced, if anything is.
    pub(super) announce: Option<Announce>,
}

impl State {
    /// A person, group or channel in the archive's own form.
    pub(super) fn person(&self, jid: &Jid) -> Jid {
        let jid = bare(jid);
        self.lids.get(&jid).cloned().unwrap_or(jid)
    }

    /// A device under the person's own form.
    pub(super) fn device(&self, device: &Jid) -> Jid {
        self.person(device).with_device(device.device)
    }

    /// Where a message stands.
    pub(super) fn place(&self, key: &MessageKey) -> Place {
        (self.person(&key.chat), self.person(&key.sender), key.id.clone())
    }

    pub(super) fn canonical(&self, key: &MessageKey) -> MessageKey {
        let (chat, sender, id) = self.place(key);
        MessageKey { chat, sender, id, from_me: key.from_me }
    }

    pub(super) fn shown_contact(&self, contact: &Contact) -> Contact {
        let jid = contact.jid.clone();
        let (phone, lid) = if jid.is_lid() {
            (self.phones.get(&jid).cloned(), Some(jid))
        } else {
            (jid.is_phone().then_some(jid), None)
        };
        Contact { phone, lid, ..contact.clone() }
    }

    pub(super) fn shown_chat(&self, chat: &Chat) -> Chat {
        let jid = &chat.jid;
        let contact = self.contacts.get(jid).and_then(|contact| contact.name());
        let messages = self.messages.values().filter(|message| message.key.chat == *jid);
        let last = messages.map(|message| (message.timestamp, message.seq)).max();
        Chat {
            phone: self.phones.get(jid).or_else(|| jid.is_phone().then_some(jid)).cloned(),
            name: chat.name.clone().or_else(|| contact.map(str::to_owned)),
            last_message: last.map(|(at, seq)| (seq, at)),
            ..chat.clone()
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let pending = self.outbox.iter().filter(|entry| entry.state.is_pending());
        Stats {
            messages: self.messages.len() as u64,
            chats: self.chats.len() as u64,
            contacts: self.contacts.len() as u64,
            sessions: self.sessions.len() as u64,
            outbox_pending: pending.count() as u64,
            placeholders: self.placeholders.len() as u64,
            last_seq: Seq(self.last_seq),
        }
    }

    /// Makes one change.
    pub(super) fn apply(&mut self, change: Change, committed: &mut Committed) -> Result<()> {
        if self.unlinked && !change.needs_no_link() {
            return Err(StoreError::Unlinked);
        }
        if let Some(change) = self.apply_keys(change)
            && let Some(change) = self.apply_queues(change)?
        {
            self.apply_archive(change, committed);
        }
        Ok(())
    }

    /// Credentials, keys, sessions and people's devices; gives back what is none of these.
    fn apply_keys(&mut self, change: Change) -> Option<Change> {
        match change {
            Change::PutAccount(account) => {
                self.account = Some(*account);
                self.unlinked = false;
            }
            Change::Unlink => self.unlink(),
            Change::PutPreKeys(keys) => {
                self.prekeys.extend(keys.into_iter().map(|key| (key.id, key)));
            }
            Change::RemovePreKey(id) => drop(self.prekeys.remove(&id)),
            Change::MarkPreKeysUploaded(ids) => {
                for id in ids {
                    if let Some(key) = self.prekeys.get_mut(&id) {
                        key.uploaded = true;
                    }
                }
            }
            Change::PutSignedPreKey(key) => drop(self.signed_prekeys.insert(key.id, *key)),
            Change::RemoveSignedPreKey(id) => drop(self.signed_prekeys.remove(&id)),
            Change::PutSession { device, record } => drop(self.sessions.insert(device, record)),
            Change::DeleteSession(device) => drop(self.sessions.remove(&device)),
            Change::DeleteSessionsOfUser(user) => {
                self.sessions.retain(|device, _| !device.is_same_user(&user));
            }
            Change::PutIdentity { device, key } => drop(self.identities.insert(device, key)),
            Change::AcceptIdentity { device, key } => self.accept_identity(device, key),
            Change::VoidIdentitiesOfUser(user) => self.void_identities(&user),
            Change::DeleteIdentity(device) => drop(self.identities.remove(&device)),
            Change::DeleteIdentitiesOfUser(user) => {
                self.identities.retain(|device, _| !device.is_same_user(&user));
            }
            Change::PutSenderKey { group, sender, record } => {
                self.sender_keys.insert((group, sender), record);
            }
            Change::DeleteSenderKey { group, sender } => {
                self.sender_keys.remove(&(group, sender));
            }
            Change::DeleteSenderKeysOfDevice(device) => {
                self.sender_keys.retain(|(_, sender), _| *sender != device);
            }
            Change::MarkSenderKeyHolders { group, devices, has_key } => {
                let marks = devices.into_iter().map(|device| ((group.clone(), device), has_key));
                self.holders.extend(marks);
            }
            Change::ForgetSenderKeyHolders(group) => self.holders.retain(|(of, _), _| *of != group),
            Change::ForgetSenderKeyHolder(device) => {
                self.holders.retain(|(_, holder), _| *holder != device);
            }
            Change::MigrateToLid { phone, lid } => self.migrate_to_lid(&phone, &lid),
            Change::PutDeviceList { user, list } => {
                self.device_lists.insert(user.to_user(), list);
            }
            Change::DeleteDeviceList(user) => drop(self.device_lists.remove(&user.to_user())),
            Change::PutDeviceVoucher { device, voucher } => {
                self.device_vouchers.insert(device, voucher);
            }
            Change::PutKeyIndexList { user, list } => {
                self.key_index_lists.insert(user.to_user(), list);
            }
            Change::PutGroup(group) => {
                drop(self.groups.insert(bare(&group.jid), Arc::new(*group)));
            }
            Change::DeleteGroup(group) => drop(self.groups.remove(&bare(&group))),
            other => return Some(other),
        }
        None
    }

    /// What is to be sent, retried and remembered for a while; gives back what is none of these.
    fn apply_queues(&mut self, change: Change) -> Result<Option<Change>> {
        match change {
            Change::MarkSeen { seen, at } => {
                self.seen.entry(seen).or_insert(at);
            }
            Change::SetRetriesSent { key, count, at } => {
                self.retries_sent.insert(self.place(&key), (count, at));
            }
            Change::CountRetryAnswer { device, id, at } => {
                let (count, last) =
                    self.retries_answered.entry((self.device(&device), id)).or_default();
                (*count, *last) = (count.saturating_add(1), at);
            }
            Change::NoteSessionRecreated { device, at } => {
                self.recreated.insert(self.device(&device), at);
            }
            Change::RememberBaseKey { device, id, base_key, at } => {
                self.base_keys.insert((self.device(&device), id), (base_key, at));
            }
            Change::PutSentMessage(message) => {
                let chat = self.person(&message.chat);
                let place = (chat.clone(), message.id.clone());
                self.sent.insert(place, SentMessage { chat, ..*message });
            }
            Change::SetSentAudience { chat, id, people } => {
                let place = (self.person(&chat), id);
                if self.sent.contains_key(&place) {
                    self.audiences.insert(place, crate::retry::audience(people).into());
                }
            }
            Change::Upkeep { now } => self.upkeep(now),
            Change::PutOutbox(entry) => self.put_outbox(*entry)?,
            Change::SetOutboxState { id, state } => {
                if let Some(entry) = self.outbox.iter_mut().find(|entry| entry.id == id) {
                    entry.state = state;
                }
            }
            Change::CountOutboxAttempt(id) => {
                if let Some(entry) = self.outbox.iter_mut().find(|entry| entry.id == id) {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.state = OutboxState::Transmitted;
                }
            }
            Change::RemoveOutbox(id) => {
                self.outbox.retain(|entry| entry.id != id);
                self.outbox_places.remove(&id);
            }
            Change::PutReceipt(receipt) => {
                match self.receipts.iter_mut().find(|other| other.name == receipt.name) {
                    Some(other) => *other = receipt,
                    None => self.receipts.push(receipt),
                }
            }
            Change::RemoveReceipt(name) => self.receipts.retain(|receipt| receipt.name != name),
            Change::PutNctSalt(salt) => self.nct_salt = salt,
            Change::PutSetting { name, value: Some(value) } => {
                self.settings.insert(name, value);
            }
            Change::PutSetting { name, value: None } => drop(self.settings.remove(&name)),
            Change::Audit(entry) => {
                let (seq, previous) = match self.audit.last() {
                    Some(AuditEntry { seq, hash: Some(hash), .. }) => (*seq, *hash),
                    _ => (self.audit_anchor.seq, self.audit_anchor.hash),
                };
                let mut entry = AuditEntry { seq: seq.saturating_add(1), ..*entry };
                entry.hash = Some(entry.hash_after(&previous));
                self.audit.push(entry);
            }
            Change::Announce { origin, news } => {
                self.announce = Some(Announce { origin, news });
            }
            Change::Announced(ids) => self.journal.retain(|row| !ids.contains(&row.id)),
            Change::PruneAudit { before_ms } => self.prune_audit(before_ms),
            other => return Ok(self.apply_history(other)),
        }
        Ok(None)
    }

    fn apply_history(&mut self, change: Change) -> Option<Change> {
        match change {
            Change::PutHistoryChunk(chunk) => {
                match self.history_chunks.iter_mut().find(|other| other.id == chunk.id) {
                    Some(other) => *other = *chunk,
                    None => self.history_chunks.push(*chunk),
                }
            }
            Change::RemoveHistoryChunk(id) => self.history_chunks.retain(|chunk| chunk.id != id),
            Change::PutHistoryGap(gap) => {
                let place = self.gap_place(&gap.place);
                self.history_gaps.insert(place.clone(), HistoryGap { place, ..*gap });
            }
            Change::RemoveHistoryGap(place) => {
                self.history_gaps.remove(&self.gap_place(&place));
            }
            other => return Some(other),
        }
        None
    }

    /// A gap's place in the archive's own form.
    pub(super) fn gap_place(&self, place: &GapPlace) -> GapPlace {
        match place {
            GapPlace::Chat(chat) => GapPlace::Chat(self.person(chat)),
            chunk @ GapPlace::Chunk { .. } => chunk.clone(),
        }
    }

    fn put_outbox(&mut self, entry: OutboxEntry) -> Result<()> {
        let taken = self.outbox.iter().find(|other| {
            other.id != entry.id
                && other.idempotency_key.is_some()
                && other.idempotency_key == entry.idempotency_key
        });
        if let Some(taken) = taken {
            return Err(StoreError::IdempotencyKeyTaken { id: taken.id.clone() });
        }
        match self.outbox.iter_mut().find(|other| other.id == entry.id) {
            Some(other) => *other = entry,
            None => {
                self.last_outbox_place += 1;
                self.outbox_places.insert(entry.id.clone(), self.last_outbox_place);
                self.outbox.push(entry);
            }
        }
        Ok(())
    }

    fn unlink(&mut self) {
        let gone = std::mem::take(self);
        *self = Self {
            unlinked: true,
            lids: gone.lids,
            phones: gone.phones,
            secrets: gone.secrets,
            contacts: gone.contacts,
            chats: gone.chats,
            settings: gone.settings,
            sync: gone.sync.unlinked(),
            messages: gone.messages,
            places: gone.places,
            originals: gone.originals,
            edits: gone.edits,
            reactions: gone.reactions,
            additions: gone.additions,
            sealed: gone.sealed,
            last_seq: gone.last_seq,
            journal: gone.journal,
            announce: gone.announce,
            ..Self::default()
        };
    }

    pub(super) fn put_contact(&mut self, update: &ContactUpdate, committed: &mut Committed) {
        let jid = self.person(&update.jid);
        let contact = self.contacts.entry(jid.clone()).or_insert_with(|| Contact::new(jid.clone()));
        if contact.apply(update) && !committed.contacts_changed.contains(&jid) {
            committed.contacts_changed.push(jid);
        }
    }

    pub(super) fn put_chat(&mut self, update: &ChatUpdate) {
        let jid = self.person(&update.jid);
        self.chats.entry(jid.clone()).or_insert_with(|| Chat::new(jid)).apply(update);
    }
}
