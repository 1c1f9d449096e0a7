//! Sync keys: taken from own devices, given to own devices, asked of own devices. Never made here,
//! because a key that the phone does not know splits the account.
//!
//! Owns how often a missing one is asked for.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use prost::Message as _;
use tokio::time::timeout;
use wa_appstate::{Keyring, SYNC_KEY_LEN, SyncKeyId};
use wa_proto::{
    Content, Jid,
    content::Protocol,
    pb::message::{
        AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
        AppStateSyncKeyRequest, AppStateSyncKeyShare,
    },
};
use wa_store::{Change, Changes, StoreError, SyncChange, SyncKey};

use super::{Job, resync_all};
use crate::{
    inner::Inner,
    locks::{self, Rank},
    send,
};

/// How long nobody is asked again for a key, in seconds: a day.
const ASK_AGAIN_SECS: i64 = 24 * 60 * 60;
/// How long a device that was just linked waits for the phone to share its first keys.
const FIRST_KEYS_TIMEOUT: Duration = Duration::from_secs(60);
/// The most keys taken from one share, or asked for in one request.
const MAX_KEYS: usize = 256;
/// Settings in which an earlier version kept keys begin with this.
const OLD_SETTING: &str = "app-state-key/";

/// All keys there are.
///
/// # Errors
/// The store's.
pub(super) async fn keyring(inner: &Inner) -> Result<Keyring, StoreError> {
    let keys = inner.store.sync_keys().await?;
    let data = |key: &SyncKey| key.data.as_bytes().try_into().ok();
    Ok(keys.iter().filter_map(|key| Some((SyncKeyId::new(key.id.clone()), data(key)?))).collect())
}

/// The key to write with: the newest.
///
/// # Errors
/// The store's.
pub(super) async fn newest(inner: &Inner) -> Result<Option<SyncKeyId>, StoreError> {
    let keys = inner.store.sync_keys().await?;
    Ok(keys.last().map(|key| SyncKeyId::new(key.id.clone())))
}

/// A device without any key waits a while for the phone to share them: they come by themselves.
///
/// # Errors
/// The store's.
pub(super) async fn wait_for_first(inner: &Inner) -> Result<(), StoreError> {
    take_over_old(inner).await?;
    let came = inner.app_state.keys_came.notified();
    if inner.store.sync_keys().await?.is_empty()
        && !inner.app_state.waited_for_keys.swap(true, Ordering::Relaxed)
    {
        // Without them the collections are looked at all the same, and say which keys are missing.
        let _ = timeout(FIRST_KEYS_TIMEOUT, came).await;
    }
    Ok(())
}

/// The keys that an own device shares, as they are kept; nothing if there are none. Once they are
/// committed, [`keys_came`] has to be told.
pub(crate) fn shared(share: &AppStateSyncKeyShare) -> Option<Change> {
    let keys: Vec<SyncKey> = share.keys.iter().take(MAX_KEYS).filter_map(read).collect();
    (!keys.is_empty()).then(|| Change::Sync(SyncChange::PutKeys(keys)))
}

/// Fetches what waited for keys.
pub(crate) fn keys_came(inner: &Inner) {
    inner.app_state.keys_came.notify_waiters();
    resync_all(inner);
}

/// A key that is whole; a device that does not have one says so by leaving its data out.
fn read(key: &AppStateSyncKey) -> Option<SyncKey> {
    let id = key.key_id.as_ref()?.key_id.as_ref()?;
    let data = key.key_data.as_ref()?;
    let bytes = data.key_data.as_ref().filter(|bytes| bytes.len() == SYNC_KEY_LEN)?;
    (1..=wa_appstate::MAX_KEY_ID_LEN).contains(&id.len()).then(|| SyncKey {
        id: id.to_vec(),
        data: bytes.to_vec().into(),
        timestamp: data.timestamp.unwrap_or_default(),
        fingerprint: data
            .fingerprint
            .as_ref()
            .map(AppStateSyncKeyFingerprint::encode_to_vec)
            .unwrap_or_default(),
    })
}

/// Moves keys from where an earlier version kept them.
async fn take_over_old(inner: &Inner) -> Result<(), StoreError> {
    let old = inner.store.settings_with_prefix(OLD_SETTING).await?;
    if old.is_empty() {
        return Ok(());
    }
    let keys = old.iter().filter_map(|(_, bytes)| AppStateSyncKey::decode(bytes.as_slice()).ok());
    let keys = keys.filter_map(|key| read(&key)).collect();
    let mut changes = Changes::from(Change::Sync(SyncChange::PutKeys(keys)));
    changes.extend(old.into_iter().map(|(name, _)| Change::PutSetting { name, value: None }));
    inner.store.commit(changes).await?;
    Ok(())
}

