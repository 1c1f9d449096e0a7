//! The store that stays: one SQLite file, encrypted whole with SQLCipher.
//!
//! One thread owns the connection that writes and makes commits in the order they are asked for;
//! a few further connections read beside it, each read in a snapshot of its own. The log is synced
//! at every commit (`synchronous = FULL`), because what is acknowledged to the server must survive
//! the power going out, not only the process.

mod additions;
mod app_state;
mod audit;
mod check;
mod former;
mod groups;
mod key;
mod lid;
mod open;
mod read;
mod read_archive;
mod readers;
mod row_forms;
mod rows;
mod scope;
mod search;
mod write;
mod write_archive;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::oneshot;
use wa_crypto::PublicKey;
use wa_proto::{Jid, app_state::Collection, stanza::GroupInfo};

pub use self::{
    key::{DatabaseKey, InvalidDatabaseKey},
    open::OpenOptions,
};
use self::{open::Source, readers::Readers, rows::engine, write::NewRows};
use crate::{
    Account, Addition, ArchivedMessage, AuditAnchor, AuditEntry, AuditQuery, Changes, Chat,
    ChatQuery, CollectionVersion, Committed, Contact, ContactQuery, DeviceList, DeviceVoucher,
    FormerIdentity, GapPlace, HistoryChunk, HistoryGap, Label, Labelled, MessageId, MessageKey,
    MessageQuery, MessageSecret, OutboxEntry, PendingReceipt, PendingSync, Pin, Placeholder,
    PreKey, PreKeyCount, PrivacyToken, QuickReply, Reaction, Scope, SealedAddition, SearchPage,
    SearchQuery, SecretBytes, Seen, SentMessage, Seq, SignedPreKey, Stats, Store, StoreError,
    SyncKey, SyncMac, TextVersion, Timestamp, store::Result,
};

/// How many reads run at a time.
const READERS: usize = 4;

/// A [`Store`] in an encrypted SQLite file.
///
/// Must be used inside a tokio runtime. A commit whose future is dropped may still land. Dropping a
/// store that was not closed waits for the commit under way and breaks off the reads. A process
/// should close or drop its stores before it ends: SQLCipher cleans up at exit, and a thread that
/// is still at work in it then crashes.
pub struct SqliteStore {
    writer: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    readers: Arc<Readers>,
}

/// What the writing thread is asked to do.
enum Job {
    Commit(Changes, oneshot::Sender<Result<Committed>>),
    Close(oneshot::Sender<Result<()>>),
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let slot = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(slot.take());
        let slot = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A process may exit after this, and then SQLCipher takes its memory away from whatever is
        // still at work in it.
        if let Some(thread) = slot.take() {
            // That the thread panicked was told to whoever asked it for something.
            let _ = thread.join();
        }
        self.readers.end();
    }
}

impl SqliteStore {
    /// Opens a database, or makes it where there is none: the file for its owner only (0600), and
    /// missing folders likewise (0700).
    ///
    /// # Errors
    /// [`StoreError`]: another key, a file of another program, a newer schema, a disk that is full
    /// or refuses, a database that is held by another process.
    pub async fn open(path: impl AsRef<Path>, key: DatabaseKey) -> Result<Self> {
        Self::open_with(path, key, OpenOptions::default()).await
    }

    /// Opens a database that is only read; for tools. It must be there.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::Missing`] where there is none.
    pub async fn open_read_only(path: impl AsRef<Path>, key: DatabaseKey) -> Result<Self> {
        let options = OpenOptions { create: false, read_only: true, ..OpenOptions::default() };
        Self::open_with(path, key, options).await
    }

    /// Reads all of a database and tells what is wrong with it: nothing, if it is whole. Each line
    /// tells of a page or a table, and never of what is in it. Nobody should be writing meanwhile.
    ///
    /// # Errors
    /// As for [`Self::open_read_only`], where it cannot be read at all.
    pub async fn check(path: impl AsRef<Path>, key: DatabaseKey) -> Result<Vec<String>> {
        let options = OpenOptions { create: false, read_only: true, ..OpenOptions::default() };
        let source = Source { path: path.as_ref().to_owned(), key, options };
        blocking(move || source.check()).await
    }

