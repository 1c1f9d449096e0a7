//! Receipts: those that are owed, those that come in, and the user's own "read".
//!
//! Owns what a receipt does to the archive, and the queue of receipts that must leave. A receipt
//! is committed with what it confirms and removed some time after it left, so that one that was
//! held up by a lost connection leaves with the next.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use wa_proto::{
    Jid, MessageId, OwnedNode, node,
    stanza::{Receipt, ReceiptKind, SentReceipt, SentReceiptKind, ServerAck},
};
use wa_store::{
    Change, Changes, ChatUpdate, MessageKey, MessageStatus, PendingReceipt, StoreError, Timestamp,
};

use crate::{
    connection::{Link, LinkClosed},
    draft::{Draft, Gathered},
    error::Error,
    event::{Event, SendState, StatusChange},
    inner::Inner,
    lid, outbox, privacy,
    receive::own_jids,
    retry,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};

/// What is known about receipts that leave.
#[derive(Debug)]
pub(crate) struct Receipts {
    /// Whether the account shows as available, which makes deliveries count as such.
    available: AtomicBool,
    /// Names of those that left and are still on disk.
    left: Mutex<Vec<String>>,
}

impl Receipts {
    /// Unavailable, because an available companion silences the phone.
    pub(crate) fn new() -> Self {
        Self { available: AtomicBool::new(false), left: Mutex::new(Vec::new()) }
    }

    pub(crate) fn is_available(&self) -> bool {
        self.available.load(Ordering::Relaxed)
    }

    pub(crate) fn set_available(&self, available: bool) {
        self.available.store(available, Ordering::Relaxed);
    }

