//! What the devices of an account keep in common, as far as it is stored here: sync keys, where each
//! collection is, what waits to be told to the others, labels and ready-made answers.
//!
//! Knows nothing of encryption: hashes and MACs are bytes.

use std::fmt;

use wa_proto::{Jid, app_state::Collection};

use crate::{MessageKey, SecretBytes, Timestamp};

/// A MAC of an index or value of a collection.
pub type SyncMac = [u8; 32];

/// A key that own devices share to encrypt the app state.
#[derive(Clone, PartialEq, Eq)]
pub struct SyncKey {
    /// Its id, as it stands in patches.
    pub id: Vec<u8>,
    /// The key itself.
    pub data: SecretBytes,
    /// When it was made, in milliseconds since 1970, as its maker says.
    pub timestamp: i64,
    /// For which devices it was made: an encoded `AppStateSyncKeyFingerprint`.
    pub fingerprint: Vec<u8>,
}

impl fmt::Debug for SyncKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncKey").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

/// Where a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionVersion {
    /// The number of the last patch.
    pub version: u64,
    /// The hash over all values.
    pub hash: [u8; 128],
}

/// How a patch or snapshot alters what is known of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionUpdate {
    /// Which.
    pub collection: Collection,
    /// Where it is from now on.
    pub version: CollectionVersion,
    /// Whether everything remembered before is void, as after a snapshot.
    pub anew: bool,
    /// Value MACs by index MAC: those that are new or replaced, and those that are gone.
    pub macs: Vec<(SyncMac, Option<SyncMac>)>,
}

/// A change that the other own devices have not been told yet.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingSync {
    /// Its name, chosen by whoever puts it.
    pub id: String,
    /// The collection it goes to.
    pub collection: Collection,
    /// Whether the value is removed rather than set.
    pub removes: bool,
    /// The index, as it is authenticated.
    pub index: Vec<u8>,
    /// An encoded `SyncActionValue`.
    pub value: SecretBytes,
    /// The version of the action's form.
    pub action_version: i32,
    /// When the user made the change, in milliseconds since 1970.
    pub made_at: i64,
}

impl fmt::Debug for PendingSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSync")
            .field("id", &self.id)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

/// A label that chats and messages may have.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    /// Its id: a small number, as text.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its colour, a number from a fixed palette.
    pub color: Option<i32>,
    /// Which ready-made label it is.
    pub predefined_id: Option<i32>,
    /// Its place in the list.
    pub position: Option<i32>,
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Label").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a label is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Labelled {
    /// A chat.
    Chat(Jid),
    /// A message.
    Message(MessageKey),
}

/// A ready-made answer.
#[derive(Clone, PartialEq, Eq)]
pub struct QuickReply {
    /// Its id.
    pub id: String,
    /// What one types to get it.
    pub shortcut: String,
    /// Its text.
    pub message: String,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// How often it was used.
    pub count: i32,
}

impl fmt::Debug for QuickReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuickReply").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A change of the app state and of what it says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SyncChange {
    /// Stores keys. One that is there already stays as it is.
    PutKeys(Vec<SyncKey>),
    /// The own devices were asked for these keys, by id.
    NoteKeysRequested {
        /// Which.
        ids: Vec<Vec<u8>>,
        /// When.
        at: Timestamp,
    },
    /// A collection is somewhere else now. Belongs into one commit with what it says.
    Advance(Box<CollectionUpdate>),
    /// Keeps a change until the others were told. One of the same id is replaced.
    PutPending(Box<PendingSync>),
    /// The others were told, or the change was given up.
    RemovePending(String),
    /// Stores a label.
    PutLabel(Box<Label>),
    /// Removes a label from the list and from everything it is on.
    DeleteLabel(String),
    /// Puts a label on something, or takes it off. The label need not be there yet.
    SetLabel {
        /// The label's id.
        label: String,
        /// What it is on.
        on: Box<Labelled>,
        /// Whether it is on it from now on.
        labelled: bool,
    },
    /// Stores a ready-made answer.
    PutQuickReply(Box<QuickReply>),
    /// Removes a ready-made answer.
    DeleteQuickReply(String),
    /// A person's status posts are hidden, or no longer.
    SetStatusMuted {
        /// The person.
        person: Jid,
        /// Whether they are.
        muted: bool,
    },
    /// A chat is locked, or no longer.
    SetLocked {
        /// The chat.
        chat: Jid,
        /// Whether it is.
        locked: bool,
    },
    /// Removes a person's names in the address book; what they call themselves stays.
    RemoveContactNames(Jid),
    /// Removes a chat's messages up to this second and what hangs on them; the chat stays.
    ClearChat {
        /// The chat.
        chat: Jid,
        /// Up to when; `None` for all.
        until: Option<Timestamp>,
        /// Whether starred messages stay.
        keep_starred: bool,
    },
}

impl SyncChange {
    /// Whether it may be made while the device is unlinked.
    pub(crate) const fn needs_no_link(&self) -> bool {
        matches!(self, Self::ClearChat { .. })
    }
}
