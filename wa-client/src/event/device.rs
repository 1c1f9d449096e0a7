//! Why a device is not taken for its account's.

/// Why a device is not taken for the account's whose it claims to be. Nothing is encrypted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceRefusal {
    /// It shows no identity that its account signed.
    #[error("it shows no identity that its account signed")]
    NoIdentity,
    /// Its account's phone was never met, and so nothing is known that could vouch for it.
    #[error("nothing is known of its account")]
    UnknownAccount,
    /// What it shows is no device identity.
    #[error("the identity that it shows is malformed")]
    Malformed,
    /// Another account signed it.
    #[error("another account's key signed it")]
    OtherAccount,
    /// Its account did not sign this key.
    #[error("its account's signature does not verify")]
    AccountSignature,
    /// It did not sign that it belongs to the account.
    #[error("its own signature does not verify")]
    DeviceSignature,
    /// The server gave no list in which the account says which devices it has.
    #[error("there is no signed list of its account's devices")]
    NoList,
    /// Its account's newest list does not have it: it was unlinked, or never linked.
    #[error("it is not in its account's signed list of devices")]
    NotListed,
    /// It claims to be the own phone, with another key than the one that linked this device.
    #[error("it is not the phone that linked this device")]
    OtherPhone,
}
