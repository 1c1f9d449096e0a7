//! A store over another one, with a say in its commits: everything else goes through as it is.

#![allow(unreachable_pub, clippy::allow_attributes, reason = "more than one test file uses it")]

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use wa_crypto::PublicKey;
use wa_proto::{Jid, app_state::Collection, stanza::GroupInfo};
use wa_store::{
    Account, Addition, ArchivedMessage, AuditAnchor, AuditEntry, AuditQuery, Changes, Chat,
    ChatQuery, CollectionVersion, Committed, Contact, ContactQuery, DeviceList, DeviceVoucher,
    FormerIdentity, GapPlace, HistoryChunk, HistoryGap, JournalEntry, Label, Labelled, MemoryStore,
    MessageId, MessageKey, MessageQuery, MessageSecret, OutboxEntry, PendingReceipt, PendingSync,
    Pin, Placeholder, PreKey, PreKeyCount, Prefetch, PrivacyToken, QuickReply, Reaction, Result,
    Scope, SealedAddition, SearchPage, SearchQuery, SecretBytes, Seen, SentMessage, Seq,
    SignedPreKey, Stats, Store, SyncKey, SyncMac, TextVersion, Timestamp,
};

/// What is done differently.
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// Commits, or does not.
    async fn commit(&self, under: &MemoryStore, changes: Changes) -> Result<Committed>;

    /// Sees what is read ahead.
    fn before_prefetch(&self, _ahead: &Prefetch) {}

    /// Sees who is looked up.
    fn before_lid_of(&self, _phone: &Jid) {}
}

/// The store.
#[derive(Clone)]
pub struct HookedStore<H> {
    pub under: Arc<MemoryStore>,
    pub hooks: H,
}

