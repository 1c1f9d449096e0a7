//! Sync keys and what is derived from them.
//!
//! Owns the expansion of a key's data into the five keys that are used, and the ring in which a
//! device holds all it was given. Knows nothing of where keys come from; they are shared between
//! own devices and never made by a companion.

use std::{collections::BTreeMap, fmt};

use wa_crypto::hkdf_sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The length of a key's data, in bytes.
pub const SYNC_KEY_LEN: usize = 32;

/// The HKDF label of the expansion.
const EXPANSION_INFO: &[u8] = b"WhatsApp Mutation Keys";

/// The id of a sync key: six bytes in practice, the device that made it and its epoch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncKeyId(Vec<u8>);

impl SyncKeyId {
    /// Takes the id.
    pub fn new(id: impl Into<Vec<u8>>) -> Self {
        Self(id.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SyncKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncKeyId({} bytes)", self.0.len())
    }
}

/// The five keys that a sync key stands for.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MutationKeys {
    /// Authenticates indexes.
    pub index: [u8; 32],
    /// Encrypts values.
    pub value_encryption: [u8; 32],
    /// Authenticates encrypted values.
    pub value_mac: [u8; 32],
    /// Authenticates the state after a patch or snapshot.
    pub snapshot_mac: [u8; 32],
    /// Authenticates patches.
    pub patch_mac: [u8; 32],
}

impl MutationKeys {
    /// Expands a key's data: HKDF-SHA256, no salt, 160 bytes.
    pub fn expand(key_data: &[u8; SYNC_KEY_LEN]) -> Self {
        let mut expanded: [u8; 160] = hkdf_sha256(&[], key_data, EXPANSION_INFO);
        let mut parts = expanded.as_chunks::<32>().0.iter().copied();
        let mut next = || parts.next().unwrap_or_default();
        let keys = Self {
            index: next(),
            value_encryption: next(),
            value_mac: next(),
            snapshot_mac: next(),
            patch_mac: next(),
        };
        expanded.zeroize();
        keys
    }
}

impl fmt::Debug for MutationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutationKeys(…)")
    }
}

/// All sync keys that a device holds, expanded.
#[derive(Debug, Clone, Default)]
pub struct Keyring(BTreeMap<SyncKeyId, MutationKeys>);

impl Keyring {
    /// A ring without keys.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a key.
    pub fn insert(&mut self, id: SyncKeyId, key_data: &[u8; SYNC_KEY_LEN]) {
        self.0.insert(id, MutationKeys::expand(key_data));
    }

    /// The keys of this id.
    pub fn find(&self, id: &[u8]) -> Option<&MutationKeys> {
        // The map is small; a look-up by slice would need an owned key.
        self.0.get(&SyncKeyId(id.to_vec()))
    }

    /// Whether there is a key of this id.
    pub fn contains(&self, id: &[u8]) -> bool {
        self.find(id).is_some()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(SyncKeyId, [u8; SYNC_KEY_LEN])> for Keyring {
    fn from_iter<I: IntoIterator<Item = (SyncKeyId, [u8; SYNC_KEY_LEN])>>(keys: I) -> Self {
        let mut ring = Self::new();
        for (id, data) in keys {
            ring.insert(id, &data);
        }
        ring
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let ring = Keyring::from_iter([(SyncKeyId::new([66; 6]), [66; 32])]);
        assert_eq!(format!("{ring:?}"), "Keyring({SyncKeyId(6 bytes): MutationKeys(…)})");
    }
}
