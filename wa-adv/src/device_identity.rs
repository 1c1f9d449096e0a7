//! The signed device identity: an account says "this key is my device", and the device agrees.
//!
//! Owns its form, its verification and both signatures. Knows nothing of which key indexes are
//! still valid.

use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, Signature};
use wa_proto::pb;

use crate::AccountKey;

/// What precedes the bytes that the account signs of a device; the second for a device that runs
/// on Meta's servers, which the details say.
const ACCOUNT_PREFIX: [u8; 2] = [6, 0];
const ACCOUNT_PREFIX_HOSTED: [u8; 2] = [6, 5];
/// What precedes the bytes that the device signs; the second for a device under a hosted address.
const DEVICE_PREFIX: [u8; 2] = [6, 1];
const DEVICE_PREFIX_HOSTED: [u8; 2] = [6, 6];

/// Under which kind of address a device is reached. A device that runs on Meta's servers signs with
/// another prefix, so that neither kind passes for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Address {
    /// `s.whatsapp.net` or `lid`.
    Ordinary,
    /// `hosted` or `hosted.lid`: on Meta's servers.
    Hosted,
}

/// What an account says of one of its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DeviceDetails {
    /// Names the account's registration; the same in all that it signs.
    pub raw_id: u32,
    /// When the device was linked, in seconds since 1970.
    pub timestamp: u64,
    /// Its number among all devices that the account ever linked. 0 is the phone.
    pub key_index: u32,
    /// Whether the account is hosted by Meta.
    pub account_is_hosted: bool,
    /// Whether the device runs on Meta's servers.
    pub device_is_hosted: bool,
}

impl DeviceDetails {
    fn read(bytes: &[u8]) -> Result<Self, DeviceIdentityError> {
        let details = pb::AdvDeviceIdentity::decode(bytes)
            .map_err(|_| DeviceIdentityError::Malformed("the details"))?;
        Ok(Self {
            raw_id: details.raw_id(),
            timestamp: details.timestamp(),
            // A companion without a number could never be unlinked.
            key_index: details.key_index.ok_or(DeviceIdentityError::Malformed("the key index"))?,
            account_is_hosted: details.account_type() == pb::AdvEncryptionType::Hosted,
            device_is_hosted: details.device_type() == pb::AdvEncryptionType::Hosted,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let kind = |is_hosted| match is_hosted {
            true => pb::AdvEncryptionType::Hosted,
            false => pb::AdvEncryptionType::E2ee,
        };
        pb::AdvDeviceIdentity {
            raw_id: Some(self.raw_id),
            timestamp: Some(self.timestamp),
            key_index: Some(self.key_index),
            account_type: Some(kind(self.account_is_hosted).into()),
            device_type: Some(kind(self.device_is_hosted).into()),
        }
        .encode_to_vec()
    }

    const fn account_prefix(&self) -> [u8; 2] {
        if self.device_is_hosted { ACCOUNT_PREFIX_HOSTED } else { ACCOUNT_PREFIX }
    }
}

/// Why a device identity vouches for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceIdentityError {
    /// The bytes are not the protobuf they should be, or the named field is missing.
    #[error("the device identity is malformed: {0}")]
    Malformed(&'static str),
    /// It names another account's key than the one that is known.
    #[error("the device identity is signed for another account")]
    OtherAccount,
    /// The account did not sign this identity key with these details.
    #[error("the account's signature over the device does not verify")]
    AccountSignature,
    /// The device did not sign that it belongs to this account, or has not yet.
    #[error("the device's own signature does not verify")]
    DeviceSignature,
}

/// A device identity as it came. Nothing in it is true before [`SignedDeviceIdentity::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDeviceIdentity {
    /// The details exactly as they were signed.
    signed_bytes: Vec<u8>,
    details: DeviceDetails,
    account_key: Option<AccountKey>,
    account_signature: Signature,
    device_signature: Option<Signature>,
}

impl SignedDeviceIdentity {
    /// Reads an encoded `ADVSignedDeviceIdentity`.
    ///
    /// # Errors
    /// [`DeviceIdentityError::Malformed`], or a signature that is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeviceIdentityError> {
        use DeviceIdentityError::{AccountSignature, DeviceSignature, Malformed};
        let wire = pb::AdvSignedDeviceIdentity::decode(bytes)
            .map_err(|_| Malformed("the signed identity"))?;
        // Without details the account signed nothing.
        let signed_bytes = wire.details.ok_or(AccountSignature)?.to_vec();
        // Some leave the key out by leaving it empty.
        let account_key = wire.account_signature_key.filter(|key| !key.is_empty());
        let account_key = account_key
            .map(|key| PublicKey::from_slice(&key).map(AccountKey::new))
            .transpose()
            .map_err(|_| Malformed("the account's key"))?;
        let account_signature = wire.account_signature.ok_or(AccountSignature)?;
        let device_signature = wire.device_signature.filter(|signature| !signature.is_empty());
        let device_signature =
            device_signature.map(|bytes| Signature::from_slice(&bytes)).transpose();
        Ok(Self {
            details: DeviceDetails::read(&signed_bytes)?,
            signed_bytes,
            account_key,
            account_signature: Signature::from_slice(&account_signature)
                .map_err(|_| AccountSignature)?,
            device_signature: device_signature.map_err(|_| DeviceSignature)?,
        })
    }

    /// The encoded `ADVSignedDeviceIdentity`, with the account's key.
    pub fn encode(&self) -> Vec<u8> {
        self.wire(self.account_key).encode_to_vec()
    }

