//! One part of the history: opened, read in batches, and told to the phone as stored.
//!
//! Owns the order of these steps and what becomes of a part that fails. Knows nothing of messages.

use std::sync::Arc;

use prost::Message as _;
use wa_proto::{
    MessageId,
    history::{HistoryError, HistoryItem, HistoryReader},
    pb::{self, message::HistorySyncNotification},
    stanza::{OwnJids, SentReceipt, SentReceiptKind},
};
use wa_store::{
    Change, Changes, GapPlace, GapReason, HistoryChunk, HistoryGap, StoreError, Timestamp,
};

use super::{
    apply::{Applied, Applier},
    blob::{self, BlobError, Source},
    progress::Progress,
    worker,
};
use crate::{
    draft::Draft,
    event::{ChunkFailure, Event, HistoryEvent, HistoryKind},
    inner::Inner,
    receipts,
    receive::{own_jids, provenance::OwnPhone},
};

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is dealt with.
    Done,
    /// It waits: its bytes could not be had now.
    Later,
}

/// A part whose notice was read.
struct Part<'a> {
    id: &'a str,
    chunk: &'a HistoryChunk,
    notice: HistorySyncNotification,
    kind: HistoryKind,
    own: OwnJids,
}

impl Part<'_> {
    fn order(&self) -> u32 {
        self.notice.chunk_order.unwrap_or_default()
    }

    fn place(&self) -> GapPlace {
        let kind = u32::try_from(self.notice.sync_type.unwrap_or_default()).unwrap_or(u32::MAX);
        GapPlace::Chunk { kind, order: self.order() }
    }
}

/// Reads a part to its end.
///
/// # Errors
/// The store's; the part waits.
pub(super) async fn read(inner: &Arc<Inner>, chunk: &HistoryChunk) -> Result<Outcome, StoreError> {
    let forget = || Changes::from(Change::RemoveHistoryChunk(chunk.id.clone()));
    let notice = HistorySyncNotification::decode(chunk.notice.as_slice());
    let (Ok(notice), Some(own)) = (notice, own_jids(&inner.account())) else {
        inner.store.commit(forget()).await?;
        return Ok(Outcome::Done);
    };
    let kind = HistoryKind::from_wire(notice.sync_type.unwrap_or_default());
    let part = Part { id: chunk.id.as_str(), chunk, notice, kind, own };
    if let Some(event) = inner.history.progress(|progress| progress.begin(kind)) {
        inner.emit(Event::History(event));
    }
    let failure = match blob::open(inner, &part.notice).await {
        Ok(source) => match read_source(inner, &part, source).await? {
            Ok((applied, head)) => {
                stored(inner, &part, &applied, head).await?;
                return Ok(Outcome::Done);
            }
            Err(failure) => failure,
        },
        Err(BlobError::Never(failure)) => failure,
        Err(BlobError::Later) if chunk.attempts < MAX_ATTEMPTS => {
            let tried = HistoryChunk { attempts: chunk.attempts + 1, ..chunk.clone() };
            inner.store.commit(Change::PutHistoryChunk(Box::new(tried)).into()).await?;
            return Ok(Outcome::Later);
        }
        Err(BlobError::Later) => ChunkFailure::Unreachable,
    };
    failed(inner, &part, failure).await?;
    Ok(Outcome::Done)
}

type ReadPart = Result<(Applied, pb::HistorySync), ChunkFailure>;

/// Reads what a part holds and commits it batch by batch.
async fn read_source(
    inner: &Arc<Inner>,
    part: &Part<'_>,
    source: Option<Source>,
) -> Result<ReadPart, StoreError> {
    let phone = OwnPhone::of_history(part.chunk);
    let mut applier = Applier::new(inner, part.own.clone(), phone, part.kind);
    let Some(mut source) = source else {
        return Ok(Ok((applier.finish(), pb::HistorySync::default())));
    };
    let mut reader = HistoryReader::new();
    let mut batch = Batch::default();
    loop {
        let Ok((rest, piece)) = source.piece().await else {
            return Ok(Err(ChunkFailure::Truncated));
        };
        source = rest;
        if piece.is_empty() {
            break;
        }
        let mut piece = &*piece;
        loop {
            match reader.next(&mut piece) {
                Ok(Some(item)) => batch.push(item),
                Ok(None) => break,
                Err(error) => return Ok(Err(failure(error))),
            }
            if batch.is_full() {
                applier.apply(std::mem::take(&mut batch).items).await?;
            }
        }
    }
    applier.apply(batch.items).await?;
    Ok(match reader.finish() {
        Ok(head) => Ok((applier.finish(), head)),
        Err(error) => Err(failure(error)),
    })
}

/// Items that are committed together.
#[derive(Default)]
struct Batch {
    items: Vec<HistoryItem>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, item: HistoryItem) {
        if let HistoryItem::Message(message) = &item {
            self.bytes += message.message.as_ref().map_or(0, Vec::len);
        }
        self.items.push(item);
    }

    fn is_full(&self) -> bool {
        self.items.len() >= MAX_BATCH_ITEMS || self.bytes >= MAX_BATCH_BYTES
    }
}

fn failure(error: HistoryError) -> ChunkFailure {
    match error {
        HistoryError::Truncated => ChunkFailure::Truncated,
        HistoryError::TooLarge => ChunkFailure::TooLarge,
        _ => ChunkFailure::Malformed,
    }
}

