//! Which devices a person has, and what is on file of their being verified.
//!
//! Knows nothing of how such a list is fetched or verified.

use wa_crypto::PublicKey;

use crate::Timestamp;

/// One person's devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceList {
    /// The devices, the phone (device 0) included.
    pub devices: Vec<Device>,
    /// The hash the server gives the list in notices (`dhash`).
    pub hash: Option<String>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

/// One device in a [`DeviceList`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Its number; 0 is the phone.
    pub device: u16,
    /// Its place in the signed key index list, as the server says.
    pub key_index: Option<u32>,
    /// Whether it stands on Meta's servers.
    pub hosted: bool,
}

/// What a companion proved when it was verified: the account with this key signed this identity
/// key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceVoucher {
    /// The companion's identity key.
    pub identity: PublicKey,
    /// The account's key.
    pub account_key: PublicKey,
    /// Its place in the signed key index list.
    pub key_index: u32,
    /// Whether it runs on Meta's servers, as the account signed.
    pub hosted: bool,
}
