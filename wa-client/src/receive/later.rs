//! What the phone tells that needs more locks than its own session's.
//!
//! A table of LIDs moves everybody's keys, and a copy of the app state waits for its collection:
//! done while the phone's session is held, both would wait for whoever waits for that session. So
//! the message is put on disk with the commit that opened it, seen to once its turn is over, and
//! forgotten then; after a crash the next login sees to it.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use prost::Message as _;
use wa_proto::{Content, Jid, Unwrapped, content::Protocol, pb};
use wa_store::{Change, StoreError};

use super::provenance::Authenticated;
use crate::{app_state, inner::Inner, lid};

/// Keeps what the phone told, to be committed with the session that opened it.
pub(super) fn keep(id: &str, told: &Authenticated) -> Change {
    let value = Some(told.plaintext().to_vec());
    Change::PutSetting { name: format!("{KEPT}{id}"), value }
}

/// Sees to what a message brought that was kept under this id. Nobody's turn may be held.
///
/// # Errors
/// The store's; then it is seen to at the next login.
pub(super) async fn take(inner: &Inner, id: &str) -> Result<(), StoreError> {
    let name = format!("{KEPT}{id}");
    match inner.store.setting(&name).await? {
        Some(plaintext) => see_to(inner, name, plaintext).await,
        None => Ok(()),
    }
}

/// Sees to what an earlier run of this client left.
///
/// # Errors
/// The store's.
pub(crate) async fn resume(inner: &Inner) -> Result<(), StoreError> {
    for (name, plaintext) in inner.store.settings_with_prefix(KEPT).await? {
        see_to(inner, name, plaintext).await?;
    }
    Ok(())
}

/// Forgets what is kept: it was of an account that this device is no longer linked with.
///
/// # Errors
/// The store's.
pub(crate) async fn forget(inner: &Inner) -> Result<(), StoreError> {
    let kept = inner.store.settings_with_prefix(KEPT).await?;
    let gone = |(name, _)| Change::PutSetting { name, value: None };
    inner.store.commit(kept.into_iter().map(gone).collect()).await?;
    Ok(())
}

async fn see_to(inner: &Inner, name: String, plaintext: Vec<u8>) -> Result<(), StoreError> {
    match Unwrapped::decode(plaintext).map(|unwrapped| unwrapped.content) {
        Ok(Content::Protocol(Protocol::LidMapping(table))) => learn_table(inner, &table).await?,
        Ok(Content::Protocol(Protocol::PeerDataOperationResponse(response))) => {
            app_state::take_answer(inner, &response).await?;
        }
        _ => tracing::warn!("what was kept for later is nothing that is known"),
    }
    inner.store.commit(Change::PutSetting { name, value: None }.into()).await?;
    Ok(())
}

/// Learns the phone's table of phone numbers and LIDs.
async fn learn_table(inner: &Inner, compressed: &[u8]) -> Result<(), StoreError> {
    let mut table = Vec::new();
    let bounded = ZlibDecoder::new(compressed).take(MAX_LID_TABLE_LEN + 1);
    let inflated = { bounded }.read_to_end(&mut table);
    if inflated.is_err() || table.len() as u64 > MAX_LID_TABLE_LEN {
        tracing::warn!("the table of LIDs cannot be inflated");
        return Ok(());
    }
    let Ok(table) = pb::LidMigrationMappingSyncPayload::decode(table.as_slice()) else {
        tracing::warn!("the table of LIDs cannot be decoded");
        return Ok(());
    };
    let pairs: Vec<(Jid, Jid)> = table
        .pn_to_lid_mappings
        .iter()
        .map(|mapping| {
            let lid = mapping.latest_lid.unwrap_or(mapping.assigned_lid);
            (Jid::phone(mapping.pn.to_string()), Jid::lid(lid.to_string()))
        })
        .collect();
    let pairs: Vec<_> = pairs.iter().map(|(phone, lid)| (phone, lid)).collect();
    lid::learn_all(inner, &pairs).await?;
    Ok(())
}

/// The settings under which it is kept begin with this.
const KEPT: &str = "told-by-phone/";
/// The most bytes that a table of LIDs may inflate to: some 700,000 people.
const MAX_LID_TABLE_LEN: u64 = 16 << 20;
