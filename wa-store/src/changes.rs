//! The one way to write: a list of changes that lands whole or not at all.
//!
//! Owns what can change and what a commit reports. Knows nothing of how it is stored.

use wa_crypto::PublicKey;
use wa_proto::{Jid, stanza::GroupInfo};

use crate::{
    Account, Addition, Alteration, ArchivedMessage, AuditEntry, ChatUpdate, ContactUpdate,
    DeviceList, DeviceVoucher, Edit, GapPlace, HistoryChunk, HistoryGap, MessageId, MessageKey,
    MessageStatus, NewMessage, News, OutboxEntry, OutboxState, PendingReceipt, Placeholder, PreKey,
    PrivacyToken, Reaction, SealedAddition, SecretBytes, Seen, SentMessage, Seq, SignedPreKey,
    Timestamp,
};

/// One thing to write.
///
/// Sessions, identities, sender keys and device lists are kept under exactly the JID given, and
/// move with [`Change::MigrateToLid`]. Everything else takes phone number and LID as the same
/// person.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Stores this device's credentials.
    PutAccount(Box<Account>),
    /// The device was unlinked: removes the credentials and every key, session, device list,
    /// group, outbox entry and pending receipt; the archive stays. Until the next `PutAccount`
    /// everything but deletions and settings is refused with
    /// [`StoreError::Unlinked`](crate::StoreError::Unlinked), so that work that was still under way
    /// brings nothing back.
    Unlink,

    /// Stores one-time prekeys.
    PutPreKeys(Vec<PreKey>),
    /// Removes a one-time prekey, with the commit of the session it made.
    RemovePreKey(u32),
    /// Marks these one-time prekeys as known to the server.
    MarkPreKeysUploaded(Vec<u32>),
    /// Stores a signed prekey.
    PutSignedPreKey(Box<SignedPreKey>),
    /// Removes a signed prekey.
    RemoveSignedPreKey(u32),

    /// Stores the session record with a device.
    PutSession {
        /// The device.
        device: Jid,
        /// The record, opaque here.
        record: SecretBytes,
    },
    /// Removes the session with a device.
    DeleteSession(Jid),
    /// Removes the sessions with every device of a user, in this name space.
    DeleteSessionsOfUser(Jid),
    /// Stores the identity key of a device.
    PutIdentity {
        /// The device.
        device: Jid,
        /// Its identity key.
        key: PublicKey,
    },
    /// A device proved this identity key, or the server gave it: kept in place of the one on file.
    /// If that is another, it counts as replaced from now on, and the sender keys that were told
    /// under it go: those of the device; of a phone, those of all the account's devices.
    AcceptIdentity {
        /// The device.
        device: Jid,
        /// Its identity key.
        key: PublicKey,
    },
    /// The server says that a user was set up anew: the identity keys of all their devices, in this
    /// name space, are former ones until one of them is accepted again. The sender keys that were
    /// told under them go.
    VoidIdentitiesOfUser(Jid),
    /// Removes the identity key of a device.
    DeleteIdentity(Jid),
    /// Removes the identity keys of every device of a user, in this name space.
    DeleteIdentitiesOfUser(Jid),

    /// Stores a sender key record.
    PutSenderKey {
        /// The group (or `status@broadcast`).
        group: Jid,
        /// The device whose key it is.
        sender: Jid,
        /// The record, opaque here.
        record: SecretBytes,
    },
    /// Removes a sender key record.
    DeleteSenderKey {
        /// The group.
        group: Jid,
        /// The device whose key it is.
        sender: Jid,
    },
    /// Removes every sender key of a device that is none of its account's any more.
    DeleteSenderKeysOfDevice(Jid),
    /// Notes which devices have (or do not have) this device's own sender key of a group.
    MarkSenderKeyHolders {
        /// The group.
        group: Jid,
        /// The devices.
        devices: Vec<Jid>,
        /// Whether they have it.
        has_key: bool,
    },
    /// Forgets which devices have this device's own sender key of a group.
    ForgetSenderKeyHolders(Jid),
    /// Forgets in every group whether this device has the key: it is gone, or was re-installed.
    ForgetSenderKeyHolder(Jid),

    /// A phone number and a LID are the same person. Removes what was known of either before, and
    /// makes one of their chats, messages, contacts, secrets and tokens. Does nothing if the one is
    /// no phone number or the other no LID.
    LearnLid {
        /// The person by phone number.
        phone: Jid,
        /// The person by LID.
        lid: Jid,
    },
    /// Moves sessions, identities, vouchers, sender keys, holder marks, the device list and the key
    /// index list of all the person's devices from the phone number to the LID. What the LID already has wins; nothing
    /// stays under the phone number.
    MigrateToLid {
        /// The person by phone number.
        phone: Jid,
        /// The person by LID.
        lid: Jid,
    },
    /// Stores a person's device list.
    PutDeviceList {
        /// The person.
        user: Jid,
        /// Their devices.
        list: DeviceList,
    },
    /// Removes a person's device list.
    DeleteDeviceList(Jid),
    /// Stores what a companion proved.
    PutDeviceVoucher {
        /// The companion.
        device: Jid,
        /// What it proved.
        voucher: DeviceVoucher,
    },
    /// Stores a person's newest signed list of key indexes, opaque here. It outlives the device
    /// list, so that an older one is known to be older.
    PutKeyIndexList {
        /// The person.
        user: Jid,
        /// The list.
        list: Vec<u8>,
    },

    /// Stores what is known of a group, its people included.
    PutGroup(Box<GroupInfo>),
    /// Forgets what is known of a group: this account is not in it any more, or it has to be asked
    /// for again.
    DeleteGroup(Jid),

    /// An encrypted payload was handled.
    MarkSeen {
        /// Which.
        seen: Seen,
        /// When.
        at: Timestamp,
    },
    /// How many retry receipts were sent for a message.
    SetRetriesSent {
        /// The message.
        key: MessageKey,
        /// How many.
        count: u32,
        /// When.
        at: Timestamp,
    },
    /// A retry receipt of a device was answered; adds one.
    CountRetryAnswer {
        /// The device that asked.
        device: Jid,
        /// The message it asked for.
        id: MessageId,
        /// When.
        at: Timestamp,
    },
    /// The session with a device was made anew.
    NoteSessionRecreated {
        /// The device.
        device: Jid,
        /// When.
        at: Timestamp,
    },
    /// Remembers the base key of the session with which a message was sent to a device.
    RememberBaseKey {
        /// The device.
        device: Jid,
        /// The message.
        id: MessageId,
        /// The base key.
        base_key: PublicKey,
        /// When.
        at: Timestamp,
    },
    /// Keeps a message that is sent, to answer retries.
    PutSentMessage(Box<SentMessage>),
    /// Notes to whom a message is sent: nobody else gets it when they ask for it. One that is not
    /// kept is left alone.
    SetSentAudience {
        /// The chat.
        chat: Jid,
        /// The message.
        id: MessageId,
        /// The people, each once; kept sorted and without their devices.
        people: Vec<Jid>,
    },
    /// One step of upkeep: takes out some of what was deleted, forgets some of what is past its time at
    /// `now`, and gives free room back. `docs/retention.md` in this crate has the life of every table. A
    /// step is bounded, so that other commits go in between; [`Committed::upkeep_left`] says whether
    /// there is more to do. Nothing else does this: somebody has to ask for it now and then.
    Upkeep {
        /// The time now.
        now: Timestamp,
    },

    /// Puts a message into the outbox. Refused with
    /// [`StoreError::IdempotencyKeyTaken`](crate::StoreError::IdempotencyKeyTaken) if its
    /// idempotency key is there already; an entry with the same id is replaced in its place.
    PutOutbox(Box<OutboxEntry>),
    /// Notes how far an outbox entry got. One that is not there is left alone.
    SetOutboxState {
        /// The entry.
        id: MessageId,
        /// How far it got.
        state: OutboxState,
    },
    /// An outbox entry's bytes are about to leave; adds one attempt and marks it `Transmitted`.
    CountOutboxAttempt(MessageId),
    /// Removes an outbox entry.
    RemoveOutbox(MessageId),
    /// Keeps a receipt or ack until it was sent.
    PutReceipt(PendingReceipt),
    /// A receipt or ack was sent.
    RemoveReceipt(String),

    /// Notes a message that could not be read, and archives it as such if it is not archived.
    PutPlaceholder(Box<Placeholder>),
    /// The phone was asked for an unreadable message; adds one attempt.
    NotePlaceholderRequested {
        /// The message.
        key: MessageKey,
        /// When.
        at: Timestamp,
    },
    /// Nobody will be asked for this message any more; the archive keeps it as unreadable.
    RemovePlaceholder(MessageKey),

    /// Stores the secret a message carries.
    PutMessageSecret {
        /// The message; its sender in the form keys are to be derived with.
        key: MessageKey,
        /// The secret.
        secret: SecretBytes,
    },
    /// Stores the token a person gave.
    PutPrivacyToken {
        /// The person.
        jid: Jid,
        /// The token.
        token: PrivacyToken,
    },
    /// Removes the token a person gave.
    DeletePrivacyToken(Jid),
    /// Stores the account's NCT salt, or removes it.
    PutNctSalt(Option<SecretBytes>),
    /// Takes what was learnt of a person.
    PutContact(Box<ContactUpdate>),
    /// Takes what changed in a chat.
    PutChat(Box<ChatUpdate>),
    /// Stores a setting of the client's own, or removes it.
    PutSetting {
        /// Its name.
        name: String,
        /// Its value.
        value: Option<Vec<u8>>,
    },

    /// Adds to what was done in the account's name. Its number is given here.
    Audit(Box<AuditEntry>),
    /// Takes out the entries of the audit from before this time, in milliseconds since 1970, up to the
    /// first that is not.
    PruneAudit {
        /// The time.
        before_ms: i64,
    },
    /// Keeps a part of the history until it was read. One that waits already is replaced in its
    /// place.
    PutHistoryChunk(Box<HistoryChunk>),
    /// A part of the history was read, or given up.
    RemoveHistoryChunk(MessageId),
    /// Notes a gap, in place of one that is noted there.
    PutHistoryGap(Box<HistoryGap>),
    /// A gap is closed.
    RemoveHistoryGap(GapPlace),

    /// What this commit does to the archive is to be announced to listeners. It stands in the
    /// journal ([`Store::journal`](crate::Store::journal)) from this commit on, until
    /// [`Change::Announced`], so that it is announced also by whoever comes after a crash.
    Announce {
        /// Handed back with the entry: what the announcing code has to know of its origin.
        origin: String,
        /// What of it.
        news: News,
    },
    /// These entries of the journal were announced.
    Announced(Vec<u64>),

    /// A change of the app state, or of what it says.
    Sync(crate::SyncChange),

    /// Archives a message. One that is there already is left alone and reported in
    /// [`Committed::duplicates`]; one that was unreadable is filled.
    Archive(Box<NewMessage>),
    /// A message got further; one that is further already is left alone.
    SetStatus {
        /// The message.
        key: MessageKey,
        /// How far it got.
        status: MessageStatus,
        /// When the server took it, if this tells it.
        server_timestamp: Option<Timestamp>,
    },
    /// An own message was sent by an assistant. One that is not there is left alone.
    MarkByAssistant(MessageKey),
    /// A message's text is another now; the earlier one is kept.
    Edit(Box<Edit>),
    /// A message was taken back: its text, plaintext, edits, reactions and secret are removed; its
    /// place stays. One that has not come yet gets a tombstone, so that it never shows.
    Revoke {
        /// The message.
        key: MessageKey,
        /// Who took it back.
        by: Jid,
        /// When.
        at: Timestamp,
    },
    /// Somebody reacted to a message, or took the reaction back. The newest one counts.
    React(Box<Reaction>),
    /// Somebody added something to a message: a vote, a pin, an answer. Of those that replace
    /// each other the newest counts, whichever comes first.
    Add(Box<Addition>),
    /// Keeps an addition that only the message's secret opens, until it has come and was opened.
    PutSealed(Box<SealedAddition>),
    /// A sealed addition was opened, and what it says stands in the same commit.
    RemoveSealed {
        /// The message it is added to.
        target: MessageKey,
        /// Who added it.
        author: Jid,
        /// The id of the message that brought it.
        id: MessageId,
    },
    /// A sealed addition does not open with what is known. It is kept, and tried again once more
    /// is known of its author.
    SetSealedTried {
        /// The message it is added to.
        target: MessageKey,
        /// Who added it.
        author: Jid,
        /// The id of the message that brought it.
        id: MessageId,
    },
    /// Removes messages whose time is over at `now`, and what hangs on them, but for those
    /// that are kept ([`Added::Keep`](crate::Added::Keep)); some at a time, until
    /// [`Store::next_expiry`](crate::Store::next_expiry) is later.
    ExpireMessages {
        /// The time now.
        now: Timestamp,
    },
    /// The user starred a message, or took the star off.
    SetStarred {
        /// The message.
        key: MessageKey,
        /// Whether it has a star now.
        starred: bool,
    },
    /// Removes a message from the archive, as if it had never been there.
    DeleteMessage(MessageKey),
    /// Removes a chat, its messages and what hangs on them. They are gone for whoever asks with this
    /// commit; out of the file with the steps of [`Change::Upkeep`].
    DeleteChat(Jid),
    /// Removes all messages older than this, and what hangs on them, in the same way.
    DeleteMessagesBefore(Timestamp),
}