    /// Opens a database as the options say.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::Missing`] where there is none and none is to be made.
    pub async fn open_with(
        path: impl AsRef<Path>,
        key: DatabaseKey,
        options: OpenOptions,
    ) -> Result<Self> {
        let source = Source { path: path.as_ref().to_owned(), key, options };
        let opened = source.clone();
        let (db, new_rows) = blocking(move || {
            let mut db = opened.open()?;
            let new_rows = NewRows::watch(&mut db)?;
            Ok((db, new_rows))
        })
        .await?;
        let (writer, jobs) = mpsc::channel();
        let spawned = thread::Builder::new()
            .name("wa-store".to_owned())
            .spawn(move || write_all(db, &new_rows, &jobs));
        let thread = match spawned {
            Ok(thread) => Mutex::new(Some(thread)),
            Err(error) => return Err(StoreError::Io { path: source.path, source: error }),
        };
        let readers = Arc::new(Readers::new(source, READERS));
        Ok(Self { writer: Mutex::new(Some(writer)), thread, readers })
    }

    /// Asks the writing thread for something, and waits for its answer.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T>>) -> Job) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let writer = writer.as_ref().ok_or(StoreError::Closed)?;
            writer.send(job(answer)).map_err(|_| StoreError::Closed)?;
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads in one snapshot, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let readers = Arc::clone(&self.readers);
        let permit = readers.permit().await?;
        blocking(move || {
            // Held by the work and not by whoever waits for it, who may stop waiting.
            let _permit = permit;
            let mut reader = readers.begin()?;
            let snapshot = reader.connection()?.unchecked_transaction().map_err(engine)?;
            read(&snapshot)
        })
        .await
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.readers.source.path)
            .finish_non_exhaustive()
    }
}

/// What the writing thread does until the store is closed or dropped.
fn write_all(mut db: Connection, new_rows: &NewRows, jobs: &mpsc::Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Commit(changes, answer) => {
                let _ = answer.send(write::commit(&mut db, new_rows, changes));
            }
            Job::Close(answer) => {
                // Closing the last connection writes the log back into the file.
                let _ = answer.send(db.close().map_err(|(_, error)| engine(error)));
                return;
            }
        }
    }
}

