//! A store that forgets everything with the process: for tests, and for accounts nobody keeps.
//!
//! Owns the state behind a lock; a commit works on a copy and swaps it in when all of it held.

mod additions;
mod app_state;
mod archive;
mod former;
mod journal;
mod lid;
mod scope;
mod state;
mod upkeep;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use wa_crypto::PublicKey;
use wa_proto::{Jid, app_state::Collection, stanza::GroupInfo};

use self::state::State;
use crate::{
    Account, Addition, ArchivedMessage, AuditAnchor, AuditEntry, AuditQuery, Changes, Chat,
    ChatQuery, CollectionVersion, Committed, Contact, ContactQuery, DeviceList, DeviceVoucher,
    FormerIdentity, GapPlace, HistoryChunk, HistoryGap, JournalEntry, Label, Labelled, MessageId,
    MessageKey, MessageQuery, MessageSecret, OutboxEntry, PendingReceipt, PendingSync, Pin,
    Placeholder, PreKey, PreKeyCount, PrivacyToken, QuickReply, Reaction, Scope, SealedAddition,
    SearchPage, SearchQuery, SecretBytes, Seen, SentMessage, Seq, SignedPreKey, Stats, Store,
    StoreError, SyncKey, SyncMac, TextVersion, Timestamp, id::bare, scope::Visible, store::Result,
};

/// A [`Store`] in memory. Every commit copies what there is, so it suits thousands of messages, not
/// hundreds of thousands.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<Option<Arc<State>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { state: Mutex::new(Some(Arc::default())) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<State>>> {
        // The state is swapped whole, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Result<Arc<State>> {
        self.lock().clone().ok_or(StoreError::Closed)
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

