//! The phone's own copy of a collection, when what the server has does not add up.
//!
//! Owns asking for it, at most once a day for each collection, and taking it. What would come
//! after it, telling the phone that all is lost, unlinks every companion and is done on the
//! user's explicit word alone.

use std::{io::Read as _, sync::Arc};

use flate2::read::{GzDecoder, ZlibDecoder};
use prost::Message as _;
use wa_appstate::recover;
use wa_proto::{
    Content,
    app_state::Collection,
    content::Protocol,
    pb::{
        SyncdSnapshotRecovery,
        message::{
            AppStateFatalExceptionNotification, PeerDataOperationRequestMessage,
            PeerDataOperationRequestResponseMessage, PeerDataOperationRequestType as Operation,
            peer_data_operation_request_message::SyncDCollectionFatalRecoveryRequest,
        },
    },
};
use wa_store::{Change, StoreError};

use super::{Job, SETTING, keys, setting, sync::Work};
use crate::{
    error::Error,
    event::{AppStateEvent, Event, SyncFailure},
    inner::Inner,
    locks::{self, Rank},
    send,
};

/// The most bytes that a copy may inflate to.
const MAX_COPY_LEN: u64 = 64 << 20;
/// How long the phone is not asked again for a collection, in seconds: a day.
const ASK_AGAIN_SECS: i64 = 24 * 60 * 60;
/// Behind the time of a request whose copy came.
const CAME: u8 = 1;

/// Asks the phone for its copy of a collection.
pub(super) async fn ask(inner: &Arc<Inner>, collection: Collection) {
    match try_ask(inner, collection).await {
        Ok(true) => {
            inner.emit(Event::AppState(AppStateEvent::RecoveryRequested { collection }));
        }
        Ok(false) => tracing::debug!(%collection, "the phone was asked for its copy already"),
        Err(error) => tracing::warn!(%collection, %error, "the phone cannot be asked"),
    }
}

async fn try_ask(inner: &Arc<Inner>, collection: Collection) -> Result<bool, Error> {
    let now = inner.now().secs();
    // Also where the copy came meanwhile: a server that goes on giving what does not add up must
    // not keep the phone busy.
    let asked = asked(inner, collection).await?;
    if asked.is_some_and(|asked| now < asked.at.saturating_add(ASK_AGAIN_SECS)) {
        return Ok(false);
    }
    let request = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(
            Operation::CompanionSyncdSnapshotFatalRecovery.into(),
        ),
        syncd_collection_fatal_recovery_request: Some(SyncDCollectionFatalRecoveryRequest {
            collection_name: Some(collection.as_str().to_owned()),
            timestamp: Some(now),
        }),
        ..Default::default()
    };
    let request = Protocol::PeerDataOperationRequest(Box::new(request));
    let asked = Asked { at: now, is_awaited: true };
    inner.store.commit(asked.keep(collection).into()).await?;
    send::peer::send(inner, &Content::Protocol(request)).await?;
    Ok(true)
}

/// That the phone was asked for its copy of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    /// When, in seconds since 1970.
    at: i64,
    /// Whether the copy has not come yet.
    is_awaited: bool,
}

impl Asked {
    fn keep(self, collection: Collection) -> Change {
        let mut bytes = self.at.to_be_bytes().to_vec();
        bytes.extend((!self.is_awaited).then_some(CAME));
        setting(&place(collection), bytes)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        Some(Self { at: i64::from_be_bytes(*at), is_awaited: rest.is_empty() })
    }
}

/// When the phone was asked last.
async fn asked(inner: &Inner, collection: Collection) -> Result<Option<Asked>, StoreError> {
    let kept = inner.store.setting(&format!("{SETTING}{}", place(collection))).await?;
    Ok(kept.and_then(|bytes| Asked::read(&bytes)))
}

fn place(collection: Collection) -> String {
    format!("recovery/{collection}")
}

