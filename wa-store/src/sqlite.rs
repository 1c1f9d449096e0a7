//! The store that stays: one SQLite file, encrypted whole with SQLCipher.
//!
//! One thread owns the connection that writes and makes commits in the order they are asked for, those
//! that wait in one transaction. Another is kept free for look-ups by key, and a few answer what may
//! take long; each has a connection of its own. What active conversations ask for again and again
//! is kept at hand. The log is synced at every transaction (`synchronous = FULL`), because what is
//! acknowledged to the server must survive the power going out, not only the process.

mod additions;
mod app_state;
mod audit;
mod cache;
mod check;
mod former;
mod groups;
mod index;
mod journal;
mod key;
mod lid;
mod open;
#[cfg(test)]
mod plans;
mod read;
mod read_archive;
mod readers;
mod removal;
mod retention;
mod row_forms;
mod rows;
mod scope;
mod search;
mod upkeep;
mod walk;
mod write;
mod write_archive;
mod writer;

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

use self::{
    cache::{Cache, Cached, Look, Lookup, Moment, Value},
    open::Source,
    readers::{Line, Readers},
    writer::{Job, Writer},
};
pub use self::{
    key::{DatabaseKey, InvalidDatabaseKey},
    open::OpenOptions,
};
use crate::{
    Account, Addition, ArchivedMessage, AuditAnchor, AuditEntry, AuditQuery, Changes, Chat,
    ChatQuery, CollectionVersion, Committed, Contact, ContactQuery, DeviceList, DeviceVoucher,
    FormerIdentity, GapPlace, HistoryChunk, HistoryGap, JournalEntry, Label, Labelled, MessageId,
    MessageKey, MessageQuery, MessageSecret, OutboxEntry, PendingReceipt, PendingSync, Pin,
    Placeholder, PreKey, PreKeyCount, Prefetch, PrivacyToken, QuickReply, Reaction, Scope,
    SealedAddition, SearchPage, SearchQuery, SecretBytes, Seen, SentMessage, Seq, SignedPreKey,
    Stats, Store, StoreError, SyncKey, SyncMac, TextVersion, Timestamp, store::Result,
};

/// A [`Store`] in an encrypted SQLite file.
///
/// Must be used inside a tokio runtime. A commit whose future is dropped may still land; a read whose
/// future is dropped is broken off. Nobody else may write to the file meanwhile. Dropping a
/// store that was not closed waits for the commit under way and breaks off the reads. A process
/// should close or drop its stores before it ends: SQLCipher cleans up at exit, and a thread that
/// is still at work in it then crashes.
pub struct SqliteStore {
    writer: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    readers: Arc<Readers>,
    cache: Arc<Cache>,
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

    /// Writes a database anew without its free pages, which takes as long as copying it and as much room
    /// again. Databases made by older versions give no room back to the disk until this was done once;
    /// it is never done by itself. Nobody may have the database open.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::Locked`] where somebody has it open.
    pub async fn compact(path: impl AsRef<Path>, key: DatabaseKey) -> Result<()> {
        let options = OpenOptions { create: false, ..OpenOptions::default() };
        let source = Source { path: path.as_ref().to_owned(), key, options };
        blocking(move || source.compact()).await
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
        // What somebody else writes is not heard of.
        let cache =
            Arc::new(if source.options.read_only { Cache::off() } else { Cache::default() });
        let known = Arc::clone(&cache);
        let db = blocking(move || Writer::new(opened.open()?, known)).await?;
        let (writer, jobs) = mpsc::channel();
        let spawned =
            thread::Builder::new().name("wa-store".to_owned()).spawn(move || db.work(&jobs));
        let thread = match spawned {
            Ok(thread) => Mutex::new(Some(thread)),
            Err(error) => return Err(StoreError::Io { path: source.path, source: error }),
        };
        let readers = Arc::new(Readers::start(source)?);
        Ok(Self { writer: Mutex::new(Some(writer)), thread, readers, cache })
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

    /// Reads what may take long, in one snapshot.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.ask(Line::Archive, read).await
    }

