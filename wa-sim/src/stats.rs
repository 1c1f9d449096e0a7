//! What is counted: per device, and over the whole simulation. Knows nothing of how it happens.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything that `GET /stats` tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that are open now.
    pub connections: usize,
    /// Connections that were accepted since the start.
    pub connections_accepted: u64,
    /// Connections that were refused because of a fault.
    pub connections_refused: u64,
    /// Frames from clients.
    pub frames_in: u64,
    /// Frames to clients.
    pub frames_out: u64,
    /// Faults that were put into effect.
    pub faults: u64,
    /// Stanzas that were given up because a device's queue was full.
    pub given_up: u64,
    /// By device, as `number:device`; the phone is device 0.
    pub devices: BTreeMap<String, DeviceStats>,
}

/// What is told of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeviceStats {
    /// What was counted.
    #[serde(flatten)]
    pub counters: DeviceCounters,
    /// Stanzas it was sent, or will be, and has not confirmed.
    pub acks_owed: usize,
    /// One-time prekeys left on its shelf.
    pub prekeys_left: usize,
    /// Whether it is connected.
    pub connected: bool,
    /// The orders, from 1, of the chunks of history that it confirmed with `hist_sync`.
    pub history_acknowledged: Vec<u32>,
}

/// What is counted for one device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeviceCounters {
    /// Logins that succeeded.
    pub logins: u64,
    /// Stanzas from the device.
    pub stanzas_in: u64,
    /// Stanzas to the device.
    pub stanzas_out: u64,
    /// Messages from the device.
    pub messages_in: u64,
    /// Receipts from the device, retry receipts aside.
    pub receipts: u64,
    /// Receipts of type `hist_sync` from the device; they are among the receipts too.
    pub hist_sync: u64,
    /// Retry receipts from the device.
    pub retries: u64,
    /// Acks from the device.
    pub acks: u64,
    /// Acks from the device that carry an error.
    pub nacks: u64,
    /// One-time prekeys that were taken from its shelf.
    pub prekeys_taken: u64,
}
