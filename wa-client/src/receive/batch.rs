//! Messages that share a transaction.
//!
//! Owns the choice of those that may: everything that only changes the archive and keys. Their
//! addresses are resolved and their senders' sessions held, all that will be looked up is read
//! ahead at once, each is decrypted over what those before it changed, and all land in one commit.
//! Receipts follow it. A batch that is dropped was never read. Knows nothing of the batch behind it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use wa_proto::{
    Jid,
    stanza::{ChatKind, EncKind, IncomingMessage, MessageSource, OwnJids, SentReceipt},
};
use wa_signal::PreKeyMessageHeader;
use wa_store::{MessageKey, Prefetch, StoreError};

use super::{
    arrival_in,
    decrypt::{self, Origin},
    own_jids,
    reader::{Ground, Planned, Read, read_all},
    receipt_kind,
    record::Arrival,
};
use crate::{
    app_state,
    draft::Gathered,
    event::{Event, Repair},
    inner::Inner,
    lid,
    locks::Guard,
    placeholder,
    publisher::{Announcement, Committing},
    receipts::{self, Owed},
};

/// The people whose sessions are held. Several batches may hold one in common.
pub(crate) type Held = HashMap<Jid, Arc<Guard>>;

/// What is known of messages before they are read.
pub(crate) struct Plan {
    /// One for each message that may share the transaction, the first ones.
    arrivals: Vec<Arrival>,
    held: Held,
    brings_chats_back: bool,
    /// Whether what is behind those may share the next transaction.
    goes_on: bool,
}

/// Messages that were read, and are not committed.
#[derive(Default)]
pub(crate) struct Batch {
    gathered: Gathered,
    messages: Vec<IncomingMessage>,
    receipts: Vec<SentReceipt>,
    /// Those of the senders who proved another identity key than before.
    changed: Vec<Jid>,
    held: Held,
}

/// What became of messages.
pub(crate) struct Outcome {
    pub(crate) batch: Batch,
    /// Those behind the batch, in their order.
    pub(crate) rest: Vec<IncomingMessage>,
    /// Whether the first of these has to be dealt with alone.
    pub(crate) is_alone: bool,
}

/// A batch that is on its way to the disk.
pub(crate) struct Landing {
    gathered: Arc<Gathered>,
    messages: Vec<IncomingMessage>,
    owed: Vec<Owed>,
    held: Held,
    committing: Committing,
}

/// A batch that has landed.
#[derive(Default)]
pub(crate) struct Landed {
    /// The receipts that may leave.
    pub(crate) owed: Vec<Owed>,
    /// The messages to which something sealed was added that can be opened.
    pub(crate) openable: Vec<MessageKey>,
}

