//! The trait every store implements: many reads, one write.
//!
//! Knows nothing of engines. What an implementation must hold to is in `tests/conformance.rs`.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use wa_crypto::PublicKey;
use wa_proto::{Jid, app_state::Collection, stanza::GroupInfo};

use crate::{
    Account, Added, Addition, ArchivedMessage, AuditAnchor, AuditEntry, AuditQuery, Changes, Chat,
    ChatQuery, CollectionVersion, Committed, Contact, ContactQuery, DeviceList, DeviceVoucher,
    EventResponse, FormerIdentity, GapPlace, HistoryChunk, HistoryGap, JournalEntry, Label,
    Labelled, MessageId, MessageKey, MessageQuery, MessageSecret, OutboxEntry, PendingReceipt,
    PendingSync, Pin, Placeholder, PollTally, PreKey, PreKeyCount, Prefetch, PrivacyToken,
    QuickReply, Reaction, Scope, SealedAddition, SearchPage, SearchQuery, SecretBytes, Seen,
    SentMessage, Seq, SignedPreKey, Stats, StoreError, SyncKey, SyncMac, TextVersion, Timestamp,
};

/// What every call gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// One account's keys, sessions, queues and messages.
///
/// A commit lands whole or not at all, in the order of calls; a read sees every commit that
/// returned before it began. Every method's errors are those of [`StoreError`]; a read fails only
/// for the engine's reasons.
///
/// Sessions, identities, sender keys and device lists are found under exactly the JID given;
/// everything else is found under phone number and LID alike.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes all changes, or none. When it returns, they are on the disk.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    async fn commit(&self, changes: Changes) -> Result<Committed>;

    /// Reads ahead what a batch of messages is about to ask for, all at once, so that the look-ups
    /// that follow find it at hand. It changes no answer, and a store in which every look-up is
    /// cheap does nothing.
    async fn prefetch(&self, ahead: &Prefetch) -> Result<()> {
        let _ = ahead;
        Ok(())
    }

    /// What earlier commits did that was to be announced and was not
    /// ([`Change::Announce`](crate::Change::Announce)), the oldest first. What is no longer in the
    /// archive is missing.
    async fn journal(&self) -> Result<Vec<JournalEntry>>;

    /// This device's credentials.
    async fn account(&self) -> Result<Option<Account>>;

    /// A one-time prekey.
    async fn prekey(&self, id: u32) -> Result<Option<PreKey>>;
    /// One-time prekeys the server does not have, by id, at most `limit`.
    async fn prekeys_not_uploaded(&self, limit: usize) -> Result<Vec<PreKey>>;
    /// How many one-time prekeys there are.
    async fn prekey_count(&self) -> Result<PreKeyCount>;
    /// A signed prekey.
    async fn signed_prekey(&self, id: u32) -> Result<Option<SignedPreKey>>;
    /// All signed prekeys, the newest first.
    async fn signed_prekeys(&self) -> Result<Vec<SignedPreKey>>;

    /// The session with a device.
    async fn session(&self, device: &Jid) -> Result<Option<SecretBytes>>;
    /// The sessions with these devices; those without one are missing.
    async fn sessions(&self, devices: &[Jid]) -> Result<HashMap<Jid, SecretBytes>>;
    /// The devices of a user, in this name space, with which there is a session.
    async fn session_devices(&self, user: &Jid) -> Result<Vec<Jid>>;
    /// The identity key of a device.
    async fn identity(&self, device: &Jid) -> Result<Option<PublicKey>>;
    /// The identity keys of these devices; those without one are missing.
    async fn identities(&self, devices: &[Jid]) -> Result<HashMap<Jid, PublicKey>>;
    /// What became of an identity key that a device of this user had before, in this name space;
    /// `None` of a key that none of them had.
    async fn former_identity(&self, user: &Jid, key: &PublicKey) -> Result<Option<FormerIdentity>>;
    /// A device's sender key for a group.
    async fn sender_key(&self, group: &Jid, sender: &Jid) -> Result<Option<SecretBytes>>;
    /// Which devices have this device's own sender key of a group; unknown ones are missing.
    async fn sender_key_holders(&self, group: &Jid) -> Result<HashMap<Jid, bool>>;

    /// The LID of a person given by phone number; device 0, whatever device is asked for.
    async fn lid_of(&self, phone: &Jid) -> Result<Option<Jid>>;
    /// The phone number of a person given by LID; device 0, whatever device is asked for.
    async fn phone_of(&self, lid: &Jid) -> Result<Option<Jid>>;
    /// The LIDs of people given by phone number; unknown ones are missing.
    async fn lids_of(&self, phones: &[Jid]) -> Result<HashMap<Jid, Jid>>;
    /// The phone numbers of people given by LID; unknown ones are missing.
    async fn phones_of(&self, lids: &[Jid]) -> Result<HashMap<Jid, Jid>>;
    /// A person's devices.
    async fn device_list(&self, user: &Jid) -> Result<Option<DeviceList>>;
    /// The devices of these people; those without a list are missing.
    async fn device_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, DeviceList>>;
    /// What these companions proved; those that proved nothing are missing.
    async fn device_vouchers(&self, devices: &[Jid]) -> Result<HashMap<Jid, DeviceVoucher>>;
    /// The newest signed lists of key indexes of these people; those without one are missing.
    async fn key_index_lists(&self, users: &[Jid]) -> Result<HashMap<Jid, Vec<u8>>>;

    /// What is known of a group.
    async fn group(&self, group: &Jid) -> Result<Option<GroupInfo>>;
    /// The groups of which anything is known, by JID.
    async fn groups(&self) -> Result<Vec<GroupInfo>>;

    /// Whether an encrypted payload was handled.
    async fn is_seen(&self, seen: &Seen) -> Result<bool>;
    /// How many retry receipts were sent for a message.
    async fn retries_sent(&self, key: &MessageKey) -> Result<u32>;
    /// How many retry receipts of a device for a message were answered.
    async fn retries_answered(&self, device: &Jid, id: &MessageId) -> Result<u32>;
    /// When the session with a device was last made anew.
    async fn session_recreated_at(&self, device: &Jid) -> Result<Option<Timestamp>>;
    /// The base key that was remembered for a device and message.
    async fn base_key(&self, device: &Jid, id: &MessageId) -> Result<Option<PublicKey>>;
    /// A message this device sent, by chat and id.
    async fn sent_message(&self, chat: &Jid, id: &MessageId) -> Result<Option<SentMessage>>;
    /// To whom a message was sent, by [`Change::SetSentAudience`](crate::Change::SetSentAudience);
    /// nobody if that is not known.
    async fn sent_audience(&self, chat: &Jid, id: &MessageId) -> Result<Vec<Jid>>;

    /// The outbox entries that are still to be sent, in the order they were put.
    async fn outbox_pending(&self) -> Result<Vec<OutboxEntry>>;
    /// The chats for which something is still to be sent, in the order of their oldest entry, as
    /// those who put it named them.
    async fn outbox_chats(&self) -> Result<Vec<Jid>>;
    /// The oldest entry for a chat that is still to be sent and stands behind a place in the queue
    /// (0 for all), with its own place, which is above 0.
    async fn outbox_next(&self, chat: &Jid, after: u64) -> Result<Option<(u64, OutboxEntry)>>;
    /// An outbox entry, whatever its state.
    async fn outbox_entry(&self, id: &MessageId) -> Result<Option<OutboxEntry>>;
    /// The outbox entry that has this idempotency key.
    async fn outbox_by_idempotency_key(&self, key: &str) -> Result<Option<OutboxEntry>>;
    /// Receipts and acks that are still to be sent, in the order they were put.
    async fn pending_receipts(&self) -> Result<Vec<PendingReceipt>>;
    /// A message that could not be read.
    async fn placeholder(&self, key: &MessageKey) -> Result<Option<Placeholder>>;
    /// Messages that could not be read, the oldest first, at most `limit`.
    async fn placeholders(&self, limit: usize) -> Result<Vec<Placeholder>>;

    /// The secret a message carries, with its true sender.
    async fn message_secret(&self, key: &MessageKey) -> Result<Option<MessageSecret>>;
    /// The token a person gave.
    async fn privacy_token(&self, jid: &Jid) -> Result<Option<PrivacyToken>>;
    /// The account's NCT salt.
    async fn nct_salt(&self) -> Result<Option<SecretBytes>>;
    /// A person.
    async fn contact(&self, jid: &Jid) -> Result<Option<Contact>>;
    /// These people; those of whom nothing is known are missing.
    async fn contacts_of(&self, people: &[Jid]) -> Result<HashMap<Jid, Contact>>;
    /// People, by name.
    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<Contact>>;
    /// A chat.
    async fn chat(&self, jid: &Jid) -> Result<Option<Chat>>;
    /// Chats.
    async fn chats(&self, query: &ChatQuery) -> Result<Vec<Chat>>;
    /// Parts of the history that wait to be read, the one that waits longest first, at most `limit`.
    async fn history_chunks(&self, limit: usize) -> Result<Vec<HistoryChunk>>;
    /// The gap that is noted at a place.
    async fn history_gap(&self, place: &GapPlace) -> Result<Option<HistoryGap>>;
    /// Gaps of the history, in the order of their places, at most `limit`.
    async fn history_gaps(&self, limit: usize) -> Result<Vec<HistoryGap>>;
    /// All sync keys, the oldest first.
    async fn sync_keys(&self) -> Result<Vec<SyncKey>>;
    /// When the own devices were last asked for a sync key.
    async fn sync_key_requested_at(&self, id: &[u8]) -> Result<Option<Timestamp>>;
    /// Where a collection is; `None` if nothing of it was ever kept.
    async fn collection(&self, collection: Collection) -> Result<Option<CollectionVersion>>;
    /// The value MACs that stand at these indexes of a collection; those without one are missing.
    async fn collection_macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> Result<HashMap<SyncMac, SyncMac>>;
    /// Changes the other devices have not been told yet, in the order they were put.
    async fn pending_sync(&self) -> Result<Vec<PendingSync>>;
    /// All labels, in the order of their places.
    async fn labels(&self) -> Result<Vec<Label>>;
    /// The labels on a chat or message, by id.
    async fn labels_on(&self, on: &Labelled) -> Result<Vec<String>>;
    /// What has a label: chats, then messages.
    async fn labelled(&self, label: &str) -> Result<Vec<Labelled>>;
    /// All ready-made answers.
    async fn quick_replies(&self) -> Result<Vec<QuickReply>>;
    /// Whether a person's status posts are hidden.
    async fn is_status_muted(&self, person: &Jid) -> Result<bool>;
    /// Whether a chat is locked.
    async fn is_locked(&self, chat: &Jid) -> Result<bool>;
    /// Settings of the client's own whose names begin like this, by name.
    async fn settings_with_prefix(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>>;
    /// What was done in the account's name, the newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;
    /// On what the first entry of the audit's chain builds.
    async fn audit_anchor(&self) -> Result<AuditAnchor>;
    /// A setting of the client's own.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// A message.
    async fn message(&self, key: &MessageKey) -> Result<Option<ArchivedMessage>>;
    /// Messages with this id in a chat, whoever sent them; nearly always one at most.
    async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>>;
    /// Messages with this id in whichever chat, at most [`MAX_PAGE`](crate::MAX_PAGE); nearly always
    /// one at most.
    async fn messages_with_id(&self, id: &MessageId) -> Result<Vec<ArchivedMessage>>;
    /// Messages, by time.
    async fn messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>>;
    /// Messages that were committed after one, in the order of commits, at most `limit`.
    async fn messages_after(&self, seq: Seq, limit: usize) -> Result<Vec<ArchivedMessage>>;
    /// The messages with these numbers, in the order asked; those that are gone are missing.
    async fn messages_at(&self, places: &[Seq]) -> Result<Vec<ArchivedMessage>>;
    /// All texts a message has had, the first first; empty if there is no such message.
    async fn text_versions(&self, key: &MessageKey) -> Result<Vec<TextVersion>>;
    /// The reactions to a message, the oldest first.
    async fn reactions(&self, target: &MessageKey) -> Result<Vec<Reaction>>;
    /// The reactions to these messages, each one's oldest first; messages without are missing.
    async fn reactions_to(
        &self,
        targets: &[MessageKey],
    ) -> Result<HashMap<MessageKey, Vec<Reaction>>>;
    /// What people added to a message, in no order; of those that replace each other the newest.
    async fn additions(&self, target: &MessageKey) -> Result<Vec<Addition>>;
    /// The messages pinned for everyone in a chat at `now`, the newest pin first.
    async fn pins(&self, chat: &Jid, now: Timestamp) -> Result<Vec<Pin>>;
    /// When the next message disappears that is not kept.
    async fn next_expiry(&self) -> Result<Option<Timestamp>>;
    /// The comments on a message, the oldest first, at most [`MAX_PAGE`](crate::MAX_PAGE).
    async fn comments(&self, target: &MessageKey) -> Result<Vec<ArchivedMessage>>;
    /// What is added to a message and could not be opened yet, the oldest first.
    async fn sealed(&self, target: &MessageKey) -> Result<Vec<SealedAddition>>;
    /// Messages that have both a secret and sealed additions which nobody tried to open, at most
    /// `limit`.
    async fn openable(&self, limit: usize) -> Result<Vec<MessageKey>>;

    /// How a poll stands; nothing if the message is no poll, or has not come.
    async fn poll(&self, key: &MessageKey) -> Result<Option<PollTally>> {
        Ok(PollTally::count(&self.additions(key).await?))
    }
    /// The answers to an event, each person's newest, in the order of their JIDs.
    async fn event_responses(&self, event: &MessageKey) -> Result<Vec<(Jid, EventResponse)>> {
        let additions = self.additions(event).await?.into_iter();
        let mut responses: Vec<_> = additions
            .filter_map(|addition| match addition.what {
                Added::EventResponse(response) => Some((addition.author, response)),
                _ => None,
            })
            .collect();
        responses.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(responses)
    }

    /// Messages whose text holds what is searched for; see [`crate::search`].
    ///
    /// # Errors
    /// Besides the engine's: [`StoreError::SearchTooLong`], [`StoreError::SearchOnlyExcludes`],
    /// [`StoreError::BadCursor`].
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage>;
    /// The greatest number given to a message so far.
    async fn last_seq(&self) -> Result<Seq>;
    /// How much there is.
    async fn stats(&self) -> Result<Stats>;

    /// Which of these chats are within a scope, whether or not anything was ever said there.
    async fn chats_within(&self, scope: &Scope, chats: &[Jid]) -> Result<HashSet<Jid>>;
    /// Which of these people's words are within a scope, in a chat that is.
    async fn authors_within(&self, scope: &Scope, people: &[Jid]) -> Result<HashSet<Jid>>;
    /// A chat, if it is within a scope, with only what is within it as unread and last message.
    async fn chat_within(&self, scope: &Scope, chat: &Jid) -> Result<Option<Chat>>;
    /// How much there is within a scope: of messages, chats, contacts, what waits to be sent and what
    /// could not be read. The last sequence number is that of a message within it.
    async fn stats_within(&self, scope: &Scope) -> Result<Stats>;

    /// Writes out what is buffered and releases the files. Later calls are refused.
    async fn close(&self) -> Result<()>;
}