/// Runs something that blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(StoreError::Closed),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, changes: Changes) -> Result<Committed> {
        self.ask(|answer| Job::Commit(changes, answer)).await
    }

    async fn account(&self) -> Result<Option<Account>> {
        self.read(read::account).await
    }

    async fn prekey(&self, id: u32) -> Result<Option<PreKey>> {
        self.read(move |db| read::prekey(db, id)).await
    }

    async fn prekeys_not_uploaded(&self, limit: usize) -> Result<Vec<PreKey>> {
        self.read(move |db| read::prekeys_not_uploaded(db, limit)).await
    }

    async fn prekey_count(&self) -> Result<PreKeyCount> {
        self.read(read::prekey_count).await
    }

    async fn signed_prekey(&self, id: u32) -> Result<Option<SignedPreKey>> {
        self.read(move |db| read::signed_prekey(db, id)).await
    }

    async fn signed_prekeys(&self) -> Result<Vec<SignedPreKey>> {
        self.read(read::signed_prekeys).await
    }

    async fn session(&self, device: &Jid) -> Result<Option<SecretBytes>> {
        let device = device.clone();
        self.read(move |db| read::session(db, &device)).await
    }

    async fn sessions(&self, devices: &[Jid]) -> Result<HashMap<Jid, SecretBytes>> {
        let devices = devices.to_vec();
        self.read(move |db| read::each_of(devices, |device| read::session(db, device))).await
    }

    async fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>> {
        let user = user.clone();
        self.read(move |db| read::session_devices(db, &user)).await
    }

    async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>> {
        let device = device.clone();
        self.read(move |db| read::identity(db, &device)).await
    }

    async fn identities(&self, devices: &[Jid]) -> Result<HashMap<Jid, PublicKey>> {
        let devices = devices.to_vec();
        self.read(move |db| read::each_of(devices, |device| read::identity(db, device))).await
    }

    async fn former_identity(&self, user: &Jid, key: &PublicKey) -> Result<Option<FormerIdentity>> {
        let (user, key) = (user.clone(), *key);
        self.read(move |db| former::former_identity(db, &user, &key)).await
    }

    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>> {
        let (group, sender) = (group.clone(), sender.clone());
        self.read(move |db| read::sender_key(db, &group, &sender)).await
    }

    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>> {
        let group = group.clone();
        self.read(move |db| read::sender_key_holders(db, &group)).await
    }

    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>> {
        let phone = phone.clone();
        self.read(move |db| read::lid_of(db, &phone)).await
    }

    async fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>> {
        let lid = lid.clone();
        self.read(move |db| read::phone_of(db, &lid)).await
    }

    async fn lids_of(&self, phones: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        let phones = phones.to_vec();
        self.read(move |db| read::each_of(phones, |phone| read::lid_of(db, phone))).await
    }

    async fn phones_of(&self, lids: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        let lids = lids.to_vec();
        self.read(move |db| read::each_of(lids, |lid| read::phone_of(db, lid))).await
    }

    async fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>> {
        let user = user.clone();
        self.read(move |db| read::device_list(db, &user)).await
    }

    async fn device_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, DeviceList>> {
        let users = users.to_vec();
        self.read(move |db| read::each_of(users, |user| read::device_list(db, user))).await
    }

    async fn device_vouchers(&self, devices: &[Jid]) -> Result<HashMap<Jid, DeviceVoucher>> {
        let devices = devices.to_vec();
        self.read(move |db| read::each_of(devices, |device| read::device_voucher(db, device))).await
    }

    async fn key_index_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, Vec<u8>>> {
        let users = users.to_vec();
        self.read(move |db| read::each_of(users, |user| read::key_index_list(db, user))).await
    }

    async fn group(&self, group: &Jid) -> Result<Option<GroupInfo>> {
        let group = group.clone();
        self.read(move |db| groups::group(db, &group)).await
    }

    async fn groups(&self) -> Result<Vec<GroupInfo>> {
        self.read(groups::groups).await
    }

    async fn is_seen(&self, seen: &Seen) -> Result<bool> {
        let seen = *seen;
        self.read(move |db| read::is_seen(db, &seen)).await
    }

    async fn retries_sent(&self, key: &MessageKey) -> Result<u32> {
        let key = key.clone();
        self.read(move |db| read::retries_sent(db, &key)).await
    }

    async fn retries_answered(&self, device: &Jid, id: &MessageId) -> Result<u32> {
        let (device, id) = (device.clone(), id.clone());
        self.read(move |db| read::retries_answered(db, &device, &id)).await
    }

    async fn session_recreated_at(&self, device: &Jid) -> Result<Option<Timestamp>> {
        let device = device.clone();
        self.read(move |db| read::session_recreated_at(db, &device)).await
    }

    async fn base_key(&self, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>> {
        let (device, id) = (device.clone(), id.clone());
        self.read(move |db| read::base_key(db, &device, &id)).await
    }

    async fn sent_message(&self, chat: &Jid, id: &MessageId) -> Result<Option<SentMessage>> {
        let (chat, id) = (chat.clone(), id.clone());
        self.read(move |db| read::sent_message(db, &chat, &id)).await
    }

    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>> {
        self.read(read::outbox_pending).await
    }

    async fn outbox_chats(&self) -> Result<Vec<Jid>> {
        self.read(read::outbox_chats).await
    }

    async fn outbox_next(&self, chat: &Jid, after: u64) -> Result<Option<(u64, OutboxEntry)>> {
        let chat = chat.clone();
        self.read(move |db| read::outbox_next(db, &chat, after)).await
    }

    async fn outbox_entry(&self, id: &MessageId) -> Result<Option<OutboxEntry>> {
        let id = id.clone();
        self.read(move |db| read::outbox_entry(db, &id)).await
    }

    async fn outbox_by_idempotency_key(&self, key: &str) -> Result<Option<OutboxEntry>> {
        let key = key.to_owned();
        self.read(move |db| read::outbox_by_idempotency_key(db, &key)).await
    }

    async fn pending_receipts(&self) -> Result<Vec<PendingReceipt>> {
        self.read(read::pending_receipts).await
    }

    async fn placeholder(&self, key: &MessageKey) -> Result<Option<Placeholder>> {
        let key = key.clone();
        self.read(move |db| read::placeholder(db, &key)).await
    }

    async fn placeholders(&self, limit: usize) -> Result<Vec<Placeholder>> {
        self.read(move |db| read::placeholders(db, limit)).await
    }

    async fn message_secret(&self, key: &MessageKey) -> Result<Option<MessageSecret>> {
        let key = key.clone();
        self.read(move |db| read_archive::message_secret(db, &key)).await
    }

    async fn privacy_token(&self, jid: &Jid) -> Result<Option<PrivacyToken>> {
        let jid = jid.clone();
        self.read(move |db| read_archive::privacy_token(db, &jid)).await
    }

    async fn nct_salt(&self) -> Result<Option<SecretBytes>> {
        self.read(read_archive::nct_salt).await
    }

    async fn contact(&self, jid: &Jid) -> Result<Option<Contact>> {
        let jid = jid.clone();
        self.read(move |db| read_archive::contact(db, &jid)).await
    }

    async fn contacts_of(&self, people: &[Jid]) -> Result<HashMap<Jid, Contact>> {
        let people = people.to_vec();
        self.read(move |db| read::each_of(people, |jid| read_archive::contact(db, jid))).await
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>> {
        let query = query.clone();
        self.read(move |db| Ok(query.select(scope::contacts_within(db, query.scope.as_deref())?)))
            .await
    }

    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>> {
        let jid = jid.clone();
        self.read(move |db| read_archive::chat(db, &jid)).await
    }

    async fn chats(&self, query: &ChatQuery) -> Result<Vec<Chat>> {
        let query = query.clone();
        self.read(move |db| Ok(query.select(scope::chats_within(db, query.scope.as_deref())?)))
            .await
    }

    async fn history_chunks(&self, limit: usize) -> Result<Vec<HistoryChunk>> {
        self.read(move |db| read::history_chunks(db, limit)).await
    }

    async fn history_gap(&self, place: &GapPlace) -> Result<Option<HistoryGap>> {
        let place = place.clone();
        self.read(move |db| read::history_gap(db, &place)).await
    }

    async fn history_gaps(&self, limit: usize) -> Result<Vec<HistoryGap>> {
        self.read(move |db| read::history_gaps(db, limit)).await
    }

    async fn sync_keys(&self) -> Result<Vec<SyncKey>> {
        self.read(app_state::sync_keys).await
    }

    async fn sync_key_requested_at(&self, id: &[u8]) -> Result<Option<Timestamp>> {
        let id = id.to_vec();
        self.read(move |db| app_state::sync_key_requested_at(db, &id)).await
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionVersion>> {
        self.read(move |db| app_state::collection(db, collection)).await
    }

    async fn collection_macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> Result<HashMap<SyncMac, SyncMac>> {
        let indexes = indexes.to_vec();
        self.read(move |db| app_state::collection_macs(db, collection, &indexes)).await
    }

    async fn pending_sync(&self) -> Result<Vec<PendingSync>> {
        self.read(app_state::pending_sync).await
    }

    async fn labels(&self) -> Result<Vec<Label>> {
        self.read(app_state::labels).await
    }

    async fn labels_on(&self, on: &Labelled) -> Result<Vec<String>> {
        let on = on.clone();
        self.read(move |db| app_state::labels_on(db, &on)).await
    }

    async fn labelled(&self, label: &str) -> Result<Vec<Labelled>> {
        let label = label.to_owned();
        self.read(move |db| app_state::labelled(db, &label)).await
    }

    async fn quick_replies(&self) -> Result<Vec<QuickReply>> {
        self.read(app_state::quick_replies).await
    }

    async fn is_status_muted(&self, person: &Jid) -> Result<bool> {
        let person = person.clone();
        self.read(move |db| app_state::is_status_muted(db, &person)).await
    }

    async fn is_locked(&self, chat: &Jid) -> Result<bool> {
        let chat = chat.clone();
        self.read(move |db| app_state::is_locked(db, &chat)).await
    }

    async fn settings_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let prefix = prefix.to_owned();
        self.read(move |db| app_state::settings_with_prefix(db, &prefix)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let query = query.clone();
        self.read(move |db| audit::audit(db, &query)).await
    }

    async fn audit_anchor(&self) -> Result<AuditAnchor> {
        self.read(audit::anchor).await
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let name = name.to_owned();
        self.read(move |db| read_archive::setting(db, &name)).await
    }

    async fn message(&self, key: &MessageKey) -> Result<Option<ArchivedMessage>> {
        let key = key.clone();
        self.read(move |db| read_archive::message(db, &key)).await
    }

    async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        let (chat, id) = (chat.clone(), id.clone());
        self.read(move |db| read_archive::messages_by_id(db, &chat, &id)).await
    }

    async fn messages_with_id(&self, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        let id = id.clone();
        self.read(move |db| read_archive::messages_with_id(db, &id)).await
    }

    async fn messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
        let query = query.clone();
        self.read(move |db| read_archive::messages(db, &query)).await
    }

    async fn messages_after(&self, seq: Seq, limit: usize) -> Result<Vec<ArchivedMessage>> {
        self.read(move |db| read_archive::messages_after(db, seq, limit)).await
    }

    async fn messages_at(&self, places: &[Seq]) -> Result<Vec<ArchivedMessage>> {
        let places = places.to_vec();
        self.read(move |db| {
            let found = places.iter().map(|seq| read_archive::message_by_seq(db, *seq));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>> {
        let key = key.clone();
        self.read(move |db| read_archive::text_versions(db, &key)).await
    }

    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>> {
        let target = target.clone();
        self.read(move |db| read_archive::reactions(db, &target)).await
    }

    async fn reactions_to(
        &self,
        targets: &[MessageKey],
    ) -> Result<HashMap<MessageKey, Vec<Reaction>>> {
        let targets = targets.to_vec();
        self.read(move |db| {
            read::each_of(targets, |target| {
                let reactions = read_archive::reactions(db, target)?;
                Ok((!reactions.is_empty()).then_some(reactions))
            })
        })
        .await
    }

    async fn additions(&self, target: &MessageKey) -> Result<Vec<Addition>> {
        let target = target.clone();
        self.read(move |db| additions::additions(db, &target)).await
    }

    async fn pins(&self, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>> {
        let chat = chat.clone();
        self.read(move |db| additions::pins(db, &chat, now)).await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>> {
        self.read(additions::next_expiry).await
    }

    async fn comments(&self, target: &MessageKey) -> Result<Vec<ArchivedMessage>> {
        let target = target.clone();
        self.read(move |db| additions::comments(db, &target)).await
    }

    async fn sealed(&self, target: &MessageKey) -> Result<Vec<SealedAddition>> {
        let target = target.clone();
        self.read(move |db| additions::sealed_on(db, &target)).await
    }

    async fn openable(&self, limit: usize) -> Result<Vec<MessageKey>> {
        self.read(move |db| additions::openable(db, limit)).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let query = query.clone();
        self.read(move |db| search::search(db, &query)).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        self.read(read_archive::last_seq).await
    }

    async fn stats(&self) -> Result<Stats> {
        self.read(read_archive::stats).await
    }

    async fn chats_within(&self, scope: &Scope, chats: &[Jid]) -> Result<HashSet<Jid>> {
        let (scope, chats) = (scope.clone(), chats.to_vec());
        self.read(move |db| scope::chats_among(db, &scope, &chats)).await
    }

    async fn authors_within(&self, scope: &Scope, people: &[Jid]) -> Result<HashSet<Jid>> {
        let (scope, people) = (scope.clone(), people.to_vec());
        self.read(move |db| scope::authors_among(db, &scope, &people)).await
    }

    async fn chat_within(&self, scope: &Scope, chat: &Jid) -> Result<Option<Chat>> {
        let (scope, chat) = (scope.clone(), chat.clone());
        self.read(move |db| scope::chat_within(db, &scope, &chat)).await
    }

    async fn stats_within(&self, scope: &Scope) -> Result<Stats> {
        let scope = scope.clone();
        self.read(move |db| scope::stats_within(db, &scope)).await
    }

    async fn close(&self) -> Result<()> {
        self.readers.close().await?;
        let closed = self.ask(Job::Close).await;
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A process may exit after this; see `drop`.
            blocking(move || thread.join().map_err(|_| StoreError::Closed)).await?;
        }
        closed
    }
}