impl Plan {
    /// Resolves and locks what these messages need. Nothing if somebody else is at work with the
    /// sessions of one of the senders: then nobody may be waited for before what is `ahead` has
    /// landed.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn make(
        inner: &Inner,
        ahead: Option<&Landing>,
        messages: &[IncomingMessage],
    ) -> Result<Option<Self>, StoreError> {
        let Some(own) = own_jids(&inner.account()) else { return Ok(Some(Self::nothing())) };
        let (sources, goes_on) = shareable(messages, &own);
        let pairs: Vec<(&Jid, &Jid)> = sources.iter().flat_map(pairs).collect();
        // Whoever stands in a stanza under two addresses is one person from now on.
        match ahead {
            _ if pairs.is_empty() => {}
            None => drop(lid::learn_all(inner, &pairs).await?),
            Some(_) if lid::try_learn_all(inner, &pairs).await? => {}
            Some(_) => return Ok(None),
        }
        let store = &*inner.store;
        let senders: Vec<Jid> = sources.iter().map(|source| source.sender.clone()).collect();
        let chats: Vec<Jid> = sources.iter().map(|source| source.chat.clone()).collect();
        let Some((senders, held)) = hold(inner, ahead, &senders).await? else { return Ok(None) };
        let chats = lid::canonical_all(store, &chats).await?;
        let named = senders.into_iter().zip(chats);
        let arrivals: Vec<Arrival> = messages
            .iter()
            .zip(sources.iter().zip(named))
            .map(|(message, (source, (sender, chat)))| {
                arrival_in(message, source, chat, sender, own.clone())
            })
            .collect();
        store.prefetch(&wanted(messages, &arrivals)).await?;
        let brings_chats_back = app_state::brings_chats_back(store).await?;
        Ok(Some(Self { arrivals, held, brings_chats_back, goes_on }))
    }

    /// No message may share a transaction.
    pub(crate) fn nothing() -> Self {
        let (arrivals, held) = (Vec::new(), Held::new());
        Self { arrivals, held, brings_chats_back: false, goes_on: false }
    }

    /// Reads the messages over what is `ahead`.
    pub(crate) async fn read(
        self,
        inner: &Arc<Inner>,
        ahead: Option<&Landing>,
        messages: Vec<IncomingMessage>,
    ) -> Outcome {
        let Self { arrivals, held, brings_chats_back, goes_on } = self;
        let ground = Ground {
            inner: Arc::clone(inner),
            ahead: ahead.map(|ahead| Arc::clone(&ahead.gathered)),
            brings_chats_back,
        };
        let mut messages = messages.into_iter();
        let mut planned = Vec::with_capacity(arrivals.len());
        for (place, arrival) in arrivals.into_iter().enumerate() {
            let Some(message) = messages.next() else { break };
            planned.push(Planned { place, message, arrival });
        }
        let mut read = read_all(&ground, planned).await.into_iter().peekable();
        let mut batch = Batch { held, ..Batch::default() };
        while let Some(Read { planned, kept: Some(kept) }) =
            read.next_if(|read| read.kept.is_some())
        {
            let Planned { message, arrival, .. } = planned;
            let kind = receipt_kind(inner, &arrival, &message);
            batch.receipts.push(message.envelope.receipt(message.id.clone(), kind));
            if kept.identity_changed {
                batch.changed.push(arrival.sender.to_user());
            }
            batch.gathered.join(kept.gathered);
            batch.messages.push(message);
        }
        let is_alone = read.peek().is_some() || !goes_on;
        let rest = read.map(|read| read.planned.message).chain(messages).collect();
        Outcome { batch, rest, is_alone }
    }
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages, as if nothing had been read.
    pub(crate) fn into_messages(self) -> Vec<IncomingMessage> {
        self.messages
    }

    /// Begins to commit. Nobody else gets the sessions before that has landed.
    pub(crate) fn commit(self, inner: &Inner) -> Landing {
        let Self { mut gathered, messages, receipts, changed, held } = self;
        let owed = receipts::owe_all(inner, &mut gathered, receipts);
        let mut announcement = Announcement::arrived(Repair::Retry);
        for user in changed {
            announcement = announcement.after(Event::IdentityChanged { user, implicit: true });
        }
        let changes = gathered.take_changes();
        let committing = inner.publisher.commit_holding(changes, announcement, held.clone());
        Landing { gathered: Arc::new(gathered), messages, owed, held, committing }
    }
}

impl Landing {
    /// Waits until it has landed, or failed. May be given up and begun again.
    pub(crate) async fn done(&mut self) {
        self.committing.done().await;
    }

    /// Waits until it has landed.
    ///
    /// # Errors
    /// If nothing of it could be committed: the messages.
    pub(crate) async fn landed(self, inner: &Inner) -> Result<Landed, Vec<IncomingMessage>> {
        let committed = match self.committing.landed().await {
            Ok(committed) => committed,
            Err(error) => {
                tracing::warn!(%error, "messages cannot be kept together; trying one by one");
                return Err(self.messages);
            }
        };
        placeholder::arrived(inner, &committed);
        for message in &self.messages {
            placeholder::was_read(inner, message.id.as_str());
        }
        Ok(Landed { owed: self.owed, openable: committed.openable })
    }
}

/// Those messages from the first on that may share a transaction, and whether the one behind them
/// may share the next.
fn shareable(messages: &[IncomingMessage], own: &OwnJids) -> (Vec<MessageSource>, bool) {
    let mut sources = Vec::with_capacity(messages.len());
    let mut pairs_so_far = HashMap::<Jid, Jid>::new();
    let mut prekeys = HashMap::<_, Jid>::new();
    for message in messages {
        let Ok(source) = message.source(own) else { return (sources, false) };
        if !is_plain(message, &source) {
            return (sources, false);
        }
        // A number that is another's than just before is theirs from this message on only.
        for (one, other) in pairs(&source) {
            if let Some((phone, lid)) = lid::pair(one, other)
                && pairs_so_far.insert(phone, lid.clone()).is_some_and(|before| before != lid)
            {
                return (sources, true);
            }
        }
        // A prekey is used once, and who of two was first is decided by their order.
        for id in headers(message).filter_map(|header| header.prekey_id) {
            let first = prekeys.entry(id).or_insert_with(|| source.sender.clone());
            if *first != source.sender {
                return (sources, true);
            }
        }
        sources.push(source);
    }
    (sources, true)
}