    /// The same without the account's key: what a companion answers its phone, which knows it.
    pub fn encode_for_phone(&self) -> Vec<u8> {
        self.wire(None).encode_to_vec()
    }

    /// The same under a known account's name, for one that came without it.
    pub fn with_account_key(self, account: AccountKey) -> Self {
        Self { account_key: Some(account), ..self }
    }

    fn wire(&self, account_key: Option<AccountKey>) -> pb::AdvSignedDeviceIdentity {
        pb::AdvSignedDeviceIdentity {
            details: Some(self.signed_bytes.clone().into()),
            account_signature_key: account_key.map(|key| key.public().as_bytes().to_vec().into()),
            account_signature: Some(self.account_signature.as_bytes().to_vec().into()),
            device_signature: self.device_signature.map(|by| by.as_bytes().to_vec().into()),
        }
    }

    /// The account's key as the identity itself tells it. Trust in it has to come from elsewhere.
    pub const fn claimed_account_key(&self) -> Option<AccountKey> {
        self.account_key
    }

    /// The details as claimed.
    pub const fn claimed_details(&self) -> &DeviceDetails {
        &self.details
    }

    /// Checks that the account with this key vouches for the device with this identity key, and
    /// the device for the account.
    ///
    /// # Errors
    /// [`DeviceIdentityError`]; then the device is nobody's.
    pub fn verify(
        &self,
        identity: &PublicKey,
        address: Address,
        account: &AccountKey,
    ) -> Result<VerifiedDevice, DeviceIdentityError> {
        self.verify_account(identity, account)?;
        let signature = self.device_signature.ok_or(DeviceIdentityError::DeviceSignature)?;
        identity
            .verify(&self.device_message(identity, address, account), &signature)
            .map_err(|_| DeviceIdentityError::DeviceSignature)?;
        Ok(VerifiedDevice {
            identity: *identity,
            account: *account,
            key_index: self.details.key_index,
            is_hosted: self.details.device_is_hosted,
        })
    }

    fn verify_account(
        &self,
        identity: &PublicKey,
        account: &AccountKey,
    ) -> Result<(), DeviceIdentityError> {
        if self.account_key.is_some_and(|claimed| claimed != *account) {
            return Err(DeviceIdentityError::OtherAccount);
        }
        let message = account_message(&self.details, &self.signed_bytes, identity);
        account
            .public()
            .verify(&message, &self.account_signature)
            .map_err(|_| DeviceIdentityError::AccountSignature)
    }

    fn device_message(
        &self,
        identity: &PublicKey,
        address: Address,
        account: &AccountKey,
    ) -> Vec<u8> {
        let prefix = match address {
            Address::Ordinary => DEVICE_PREFIX,
            Address::Hosted => DEVICE_PREFIX_HOSTED,
        };
        [&prefix, &self.signed_bytes[..], identity.as_bytes(), account.public().as_bytes()].concat()
    }

    /// An account's statement about a new companion, which the companion still has to sign.
    pub fn sign(
        details: &DeviceDetails,
        companion: &PublicKey,
        account: &KeyPair,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let signed_bytes = details.encode();
        let message = account_message(details, &signed_bytes, companion);
        Self {
            signed_bytes,
            details: *details,
            account_key: Some(AccountKey::new(account.public)),
            account_signature: account.private.sign(&message, rng),
            device_signature: None,
        }
    }

    /// The companion's part: checks the account's signature over its own key and signs back, as a
    /// device under an ordinary address. The caller knows from elsewhere that the account's key in
    /// it is the right one.
    ///
    /// # Errors
    /// [`DeviceIdentityError`], above all if the account signed another device.
    pub fn countersign(
        &self,
        companion: &KeyPair,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, DeviceIdentityError> {
        self.countersign_at(Address::Ordinary, companion, rng)
    }

    /// As [`SignedDeviceIdentity::countersign`], for either kind of address.
    ///
    /// # Errors
    /// As there.
    pub fn countersign_at(
        &self,
        address: Address,
        companion: &KeyPair,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, DeviceIdentityError> {
        let account =
            self.account_key.ok_or(DeviceIdentityError::Malformed("the account's key"))?;
        self.verify_account(&companion.public, &account)?;
        let message = self.device_message(&companion.public, address, &account);
        let signature = companion.private.sign(&message, rng);
        Ok(Self { device_signature: Some(signature), ..self.clone() })
    }
}

fn account_message(details: &DeviceDetails, signed: &[u8], identity: &PublicKey) -> Vec<u8> {
    [&details.account_prefix(), signed, identity.as_bytes()].concat()
}

/// A device that an account signed and that signed back. Whether the account has unlinked it since
/// is for [`KnownDevices::vouch`](crate::KnownDevices::vouch) to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifiedDevice {
    identity: PublicKey,
    account: AccountKey,
    key_index: u32,
    is_hosted: bool,
}

impl VerifiedDevice {
    /// Takes a device from the own file. It was verified before it was put there; never for what
    /// anybody else says.
    pub const fn from_file(
        identity: PublicKey,
        account: AccountKey,
        key_index: u32,
        is_hosted: bool,
    ) -> Self {
        Self { identity, account, key_index, is_hosted }
    }

    /// The device's identity key.
    pub const fn identity(&self) -> &PublicKey {
        &self.identity
    }

    /// The account's key.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Its place in the account's lists.
    pub const fn key_index(&self) -> u32 {
        self.key_index
    }

    /// Whether it runs on Meta's servers, as the account signed.
    pub const fn is_hosted(&self) -> bool {
        self.is_hosted
    }
}
