//! Fetching a collection: page by page, every MAC checked, each page in one commit with what it
//! says.
//!
//! Owns the order of repair: what does not add up is fetched again from the beginning, and if that
//! does not add up either, the phone is asked for its own copy. A collection whose key is missing
//! stands still until the key comes. No version is ever taken back.

use std::{collections::HashMap, sync::Arc};

use wa_appstate::{
    AppStateError, Applied, CollectionState, IndexMac, Keyring, LtHash, Mutation, SyncKeyId,
    ValueMac, apply_patch, apply_snapshot, index_macs, missing_keys, missing_snapshot_keys,
};
use wa_proto::{
    app_state::Collection,
    pb::SyncdPatch,
    request::{AppStateAnswer, AppStateNews, FetchAppState},
};
use wa_store::{
    Change, Changes, CollectionUpdate, CollectionVersion, StoreError, SyncChange, SyncMac,
};

use super::{blob, effects, keys, push, recovery};
use crate::{
    event::{AppStateEvent, Event, SyncFailure},
    inner::Inner,
    locks::{self, Rank},
    media::MediaError,
    request::RequestError,
};

/// Why a collection could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("a part on the media hosts cannot be had: {0}")]
    Media(#[from] MediaError),
    #[error("a part on the media hosts cannot be decoded")]
    Unreadable,
    #[error("the server refuses the collection with code {0}")]
    Server(u16),
    #[error("{} keys are missing", .0.len())]
    MissingKeys(Vec<SyncKeyId>),
    #[error(transparent)]
    Refused(#[from] AppStateError),
    #[error("the server promises more and gives nothing, or without end")]
    Endless,
}

/// Brings a collection up to date, and tells the others what waits to be told.
pub(super) async fn sync(inner: &Arc<Inner>, collection: Collection) {
    let _place = locks::enter(Rank::Collection);
    let _one_at_a_time = inner.app_state.lock(collection).lock().await;
    if let Err(error) = sync_locked(inner, collection).await {
        report(inner, collection, &error);
        return;
    }
    if let Err(error) = push::push_locked(inner, collection).await {
        report(inner, collection, &error);
    }
}

/// Brings a collection up to date; the caller holds its lock.
///
/// # Errors
/// [`SyncError`]; what could be done about it was begun.
pub(super) async fn sync_locked(
    inner: &Arc<Inner>,
    collection: Collection,
) -> Result<(), SyncError> {
    keys::wait_for_first(inner).await?;
    let mut outcome = catch_up(inner, collection, Start::Held).await;
    if let Err(error) = &outcome
        && adds_not_up(error)
    {
        tracing::warn!(%collection, %error, "a collection does not add up; fetching it anew");
        outcome = catch_up(inner, collection, Start::Anew).await;
        if outcome.as_ref().is_err_and(adds_not_up) {
            recovery::ask(inner, collection).await;
        }
    }
    if let Err(SyncError::MissingKeys(ids)) = &outcome {
        keys::request(inner, ids).await;
    }
    outcome
}

/// Whether beginning anew may help.
fn adds_not_up(error: &SyncError) -> bool {
    match error {
        SyncError::Refused(AppStateError::Rollback { .. } | AppStateError::MissingKey(_)) => false,
        SyncError::Refused(_) | SyncError::Unreadable => true,
        _ => false,
    }
}

/// Tells the user what went wrong.
pub(super) fn report(inner: &Inner, collection: Collection, error: &SyncError) {
    tracing::warn!(%collection, %error, "a collection is not up to date");
    let reason = match error {
        SyncError::MissingKeys(_) => {
            return inner.emit(Event::AppState(AppStateEvent::KeyMissing { collection }));
        }
        // The next connection tries again.
        SyncError::Request(
            RequestError::Disconnected | RequestError::NotConnected | RequestError::LoggedOut,
        ) => return,
        SyncError::Refused(AppStateError::Rollback { .. }) => SyncFailure::Rollback,
        SyncError::Refused(_) | SyncError::Unreadable => SyncFailure::NotAuthentic,
        SyncError::Media(_) => SyncFailure::Media,
        SyncError::Store(_) => SyncFailure::Storage,
        SyncError::Request(_) | SyncError::Server(_) | SyncError::Endless => SyncFailure::Server,
    };
    inner.emit(Event::AppState(AppStateEvent::SyncFailed { collection, reason }));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// From the version that is held.
    Held,
    /// From the beginning, without touching what is held until everything is there.
    Anew,
}

async fn catch_up(inner: &Inner, collection: Collection, start: Start) -> Result<(), SyncError> {
    let keyring = keys::keyring(inner).await?;
    let mut work = Work::begin(inner, collection, start).await?;
    for page in 0..MAX_PAGES {
        let version = work.state.version;
        let fetch = FetchAppState { collection, version, snapshot: work.anew && page == 0 };
        let news = match inner.request(&fetch).await? {
            AppStateAnswer::News(news) | AppStateAnswer::Conflict(news) => news,
            AppStateAnswer::Failed { code, .. } => return Err(SyncError::Server(code)),
            _ => return Err(SyncError::Endless),
        };
        let has_more = news.has_more;
        let taken = work.take(inner, news, &keyring).await;
        if !work.anew || (taken.is_ok() && !has_more) {
            work.commit(inner).await?;
        }
        taken?;
        if !has_more {
            return Ok(());
        }
        if work.state.version == version {
            return Err(SyncError::Endless);
        }
    }
    Err(SyncError::Endless)
}

/// A collection on its way from one version to another.
pub(super) struct Work {
    collection: Collection,
    pub(super) state: CollectionState,
    /// The version that is held, below which nothing may end.
    floor: u64,
    /// Whether everything remembered is void once this is committed.
    anew: bool,
    macs: HashMap<IndexMac, Option<ValueMac>>,
    mutations: Vec<Mutation>,
    changed: bool,
}

impl Work {
    async fn begin(
        inner: &Inner,
        collection: Collection,
        start: Start,
    ) -> Result<Self, StoreError> {
        let held = inner.store.collection(collection).await?;
        let floor = held.as_ref().map_or(0, |held| held.version);
        let anew = start == Start::Anew || held.is_none();
        let held = held.filter(|_| !anew).map(|held| state_of(&held));
        let state = held.unwrap_or(CollectionState::EMPTY);
        let (macs, mutations) = Default::default();
        Ok(Self { collection, state, floor, anew, macs, mutations, changed: false })
    }

    /// A step from the version that is held.
    pub(super) async fn from_held(
        inner: &Inner,
        collection: Collection,
    ) -> Result<Self, StoreError> {
        Self::begin(inner, collection, Start::Held).await
    }

    /// Takes what the server gave, as far as it holds.
    pub(super) async fn take(
        &mut self,
        inner: &Inner,
        news: AppStateNews,
        keyring: &Keyring,
    ) -> Result<(), SyncError> {
        if let Some(reference) = &news.snapshot {
            let snapshot = blob::snapshot(inner, reference).await?;
            let missing = missing_snapshot_keys(&snapshot, keyring)?;
            if !missing.is_empty() {
                return Err(SyncError::MissingKeys(missing));
            }
            let applied = apply_snapshot(self.collection, &snapshot, keyring)?;
            self.macs.clear();
            self.mutations.clear();
            self.anew = true;
            self.keep(applied);
        }
        for mut patch in news.patches {
            let version = patch.version.as_ref().and_then(|version| version.version);
            if news.snapshot.is_some() && version.is_some_and(|at| at <= self.state.version) {
                continue;
            }
            blob::inline(inner, &mut patch).await?;
            let applied = self.open(inner, &patch, keyring).await?;
            self.keep(applied);
        }
        Ok(())
    }

    async fn open(
        &self,
        inner: &Inner,
        patch: &SyncdPatch,
        keyring: &Keyring,
    ) -> Result<Applied, SyncError> {
        let missing = missing_keys(patch, keyring)?;
        if !missing.is_empty() {
            return Err(SyncError::MissingKeys(missing));
        }
        let previous = self.previous(inner, &index_macs(patch)).await?;
        Ok(apply_patch(self.collection, &self.state, patch, keyring, &previous)?)
    }

    /// The value MACs that stand at these indexes now.
    pub(super) async fn previous(
        &self,
        inner: &Inner,
        indexes: &[IndexMac],
    ) -> Result<HashMap<IndexMac, ValueMac>, StoreError> {
        let mut previous = HashMap::new();
        let mut unknown: Vec<SyncMac> = Vec::new();
        for index in indexes {
            match self.macs.get(index) {
                Some(known) => previous.extend(known.map(|value| (*index, value))),
                None if self.anew => {}
                None => unknown.push(*index.as_bytes()),
            }
        }
        if !unknown.is_empty() {
            let stored = inner.store.collection_macs(self.collection, &unknown).await?;
            previous.extend(
                stored.into_iter().map(|(index, value)| {
                    (IndexMac::from_bytes(index), ValueMac::from_bytes(value))
                }),
            );
        }
        Ok(previous)
    }

    /// Goes on to the state after a patch or snapshot that held.
    pub(super) fn keep(&mut self, applied: Applied) {
        if applied.missing_removals > 0 {
            tracing::warn!(
                collection = %self.collection,
                count = applied.missing_removals,
                "values were removed that had never been there"
            );
        }
        self.state = applied.state;
        self.macs.extend(applied.macs.into_iter().map(|change| (change.index, change.value)));
        self.mutations.extend(applied.mutations);
        self.changed = true;
    }

    /// Takes a whole collection in place of what is held.
    pub(super) fn replace(&mut self, applied: Applied) {
        self.anew = true;
        self.macs.clear();
        self.mutations.clear();
        self.keep(applied);
    }

    /// Writes the new version and what was said, in one commit, and tells it.
    ///
    /// # Errors
    /// The store's; a version below the one that is held.
    pub(super) async fn commit(&mut self, inner: &Inner) -> Result<(), SyncError> {
        let overtaken = push::overtaken(inner, self.collection, &self.mutations).await?;
        self.commit_with(inner, overtaken).await
    }

    /// The same with further changes.
    ///
    /// # Errors
    /// As [`Work::commit`].
    pub(super) async fn commit_with(
        &mut self,
        inner: &Inner,
        more: Changes,
    ) -> Result<(), SyncError> {
        if !self.changed && !self.anew {
            return Ok(());
        }
        let (held, found) = (self.floor, self.state.version);
        if found < held {
            return Err(AppStateError::Rollback { held, found }.into());
        }
        let mutations = std::mem::take(&mut self.mutations);
        let mut effects = effects::of(inner, self.collection, &mutations, self.anew).await?;
        effects.changes.merge(more);
        effects.changes.push(Change::Sync(SyncChange::Advance(Box::new(self.update()))));
        effects.commit(inner).await?;
        (self.floor, self.anew, self.changed) = (found, false, false);
        Ok(())
    }

    fn update(&mut self) -> CollectionUpdate {
        let macs = std::mem::take(&mut self.macs).into_iter();
        CollectionUpdate {
            collection: self.collection,
            version: CollectionVersion {
                version: self.state.version,
                hash: *self.state.hash.as_bytes(),
            },
            anew: self.anew,
            macs: macs
                .map(|(index, value)| (*index.as_bytes(), value.map(|value| *value.as_bytes())))
                .collect(),
        }
    }
}

/// A collection's place as it was stored.
fn state_of(held: &CollectionVersion) -> CollectionState {
    CollectionState { version: held.version, hash: LtHash::from_bytes(held.hash) }
}

/// The most pages that are fetched of a collection in one go.
const MAX_PAGES: usize = 1_000;