    fn left<T>(&self, use_it: impl FnOnce(&mut Vec<String>) -> T) -> T {
        use_it(&mut self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A receipt that is on disk and has to leave.
#[derive(Debug)]
pub(crate) struct Owed {
    name: String,
    node: OwnedNode,
}

impl Owed {
    fn into_parts(self) -> (String, OwnedNode) {
        (self.name, self.node)
    }
}

/// Puts a receipt into the draft, and takes those out that have left since.
pub(crate) fn owe(inner: &Inner, draft: &mut Draft<'_>, receipt: &SentReceipt) -> Owed {
    for name in inner.receipts.left(std::mem::take) {
        draft.push(Change::RemoveReceipt(name));
    }
    let owed = owed(receipt);
    draft.push(put(inner, &owed));
    owed
}

/// The same of several, in as few receipts as say it: those for the same sender in the same chat
/// are one, which names every message.
pub(crate) fn owe_all(
    inner: &Inner,
    gathered: &mut Gathered,
    receipts: Vec<SentReceipt>,
) -> Vec<Owed> {
    for name in inner.receipts.left(std::mem::take) {
        gathered.push(Change::RemoveReceipt(name));
    }
    let owed: Vec<Owed> = together(receipts).iter().map(owed).collect();
    for owed in &owed {
        gathered.push(put(inner, owed));
    }
    owed
}

/// As few receipts as say the same, in the order of the first message of each.
fn together(receipts: Vec<SentReceipt>) -> Vec<SentReceipt> {
    let mut places = HashMap::new();
    let mut together = Vec::<SentReceipt>::new();
    for mut receipt in receipts {
        let SentReceipt { to, participant, recipient, kind, .. } = &receipt;
        let name = (to.clone(), participant.clone(), recipient.clone(), kind.as_str());
        let place = places.entry(name).or_insert(together.len());
        match together.get_mut(*place) {
            Some(earlier) if earlier.ids.len() < MAX_IDS => earlier.ids.append(&mut receipt.ids),
            _ => {
                *place = together.len();
                together.push(receipt);
            }
        }
    }
    together
}

fn owed(receipt: &SentReceipt) -> Owed {
    let kind = receipt.kind.as_str().unwrap_or("delivered");
    let id = receipt.ids.first().map(MessageId::as_str).unwrap_or_default();
    let person = receipt.participant.as_ref().unwrap_or(&receipt.to);
    Owed { name: format!("{kind}/{}/{person}/{id}", receipt.to), node: receipt.to_node() }
}

fn put(inner: &Inner, owed: &Owed) -> Change {
    Change::PutReceipt(PendingReceipt {
        name: owed.name.clone(),
        stanza: owed.node.encode(),
        created_at: inner.now(),
    })
}

/// Sends receipts that were committed.
///
/// # Errors
/// [`LinkClosed`]; they leave with the next connection.
pub(crate) async fn deliver(cx: &StanzaContext, owed: Vec<Owed>) -> Result<(), LinkClosed> {
    let (names, nodes): (Vec<_>, Vec<_>) = owed.into_iter().map(Owed::into_parts).unzip();
    cx.link.send_all(&nodes).await?;
    cx.inner.receipts.left(|left| left.extend(names));
    Ok(())
}

/// Sends what earlier connections could not.
///
/// # Errors
/// The store's, or the end of the connection.
pub(crate) async fn flush(inner: &Inner, link: &Link) -> Result<(), HandleError> {
    let pending = inner.store.pending_receipts().await?;
    let left = inner.receipts.left(std::mem::take);
    let mut changes: Changes = left.iter().cloned().map(Change::RemoveReceipt).collect();
    for PendingReceipt { name, stanza, .. } in pending {
        if left.contains(&name) {
            continue;
        }
        if let Ok(stanza) = node::read(&stanza) {
            link.send(&stanza).await?;
        }
        changes.push(Change::RemoveReceipt(name));
    }
    if !changes.is_empty() {
        inner.store.commit(changes).await?;
    }
    Ok(())
}

/// What the user did with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Read,
    Played,
}

/// Tells the senders that these messages of a chat were read or played: one receipt for each
/// sender. Where read receipts are off, only the own devices learn of it.
///
/// # Errors
/// The store's. Without a connection the receipts leave with the next.
pub(crate) async fn mark(
    inner: &Inner,
    chat: &Jid,
    ids: &[MessageId],
    mark: Mark,
) -> Result<(), Error> {
    let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
    let kind = match (mark, privacy::tells_what_was_read(inner).await?) {
        (Mark::Read, true) => SentReceiptKind::Read,
        (Mark::Read, false) => SentReceiptKind::ReadSelf,
        (Mark::Played, true) => SentReceiptKind::Played,
        (Mark::Played, false) => SentReceiptKind::PlayedSelf,
    };
    let mut draft = Draft::new(&*inner.store);
    let mut owed = Vec::new();
    for (sender, ids) in by_sender(inner, &chat, ids).await? {
        let receipt = SentReceipt {
            to: chat.clone(),
            participant: (!chat.is_person()).then_some(sender),
            recipient: None,
            ids,
            kind,
            timestamp: Some(inner.clock.unix()),
        };
        owed.push(owe(inner, &mut draft, &receipt));
    }
    if mark == Mark::Read {
        let mut update = ChatUpdate::new(chat);
        update.unread = Some(0);
        update.marked_unread = Some(false);
        draft.push(Change::PutChat(Box::new(update)));
    }
    inner.store.commit(draft.into_changes()).await?;
    send_now(inner, owed).await;
    Ok(())
}

/// Sends receipts that were committed, if there is a connection; else they leave with the next.
pub(crate) async fn send_now(inner: &Inner, owed: impl IntoIterator<Item = Owed>) {
    let Some(link) = inner.link() else { return };
    for Owed { name, node } in owed {
        if link.send(&node).await.is_ok() {
            inner.receipts.left(|left| left.push(name));
        }
    }
}

/// Others' messages among these, by who sent them.
async fn by_sender(
    inner: &Inner,
    chat: &Jid,
    ids: &[MessageId],
) -> Result<BTreeMap<Jid, Vec<MessageId>>, StoreError> {
    let mut senders = BTreeMap::<Jid, Vec<MessageId>>::new();
    for id in ids {
        for message in inner.store.messages_by_id(chat, &id.as_str().into()).await? {
            if !message.key.from_me {
                senders.entry(message.key.sender).or_default().push(id.clone());
            }
        }
    }
    Ok(senders)
}

/// Deals with a `<receipt>`.
pub(crate) async fn handle(cx: &StanzaContext, receipt: Receipt) -> Result<Outcome, HandleError> {
    if let ReceiptKind::Retry(request) = &receipt.kind {
        // Acknowledged after the answer left, so that a crash does not lose the request.
        retry::answer(cx, &receipt, request).await?;
        return Ok(Outcome::Ack);
    }
    for alt in [&receipt.alternatives.sender, &receipt.alternatives.participant] {
        let known = receipt.envelope.participant.as_ref().unwrap_or(&receipt.envelope.from);
        if let Some(alt) = alt {
            lid::learn(&cx.inner, known, alt).await?;
        }
    }
    note(&cx.inner, &receipt).await?;
    Ok(Outcome::Ack)
}

/// What a receipt means for a message of one's own.
fn progress(kind: &ReceiptKind) -> Option<(MessageStatus, SendState)> {
    Some(match kind {
        ReceiptKind::Delivered | ReceiptKind::Inactive => {
            (MessageStatus::Delivered, SendState::Delivered)
        }
        ReceiptKind::Read => (MessageStatus::Read, SendState::Read),
        ReceiptKind::Played => (MessageStatus::Played, SendState::Played),
        _ => return None,
    })
}

async fn note(inner: &Inner, receipt: &Receipt) -> Result<(), StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(()) };
    let envelope = &receipt.envelope;
    let by = envelope.participant.as_ref().unwrap_or(&envelope.from);
    let chat = match &envelope.recipient {
        Some(recipient) if own.is_me(&envelope.from) => recipient,
        _ => &envelope.from,
    };
    let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
    if own.is_me(by) {
        return note_own(inner, receipt, chat).await;
    }
    let Some((status, state)) = progress(&receipt.kind) else { return Ok(()) };
    let everybody = receipt.grouped.iter().flat_map(|group| {
        group
            .users
            .iter()
            .map(|(user, at)| (user, vec![group.id.clone()], at.or(receipt.timestamp)))
    });
    let mut told: Vec<_> = everybody.collect();
    if told.is_empty() {
        told.push((by, receipt.ids.clone(), receipt.timestamp));
    }
    let mut changes = Changes::new();
    let mut events = Vec::new();
    for (by, ids, at) in told {
        for id in &ids {
            let key = MessageKey::sent(chat.clone(), own.phone.to_user(), id.as_str());
            changes.push(Change::SetStatus { key, status, server_timestamp: None });
        }
        events.push(StatusChange {
            chat: chat.clone(),
            by: lid::canonical(&*inner.store, by).await?,
            ids: ids.iter().map(|id| id.as_str().to_owned()).collect(),
            state,
            timestamp: at.unwrap_or_else(|| inner.clock.unix()),
        });
    }
    inner.store.commit(changes).await?;
    events.into_iter().for_each(|change| inner.emit(Event::StatusChanged(change)));
    Ok(())
}

/// What another device of the account tells: that the user read a chat there.
async fn note_own(inner: &Inner, receipt: &Receipt, chat: Jid) -> Result<(), StoreError> {
    if matches!(receipt.kind, ReceiptKind::ReadSelf | ReceiptKind::Read) {
        let mut update = ChatUpdate::new(chat);
        update.unread = Some(0);
        inner.store.commit(Change::PutChat(Box::new(update)).into()).await?;
    }
    Ok(())
}

/// Deals with an `<ack>` for something this device sent.
pub(crate) async fn handle_ack(cx: &StanzaContext, ack: ServerAck) -> Result<Outcome, HandleError> {
    if matches!(ack.class.as_str(), "message" | "status") {
        outbox::acked(&cx.inner, &ack).await?;
    }
    Ok(Outcome::Answered)
}

/// How many messages one receipt names.
const MAX_IDS: usize = 256;

/// A time of the server's as the store takes it.
pub(crate) fn timestamp(seconds: u64) -> Timestamp {
    Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}
