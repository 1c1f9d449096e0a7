//! Where a WhatsApp client keeps keys, sessions and messages: one transaction, encrypted SQLite or
//! memory, full-text search.
//!
//! One [`Store`] is one account. There is one write, [`Store::commit`]: whatever belongs together,
//! such as a ratchet step, the plaintext it gave, the mark that the stanza was handled and the
//! archived message, goes into one [`Changes`] and lands whole or not at all. The crate knows
//! nothing of the network, and of Signal only that a record is bytes.
//!
//! ```
//! use wa_proto::Jid;
//! use wa_store::{
//!     Change, Changes, MemoryStore, MessageKey, NewMessage, SearchQuery, Store, Timestamp,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), wa_store::StoreError> {
//! let store = MemoryStore::new();
//! let ada = Jid::phone("15550100");
//! let key = MessageKey::received(ada.clone(), ada, "3EB0C0FFEE");
//! let message = NewMessage::text(key, Timestamp::from_secs(1_700_000_000), "Tea at the café?");
//! store.commit(Changes::from(Change::Archive(Box::new(message)))).await?;
//!
//! let page = store.search(&SearchQuery::new("cafe")).await?;
//! let hit = &page.hits[0];
//! let text = hit.message.text.as_deref().unwrap_or_default();
//! assert_eq!(hit.snippet.marked(text, "[", "]"), "Tea at the [café]?");
//! # Ok(())
//! # }
//! ```

// The statements that the rules of every store lead to are looked at in `sqlite/plans.rs`.
#[cfg(test)]
extern crate self as wa_store;

#[cfg(test)]
#[path = "../tests/conformance"]
#[expect(
    clippy::field_reassign_with_default,
    reason = "outside of this crate these types cannot be written out"
)]
mod conformance {
    pub(crate) mod additions;
    pub(crate) mod app_state;
    pub(crate) mod archive;
    pub(crate) mod history;
    pub(crate) mod keys;
    pub(crate) mod lid;
    pub(crate) mod life;
    pub(crate) mod people;
    pub(crate) mod queues;
    pub(crate) mod samples;
    pub(crate) mod scope;
    pub(crate) mod search;
}

mod account;
mod addition;
mod app_state;
mod audit;
mod changes;
mod chat;
mod contact;
mod device_list;
mod error;
mod former_identity;
mod history;
mod id;
mod journal;
mod memory;
mod message;
mod outbox;
mod prefetch;
mod prekey;
mod query;
mod retry;
mod scope;
pub mod search;
mod secret;
mod send_failure;
mod sqlite;
mod store;

pub use account::Account;
pub use addition::{
    Added, AddedKind, Addition, Alteration, Attendance, EventResponse, MAX_POLL_OPTIONS,
    MAX_SEALED_PER_TARGET, Moment, Pin, Poll, PollTally, Position, SEALED_RETENTION_SECS,
    SealedAddition, TalliedOption,
};
pub use app_state::{
    CollectionUpdate, CollectionVersion, Label, Labelled, PendingSync, QuickReply, SyncChange,
    SyncKey, SyncMac,
};
pub use audit::{
    AUDIT_RETENTION_SECS, AuditAnchor, AuditBreak, AuditEntry, AuditProof, AuditQuery, verify_audit,
};
pub use changes::{Altered, Archived, Change, Changes, Committed};
pub use chat::{Chat, ChatUpdate};
pub use contact::{Contact, ContactUpdate, NameSource, PrivacyToken, TOKEN_WEEKS};
pub use device_list::{Device, DeviceList, DeviceVoucher};
pub use error::StoreError;
pub use former_identity::FormerIdentity;
pub use history::{GapPlace, GapReason, HistoryChunk, HistoryGap};
pub use id::{MessageId, MessageKey, Seq, Timestamp};
pub use journal::{JournalEntry, News};
pub use memory::MemoryStore;
pub use message::{
    ArchivedMessage, EDIT_WINDOW_SECS, Edit, MessageKind, MessageSecret, MessageStatus, NewMessage,
    Reaction, TextVersion,
};
pub use outbox::{OUTBOX_PATIENCE_SECS, Origin, OutboxEntry, OutboxState, PendingReceipt};
pub use prefetch::Prefetch;
pub use prekey::{PreKey, PreKeyCount, SignedPreKey};
pub use query::{
    ChatQuery, ContactQuery, Hit, MAX_PAGE, MessageFilter, MessageQuery, Order, SearchOrder,
    SearchPage, SearchQuery, Snippet, Stats,
};
pub use retry::{
    LEFT_GROUP_RETENTION_SECS, LIST_RETENTION_SECS, ORPHAN_RETENTION_SECS,
    PLACEHOLDER_RETENTION_SECS, Placeholder, RETRY_RETENTION_SECS, SEEN_RETENTION_SECS,
    SENT_RETENTION_SECS, Seen, SentMessage,
};
pub use scope::{Scope, Strangers};
pub use secret::{AdvSecret, SecretBytes};
pub use send_failure::SendFailure;
pub use sqlite::{DatabaseKey, InvalidDatabaseKey, OpenOptions, SqliteStore};
pub use store::{Result, Store};
