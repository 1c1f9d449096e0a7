//! Killed at the worst moment: a message is neither lost nor archived twice, and nothing is sent
//! twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use parties::{Party, settle, simulation};
use wa_crypto::PublicKey;
use wa_proto::Jid;
use wa_store::{
    Account, ArchivedMessage, Change, Changes, Chat, ChatQuery, Committed, Contact, ContactQuery,
    DeviceList, MemoryStore, MessageId, MessageKey, MessageQuery, MessageSecret, OutboxEntry,
    PendingReceipt, Placeholder, PreKey, PreKeyCount, PrivacyToken, Reaction, Result, SearchPage,
    SearchQuery, SecretBytes, Seen, SentMessage, Seq, SignedPreKey, Stats, Store, StoreError,
    TextVersion, Timestamp,
};

/// What happens at the next commit that archives a message.
const AS_USUAL: u32 = 0;
/// The disk is full.
const FAIL: u32 = 1;
/// The process is killed before the commit.
const HANG_BEFORE: u32 = 2;
/// The process is killed after the commit.
const HANG_AFTER: u32 = 3;

/// A store that breaks at the commit of a message.
#[derive(Clone)]
struct Fragile {
    under: Arc<MemoryStore>,
    mode: Arc<AtomicU32>,
}

impl Fragile {
    fn new() -> Self {
        Self { under: Arc::new(MemoryStore::new()), mode: Arc::default() }
    }

    /// What the next process finds.
    fn after_restart(&self) -> Self {
        Self { under: Arc::clone(&self.under), mode: Arc::default() }
    }

    fn breaks(&self, mode: u32) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Fragile {
    async fn commit(&self, changes: Changes) -> Result<Committed> {
        let archives = changes.iter().any(|change| matches!(change, Change::Archive(_)));
        match self.mode.load(Ordering::SeqCst) {
            FAIL if archives => {
                self.mode.store(AS_USUAL, Ordering::SeqCst);
                Err(StoreError::DiskFull)
            }
            HANG_BEFORE if archives => std::future::pending().await,
            HANG_AFTER if archives => {
                self.under.commit(changes).await?;
                std::future::pending().await
            }
            _ => self.under.commit(changes).await,
        }
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
    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>> {
        self.under.sender_key(group, sender).await
    }
    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>> {
        self.under.sender_key_holders(group).await
    }
    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>> {
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
    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>> {
        self.under.outbox_pending().await
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
    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>> {
        self.under.contacts(query).await
    }
    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>> {
        self.under.chat(jid).await
    }
    async fn chats(&self, query: &ChatQuery) -> Result<Vec<Chat>> {
        self.under.chats(query).await
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
    async fn messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
        self.under.messages(query).await
    }
    async fn messages_after(&self, seq: Seq, limit: usize) -> Result<Vec<ArchivedMessage>> {
        self.under.messages_after(seq, limit).await
    }
    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>> {
        self.under.text_versions(key).await
    }
    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>> {
        self.under.reactions(target).await
    }
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.under.search(query).await
    }
    async fn stats(&self) -> Result<Stats> {
        self.under.stats().await
    }
    async fn close(&self) -> Result<()> {
        self.under.close().await
    }
}

async fn ada_and_fragile_bob(seed: u64) -> (Party, Party, Fragile) {
    let sim = simulation(seed);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let store = Fragile::new();
    let bob = Party::join_with(&sim, "15550200", "Bob", Arc::new(store.clone())).await;
    (ada, bob, store)
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_kept_is_not_answered_and_comes_again() {
    let (ada, mut bob, store) = ada_and_fragile_bob(41).await;
    store.breaks(FAIL);
    ada.client.send(bob.phone.jid(), "keep me").await.unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("keep me"));
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["keep me"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn killed_before_the_commit_the_message_is_read_at_the_next_start() {
    let (ada, bob, store) = ada_and_fragile_bob(42).await;
    store.breaks(HANG_BEFORE);
    ada.client.send(bob.phone.jid(), "read me once").await.unwrap();
    settle().await;
    assert!(bob.texts(&ada.phone.jid()).await.is_empty());
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("read me once"));
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["read me once"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn killed_after_the_commit_the_message_is_answered_and_not_archived_again() {
    let (ada, bob, store) = ada_and_fragile_bob(43).await;
    store.breaks(HANG_AFTER);
    ada.client.send(bob.phone.jid(), "answer me").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me"]);
    assert_eq!(bob.stats().acks_owed, 1);
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me"]);
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
    assert!(bob.store.pending_receipts().await.unwrap().len() <= 1);
    // The session goes on where it was.
    ada.client.send(bob.phone.jid(), "and on").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["answer me", "and on"]);
}

#[tokio::test(start_paused = true)]
async fn killed_with_a_message_queued_the_next_start_sends_it_once() {
    let (mut ada, bob, store) = ada_and_fragile_bob(44).await;
    let queued = bob.client.send(ada.phone.jid(), "send me once").queue().await.unwrap();
    let mut bob = bob.restart(Some(Arc::new(store.after_restart()))).await;
    bob.client.connect().unwrap();
    bob.connected().await;
    assert_eq!(ada.message().await.id, queued.id.as_str());
    settle().await;
    let seen = ada.archive(&bob.phone.jid()).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].text.as_deref(), Some("send me once"));
    assert!(bob.store.outbox_pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_client_goes_on_from_its_encrypted_database() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        let key = wa_store::DatabaseKey::from_bytes([7; 32]);
        let store = wa_store::SqliteStore::open(folder.path().join("wa.db"), key).await.unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    let sim = simulation(45);
    let mut ada = Party::join(&sim, "15550100", "Ada").await;
    let store = open().await;
    let mut bob = Party::join_with(&sim, "15550200", "Bob", Arc::clone(&store)).await;
    ada.client.send(bob.phone.jid(), "before").await.unwrap();
    bob.message().await;
    bob.client.send(ada.phone.jid(), "answer").await.unwrap();
    ada.message().await;
    bob.client.disconnect().await;
    ada.client.send(bob.phone.jid(), "meanwhile").await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let mut bob = bob.restart(Some(open().await)).await;
    bob.client.connect().unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("meanwhile"));
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["before", "answer", "meanwhile"]);
    assert_eq!(bob.stats().counters.retries, 0);
}
