//! The keys with which sessions begin, as the server gives them.
//!
//! Owns the fetch in chunks and the verification of what comes. One device's missing keys cost
//! nobody else's. Knows nothing of messages.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use wa_adv::AccountKey;
use wa_proto::{
    Jid,
    request::{MAX_FETCHED_DEVICES, PreKeyFetch, RequestError},
    stanza::IqError,
};
use wa_signal::PreKeyBundle;
use wa_store::StoreError;

use super::bundle::{self, VerifiedBundle};
use crate::{devices::vouching, draft::Draft, error::Error, inner::Inner, lid};

/// What the server said of the keys of devices. One of which it said nothing is in neither, and so
/// is one that its account does not vouch for; of that the user is told.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// The keys that can be used.
    pub(crate) bundles: HashMap<Jid, VerifiedBundle>,
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
    let (mut answered, mut absent) = (Vec::new(), HashSet::new());
    for chunk in devices.chunks(MAX_FETCHED_DEVICES) {
        let question = PreKeyFetch { devices: chunk.to_vec(), identity_changed };
        for (device, keys) in inner.request(&question).await? {
            let device = lid::canonical(&*inner.store, &device).await?;
            match keys {
                Ok(keys) => match bundle::read(keys.registration_id, &keys.bundle) {
                    Some(read) => {
                        let shown = keys.bundle.device_identity;
                        answered.push(Answered { device, keys: read, shown });
                    }
                    None => tracing::warn!("a device's keys cannot be used"),
                },
                Err(error) => {
                    tracing::info!(%error, "a device has no keys; it is left out");
                    if let RequestError::Refused(IqError { code: 404 | 406, .. }) = error {
                        absent.insert(device);
                    }
                }
            }
        }
    }
    Ok(Fetched { bundles: verified(inner, answered).await?, absent })
}

/// The keys of one device, as the server gave them.
struct Answered {
    device: Jid,
    keys: PreKeyBundle,
    shown: Option<Bytes>,
}

/// Those whose account vouches for them.
async fn verified(
    inner: &Inner,
    answered: Vec<Answered>,
) -> Result<HashMap<Jid, VerifiedBundle>, StoreError> {
    let draft = Draft::new(&*inner.store);
    // A phone that comes with them brings the key by which its companions are verified, also if
    // it is another than before; the session with it is what puts that key on file.
    let phones = answered.iter().filter(|answer| answer.device.device == 0);
    let phones: HashMap<Jid, AccountKey> = phones
        .map(|phone| (lid::person(&phone.device), AccountKey::new(phone.keys.identity)))
        .collect();
    let mut bundles = HashMap::new();
    for Answered { device, keys, shown } in answered {
        let account = match phones.get(&lid::person(&device)) {
            Some(account) => Some(*account),
            None => vouching::account_key(&draft, inner, &device).await?,
        };
        let shown = shown.as_deref();
        match VerifiedBundle::verify(&draft, inner, &device, keys, shown, account).await? {
            Ok(bundle) => drop(bundles.insert(device, bundle)),
            Err(refusal) => vouching::refuse(inner, &device, refusal),
        }
    }
    Ok(bundles)
}