/// Whether an answer of the phone holds a copy of a collection.
pub(crate) fn is_answer(answer: &PeerDataOperationRequestResponseMessage) -> bool {
    let mut results = answer.peer_data_operation_result.iter();
    results.any(|result| result.syncd_snapshot_fatal_recovery_response.is_some())
}

/// The phone answered; of copies nobody asked for nothing is taken.
///
/// # Errors
/// The store's.
pub(crate) async fn take_answer(
    inner: &Inner,
    answer: &PeerDataOperationRequestResponseMessage,
) -> Result<(), StoreError> {
    for result in &answer.peer_data_operation_result {
        let Some(copy) = &result.syncd_snapshot_fatal_recovery_response else { continue };
        let bytes = copy.collection_snapshot.as_deref().unwrap_or_default();
        let is_compressed = copy.is_compressed.unwrap_or(false);
        let Some(copy) = decode(bytes, is_compressed) else {
            tracing::warn!("the phone's copy of a collection cannot be read");
            continue;
        };
        let Some(collection) = copy.collection_name.as_deref().and_then(|name| name.parse().ok())
        else {
            continue;
        };
        take(inner, collection, &copy).await?;
    }
    Ok(())
}

async fn take(
    inner: &Inner,
    collection: Collection,
    copy: &SyncdSnapshotRecovery,
) -> Result<(), StoreError> {
    let Some(asked) = asked(inner, collection).await?.filter(|asked| asked.is_awaited) else {
        tracing::warn!(%collection, "the phone sent a copy that nobody asked for");
        return Ok(());
    };
    let _place = locks::enter(Rank::Collection);
    let _one_at_a_time = inner.app_state.lock(collection).lock().await;
    let failed = |reason| {
        inner.emit(Event::AppState(AppStateEvent::SyncFailed { collection, reason }));
    };
    let applied = match recover(collection, copy, &keys::keyring(inner).await?) {
        Ok(applied) => applied,
        Err(error) => {
            tracing::warn!(%collection, %error, "the phone's copy cannot be used");
            failed(SyncFailure::NotAuthentic);
            return Ok(());
        }
    };
    let mut work = Work::from_held(inner, collection).await?;
    work.replace(applied);
    match work.commit(inner).await {
        Ok(()) => {
            let came = Asked { is_awaited: false, ..asked };
            inner.store.commit(came.keep(collection).into()).await?;
            // What came after the copy was made follows.
            inner.app_state.add(Job::Sync(collection));
        }
        Err(super::sync::SyncError::Store(error)) => return Err(error),
        Err(error) => {
            tracing::warn!(%collection, %error, "the phone's copy cannot be used");
            failed(SyncFailure::Rollback);
        }
    }
    Ok(())
}

fn decode(bytes: &[u8], is_compressed: bool) -> Option<SyncdSnapshotRecovery> {
    if !is_compressed {
        return SyncdSnapshotRecovery::decode(bytes).ok();
    }
    let mut plain = Vec::new();
    // Both forms have been seen; gzip begins with its own mark.
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes).take(MAX_COPY_LEN + 1).read_to_end(&mut plain)
    } else {
        ZlibDecoder::new(bytes).take(MAX_COPY_LEN + 1).read_to_end(&mut plain)
    };
    read.ok().filter(|&len| len as u64 <= MAX_COPY_LEN)?;
    SyncdSnapshotRecovery::decode(plain.as_slice()).ok()
}

/// Tells the phone that these collections cannot be repaired. It unlinks every companion,
/// this one included.
///
/// # Errors
/// If the phone cannot be reached.
pub(crate) async fn send_fatal_exception(
    inner: &Arc<Inner>,
    collections: &[Collection],
) -> Result<(), Error> {
    let notice = AppStateFatalExceptionNotification {
        collection_names: collections.iter().map(|one| one.as_str().to_owned()).collect(),
        timestamp: Some(i64::try_from(inner.clock.unix_ms()).unwrap_or(i64::MAX)),
    };
    send::peer::send(inner, &Content::Protocol(Protocol::AppStateFatal(notice))).await?;
    Ok(())
}