#[async_trait]
impl<H: Hooks> Store for HookedStore<H> {
    async fn commit(&self, changes: Changes) -> Result<Committed> {
        self.hooks.commit(&self.under, changes).await
    }
    async fn prefetch(&self, ahead: &Prefetch) -> Result<()> {
        self.hooks.before_prefetch(ahead);
        self.under.prefetch(ahead).await
    }
    async fn journal(&self) -> Result<Vec<JournalEntry>> {
        self.under.journal().await
    }
    async fn account(&self) -> Result<Option<Account>> {
        self.under.account().await
    }
    async fn prekey(&self, id: u32) -> Result<Option<PreKey>> {
        self.under.prekey(id).await
    }
    async fn prekeys_not_uploaded(&self, limit: usize) -> Result<Vec<PreKey>> {
        self.under.prekeys_not_uploaded(limit).await
    }
    async fn prekey_count(&self) -> Result<PreKeyCount> {
        self.under.prekey_count().await
    }
    async fn signed_prekey(&self, id: u32) -> Result<Option<SignedPreKey>> {
        self.under.signed_prekey(id).await
    }
    async fn signed_prekeys(&self) -> Result<Vec<SignedPreKey>> {
        self.under.signed_prekeys().await
    }
    async fn session(&self, device: &Jid) -> Result<Option<SecretBytes>> {
        self.under.session(device).await
    }
    async fn sessions(&self, devices: &[Jid]) -> Result<HashMap<Jid, SecretBytes>> {
        self.under.sessions(devices).await
    }
    async fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>> {
        self.under.session_devices(user).await
    }
    async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>> {
        self.under.identity(device).await
    }
    async fn identities(&self, devices: &[Jid]) -> Result<HashMap<Jid, PublicKey>> {
        self.under.identities(devices).await
    }
    async fn former_identity(&self, user: &Jid, key: &PublicKey) -> Result<Option<FormerIdentity>> {
        self.under.former_identity(user, key).await
    }
    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>> {
        self.under.sender_key(group, sender).await
    }
    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>> {
        self.under.sender_key_holders(group).await
    }
    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>> {
        self.hooks.before_lid_of(phone);
        self.under.lid_of(phone).await
    }
    async fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>> {
        self.under.phone_of(lid).await
    }
    async fn lids_of(&self, phones: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        self.under.lids_of(phones).await
    }
    async fn phones_of(&self, lids: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        self.under.phones_of(lids).await
    }
    async fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>> {
        self.under.device_list(user).await
    }
    async fn device_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, DeviceList>> {
        self.under.device_lists(users).await
    }
    async fn device_vouchers(&self, devices: &[Jid]) -> Result<HashMap<Jid, DeviceVoucher>> {
        self.under.device_vouchers(devices).await
    }
    async fn key_index_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, Vec<u8>>> {
        self.under.key_index_lists(users).await
    }
    async fn group(&self, group: &Jid) -> Result<Option<GroupInfo>> {
        self.under.group(group).await
    }
    async fn groups(&self) -> Result<Vec<GroupInfo>> {
        self.under.groups().await
    }
    async fn is_seen(&self, seen: &Seen) -> Result<bool> {
        self.under.is_seen(seen).await
    }
    async fn retries_sent(&self, key: &MessageKey) -> Result<u32> {
        self.under.retries_sent(key).await
    }
    async fn retries_answered(&self, device: &Jid, id: &MessageId) -> Result<u32> {
        self.under.retries_answered(device, id).await
    }
    async fn session_recreated_at(&self, device: &Jid) -> Result<Option<Timestamp>> {
        self.under.session_recreated_at(device).await
    }
    async fn base_key(&self, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>> {
        self.under.base_key(device, id).await
    }
    async fn sent_message(&self, chat: &Jid, id: &MessageId) -> Result<Option<SentMessage>> {
        self.under.sent_message(chat, id).await
    }
    async fn sent_audience(&self, chat: &Jid, id: &MessageId) -> Result<Vec<Jid>> {
        self.under.sent_audience(chat, id).await
    }
    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>> {
        self.under.outbox_pending().await
    }
    async fn outbox_chats(&self) -> Result<Vec<Jid>> {
        self.under.outbox_chats().await
    }
    async fn outbox_next(&self, chat: &Jid, after: u64) -> Result<Option<(u64, OutboxEntry)>> {
        self.under.outbox_next(chat, after).await
    }
    async fn history_chunks(&self, limit: usize) -> Result<Vec<HistoryChunk>> {
        self.under.history_chunks(limit).await
    }
    async fn history_gap(&self, place: &GapPlace) -> Result<Option<HistoryGap>> {
        self.under.history_gap(place).await
    }
    async fn history_gaps(&self, limit: usize) -> Result<Vec<HistoryGap>> {
        self.under.history_gaps(limit).await
    }
    async fn outbox_entry(&self, id: &MessageId) -> Result<Option<OutboxEntry>> {
        self.under.outbox_entry(id).await
    }
    async fn outbox_by_idempotency_key(&self, key: &str) -> Result<Option<OutboxEntry>> {
        self.under.outbox_by_idempotency_key(key).await
    }
    async fn pending_receipts(&self) -> Result<Vec<PendingReceipt>> {
        self.under.pending_receipts().await
    }
    async fn placeholder(&self, key: &MessageKey) -> Result<Option<Placeholder>> {
        self.under.placeholder(key).await
    }
    async fn placeholders(&self, limit: usize) -> Result<Vec<Placeholder>> {
        self.under.placeholders(limit).await
    }
    async fn message_secret(&self, key: &MessageKey) -> Result<Option<MessageSecret>> {
        self.under.message_secret(key).await
    }
    async fn privacy_token(&self, jid: &Jid) -> Result<Option<PrivacyToken>> {
        self.under.privacy_token(jid).await
    }
    async fn nct_salt(&self) -> Result<Option<SecretBytes>> {
        self.under.nct_salt().await
    }
    async fn contact(&self, jid: &Jid) -> Result<Option<Contact>> {
        self.under.contact(jid).await
    }
    async fn contacts_of(&self, people: &[Jid]) -> Result<HashMap<Jid, Contact>> {
        self.under.contacts_of(people).await
    }
    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>> {
        self.under.contacts(query).await
    }
    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>> {
        self.under.chat(jid).await
    }
    async fn chats(&self, query: &ChatQuery) -> Result<Vec<Chat>> {
        self.under.chats(query).await
    }
    async fn sync_keys(&self) -> Result<Vec<SyncKey>> {
        self.under.sync_keys().await
    }
    async fn sync_key_requested_at(&self, id: &[u8]) -> Result<Option<Timestamp>> {
        self.under.sync_key_requested_at(id).await
    }
    async fn collection(&self, collection: Collection) -> Result<Option<CollectionVersion>> {
        self.under.collection(collection).await
    }
    async fn collection_macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> Result<HashMap<SyncMac, SyncMac>> {
        self.under.collection_macs(collection, indexes).await
    }
    async fn pending_sync(&self) -> Result<Vec<PendingSync>> {
        self.under.pending_sync().await
    }
    async fn labels(&self) -> Result<Vec<Label>> {
        self.under.labels().await
    }
    async fn labels_on(&self, on: &Labelled) -> Result<Vec<String>> {
        self.under.labels_on(on).await
    }
    async fn labelled(&self, label: &str) -> Result<Vec<Labelled>> {
        self.under.labelled(label).await
    }
    async fn quick_replies(&self) -> Result<Vec<QuickReply>> {
        self.under.quick_replies().await
    }
    async fn is_status_muted(&self, person: &Jid) -> Result<bool> {
        self.under.is_status_muted(person).await
    }
    async fn is_locked(&self, chat: &Jid) -> Result<bool> {
        self.under.is_locked(chat).await
    }
    async fn settings_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.under.settings_with_prefix(prefix).await
    }
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.under.setting(name).await
    }
    async fn message(&self, key: &MessageKey) -> Result<Option<ArchivedMessage>> {
        self.under.message(key).await
    }
    async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        self.under.messages_by_id(chat, id).await
    }
    async fn messages_with_id(&self, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        self.under.messages_with_id(id).await
    }
    async fn messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
        self.under.messages(query).await
    }
    async fn messages_after(&self, seq: Seq, limit: usize) -> Result<Vec<ArchivedMessage>> {
        self.under.messages_after(seq, limit).await
    }
    async fn messages_at(&self, places: &[Seq]) -> Result<Vec<ArchivedMessage>> {
        self.under.messages_at(places).await
    }
    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>> {
        self.under.text_versions(key).await
    }
    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>> {
        self.under.reactions(target).await
    }
    async fn reactions_to(
        &self,
        targets: &[MessageKey],
    ) -> Result<HashMap<MessageKey, Vec<Reaction>>> {
        self.under.reactions_to(targets).await
    }
    async fn additions(&self, target: &MessageKey) -> Result<Vec<Addition>> {
        self.under.additions(target).await
    }
    async fn pins(&self, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>> {
        self.under.pins(chat, now).await
    }
    async fn next_expiry(&self) -> Result<Option<Timestamp>> {
        self.under.next_expiry().await
    }
    async fn comments(&self, target: &MessageKey) -> Result<Vec<ArchivedMessage>> {
        self.under.comments(target).await
    }
    async fn sealed(&self, target: &MessageKey) -> Result<Vec<SealedAddition>> {
        self.under.sealed(target).await
    }
    async fn openable(&self, limit: usize) -> Result<Vec<MessageKey>> {
        self.under.openable(limit).await
    }
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.under.search(query).await
    }
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        self.under.audit(query).await
    }
    async fn audit_anchor(&self) -> Result<AuditAnchor> {
        self.under.audit_anchor().await
    }
    async fn last_seq(&self) -> Result<Seq> {
        self.under.last_seq().await
    }
    async fn stats(&self) -> Result<Stats> {
        self.under.stats().await
    }
    async fn chats_within(&self, scope: &Scope, chats: &[Jid]) -> Result<HashSet<Jid>> {
        self.under.chats_within(scope, chats).await
    }
    async fn authors_within(&self, scope: &Scope, people: &[Jid]) -> Result<HashSet<Jid>> {
        self.under.authors_within(scope, people).await
    }
    async fn chat_within(&self, scope: &Scope, chat: &Jid) -> Result<Option<Chat>> {
        self.under.chat_within(scope, chat).await
    }
    async fn stats_within(&self, scope: &Scope) -> Result<Stats> {
        self.under.stats_within(scope).await
    }
    async fn close(&self) -> Result<()> {
        self.under.close().await
    }
}
