//! The prekey bundle: what the server hands out of another device so that a session can start.
//! Knows nothing of stanzas.

use wa_crypto::{InvalidPublicKey, PublicKey};

use crate::{PreKeyPublic, RegistrationId, SignedPreKeyPublic};

/// Another device's keys, as fetched from the server. Nothing in it is trusted before
/// [`SessionRecord::process_bundle`](crate::SessionRecord::process_bundle) has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKeyBundle {
    /// The device's registration id.
    pub registration_id: RegistrationId,
    /// The device's identity key; whether to trust it is the caller's decision.
    pub identity: PublicKey,
    /// Its current signed prekey.
    pub signed_prekey: SignedPreKeyPublic,
    /// A one-time prekey, or none if the device has run out of them.
    pub prekey: Option<PreKeyPublic>,
}

/// Why no session was started from a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The signed prekey is not signed by the bundle's identity key.
    #[error("the signed prekey's signature does not verify")]
    BadSignature,
    /// One of the bundle's keys is one that nobody can have made.
    #[error("the bundle holds an invalid public key")]
    InvalidKey(#[from] InvalidPublicKey),
}
