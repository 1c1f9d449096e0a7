//! The seal around a device identity while a device is linked: it proves to the device that the
//! statement is from the phone that read the device's secret off its screen.
//!
//! Knows nothing of how the secret got there.

use prost::Message as _;
use wa_crypto::{hmac_sha256, hmac_sha256_verify};
use wa_proto::pb;

use crate::{DeviceIdentityError, SignedDeviceIdentity};

/// What precedes the identity in what is authenticated, for accounts hosted by Meta alone.
const HOSTED_PREFIX: [u8; 2] = [6, 5];

/// Why a sealed identity is not for this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The bytes are not the protobuf they should be, or the named field is missing.
    #[error("the sealed device identity is malformed: {0}")]
    Malformed(&'static str),
    /// It is not sealed with this device's secret: another code was scanned, or somebody in
    /// between changed it.
    #[error("the device identity is not authenticated by this device's secret")]
    Hmac,
    /// What is inside is no device identity.
    #[error(transparent)]
    Identity(#[from] DeviceIdentityError),
}

/// Opens an encoded `ADVSignedDeviceIdentityHMAC` with the 32-byte secret that the device showed
/// its phone. The account's key inside is the phone's from then on.
///
/// # Errors
/// [`SealError`].
pub fn open_identity(
    sealed: &[u8],
    adv_secret: &[u8; 32],
) -> Result<SignedDeviceIdentity, SealError> {
    let container = pb::AdvSignedDeviceIdentityHmac::decode(sealed)
        .map_err(|_| SealError::Malformed("the container"))?;
    let is_hosted = container.account_type() == pb::AdvEncryptionType::Hosted;
    let signed = container.details.ok_or(SealError::Malformed("the identity"))?;
    let tag = container.hmac.unwrap_or_default();
    if tag.len() != 32 {
        return Err(SealError::Hmac);
    }
    hmac_sha256_verify(adv_secret, &[prefix(is_hosted), &signed], &tag)
        .map_err(|_| SealError::Hmac)?;
    let identity = SignedDeviceIdentity::decode(&signed)?;
    if identity.claimed_account_key().is_none() {
        return Err(SealError::Malformed("the account's key"));
    }
    Ok(identity)
}

/// The phone's part: an encoded `ADVSignedDeviceIdentityHMAC` around the identity.
pub fn seal_identity(identity: &SignedDeviceIdentity, adv_secret: &[u8]) -> Vec<u8> {
    let is_hosted = identity.claimed_details().account_is_hosted;
    let signed = identity.encode();
    let tag = hmac_sha256(adv_secret, &[prefix(is_hosted), &signed]);
    pb::AdvSignedDeviceIdentityHmac {
        details: Some(signed.into()),
        hmac: Some(tag.to_vec().into()),
        account_type: is_hosted.then(|| pb::AdvEncryptionType::Hosted.into()),
    }
    .encode_to_vec()
}

const fn prefix(is_hosted: bool) -> &'static [u8] {
    if is_hosted { &HOSTED_PREFIX } else { &[] }
}
