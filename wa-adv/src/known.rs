//! What is on file of an account's devices: its key and its newest list.
//!
//! Owns the rule that a list never goes back in time, and the last word on whether a device is the
//! account's. Knows nothing of where it is kept.

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
        if *device.account() != self.account {
            return Err(NotVouched::OtherAccount);
        }
        match &self.list {
            // An account may have no list and yet a hosted device, which is listed without a key
            // index; its own prefix keeps any other device from passing for one.
            None if device.is_hosted() => Ok(VouchedDevice(device)),
            None => Err(NotVouched::NoList),
            Some(list) if list.allows(device.key_index()) => Ok(VouchedDevice(device)),
            Some(_) => Err(NotVouched::NotListed),
        }
    }

    /// Whether a device is listed that is said to have this key index (none for phones and some
    /// hosted devices). A claim of the server, which its keys have to prove before anything is
    /// encrypted to it.
    ///
    /// # Errors
    /// As [`KnownDevices::vouch`].
    pub fn lists(&self, key_index: Option<u32>) -> Result<(), NotVouched> {
        let list = self.list.as_ref().ok_or(NotVouched::NoList)?;
        let is_listed = key_index.is_some_and(|index| list.allows(index));
        is_listed.then_some(()).ok_or(NotVouched::NotListed)
    }
}

/// A companion for which its account vouches now. Made by nothing but [`KnownDevices::vouch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VouchedDevice(VerifiedDevice);

impl VouchedDevice {
    /// The device.
    pub const fn device(&self) -> &VerifiedDevice {
        &self.0
    }
}
