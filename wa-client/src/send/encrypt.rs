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
    let mut record = draft.session(device).await?;
    if !is_usable(draft, inner, device, &record, bundle).await? {
        let Some(bundle) = bundle else { return Ok(None) };
        match begin(draft, inner, &account, device, &record, bundle).await? {
            Some(begun) => record = begun,
            None => return Ok(None),
        }
    }
    let (plaintext, mut rng) = (plaintext.to_vec(), inner.fork_rng());
    let sealed = off_thread(move || {
        let padded = padding::pad(plaintext, &mut rng);
        record.encrypt(&local(&account), &padded)
    });
    match sealed.await {
        Ok((record, message)) => {
            draft.put_session(device, record);
            Ok(Some(enc(message)))
        }
        Err(error) => {
            tracing::warn!(%error, "a message cannot be encrypted for a device");
            Ok(None)
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
