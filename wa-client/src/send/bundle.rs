//! The keys with which a session begins, once their device is found to be its account's.
//!
//! Owns the one way to such a bundle: whoever encrypts takes no other. Knows nothing of where the
//! keys came from.

use wa_adv::AccountKey;
use wa_crypto::{PublicKey, Signature};
use wa_proto::{Jid, stanza::WireKeyBundle};
use wa_signal::{
    PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId, SignedPreKeyId, SignedPreKeyPublic,
};
use wa_store::StoreError;

use crate::{
    devices::vouching::{self, Proven},
    draft::Draft,
    event::DeviceRefusal,
    inner::Inner,
};

/// A bundle whose identity key its account vouches for. Made by [`VerifiedBundle::verify`] alone.
#[derive(Debug)]
pub(crate) struct VerifiedBundle {
    keys: PreKeyBundle,
    proven: Proven,
}

impl VerifiedBundle {
    /// Checks that a device is its account's. `shown` is the signed device identity that came with
    /// the keys, `account` the account's key.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn verify(
        draft: &Draft<'_>,
        inner: &Inner,
        device: &Jid,
        keys: PreKeyBundle,
        shown: Option<&[u8]>,
        account: Option<AccountKey>,
    ) -> Result<Result<Self, DeviceRefusal>, StoreError> {
        let proven = vouching::prove(draft, inner, device, &keys.identity, shown, account).await?;
        Ok(proven.map(|proven| Self { keys, proven }))
    }

    /// The keys.
    pub(crate) const fn keys(&self) -> &PreKeyBundle {
        &self.keys
    }

    /// Whose they are.
    pub(crate) const fn proven(&self) -> &Proven {
        &self.proven
    }
}

/// A bundle as it came in a stanza; `None` if an id or key in it is none.
pub(crate) fn read(registration_id: u32, wire: &WireKeyBundle) -> Option<PreKeyBundle> {
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
