//! One plaintext for one device.
//!
//! Owns beginning a session where there is none and advancing it, and the rule that nothing is
//! encrypted to a device that its account does not vouch for. Works on a [`Draft`]: the caller
//! holds the device's person's lock and commits before the bytes leave. Knows nothing of stanzas
//! but the `<enc>`.

use std::sync::Arc;

use wa_proto::{
    Jid,
    stanza::{EncKind, OutgoingEnc},
};
use wa_signal::{CiphertextMessage, SessionRecord, padding};
use wa_store::{Account, StoreError};

use super::bundle::VerifiedBundle;
use crate::{
    devices::vouching, draft::Draft, encryption::off_thread, event::DeviceRefusal, inner::Inner,
    receive::decrypt::local,
};

/// Encrypts for a device. `Ok(None)` if there is neither a session with a device that its account
/// vouches for nor a usable bundle.
///
/// # Errors
/// The store's.
pub(crate) async fn encrypt(
    draft: &mut Draft<'_>,
    inner: &Inner,
    device: &Jid,
    bundle: Option<&VerifiedBundle>,
    plaintext: &[u8],
) -> Result<Option<OutgoingEnc>, StoreError> {
    let account = inner.account();
    let Some(record) = usable(draft, inner, &account, device, bundle).await? else {
        return Ok(None);
    };
    let (plaintext, mut rng) = (plaintext.to_vec(), inner.fork_rng());
    let sealed = off_thread(move || {
        let padded = padding::pad(plaintext, &mut rng);
        record.encrypt(&local(&account), &padded)
    });
    Ok(put(draft, device, sealed.await))
}

/// The same for many devices, whose ciphertexts are made together; those that cannot be reached are
/// left out. `bundle` gives the keys of a device.
///
/// # Errors
/// The store's.
pub(crate) async fn encrypt_all<'k>(
    draft: &mut Draft<'_>,
    inner: &Inner,
    parts: Vec<(Jid, Arc<[u8]>)>,
    bundle: impl Fn(&Jid) -> Option<&'k VerifiedBundle>,
) -> Result<Vec<(Jid, OutgoingEnc)>, StoreError> {
    let account = inner.account();
    let mut ready = Vec::with_capacity(parts.len());
    for (device, plaintext) in parts {
        match usable(draft, inner, &account, &device, bundle(&device)).await? {
            Some(record) => ready.push((device, record, plaintext, inner.fork_rng())),
            None => tracing::info!("a device is left out: there are no keys for it"),
        }
    }
    let sealed = off_thread(move || {
        let seal = |(device, record, plaintext, mut rng): (Jid, SessionRecord, Arc<[u8]>, _)| {
            let padded = padding::pad(plaintext.to_vec(), &mut rng);
            (device, record.encrypt(&local(&account), &padded))
        };
        ready.into_iter().map(seal).collect::<Vec<_>>()
    });
    let sealed = sealed.await.into_iter();
    Ok(sealed
        .filter_map(|(device, sealed)| Some((device.clone(), put(draft, &device, sealed)?)))
        .collect())
}

/// The session to encrypt with: the one there is, or one that begins with the bundle.
async fn usable(
    draft: &mut Draft<'_>,
    inner: &Inner,
    account: &Arc<Account>,
    device: &Jid,
    bundle: Option<&VerifiedBundle>,
) -> Result<Option<SessionRecord>, StoreError> {
    let record = draft.session(device).await?;
    if is_usable(draft, inner, device, &record, bundle).await? {
        return Ok(Some(record));
    }
    match bundle {
        Some(bundle) => begin(draft, inner, account, device, &record, bundle).await,
        None => Ok(None),
    }
}

/// The advanced session goes into the draft.
fn put<E: std::fmt::Display>(
    draft: &mut Draft<'_>,
    device: &Jid,
    sealed: Result<(SessionRecord, CiphertextMessage), E>,
) -> Option<OutgoingEnc> {
    match sealed {
        Ok((record, message)) => {
            draft.put_session(device, record);
            Some(enc(message))
        }
        Err(error) => {
            tracing::warn!(%error, "a message cannot be encrypted for a device");
            None
        }
    }
}

/// Whether there is a session to go on with: the account vouches for the device that it is with,
/// and no bundle tells that the device has been set up anew.
async fn is_usable(
    draft: &Draft<'_>,
    inner: &Inner,
    device: &Jid,
    record: &SessionRecord,
    bundle: Option<&VerifiedBundle>,
) -> Result<bool, StoreError> {
    let Some(identity) = record.remote_identity().filter(|_| record.has_session()) else {
        return Ok(false);
    };
    match vouching::still_proven(draft, inner, device, &identity).await? {
        Ok(()) => Ok(bundle.is_none_or(|bundle| *bundle.proven().identity() == identity)),
        Err(refusal) => {
            if bundle.is_none() {
                vouching::refuse(inner, device, refusal);
            }
            Ok(false)
        }
    }
}

/// Begins a session from a bundle. Another identity than the one on file takes its place: the
/// device was set up anew, and what was sent to it before is void. The caller tells the user of it
/// after the commit, with [`crate::identity::announce`].
pub(crate) async fn begin(
    draft: &mut Draft<'_>,
    inner: &Inner,
    account: &Arc<Account>,
    device: &Jid,
    record: &SessionRecord,
    bundle: &VerifiedBundle,
) -> Result<Option<SessionRecord>, StoreError> {
    let companion = bundle.proven().companion().map(|companion| *companion.device());
    if let Some(companion) = companion
        && vouching::account_key(draft, inner, device).await? != Some(*companion.account())
    {
        // Its phone came with another key, and no session began with that phone.
        vouching::refuse(inner, device, DeviceRefusal::OtherAccount);
        return Ok(None);
    }
    let keys = bundle.keys().clone();
    let identity = keys.identity;
    let known = draft.identity(device).await?;
    let is_changed = known.is_some_and(|known| known != identity);
    // The record itself ends the sessions with another identity, and remembers them.
    let (record, account, mut rng) = (record.clone(), Arc::clone(account), inner.fork_rng());
    let begun = off_thread(move || record.process_bundle(&local(&account), &keys, &mut rng));
    match begun.await {
        Ok(begun) => {
            match is_changed {
                true => draft.replace_identity(device, identity).await?,
                false => draft.put_identity(device, identity),
            }
            if let Some(companion) = &companion {
                draft.put_voucher(device, vouching::voucher(companion));
            }
            draft.put_session(device, begun.clone());
            Ok(Some(begun))
        }
        Err(error) => {
            tracing::warn!(%error, "a device's keys are refused");
            Ok(None)
        }
    }
}

fn enc(message: CiphertextMessage) -> OutgoingEnc {
    let kind = match message {
        CiphertextMessage::PreKey(_) => EncKind::PreKeyMessage,
        CiphertextMessage::Signal(_) => EncKind::Message,
    };
    OutgoingEnc::new(kind, message.into_bytes())
}