/// Whether a message may be one that changes nothing but the archive and keys.
fn is_plain(message: &IncomingMessage, source: &MessageSource) -> bool {
    !message.is_peer
        && message.unavailable.is_none()
        && message.plaintext.is_none()
        && source.kind != ChatKind::Newsletter
}

/// The two addresses of people that a stanza tells.
fn pairs(source: &MessageSource) -> impl Iterator<Item = (&Jid, &Jid)> {
    let sender = source.sender_alt.as_ref().map(|alt| (&source.sender, alt));
    sender.into_iter().chain(source.chat_alt.as_ref().map(|alt| (&source.chat, alt)))
}

/// The outsides of the first messages of sessions.
fn headers(message: &IncomingMessage) -> impl Iterator<Item = PreKeyMessageHeader> {
    let first = message.encs.iter().filter(|enc| enc.kind == EncKind::PreKeyMessage);
    first.filter_map(|enc| PreKeyMessageHeader::parse(&enc.ciphertext).ok())
}

/// Sees to it that nobody else uses the sessions with these devices, and gives the addresses under
/// which their keys are kept meanwhile.
async fn hold(
    inner: &Inner,
    ahead: Option<&Landing>,
    devices: &[Jid],
) -> Result<Option<(Vec<Jid>, Held)>, StoreError> {
    let mut names = lid::canonical_all(&*inner.store, devices).await?;
    loop {
        let people: BTreeSet<Jid> = names.iter().map(lid::person).collect();
        let held = match ahead {
            None => {
                let held = inner.locks.each_session(people).await.into_iter();
                held.map(|(person, guard)| (person, Arc::new(guard.handed_over()))).collect()
            }
            Some(ahead) => match hold_beside(inner, ahead, people) {
                Some(held) => held,
                None => return Ok(None),
            },
        };
        let now = lid::canonical_all(&*inner.store, devices).await?;
        if now == names {
            return Ok(Some((names, held)));
        }
        // Somebody's LID was learnt meanwhile, so that another lock is theirs.
        drop(held);
        names = now;
    }
}

/// The same in common with what is ahead. Others are not waited for meanwhile, because whoever has
/// them may wait for what is held in common. Those in common were never free in between, so that
/// what is ahead is still what is known of them.
fn hold_beside(inner: &Inner, ahead: &Landing, people: BTreeSet<Jid>) -> Option<Held> {
    let hold = |person: Jid| {
        let guard = match ahead.held.get(&person) {
            Some(guard) => Arc::clone(guard),
            None => Arc::new(inner.locks.try_session(person.clone())?.handed_over()),
        };
        Some((person, guard))
    };
    people.into_iter().map(hold).collect()
}

/// All that reading these messages looks up.
fn wanted(messages: &[IncomingMessage], arrivals: &[Arrival]) -> Prefetch {
    let (mut devices, mut people) = (BTreeSet::new(), BTreeSet::new());
    let mut sender_keys = BTreeSet::new();
    let mut wanted = Prefetch::default();
    for (message, arrival) in messages.iter().zip(arrivals) {
        let Arrival { chat, sender, .. } = arrival;
        let person = lid::person(sender);
        // The identity of a companion's phone answers for it.
        devices.extend([sender.clone(), person.clone()]);
        people.extend([person, chat.clone()].into_iter().filter(Jid::is_person));
        let origin = Origin { chat, sender, device_identity: None };
        for enc in &message.encs {
            wanted.seen.push(decrypt::seen(enc, origin));
            if enc.kind == EncKind::SenderKeyMessage || !chat.is_person() {
                sender_keys.insert((chat.clone(), sender.clone()));
            }
        }
        for header in headers(message) {
            wanted.prekeys.extend(header.prekey_id.map(|id| id.as_u32()));
            wanted.signed_prekeys.push(header.signed_prekey_id.as_u32());
        }
    }
    wanted.devices.extend(devices);
    wanted.people.extend(people);
    wanted.sender_keys.extend(sender_keys);
    wanted.signed_prekeys.sort_unstable();
    wanted.signed_prekeys.dedup();
    wanted
}