    /// Looks up by keys what receiving or sending waits for.
    async fn find<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.ask(Line::Lookups, read).await
    }

    /// What is at hand, or else is looked up and then at hand.
    async fn known<T: Cached>(&self, key: Lookup) -> Result<Option<T>> {
        let value = match self.cache.look(&key) {
            Look::Known(value) => value,
            Look::Unknown(since) => {
                let cache = Arc::clone(&self.cache);
                let read = move |db: &Connection| {
                    let value = key.read(db)?;
                    cache.fill(since, key, value.clone());
                    Ok(value)
                };
                self.find(read).await?
            }
        };
        typed(value)
    }

    /// The same for several at once; those of which there is nothing are missing.
    async fn known_of<T: Cached>(
        &self,
        asked: &[Jid],
        key: impl Fn(&Jid) -> Lookup,
    ) -> Result<HashMap<Jid, T>> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for jid in asked {
            let key = key(jid);
            match self.cache.look(&key) {
                Look::Known(value) => {
                    if let Some(value) = typed(value)? {
                        found.insert(jid.clone(), value);
                    }
                }
                Look::Unknown(since) => missing.push((jid.clone(), (since, key))),
            }
        }
        let (jids, keys): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
        for (jid, value) in jids.into_iter().zip(self.look_up(keys).await?) {
            if let Some(value) = typed(value)? {
                found.insert(jid, value);
            }
        }
        Ok(found)
    }

    /// Looks up what is not at hand, in one snapshot.
    async fn look_up(&self, keys: Vec<(Moment, Lookup)>) -> Result<Vec<Option<Value>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let cache = Arc::clone(&self.cache);
        let read = move |db: &Connection| {
            let mut values = Vec::with_capacity(keys.len());
            for (since, key) in keys {
                let value = key.read(db)?;
                cache.fill(since, key, value.clone());
                values.push(value);
            }
            Ok(values)
        };
        self.find(read).await
    }
}

/// What a look ahead is for, each once.
fn keys_of(ahead: &Prefetch) -> HashSet<Lookup> {
    let Prefetch { devices, people, sender_keys, seen, prekeys, signed_prekeys, groups } = ahead;
    let mut keys = HashSet::with_capacity(ahead.len() * 4);
    for device in devices {
        keys.extend([Lookup::session(device), Lookup::identity(device), Lookup::voucher(device)]);
    }
    for person in people {
        keys.extend([Lookup::lid_of(person), Lookup::phone_of(person)]);
        keys.extend([Lookup::device_list(person), Lookup::key_index_list(person)]);
    }
    keys.extend(sender_keys.iter().map(|(group, sender)| Lookup::sender_key(group, sender)));
    keys.extend(seen.iter().map(Lookup::seen));
    keys.extend(prekeys.iter().copied().map(Lookup::PreKey));
    keys.extend(signed_prekeys.iter().copied().map(Lookup::SignedPreKey));
    keys.extend(groups.iter().map(Lookup::group));
    keys
}