/// Asks the own devices for keys, each at most once a day.
pub(super) async fn request(inner: &Arc<Inner>, ids: &[SyncKeyId]) {
    let _place = locks::enter(Rank::KeyRequests);
    let _one_at_a_time = inner.app_state.key_requests.lock().await;
    if let Err(error) = try_request(inner, ids).await {
        tracing::warn!(%error, "keys of the app state cannot be asked for");
    }
}

async fn try_request(inner: &Arc<Inner>, ids: &[SyncKeyId]) -> Result<(), crate::Error> {
    let now = inner.now();
    let mut due = Vec::new();
    for id in ids.iter().take(MAX_KEYS) {
        let asked = inner.store.sync_key_requested_at(id.as_bytes()).await?;
        if asked.is_none_or(|at| at.plus_secs(ASK_AGAIN_SECS) <= now) {
            due.push(id.as_bytes().to_vec());
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    let key_ids = due.iter().map(|id| AppStateSyncKeyId { key_id: Some(id.clone().into()) });
    let request = AppStateSyncKeyRequest { key_ids: key_ids.collect() };
    let content = Content::Protocol(Protocol::AppStateKeyRequest(request));
    let asked = SyncChange::NoteKeysRequested { ids: due, at: now };
    // Noted before anything leaves: a crash must not turn one request into many.
    inner.store.commit(Change::Sync(asked).into()).await?;
    send::peer::send(inner, &content).await?;
    for device in own_companions(inner).await? {
        let id = send::peer::fresh_id(inner)?;
        if let Err(error) = send::peer::send_to(inner, &device, &id, &content).await {
            tracing::debug!(%error, "another companion cannot be asked for keys");
        }
    }
    Ok(())
}

/// The account's other companions, by LID where there is one.
async fn own_companions(inner: &Inner) -> Result<Vec<Jid>, StoreError> {
    let account = inner.account();
    let Some(own) = account.lid.as_ref().or(account.jid.as_ref()) else { return Ok(Vec::new()) };
    let list = inner.store.device_list(&own.to_user()).await?.unwrap_or_default();
    let others = list.devices.iter().map(|device| device.device);
    let others = others.filter(|&device| device != 0 && device != own.device);
    Ok(others.map(|device| own.to_user().with_device(device)).collect())
}

/// An own device asks for keys: it is answered once the backlog is over.
pub(crate) fn answer_request(inner: &Inner, to: &Jid, request: &AppStateSyncKeyRequest) {
    let ids = request.key_ids.iter().filter_map(|id| id.key_id.as_ref());
    let ids = ids.filter(|id| id.len() <= wa_appstate::MAX_KEY_ID_LEN).take(MAX_KEYS);
    let ids: Vec<Vec<u8>> = ids.map(|id| id.to_vec()).collect();
    if !ids.is_empty() {
        inner.app_state.add(Job::AnswerKeys { to: to.clone(), ids });
    }
}

/// Gives an own device those of the keys that are there.
pub(super) async fn send(inner: &Arc<Inner>, to: &Jid, ids: &[Vec<u8>]) {
    let known = match inner.store.sync_keys().await {
        Ok(keys) => keys,
        Err(error) => return tracing::warn!(%error, "a request for keys stays unanswered"),
    };
    let keys: Vec<_> = known.iter().filter(|key| ids.contains(&key.id)).map(to_share).collect();
    if keys.is_empty() {
        // The phone is asked as well, and has them if anybody does.
        return;
    }
    let share = Protocol::AppStateKeyShare(AppStateSyncKeyShare { keys });
    let sent = match send::peer::fresh_id(inner) {
        Ok(id) => send::peer::send_to(inner, to, &id, &Content::Protocol(share)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "a request for keys stays unanswered");
    }
}

fn to_share(key: &SyncKey) -> AppStateSyncKey {
    AppStateSyncKey {
        key_id: Some(AppStateSyncKeyId { key_id: Some(key.id.clone().into()) }),
        key_data: Some(AppStateSyncKeyData {
            key_data: Some(key.data.as_bytes().to_vec().into()),
            fingerprint: AppStateSyncKeyFingerprint::decode(key.fingerprint.as_slice()).ok(),
            timestamp: Some(key.timestamp),
        }),
    }
}
