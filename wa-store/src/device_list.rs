//! Which devices a person has, as the server and the signed key index list tell it.
//!
//! Knows nothing of how such a list is fetched or verified.

use crate::Timestamp;

/// One person's devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceList {
    /// The devices, the phone (device 0) included.
    pub devices: Vec<Device>,
    /// The time the list itself carries; an older list never replaces a newer one in the client.
    pub timestamp: Timestamp,
    /// The signed key index list as it came, protobuf; `None` if the answer had none.
    pub key_index_list: Option<Vec<u8>>,
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
    /// Its place in the signed key index list.
    pub key_index: Option<u32>,
    /// Whether it stands on Meta's servers.
    pub hosted: bool,
}
