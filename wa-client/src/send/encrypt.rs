//! One plaintext for one device.
//!
//! Owns beginning a session where there is none and advancing it. Works on a
//! [`Draft`]: the caller holds the device's person's lock and commits before the bytes leave.
//! Knows nothing of stanzas but the `<enc>`.

use std::sync::Arc;

use wa_proto::{
    Jid,
    stanza::{EncKind, OutgoingEnc},
};
use wa_signal::{CiphertextMessage, PreKeyBundle, SessionRecord, padding};
use wa_store::{Account, StoreError};

use crate::{draft::Draft, encryption::off_thread, inner::Inner, receive::decrypt::local};

/// Encrypts for a device. `Ok(None)` if there is neither a session nor a usable bundle.
///
/// # Errors
/// The store's.
pub(crate) async fn encrypt(
    draft: &mut Draft<'_>,
    inner: &Inner,
    device: &Jid,
    bundle: Option<&PreKeyBundle>,
    plaintext: &[u8],
) -> Result<Option<OutgoingEnc>, StoreError> {
    let account = inner.account();
    let mut record = draft.session(device).await?;
    if !record.has_session() {
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

/// Begins a session from a bundle. Another identity than the one on file takes its place: the
/// device was set up anew, and what was sent to it before is void. The caller tells the user of it
/// after the commit, with [`crate::identity::announce`].
pub(crate) async fn begin(
    draft: &mut Draft<'_>,
    inner: &Inner,
    account: &Arc<Account>,
    device: &Jid,
    record: &SessionRecord,
    bundle: &PreKeyBundle,
) -> Result<Option<SessionRecord>, StoreError> {
    let known = draft.identity(device).await?;
    let is_changed = known.is_some_and(|known| known != bundle.identity);
    // The record itself ends the sessions with another identity, and remembers them.
    let (record, account, bundle) = (record.clone(), Arc::clone(account), bundle.clone());
    let mut rng = inner.fork_rng();
    let begun = off_thread(move || {
        let begun = record.process_bundle(&local(&account), &bundle, &mut rng);
        begun.map(|begun| (begun, bundle))
    });
    match begun.await {
        Ok((begun, bundle)) => {
            match is_changed {
                true => draft.replace_identity(device, bundle.identity),
                false => draft.put_identity(device, bundle.identity),
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