impl Change {
    /// Whether it may be made while the device is unlinked.
    pub(crate) const fn needs_no_link(&self) -> bool {
        if let Self::Sync(change) = self {
            return change.needs_no_link();
        }
        matches!(
            self,
            Self::PutAccount(_)
                | Self::Unlink
                | Self::PutSetting { .. }
                | Self::Audit(_)
                | Self::PruneAudit { .. }
                | Self::Announce { .. }
                | Self::Announced(_)
                | Self::Upkeep { .. }
                | Self::ExpireMessages { .. }
                | Self::SetStarred { .. }
                | Self::DeleteMessage(_)
                | Self::DeleteChat(_)
                | Self::DeleteMessagesBefore(_)
        )
    }
}

/// Changes in order, to be committed together.
///
/// ```
/// use wa_proto::Jid;
/// use wa_store::{Change, Changes};
///
/// let mut changes = Changes::new();
/// changes.push(Change::DeleteSession(Jid::lid("1").with_device(2)));
/// changes.merge(Changes::from(Change::RemovePreKey(7)));
/// assert_eq!(changes.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "changes do nothing until they are committed"]
pub struct Changes(Vec<Change>);

impl Changes {
    /// No changes yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a change after the others.
    pub fn push(&mut self, change: Change) -> &mut Self {
        self.0.push(change);
        self
    }

