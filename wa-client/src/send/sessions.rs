//! The keys with which sessions begin: fetched where there is no session yet.
//!
//! Owns the fetch in chunks and the reading of bundles. One device's missing keys cost nobody
//! else's. Knows nothing of messages.

use std::collections::{HashMap, HashSet};

use wa_crypto::{PublicKey, Signature};
use wa_proto::{
    Jid,
    request::{MAX_FETCHED_DEVICES, PreKeyFetch, RequestError},
    stanza::{IqError, WireKeyBundle},
};
use wa_signal::{
    PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId, SignedPreKeyId, SignedPreKeyPublic,
};

use crate::{error::Error, inner::Inner, lid};

/// What the server said of the keys of devices. One of which it said nothing is in neither.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// The keys that can be used.
    pub(crate) bundles: HashMap<Jid, PreKeyBundle>,
    /// The devices that there are no keys of: they are gone, or never had any.
    pub(crate) absent: HashSet<Jid>,
}

/// Fetches bundles, whether or not there are sessions.
///
/// # Errors
/// If the server could not be asked, or the store failed.
pub(crate) async fn fetch(
    inner: &Inner,
    devices: &[Jid],
    identity_changed: bool,
) -> Result<Fetched, Error> {
    let mut fetched = Fetched::default();
    for chunk in devices.chunks(MAX_FETCHED_DEVICES) {
        let question = PreKeyFetch { devices: chunk.to_vec(), identity_changed };
        for (device, keys) in inner.request(&question).await? {
            let device = lid::canonical(&*inner.store, &device).await?;
            match keys {
                Ok(keys) => match bundle(keys.registration_id, &keys.bundle) {
                    Some(bundle) => drop(fetched.bundles.insert(device, bundle)),
                    None => tracing::warn!("a device's keys cannot be used"),
                },
                Err(error) => {
                    tracing::info!(%error, "a device has no keys; it is left out");
                    if let RequestError::Refused(IqError { code: 404 | 406, .. }) = error {
                        fetched.absent.insert(device);
                    }
                }
            }
        }
    }
    Ok(fetched)
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