/// The last commit of a part, and after it the receipt.
async fn stored(
    inner: &Arc<Inner>,
    part: &Part<'_>,
    applied: &Applied,
    head: pb::HistorySync,
) -> Result<(), StoreError> {
    let mut draft = Draft::new(&*inner.store);
    keep_head(&mut draft, head);
    draft.push(Change::RemoveHistoryChunk(part.id.into()));
    draft.push(Change::RemoveHistoryGap(part.place()));
    let owed = receipt(part, SentReceiptKind::HistorySync)
        .map(|receipt| receipts::owe(inner, &mut draft, &receipt));
    inner.store.commit(draft.into_changes()).await?;
    if let Some(owed) = owed {
        receipts::send_now(inner, [owed]).await;
    }
    blob::discard(inner, &part.notice);
    let percent = part.notice.progress;
    if part.kind != HistoryKind::OnDemand {
        let event = inner.history.progress(|progress| {
            progress.reach(percent);
            progress.count_messages(0)
        });
        inner.emit(Event::History(event));
    }
    inner.emit(Event::History(HistoryEvent::ChunkStored {
        kind: part.kind,
        order: part.order(),
        chats: applied.chats,
        messages: applied.messages,
        unreadable: applied.unreadable,
    }));
    if part.kind == HistoryKind::OnDemand {
        inner.history.fetches.settle(&part.notice, applied);
    }
    let depth = inner.settings.description.history;
    if Progress::is_last(part.kind, percent, depth)
        && inner.store.history_chunks(1).await?.is_empty()
    {
        worker::end(inner, true).await?;
    }
    Ok(())
}

/// What a part says of the whole account.
fn keep_head(draft: &mut Draft<'_>, head: pb::HistorySync) {
    if let Some(salt) = head.nct_salt.filter(|salt| !salt.is_empty()) {
        draft.push(Change::PutNctSalt(Some(salt.to_vec().into())));
    }
    let settings = head.global_settings.map(|settings| settings.encode_to_vec());
    let nonce = head.companion_meta_nonce.map(String::into_bytes);
    let secret = head.thread_id_user_secret.map(|secret| secret.to_vec());
    let chat_key = head.shareable_chat_identifier_encryption_key.map(|key| key.to_vec());
    for (name, value) in [
        (GLOBAL_SETTINGS, settings),
        (COMPANION_META_NONCE, nonce),
        (THREAD_ID_SECRET, secret),
        (SHAREABLE_CHAT_KEY, chat_key),
    ] {
        if value.is_some() {
            draft.push(Change::PutSetting { name: name.to_owned(), value });
        }
    }
}

/// A part cannot be read: the phone is asked for it again, a few times; where it is missing for
/// good, there is a gap.
async fn failed(
    inner: &Arc<Inner>,
    part: &Part<'_>,
    reason: ChunkFailure,
) -> Result<(), StoreError> {
    tracing::warn!(id = part.id, ?reason, "a part of the history cannot be read");
    let known = inner.store.history_gap(&part.place()).await?;
    let mut gap = known.unwrap_or_else(|| HistoryGap::new(part.place(), GapReason::Unreadable));
    let is_news = gap.attempts == 0;
    let asked_again = gap.attempts < MAX_REQUESTS && part.kind != HistoryKind::OnDemand;
    gap.attempts = gap.attempts.saturating_add(1);
    gap.from = part.notice.oldest_msg_in_chunk_timestamp_sec.map(Timestamp::from_secs);
    let mut draft = Draft::new(&*inner.store);
    draft.push(Change::RemoveHistoryChunk(part.id.into()));
    if part.kind != HistoryKind::OnDemand {
        draft.push(Change::PutHistoryGap(Box::new(gap.clone())));
    }
    let receipt = receipt(part, SentReceiptKind::ServerError).filter(|_| asked_again);
    let owed = receipt.map(|receipt| receipts::owe(inner, &mut draft, &receipt));
    inner.store.commit(draft.into_changes()).await?;
    receipts::send_now(inner, owed).await;
    let (kind, order) = (part.kind, part.order());
    inner.emit(Event::History(HistoryEvent::ChunkFailed { kind, order, reason, asked_again }));
    if kind == HistoryKind::OnDemand {
        inner.history.fetches.fail(&part.notice);
    } else if is_news {
        inner.emit(Event::History(HistoryEvent::GapFound(gap)));
    }
    Ok(())
}

fn receipt(part: &Part<'_>, kind: SentReceiptKind) -> Option<SentReceipt> {
    Some(SentReceipt {
        to: part.own.phone.to_user(),
        participant: None,
        recipient: None,
        ids: vec![MessageId::new(part.id).ok()?],
        kind,
        timestamp: None,
    })
}

/// How many items are committed together.
const MAX_BATCH_ITEMS: usize = 500;
/// From how many bytes of messages on a commit is due.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// How often a download is tried.
const MAX_ATTEMPTS: u32 = 10;
/// How often the phone is asked for a part again.
const MAX_REQUESTS: u32 = 3;
/// The setting that holds the phone's own settings, a `GlobalSettings`.
const GLOBAL_SETTINGS: &str = "history/global-settings";
/// The setting that holds the nonce of this companion.
const COMPANION_META_NONCE: &str = "history/companion-meta-nonce";
/// The setting that holds the secret of which ids of threads are made.
const THREAD_ID_SECRET: &str = "history/thread-id-user-secret";
/// The setting that holds the key under which chats are named to others.
const SHAREABLE_CHAT_KEY: &str = "history/shareable-chat-key";
