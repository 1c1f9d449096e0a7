//! The device identity: what the phone signs when it links a device, and what the device signs
//! back.
//!
//! Owns the checks and the signature. Knows nothing of stanzas. The prefixes are WhatsApp's:
//! `06 00` before what the account signs (`06 05` for accounts hosted by Meta), `06 01` before
//! what the device signs.

use prost::Message;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, Signature, hmac_sha256_verify};
use wa_proto::pb;

/// A device identity that the account signed, and now the device too.
#[derive(Debug, Clone)]
pub(crate) struct SignedIdentity {
    /// With the account's key: for peers, and for the store.
    pub(crate) full: pb::AdvSignedDeviceIdentity,
    /// The account's key.
    pub(crate) account_key: PublicKey,
    /// The device's number among the account's devices, as signed.
    pub(crate) key_index: u32,
}

impl SignedIdentity {
    /// What the phone wants back: everything but the account's key, which it knows.
    pub(crate) fn for_reply(&self) -> Vec<u8> {
        let mut identity = self.full.clone();
        identity.account_signature_key = None;
        identity.encode_to_vec()
    }
}

/// The phone's answer does not link this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    /// A field is missing, or bytes are not the protobuf they should be.
    #[error("the device identity is malformed: {0}")]
    Malformed(&'static str),
    /// The code that was scanned is not one of ours, or the server changed what the phone said.
    #[error("the device identity is not authenticated by this device's secret")]
    Hmac,
    /// The account did not sign this device.
    #[error("the account's signature over this device does not verify")]
    AccountSignature,
}

/// Checks the `device-identity` of a `pair-success` and signs it.
///
/// # Errors
/// [`IdentityError`], by which the phone is told what was wrong.
pub(crate) fn accept_identity(
    device_identity: &[u8],
    adv_secret: &[u8; 32],
    identity: &KeyPair,
    rng: &mut impl CryptoRng,
) -> Result<SignedIdentity, IdentityError> {
    use IdentityError::Malformed;
    let container = pb::AdvSignedDeviceIdentityHmac::decode(device_identity)
        .map_err(|_| Malformed("the container"))?;
    let hosted = container.account_type() == pb::AdvEncryptionType::Hosted;
    let signed = container.details.unwrap_or_default();
    let tag = container.hmac.unwrap_or_default();
    let prefix: &[u8] = if hosted { &ACCOUNT_PREFIX_HOSTED } else { &[] };
    if tag.len() != 32 {
        return Err(IdentityError::Hmac);
    }
    hmac_sha256_verify(adv_secret, &[prefix, &signed], &tag).map_err(|_| IdentityError::Hmac)?;

    let mut full =
        pb::AdvSignedDeviceIdentity::decode(signed).map_err(|_| Malformed("the identity"))?;
    let account_key = PublicKey::from_slice(full.account_signature_key())
        .map_err(|_| Malformed("the account's key"))?;
    let account_signature = Signature::from_slice(full.account_signature())
        .map_err(|_| IdentityError::AccountSignature)?;
    let prefix = if hosted { ACCOUNT_PREFIX_HOSTED } else { ACCOUNT_PREFIX };
    let message = [&prefix, full.details(), identity.public.as_bytes()].concat();
    account_key
        .verify(&message, &account_signature)
        .map_err(|_| IdentityError::AccountSignature)?;

    let details =
        pb::AdvDeviceIdentity::decode(full.details()).map_err(|_| Malformed("its details"))?;
    let message = device_signature_message(full.details(), &identity.public, &account_key);
    let signature = identity.private.sign(&message, rng);
    full.device_signature = Some(signature.as_bytes().to_vec().into());
    Ok(SignedIdentity { full, account_key, key_index: details.key_index() })
}

pub(super) fn device_signature_message(
    details: &[u8],
    identity: &PublicKey,
    account_key: &PublicKey,
) -> Vec<u8> {
    [&DEVICE_PREFIX, details, identity.as_bytes(), account_key.as_bytes()].concat()
}

const ACCOUNT_PREFIX: [u8; 2] = [6, 0];
const ACCOUNT_PREFIX_HOSTED: [u8; 2] = [6, 5];
const DEVICE_PREFIX: [u8; 2] = [6, 1];