    /// The same with one change more after the others.
    pub fn with(mut self, change: Change) -> Self {
        self.0.push(change);
        self
    }

    /// Adds all changes of another list after these.
    pub fn merge(&mut self, other: Self) -> &mut Self {
        self.0.extend(other.0);
        self
    }

    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many changes there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The changes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }
}

impl From<Change> for Changes {
    fn from(change: Change) -> Self {
        Self(vec![change])
    }
}

impl Extend<Change> for Changes {
    fn extend<I: IntoIterator<Item = Change>>(&mut self, changes: I) {
        self.0.extend(changes);
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Committed {
    /// The messages that are new in the archive, or readable at last, in order, each with its whole
    /// row, so that nobody has to read back what was just written. What the same commit deleted
    /// again is missing.
    pub archived: Vec<Archived>,
    /// The messages that were archived already; nothing was done with them.
    pub duplicates: Vec<MessageKey>,
    /// The people of whom something is known now that was not before.
    pub contacts_changed: Vec<Jid>,
    /// What happened to messages that stand in the archive, in order. What was added before its
    /// message came shows with the message, and is not told here.
    pub altered: Vec<Altered>,
    /// The messages to which something sealed was added that can be opened now: their secrets are
    /// known. See [`Store::sealed`](crate::Store::sealed).
    pub openable: Vec<MessageKey>,
    /// The number in the journal of what this commit did, if it was to be announced and there is
    /// anything to announce.
    pub announcement: Option<u64>,
    /// Whether a step of [`Change::Upkeep`] left something for the next one.
    pub upkeep_left: bool,
}

/// A message that a commit altered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Altered {
    /// Which message, in the archive's own form.
    pub key: MessageKey,
    /// Who altered it; nobody where time did.
    pub by: Option<Jid>,
    /// What happened.
    pub what: Alteration,
}

/// A message that a commit archived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// The message as it stood in the archive when the whole commit was made.
    pub message: ArchivedMessage,
    /// The sender's other name, where it is known: the phone number of a LID, or the LID of a phone
    /// number.
    pub sender_alt: Option<Jid>,
    /// Whether it stood there as unreadable before the commit.
    pub filled: bool,
}

impl Committed {
    /// Notes a message that was archived. One that the same commit archived before, as unreadable,
    /// is told once: as what it became.
    pub(crate) fn note_archived(&mut self, message: ArchivedMessage, filled: Option<Seq>) {
        let earlier = self.archived.iter().position(|other| Some(other.message.seq) == filled);
        let filled = match earlier {
            Some(place) => self.archived.remove(place).filled,
            None => filled.is_some(),
        };
        self.archived.push(Archived { message, sender_alt: None, filled });
    }
}
