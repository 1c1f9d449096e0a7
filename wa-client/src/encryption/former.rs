//! Identity keys that people had before they were set up anew.
//!
//! Owns the rule that an old message does not bring one back. Each registration makes new keys, so
//! a former one returns only where the server, asked for keys, gives it, and the user is told as of
//! any other change. Knows nothing of how keys are replaced.

use std::sync::Arc;

use tokio::time::Instant;
use wa_adv::{AccountKey, SignedDeviceIdentity};
use wa_proto::{Jid, stanza::RetryReason};
use wa_signal::PreKeyMessageHeader;
use wa_store::{FormerIdentity, StoreError};

use super::Turn;
use crate::{
    draft::Draft,
    error::Error,
    identity,
    inner::Inner,
    lid,
    send::{encrypt::begin, sessions},
};

/// Why a `pkmsg` is refused, if its identity is a former one, or that of the account which a
/// companion shows while none is on file. Its sender is asked to send it again, which only whoever
/// has the present keys can do.
///
/// # Errors
/// The store's.
pub(crate) async fn refusal(
    draft: &Draft<'_>,
    sender: &Jid,
    message: &[u8],
    shown: Option<&[u8]>,
) -> Result<Option<RetryReason>, StoreError> {
    // What cannot be read is refused where it is decrypted.
    let Ok(header) = PreKeyMessageHeader::parse(message) else { return Ok(None) };
    let mut former = draft.former_identity(sender, &header.identity).await?;
    if let (None, Some(account)) = (former, new_account(draft, sender, shown).await?) {
        former = draft.former_identity(sender, account.public()).await?;
    }
    if former.is_some() {
        tracing::warn!("a message under an identity that is no longer in use is refused");
    }
    Ok(former.map(|former| match former {
        FormerIdentity::Voided => RetryReason::NoSession,
        FormerIdentity::Replaced => RetryReason::InvalidKey,
    }))
}

/// The account whose companion somebody says they are, where none is on file that would contradict.
async fn new_account(
    draft: &Draft<'_>,
    sender: &Jid,
    shown: Option<&[u8]>,
) -> Result<Option<AccountKey>, StoreError> {
    if sender.device == 0 || draft.identity(&lid::person(sender)).await?.is_some() {
        return Ok(None);
    }
    let shown = shown.and_then(|shown| SignedDeviceIdentity::decode(shown).ok());
    Ok(shown.and_then(|shown| shown.claimed_account_key()))
}

/// Asks the server for the keys of a device that wrote under an identity which it had before. Where
/// the server gives that identity, the device has it again, and the user is told: a server that once
/// said something else shuts nobody out for good. Without that no message brings it back. Of a
/// companion, its phone's keys are asked for too, by which it is vouched for.
pub(crate) fn ask_for_keys(inner: &Arc<Inner>, device: Jid) {
    // Of all the devices that a server names of one person, or of very many people, not each one.
    if !inner.former_identities.is_due(&lid::person(&device), Instant::now()) {
        return;
    }
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        if let Err(error) = take_keys(&shared, &device).await {
            tracing::warn!(%error, "the present keys of a device cannot be asked for");
        }
    });
}

async fn take_keys(inner: &Inner, device: &Jid) -> Result<(), Error> {
    let mut devices = vec![lid::person(device), device.clone()];
    devices.dedup();
    let fetched = sessions::fetch(inner, &devices, false).await?;
    let turn = Turn::take(inner, &devices).await?;
    let mut draft = Draft::new(&*inner.store);
    for device in devices {
        let device = turn.name(&device);
        let Some(bundle) = fetched.bundles.get(&device) else { continue };
        if draft.identity(&device).await? != Some(*bundle.proven().identity()) {
            let record = draft.session(&device).await?;
            begin(&mut draft, inner, &inner.account(), &device, &record, bundle).await?;
        }
    }
    let changed = draft.changed_people();
    inner.store.commit(draft.into_changes()).await?;
    drop(turn);
    identity::announce(inner, changed);
    Ok(())
}
