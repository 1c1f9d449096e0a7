//! Telling the other devices what was changed here.
//!
//! A change is kept before it is told, so that it survives a restart; it takes effect here in the
//! commit in which the server's taking of it is noted. If another device's patch came first, that
//! one is applied, the own one is built anew on top of it and sent once more. A change that another
//! device overtook is dropped; one that the server refuses for good is dropped and reported.

use std::{collections::BTreeSet, sync::Arc};

use prost::Message as _;
use wa_appstate::{IndexMac, Keyring, Mutation, Operation, SyncKeyId, build_patch};
use wa_proto::{
    app_state::{Collection, SyncAction, SyncOperation, SyncRecord},
    pb::SyncActionValue,
    request::{AppStateAnswer, PushAppState},
};
use wa_store::{Change, Changes, PendingSync, StoreError, SyncChange};

use super::{
    keys,
    sync::{SyncError, Work, sync_locked},
    wait_until_ready,
};
use crate::{
    error::Error,
    event::{AppStateEvent, Event},
    inner::Inner,
    locks::{self, Rank},
    request::{REQUEST_TIMEOUT, RequestError},
};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synced {
    /// The server has it, and it took effect here.
    Done,
    /// It is kept, and is told the others as soon as that can be done; also after a restart. It
    /// takes effect here then. [`AppStateEvent::PushFailed`] tells if it is given up.
    Queued,
}

/// The most mutations of one patch made here.
const MAX_PER_PATCH: usize = 500;
/// The most changes that wait.
const MAX_PENDING: usize = 10_000;
/// How often a patch is sent before others are let pass: once, and once more on top of theirs.
const ATTEMPTS: usize = 2;

/// Changes something for all devices. All actions are of one collection.
///
/// # Errors
/// [`Error::NotLinked`]; the store's; [`Error::Server`] if the server refuses it for good.
pub(crate) async fn make(inner: &Arc<Inner>, actions: &[SyncAction]) -> Result<Synced, Error> {
    if inner.account().jid.is_none() {
        return Err(Error::NotLinked);
    }
    let Some(collection) = actions.first().map(|action| action.entry().collection()) else {
        return Ok(Synced::Done);
    };
    let made_at = i64::try_from(inner.clock.unix_ms()).unwrap_or(i64::MAX);
    if inner.store.pending_sync().await?.len() + actions.len() > MAX_PENDING {
        return Err(Error::InvalidInput("too many changes wait to be told the other devices"));
    }
    let pending: Vec<_> =
        actions.iter().map(|action| pending(inner, collection, action, made_at)).collect();
    let ids: BTreeSet<_> = pending.iter().map(|one| one.id.clone()).collect();
    let put = |one| Change::Sync(SyncChange::PutPending(Box::new(one)));
    inner.store.commit(pending.into_iter().map(put).collect()).await?;
    let mut refused = None;
    if wait_until_ready(inner, REQUEST_TIMEOUT).await {
        let _place = locks::enter(Rank::Collection);
        let _one_at_a_time = inner.app_state.lock(collection).lock().await;
        match push_locked(inner, collection).await {
            Ok(()) => {}
            Err(SyncError::Store(error)) => return Err(error.into()),
            Err(SyncError::Server(code)) => refused = Some(code),
            Err(error) => tracing::debug!(%collection, %error, "a change waits to be told"),
        }
    }
    let waiting = inner.store.pending_sync().await?;
    match (waiting.iter().any(|one| ids.contains(&one.id)), refused) {
        (true, _) => Ok(Synced::Queued),
        (false, Some(code)) => Err(Error::Server { code }),
        (false, None) => Ok(Synced::Done),
    }
}

fn pending(
    inner: &Inner,
    collection: Collection,
    action: &SyncAction,
    made_at: i64,
) -> PendingSync {
    let SyncRecord { operation, index, value, action_version } = action.to_record(made_at);
    let number = inner.with_rng(rand::Rng::next_u64);
    PendingSync {
        id: format!("{number:016x}"),
        collection,
        removes: operation == SyncOperation::Remove,
        index: index.to_json(),
        value: value.encode_to_vec().into(),
        action_version,
        made_at,
    }
}