/// A value of the type that stands under its key.
fn typed<T: Cached>(value: Option<Value>) -> Result<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    T::unwrap(value).map(Some).ok_or(StoreError::Corrupt { what: "a value of another type" })
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.readers.source.path)
            .finish_non_exhaustive()
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

    async fn prefetch(&self, ahead: &Prefetch) -> Result<()> {
        let mut missing = Vec::new();
        for key in keys_of(ahead) {
            if let Look::Unknown(since) = self.cache.look(&key) {
                missing.push((since, key));
            }
        }
        self.look_up(missing).await.map(drop)
    }

    async fn journal(&self) -> Result<Vec<JournalEntry>> {
        self.read(journal::entries).await
    }

    async fn account(&self) -> Result<Option<Account>> {
        self.find(read::account).await
    }

    async fn prekey(&self, id: u32) -> Result<Option<PreKey>> {
        self.known(Lookup::PreKey(id)).await
    }

    async fn prekeys_not_uploaded(&self, limit: usize) -> Result<Vec<PreKey>> {
        self.find(move |db| read::prekeys_not_uploaded(db, limit)).await
    }

    async fn prekey_count(&self) -> Result<PreKeyCount> {
        self.find(read::prekey_count).await
    }

    async fn signed_prekey(&self, id: u32) -> Result<Option<SignedPreKey>> {
        self.known(Lookup::SignedPreKey(id)).await
    }

    async fn signed_prekeys(&self) -> Result<Vec<SignedPreKey>> {
        self.find(read::signed_prekeys).await
    }

    async fn session(&self, device: &Jid) -> Result<Option<SecretBytes>> {
        self.known(Lookup::session(device)).await
    }

    async fn sessions(&self, devices: &[Jid]) -> Result<HashMap<Jid, SecretBytes>> {
        self.known_of(devices, Lookup::session).await
    }

    async fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>> {
        let user = user.clone();
        self.find(move |db| read::session_devices(db, &user)).await
    }

    async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>> {
        self.known(Lookup::identity(device)).await
    }

    async fn identities(&self, devices: &[Jid]) -> Result<HashMap<Jid, PublicKey>> {
        self.known_of(devices, Lookup::identity).await
    }

    async fn former_identity(&self, user: &Jid, key: &PublicKey) -> Result<Option<FormerIdentity>> {
        let (user, key) = (user.clone(), *key);
        self.find(move |db| former::former_identity(db, &user, &key)).await
    }

    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>> {
        self.known(Lookup::sender_key(group, sender)).await
    }

    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>> {
        Ok(self.known(Lookup::sender_key_holders(group)).await?.unwrap_or_default())
    }

    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>> {
        self.known(Lookup::lid_of(phone)).await
    }

    async fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>> {
        self.known(Lookup::phone_of(lid)).await
    }

    async fn lids_of(&self, phones: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        self.known_of(phones, Lookup::lid_of).await
    }

    async fn phones_of(&self, lids: &[Jid]) -> Result<HashMap<Jid, Jid>> {
        self.known_of(lids, Lookup::phone_of).await
    }

    async fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>> {
        self.known(Lookup::device_list(user)).await
    }

    async fn device_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, DeviceList>> {
        self.known_of(users, Lookup::device_list).await
    }

    async fn device_vouchers(&self, devices: &[Jid]) -> Result<HashMap<Jid, DeviceVoucher>> {
        self.known_of(devices, Lookup::voucher).await
    }

    async fn key_index_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, Vec<u8>>> {
        self.known_of(users, Lookup::key_index_list).await
    }

    async fn group(&self, group: &Jid) -> Result<Option<GroupInfo>> {
        self.known(Lookup::group(group)).await
    }

    async fn groups(&self) -> Result<Vec<GroupInfo>> {
        self.read(groups::groups).await
    }

    async fn is_seen(&self, seen: &Seen) -> Result<bool> {
        let key = Lookup::seen(seen);
        let value = match self.cache.look(&key) {
            Look::Known(value) => value,
            Look::Unknown(since) => self.look_up(vec![(since, key)]).await?.pop().flatten(),
        };
        Ok(value.is_some())
    }

    async fn retries_sent(&self, key: &MessageKey) -> Result<u32> {
        let key = key.clone();
        self.find(move |db| read::retries_sent(db, &key)).await
    }

    async fn retries_answered(&self, device: &Jid, id: &MessageId) -> Result<u32> {
        let (device, id) = (device.clone(), id.clone());
        self.find(move |db| read::retries_answered(db, &device, &id)).await
    }

    async fn session_recreated_at(&self, device: &Jid) -> Result<Option<Timestamp>> {
        let device = device.clone();
        self.find(move |db| read::session_recreated_at(db, &device)).await
    }

    async fn base_key(&self, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>> {
        let (device, id) = (device.clone(), id.clone());
        self.find(move |db| read::base_key(db, &device, &id)).await
    }

    async fn sent_message(&self, chat: &Jid, id: &MessageId) -> Result<Option<SentMessage>> {
        let (chat, id) = (chat.clone(), id.clone());
        self.find(move |db| read::sent_message(db, &chat, &id)).await
    }

    async fn sent_audience(&self, chat: &Jid, id: &MessageId) -> Result<Vec<Jid>> {
        let (chat, id) = (chat.clone(), id.clone());
        self.read(move |db| read::sent_audience(db, &chat, &id)).await
    }

    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>> {
        self.find(read::outbox_pending).await
    }

    async fn outbox_chats(&self) -> Result<Vec<Jid>> {
        self.find(read::outbox_chats).await
    }

    async fn outbox_next(&self, chat: &Jid, after: u64) -> Result<Option<(u64, OutboxEntry)>> {
        let chat = chat.clone();
        self.find(move |db| read::outbox_next(db, &chat, after)).await
    }

    async fn outbox_entry(&self, id: &MessageId) -> Result<Option<OutboxEntry>> {
        let id = id.clone();
        self.find(move |db| read::outbox_entry(db, &id)).await
    }

    async fn outbox_by_idempotency_key(&self, key: &str) -> Result<Option<OutboxEntry>> {
        let key = key.to_owned();
        self.find(move |db| read::outbox_by_idempotency_key(db, &key)).await
    }

    async fn pending_receipts(&self) -> Result<Vec<PendingReceipt>> {
        self.find(read::pending_receipts).await
    }

    async fn placeholder(&self, key: &MessageKey) -> Result<Option<Placeholder>> {
        let key = key.clone();
        self.find(move |db| read::placeholder(db, &key)).await
    }

    async fn placeholders(&self, limit: usize) -> Result<Vec<Placeholder>> {
        self.read(move |db| read::placeholders(db, limit)).await
    }

    async fn message_secret(&self, key: &MessageKey) -> Result<Option<MessageSecret>> {
        let key = key.clone();
        self.find(move |db| read_archive::message_secret(db, &key)).await
    }

    async fn privacy_token(&self, jid: &Jid) -> Result<Option<PrivacyToken>> {
        let jid = jid.clone();
        self.find(move |db| read_archive::privacy_token(db, &jid)).await
    }

    async fn nct_salt(&self) -> Result<Option<SecretBytes>> {
        self.find(read_archive::nct_salt).await
    }

    async fn contact(&self, jid: &Jid) -> Result<Option<Contact>> {
        let jid = jid.clone();
        self.find(move |db| read_archive::contact(db, &jid)).await
    }

    async fn contacts_of(&self, people: &[Jid]) -> Result<HashMap<Jid, Contact>> {
        let people = people.to_vec();
        self.find(move |db| read::each_of(people, |jid| read_archive::contact(db, jid))).await
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>> {
        let query = query.clone();
        self.read(move |db| Ok(query.select(scope::contacts_within(db, query.scope.as_deref())?)))
            .await
    }

    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>> {
        let jid = jid.clone();
        self.find(move |db| read_archive::chat(db, &jid)).await
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
        self.find(move |db| read::history_gap(db, &place)).await
    }

    async fn history_gaps(&self, limit: usize) -> Result<Vec<HistoryGap>> {
        self.read(move |db| read::history_gaps(db, limit)).await
    }

    async fn sync_keys(&self) -> Result<Vec<SyncKey>> {
        self.find(app_state::sync_keys).await
    }

    async fn sync_key_requested_at(&self, id: &[u8]) -> Result<Option<Timestamp>> {
        let id = id.to_vec();
        self.find(move |db| app_state::sync_key_requested_at(db, &id)).await
    }

    async fn collection(&self, collection: Collection) -> Result<Option<CollectionVersion>> {
        self.find(move |db| app_state::collection(db, collection)).await
    }

    async fn collection_macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> Result<HashMap<SyncMac, SyncMac>> {
        let indexes = indexes.to_vec();
        self.find(move |db| app_state::collection_macs(db, collection, &indexes)).await
    }

    async fn pending_sync(&self) -> Result<Vec<PendingSync>> {
        self.find(app_state::pending_sync).await
    }

    async fn labels(&self) -> Result<Vec<Label>> {
        self.read(app_state::labels).await
    }

    async fn labels_on(&self, on: &Labelled) -> Result<Vec<String>> {
        let on = on.clone();
        self.find(move |db| app_state::labels_on(db, &on)).await
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
        self.find(move |db| app_state::is_status_muted(db, &person)).await
    }

    async fn is_locked(&self, chat: &Jid) -> Result<bool> {
        let chat = chat.clone();
        self.find(move |db| app_state::is_locked(db, &chat)).await
    }

    async fn settings_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let prefix = prefix.to_owned();
        self.find(move |db| app_state::settings_with_prefix(db, &prefix)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let query = query.clone();
        self.read(move |db| audit::audit(db, &query)).await
    }

    async fn audit_anchor(&self) -> Result<AuditAnchor> {
        self.find(audit::anchor).await
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.known(Lookup::setting(name)).await
    }

    async fn message(&self, key: &MessageKey) -> Result<Option<ArchivedMessage>> {
        let key = key.clone();
        self.find(move |db| read_archive::message(db, &key)).await
    }

    async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        let (chat, id) = (chat.clone(), id.clone());
        self.find(move |db| read_archive::messages_by_id(db, &chat, &id)).await
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
        self.find(move |db| {
            let found = places.iter().map(|seq| read_archive::message_by_seq(db, *seq));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>> {
        let key = key.clone();
        self.find(move |db| read_archive::text_versions(db, &key)).await
    }

    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>> {
        let target = target.clone();
        self.find(move |db| read_archive::reactions(db, &target)).await
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
        self.find(move |db| additions::additions(db, &target)).await
    }

    async fn pins(&self, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>> {
        let chat = chat.clone();
        self.find(move |db| additions::pins(db, &chat, now)).await
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
        self.find(move |db| additions::sealed_on(db, &target)).await
    }

    async fn openable(&self, limit: usize) -> Result<Vec<MessageKey>> {
        self.read(move |db| additions::openable(db, limit)).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let query = query.clone();
        self.read(move |db| search::search(db, &query)).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        self.find(read_archive::last_seq).await
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
        self.cache.close();
        let readers = Arc::clone(&self.readers);
        blocking(move || {
            readers.close();
            Ok(())
        })
        .await?;
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
