//! The keys with which sessions begin: fetched where there is no session yet.
//!
//! Owns the fetch in chunks and the reading of bundles. One device's missing keys cost nobody
//! else's. Knows nothing of messages.

use std::collections::HashMap;

use wa_crypto::{PublicKey, Signature};
use wa_proto::{
    Jid,
    request::{MAX_FETCHED_DEVICES, PreKeyFetch},
    stanza::WireKeyBundle,
};
use wa_signal::{
    PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId, SignedPreKeyId, SignedPreKeyPublic,
};

use crate::{draft::read_session, error::Error, inner::Inner, lid};

/// Bundles for those of the devices with which there is no session; devices the server has no keys
/// of are missing.
///
/// # Errors
/// If the server could not be asked, or the store failed.
pub(crate) async fn missing_bundles(
    inner: &Inner,
    devices: &[Jid],
) -> Result<HashMap<Jid, PreKeyBundle>, Error> {
    let known = inner.store.sessions(devices).await?;
    let has_session = |device: &Jid| {
        known.get(device).is_some_and(|record| read_session(record.as_bytes()).has_session())
    };
    let missing: Vec<Jid> = devices.iter().filter(|device| !has_session(device)).cloned().collect();
    fetch(inner, &missing, false).await
}

/// Fetches bundles, whether or not there are sessions.
///
/// # Errors
/// As [`missing_bundles`].
pub(crate) async fn fetch(
    inner: &Inner,
    devices: &[Jid],
    identity_changed: bool,
) -> Result<HashMap<Jid, PreKeyBundle>, Error> {
    let mut bundles = HashMap::new();
    for chunk in devices.chunks(MAX_FETCHED_DEVICES) {
        let question = PreKeyFetch { devices: chunk.to_vec(), identity_changed };
        for (device, keys) in inner.request(&question).await? {
            match keys {
                Ok(keys) => {
                    let device = lid::canonical(&*inner.store, &device).await?;
                    match bundle(keys.registration_id, &keys.bundle) {
                        Some(bundle) => drop(bundles.insert(device, bundle)),
                        None => tracing::warn!("a device's keys cannot be used"),
                    }
                }
                Err(error) => tracing::info!(%error, "a device has no keys; it is left out"),
            }
        }
    }
    Ok(bundles)
}

/// A bundle as it came in a stanza; `None` if an id or key in it is none.
pub(crate) fn bundle(registration_id: u32, wire: &WireKeyBundle) -> Option<PreKeyBundle> {
    let prekey = match &wire.prekey {
        Some(prekey) => Some(PreKeyPublic {
            id: PreKeyId::new(prekey.id)?,
            key: PublicKey::from_bytes(prekey.key),
        }),
        None => None,
    };
    Some(PreKeyBundle {
        registration_id: RegistrationId::new(registration_id),
        identity: PublicKey::from_bytes(wire.identity),
        signed_prekey: SignedPreKeyPublic {
            id: SignedPreKeyId::new(wire.signed_prekey.id)?,
            key: PublicKey::from_bytes(wire.signed_prekey.key),
            signature: Signature::from_bytes(wire.signed_prekey.signature),
        },
        prekey,
    })
}