/// Tells the others what waits; the caller holds the collection's lock.
///
/// # Errors
/// [`SyncError`]; what was not told waits on, except for what the server refused for good.
pub(super) async fn push_locked(
    inner: &Arc<Inner>,
    collection: Collection,
) -> Result<(), SyncError> {
    for attempt in 0..ATTEMPTS {
        let waiting = waiting(inner, collection).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let Some(key) = keys::newest(inner).await? else { return Ok(()) };
        if attempt == 0 && inner.store.collection(collection).await?.is_none() {
            sync_locked(inner, collection).await?;
        }
        let keyring = keys::keyring(inner).await?;
        let mut work = Work::from_held(inner, collection).await?;
        let (request, applied) = build(inner, &work, collection, &waiting, &keyring, &key).await?;
        match inner.request(&request).await? {
            AppStateAnswer::News(_) => {
                work.keep(applied);
                return work.commit_with(inner, told(&waiting)).await;
            }
            AppStateAnswer::Conflict(news) => {
                tracing::debug!(%collection, "another device was faster");
                let taken = work.take(inner, news, &keyring).await;
                let committed = work.commit(inner).await;
                if taken.is_err() || committed.is_err() || work.state.version == request.version {
                    // Whatever was wrong with what came along, fetching finds and repairs it.
                    sync_locked(inner, collection).await?;
                }
            }
            AppStateAnswer::Failed { code, .. } if code >= 500 || code == 429 => {
                return Err(SyncError::Server(code));
            }
            AppStateAnswer::Failed { code, .. } => {
                inner.store.commit(told(&waiting)).await?;
                inner.emit(Event::AppState(AppStateEvent::PushFailed { collection, code }));
                return Err(SyncError::Server(code));
            }
            _ => return Err(SyncError::Request(RequestError::NotConnected)),
        }
    }
    Ok(())
}

async fn waiting(inner: &Inner, collection: Collection) -> Result<Vec<PendingSync>, StoreError> {
    let all = inner.store.pending_sync().await?.into_iter();
    Ok(all.filter(|one| one.collection == collection).take(MAX_PER_PATCH).collect())
}

fn told(waiting: &[PendingSync]) -> Changes {
    let gone = |one: &PendingSync| Change::Sync(SyncChange::RemovePending(one.id.clone()));
    waiting.iter().map(gone).collect()
}

async fn build(
    inner: &Inner,
    work: &Work,
    collection: Collection,
    waiting: &[PendingSync],
    keyring: &Keyring,
    key: &SyncKeyId,
) -> Result<(PushAppState, wa_appstate::Applied), SyncError> {
    let mutations: Vec<_> = waiting.iter().map(mutation).collect();
    let Some(keys) = keyring.find(key.as_bytes()) else {
        return Err(SyncError::MissingKeys(vec![key.clone()]));
    };
    let indexes: Vec<_> =
        mutations.iter().map(|mutation| IndexMac::of(&mutation.index, keys)).collect();
    let previous = work.previous(inner, &indexes).await?;
    let built = inner.with_rng(|rng| {
        build_patch(collection, &work.state, &mutations, keyring, key, &previous, rng)
    });
    // The key is there, and what waits is neither nothing nor too much.
    let built = built.map_err(|_| SyncError::Unreadable)?;
    let patch = built.patch.encode_to_vec().into();
    let request = PushAppState { collection, version: work.state.version, patch };
    Ok((request, built.applied))
}

fn mutation(pending: &PendingSync) -> Mutation {
    let operation = if pending.removes { Operation::Remove } else { Operation::Set };
    let value = SyncActionValue::decode(pending.value.as_bytes()).unwrap_or_default();
    Mutation {
        operation,
        index: pending.index.clone(),
        value,
        action_version: pending.action_version,
    }
}

/// Which of the changes that wait are overtaken by what others said: the same, or something newer
/// at the same place.
///
/// # Errors
/// The store's.
pub(super) async fn overtaken(
    inner: &Inner,
    collection: Collection,
    said: &[Mutation],
) -> Result<Changes, StoreError> {
    let waiting = waiting(inner, collection).await?;
    let is_overtaken = |one: &&PendingSync| {
        let own = mutation(one);
        said.iter().any(|other| {
            other.index == own.index
                && (*other == own || other.value.timestamp.is_some_and(|at| at > one.made_at))
        })
    };
    Ok(told(&waiting.iter().filter(is_overtaken).cloned().collect::<Vec<_>>()))
}