/// Those keys that have a value, with it.
fn found<K: Clone + Eq + Hash, V>(keys: &[K], value: impl Fn(&K) -> Option<V>) -> HashMap<K, V> {
    keys.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect()
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, changes: Changes) -> Result<Committed> {
        let mut lock = self.lock();
        let current = lock.as_ref().ok_or(StoreError::Closed)?;
        let mut next = State::clone(current);
        let mut committed = Committed::default();
        for change in changes {
            next.apply(change, &mut committed)?;
        }
        next.complete(&mut committed);
        next.journalize(&mut committed);
        *lock = Some(Arc::new(next));
        Ok(committed)
    }

    async fn journal(&self) -> Result<Vec<JournalEntry>> {
        Ok(self.state()?.journal())
    }

    async fn account(&self) -> Result<Option<Account>> {
        Ok(self.state()?.account.clone())
    }

    async fn prekey(&self, id: u32) -> Result<Option<PreKey>> {
        Ok(self.state()?.prekeys.get(&id).cloned())
    }

    async fn prekeys_not_uploaded(&self, limit: usize) -> Result<Vec<PreKey>> {
        let state = self.state()?;
        Ok(state.prekeys.values().filter(|key| !key.uploaded).take(limit).cloned().collect())
    }

    async fn prekey_count(&self) -> Result<PreKeyCount> {
        let state = self.state()?;
        let uploaded = state.prekeys.values().filter(|key| key.uploaded).count();
        Ok(PreKeyCount { uploaded, not_uploaded: state.prekeys.len().saturating_sub(uploaded) })
    }

    async fn signed_prekey(&self, id: u32) -> Result<Option<SignedPreKey>> {
        Ok(self.state()?.signed_prekeys.get(&id).cloned())
    }

    async fn signed_prekeys(&self) -> Result<Vec<SignedPreKey>> {
        let mut keys: Vec<_> = self.state()?.signed_prekeys.values().cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
        Ok(keys)
    }

    async fn session(&self, device: &Jid) -> Result<Option<SecretBytes>> {
        Ok(self.state()?.sessions.get(device).cloned())
    }

    async fn sessions(&self, devices: &[Jid]) -> Result<HashMap<Jid, SecretBytes>> {
        let state = self.state()?;
        Ok(found(devices, |device| state.sessions.get(device).cloned()))
    }

    async fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>> {
        let state = self.state()?;
        Ok(state.sessions.keys().filter(|device| device.is_same_user(user)).cloned().collect())
    }

    async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>> {
        Ok(self.state()?.identities.get(device).copied())
    }

    async fn identities(&self, devices: &[Jid]) -> Result<HashMap<Jid, PublicKey>> {
        let state = self.state()?;
        Ok(found(devices, |device| state.identities.get(device).copied()))
    }

    async fn former_identity(&self, user: &Jid, key: &PublicKey) -> Result<Option<FormerIdentity>> {
        Ok(self.state()?.former_identity(user, key))
    }

    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>> {
        Ok(self.state()?.sender_keys.get(&(group.clone(), sender.clone())).cloned())
    }

    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>> {
        let state = self.state()?;
        let holders = state.holders.iter().filter(|((of, _), _)| of == group);
        Ok(holders.map(|((_, device), has_key)| (device.clone(), *has_key)).collect())
    }

    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>> {
        Ok(self.state()?.lids.get(&bare(phone)).cloned())
    }

    async fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>> {
        Ok(self.state()?.phones.get(&bare(lid)).cloned())
    }

    async fn lids_of(&self, phones: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        let state = self.state()?;
        Ok(found(phones, |phone| state.lids.get(&bare(phone)).cloned()))
    }

    async fn phones_of(&self, lids: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        let state = self.state()?;
        Ok(found(lids, |lid| state.phones.get(&bare(lid)).cloned()))
    }

    async fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>> {
        Ok(self.state()?.device_lists.get(&user.to_user()).cloned())
    }

    async fn device_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, DeviceList>> {
        let state = self.state()?;
        Ok(found(users, |user| state.device_lists.get(&user.to_user()).cloned()))
    }

    async fn device_vouchers(&self, devices: &[Jid]) -> Result<HashMap<Jid, DeviceVoucher>> {
        let state = self.state()?;
        Ok(found(devices, |device| state.device_vouchers.get(device).copied()))
    }

    async fn key_index_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, Vec<u8>>> {
        let state = self.state()?;
        Ok(found(users, |user| state.key_index_lists.get(&user.to_user()).cloned()))
    }

    async fn group(&self, group: &Jid) -> Result<Option<GroupInfo>> {
        Ok(self.state()?.groups.get(&bare(group)).map(|group| GroupInfo::clone(group)))
    }

    async fn groups(&self) -> Result<Vec<GroupInfo>> {
        Ok(self.state()?.groups.values().map(|group| GroupInfo::clone(group)).collect())
    }

    async fn is_seen(&self, seen: &Seen) -> Result<bool> {
        Ok(self.state()?.seen.contains_key(seen))
    }

    async fn retries_sent(&self, key: &MessageKey) -> Result<u32> {
        let state = self.state()?;
        Ok(state.retries_sent.get(&state.place(key)).map_or(0, |(count, _)| *count))
    }

    async fn retries_answered(&self, device: &Jid, id: &MessageId) -> Result<u32> {
        let state = self.state()?;
        let key = (state.device(device), id.clone());
        Ok(state.retries_answered.get(&key).map_or(0, |(count, _)| *count))
    }

    async fn session_recreated_at(&self, device: &Jid) -> Result<Option<Timestamp>> {
        let state = self.state()?;
        Ok(state.recreated.get(&state.device(device)).copied())
    }

    async fn base_key(&self, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>> {
        let state = self.state()?;
        Ok(state.base_keys.get(&(state.device(device), id.clone())).map(|(key, _)| *key))
    }

    async fn sent_message(&self, chat: &Jid, id: &MessageId) -> Result<Option<SentMessage>> {
        let state = self.state()?;
        Ok(state.sent.get(&(state.person(chat), id.clone())).cloned())
    }

    async fn sent_audience(&self, chat: &Jid, id: &MessageId) -> Result<Vec<Jid>> {
        let state = self.state()?;
        let found = state.audiences.get(&(state.person(chat), id.clone()));
        Ok(found.map(|people| people.to_vec()).unwrap_or_default())
    }

    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>> {
        let state = self.state()?;
        Ok(state.outbox.iter().filter(|entry| entry.state.is_pending()).cloned().collect())
    }

    async fn outbox_chats(&self) -> Result<Vec<Jid>> {
        let state = self.state()?;
        let mut chats = Vec::new();
        for entry in state.outbox.iter().filter(|entry| entry.state.is_pending()) {
            if !chats.contains(&entry.chat) {
                chats.push(entry.chat.clone());
            }
        }
        Ok(chats)
    }

    async fn outbox_next(&self, chat: &Jid, after: u64) -> Result<Option<(u64, OutboxEntry)>> {
        let state = self.state()?;
        let chat = state.person(chat);
        let place = |entry: &OutboxEntry| state.outbox_places.get(&entry.id).copied();
        let mut waiting = state.outbox.iter().filter_map(|entry| Some((place(entry)?, entry)));
        let next = waiting.find(|(place, entry)| {
            *place > after && entry.state.is_pending() && state.person(&entry.chat) == chat
        });
        Ok(next.map(|(place, entry)| (place, entry.clone())))
    }

    async fn outbox_entry(&self, id: &MessageId) -> Result<Option<OutboxEntry>> {
        Ok(self.state()?.outbox.iter().find(|entry| entry.id == *id).cloned())
    }

    async fn outbox_by_idempotency_key(&self, key: &str) -> Result<Option<OutboxEntry>> {
        let state = self.state()?;
        let has_key = |entry: &&OutboxEntry| entry.idempotency_key.as_deref() == Some(key);
        Ok(state.outbox.iter().find(has_key).cloned())
    }

    async fn pending_receipts(&self) -> Result<Vec<PendingReceipt>> {
        Ok(self.state()?.receipts.clone())
    }

    async fn placeholder(&self, key: &MessageKey) -> Result<Option<Placeholder>> {
        let state = self.state()?;
        Ok(state.placeholders.get(&state.place(key)).cloned())
    }

    async fn placeholders(&self, limit: usize) -> Result<Vec<Placeholder>> {
        let mut all: Vec<_> = self.state()?.placeholders.values().cloned().collect();
        all.sort_by(|a, b| (a.timestamp, &a.key).cmp(&(b.timestamp, &b.key)));
        all.truncate(limit);
        Ok(all)
    }

    async fn message_secret(&self, key: &MessageKey) -> Result<Option<MessageSecret>> {
        let state = self.state()?;
        Ok(state.secrets.get(&state.place(key)).cloned())
    }

    async fn privacy_token(&self, jid: &Jid) -> Result<Option<PrivacyToken>> {
        let state = self.state()?;
        Ok(state.tokens.get(&state.person(jid)).cloned())
    }

    async fn nct_salt(&self) -> Result<Option<SecretBytes>> {
        Ok(self.state()?.nct_salt.clone())
    }

    async fn contact(&self, jid: &Jid) -> Result<Option<Contact>> {
        let state = self.state()?;
        Ok(state.contacts.get(&state.person(jid)).map(|contact| state.shown_contact(contact)))
    }

    async fn contacts_of(&self, people: &[Jid]) -> Result<HashMap<Jid, Contact>> {
        let state = self.state()?;
        let contact = |jid: &Jid| state.contacts.get(&state.person(jid));
        Ok(found(people, |jid| contact(jid).map(|contact| state.shown_contact(contact))))
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>> {
        let state = self.state()?;
        let contacts = state.contacts_within(query.scope.as_deref())?;
        Ok(query.select(contacts.into_iter().map(|c| state.shown_contact(c)).collect()))
    }

    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>> {
        let state = self.state()?;
        Ok(state.chats.get(&state.person(jid)).map(|chat| state.shown_chat(chat)))
    }

    async fn chats(&self, query: &ChatQuery) -> Result<Vec<Chat>> {
        let state = self.state()?;
        let chats = match query.scope.as_deref() {
            Some(scope) => state.chats_within(scope)?,
            None => state.chats.values().map(|chat| state.shown_chat(chat)).collect(),
        };
        Ok(query.select(chats))
    }

    async fn history_chunks(&self, limit: usize) -> Result<Vec<HistoryChunk>> {
        Ok(self.state()?.history_chunks.iter().take(limit).cloned().collect())
    }

    async fn history_gap(&self, place: &GapPlace) -> Result<Option<HistoryGap>> {
        let state = self.state()?;
        Ok(state.history_gaps.get(&state.gap_place(place)).cloned())
    }

    async fn history_gaps(&self, limit: usize) -> Result<Vec<HistoryGap>> {
        let state = self.state()?;
        let mut gaps: Vec<_> = state.history_gaps.values().cloned().collect();
        gaps.sort_by_key(|gap| gap.place.to_column());
        gaps.truncate(limit);
        Ok(gaps)
    }

    async fn sync_keys(&self) -> Result<Vec<SyncKey>> {
        Ok(self.state()?.sync.keys())
    }

    async fn sync_key_requested_at(&self, id: &[u8]) -> Result<Option<Timestamp>> {
        Ok(self.state()?.sync.requested_at(id))
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionVersion>> {
        Ok(self.state()?.sync.collection(collection))
    }

    async fn collection_macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> Result<HashMap<SyncMac, SyncMac>> {
        Ok(self.state()?.sync.macs(collection, indexes))
    }

    async fn pending_sync(&self) -> Result<Vec<PendingSync>> {
        Ok(self.state()?.sync.pending())
    }

    async fn labels(&self) -> Result<Vec<Label>> {
        Ok(self.state()?.sync.labels())
    }

    async fn labels_on(&self, on: &Labelled) -> Result<Vec<String>> {
        Ok(self.state()?.labels_on(on))
    }

    async fn labelled(&self, label: &str) -> Result<Vec<Labelled>> {
        Ok(self.state()?.sync.labelled(label))
    }

    async fn quick_replies(&self) -> Result<Vec<QuickReply>> {
        Ok(self.state()?.sync.quick_replies())
    }

    async fn is_status_muted(&self, person: &Jid) -> Result<bool> {
        Ok(self.state()?.is_status_muted(person))
    }

    async fn is_locked(&self, chat: &Jid) -> Result<bool> {
        Ok(self.state()?.is_locked(chat))
    }

    async fn settings_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        Ok(self.state()?.settings_with_prefix(prefix))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        Ok(query.select(&self.state()?.audit))
    }

    async fn audit_anchor(&self) -> Result<AuditAnchor> {
        Ok(self.state()?.audit_anchor)
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.state()?.settings.get(name).cloned())
    }

    async fn message(&self, key: &MessageKey) -> Result<Option<ArchivedMessage>> {
        let state = self.state()?;
        Ok(state.message(&state.place(key)).cloned())
    }

    async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        Ok(self.state()?.messages_by_id(chat, id))
    }

    async fn messages_with_id(&self, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        Ok(self.state()?.messages_with_id(id))
    }

    async fn messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
        self.state()?.query_messages(query)
    }

    async fn messages_after(&self, seq: Seq, limit: usize) -> Result<Vec<ArchivedMessage>> {
        Ok(self.state()?.messages_after(seq, limit))
    }

    async fn messages_at(&self, places: &[Seq]) -> Result<Vec<ArchivedMessage>> {
        let state = self.state()?;
        Ok(places
            .iter()
            .filter_map(|seq| state.messages.get(seq))
            .map(|m| m.as_ref().clone())
            .collect())
    }

    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>> {
        let state = self.state()?;
        Ok(state.text_versions(&state.place(key)))
    }

    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>> {
        let state = self.state()?;
        Ok(state.reactions_to(&state.place(target)))
    }

    async fn reactions_to(
        &self,
        targets: &[MessageKey],
    ) -> Result<HashMap<MessageKey, Vec<Reaction>>> {
        let state = self.state()?;
        let reactions = |target: &MessageKey| {
            let reactions = state.reactions_to(&state.place(target));
            (!reactions.is_empty()).then_some(reactions)
        };
        Ok(found(targets, reactions))
    }

    async fn additions(&self, target: &MessageKey) -> Result<Vec<Addition>> {
        let state = self.state()?;
        Ok(state.additions_to(&state.place(target)))
    }

    async fn pins(&self, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>> {
        Ok(self.state()?.pins_in(chat, now))
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>> {
        Ok(self.state()?.next_expiry())
    }

    async fn comments(&self, target: &MessageKey) -> Result<Vec<ArchivedMessage>> {
        Ok(self.state()?.comments_on(target))
    }

    async fn sealed(&self, target: &MessageKey) -> Result<Vec<SealedAddition>> {
        let state = self.state()?;
        Ok(state.sealed_on(&state.place(target)))
    }

    async fn openable(&self, limit: usize) -> Result<Vec<MessageKey>> {
        Ok(self.state()?.openable(limit))
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.state()?.search(query)
    }

    async fn last_seq(&self) -> Result<Seq> {
        Ok(Seq(self.state()?.last_seq))
    }

    async fn stats(&self) -> Result<Stats> {
        Ok(self.state()?.stats())
    }

    async fn chats_within(&self, scope: &Scope, chats: &[Jid]) -> Result<HashSet<Jid>> {
        let state = self.state()?;
        Visible::new(scope, &*state)?.chats_among(chats, &*state)
    }

    async fn authors_within(&self, scope: &Scope, people: &[Jid]) -> Result<HashSet<Jid>> {
        let state = self.state()?;
        Visible::new(scope, &*state)?.authors_among(people, &*state)
    }

    async fn chat_within(&self, scope: &Scope, chat: &Jid) -> Result<Option<Chat>> {
        let state = self.state()?;
        let jid = state.person(chat);
        Ok(state.chats_within(scope)?.into_iter().find(|chat| chat.jid == jid))
    }

    async fn stats_within(&self, scope: &Scope) -> Result<Stats> {
        self.state()?.stats_within(scope)
    }

    async fn close(&self) -> Result<()> {
        *self.lock() = None;
        Ok(())
    }
}
