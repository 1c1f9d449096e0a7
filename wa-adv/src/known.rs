//! What is on file of an account's devices: its key and its newest list.
//!
//! Owns the rule that a list never goes back in time, and the last word on whether a device is the
//! account's. Knows nothing of where it is kept.

use wa_crypto::PublicKey;

use crate::{AccountKey, KeyIndexList, VerifiedDevice};

/// An account's key and the newest of its lists that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevices {
    account: AccountKey,
    list: Option<KeyIndexList>,
}

/// Why a list does not take the place of the one on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// It is another account's.
    #[error("the key index list is another account's")]
    OtherAccount,
    /// The one on file was signed later.
    #[error("the key index list is older than the one on file")]
    Older,
}

/// Why a device that an account once signed is not its device now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotVouched {
    /// Another account signed it.
    #[error("the device is another account's")]
    OtherAccount,
    /// There is no list of the account, and without one nothing but its phone is vouched for.
    #[error("there is no list in which the account vouches for the device")]
    NoList,
    /// The account has unlinked it.
    #[error("the account's list does not have the device")]
    NotListed,
}

impl KnownDevices {
    /// An account of which no list has been seen: nothing but its phone is known to be its.
    pub const fn new(account: AccountKey) -> Self {
        Self { account, list: None }
    }

    /// The account with the list that is on file; one of another account counts as none, since an
    /// account that was registered anew has other devices.
    pub fn with_file(account: AccountKey, list: Option<KeyIndexList>) -> Self {
        Self { account, list: list.filter(|list| *list.account() == account) }
    }

    /// The account's key.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The newest list.
    pub const fn list(&self) -> Option<&KeyIndexList> {
        self.list.as_ref()
    }

    /// The same after a list came: the newer of the two counts.
    ///
    /// # Errors
    /// [`AdvanceError`]; then what was known stays.
    pub fn advanced(&self, list: KeyIndexList) -> Result<Self, AdvanceError> {
        if *list.account() != self.account {
            return Err(AdvanceError::OtherAccount);
        }
        if self.list.as_ref().is_some_and(|known| list.age() < known.age()) {
            return Err(AdvanceError::Older);
        }
        Ok(Self { account: self.account, list: Some(list) })
    }

    /// Whether the account vouches for a device that it once signed.
    ///
    /// # Errors
    /// [`NotVouched`]; then nothing may be encrypted to it.
    pub fn vouch(&self, device: VerifiedDevice) -> Result<VouchedDevice, NotVouched> {
        let vouched = VouchedDevice {
            identity: *device.identity(),
            account: *device.account(),
            key_index: device.details().key_index,
        };
        match &self.list {
            // A hosted device is listed without a key index and has no place in the list.
            None if device.details().device_is_hosted && vouched.account == self.account => {
                Ok(vouched)
            }
            _ => self.still_vouches(&vouched).map(|()| vouched),
        }
    }

    /// Whether the account vouches for a device to this day for which it vouched before.
    ///
    /// # Errors
    /// As [`KnownDevices::vouch`].
    pub fn still_vouches(&self, device: &VouchedDevice) -> Result<(), NotVouched> {
        if device.account != self.account {
            return Err(NotVouched::OtherAccount);
        }
        match &self.list {
            None => Err(NotVouched::NoList),
            Some(list) if list.allows(device.key_index) => Ok(()),
            Some(_) => Err(NotVouched::NotListed),
        }
    }
}

/// A companion for which its account vouches. Made by nothing but [`KnownDevices::vouch`], and
/// taken from file by [`VouchedDevice::from_file`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VouchedDevice {
    identity: PublicKey,
    account: AccountKey,
    key_index: u32,
}

impl VouchedDevice {
    /// Takes from the own file what was vouched for when it was put there; whether it still is,
    /// [`KnownDevices::still_vouches`] says.
    pub const fn from_file(identity: PublicKey, account: AccountKey, key_index: u32) -> Self {
        Self { identity, account, key_index }
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
}
