//! The database key sealed with a passphrase, in a small file beside the place of the key file.
//!
//! The passphrase is stretched by Argon2id (RFC 9106), so that whoever has the file needs much
//! memory and time for each guess; the key itself stays random, so that another passphrase leaves
//! the database as it is. The file holds salt and costs, and its seal covers them. Knows nothing of
//! where the passphrase comes from.

use argon2::{Algorithm, Argon2, Params, Version};
use rand::Rng;
use serde::{Deserialize, Serialize};
use wa_crypto::{aes_gcm_open, aes_gcm_seal};
use wa_store::DatabaseKey;
use zeroize::Zeroizing;

/// A sealed key, as it stands in its file: JSON, the bytes in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedKey {
    version: u32,
    #[serde(flatten)]
    cost: Cost,
    salt: String,
    nonce: String,
    sealed: String,
}

/// What a guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The second recommendation of RFC 9106 (section 4), for machines that do more than this.
const COST: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 4 };

/// What a file may ask for at most: one that was exchanged must not take all memory.
const MAX_COST: Cost = Cost { memory_kib: 1 << 20, passes: 64, lanes: 16 };

/// What a file must ask for at least, or a guess costs nothing.
const MIN_MEMORY_KIB: u32 = 8 << 10;

const VERSION: u32 = 1;

/// Why a sealed key was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// The file is none that holds a sealed key.
    Malformed,
    /// The passphrase is another, or the file was changed.
    WrongPassphrase,
}

impl SealedKey {
    /// Seals a key.
    pub(super) fn seal(key: &DatabaseKey, passphrase: &str) -> Option<Self> {
        Self::seal_at(COST, key, passphrase)
    }

    fn seal_at(cost: Cost, key: &DatabaseKey, passphrase: &str) -> Option<Self> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        rand::rng().fill_bytes(&mut salt);
        rand::rng().fill_bytes(&mut nonce);
        let stretched = cost.stretch(passphrase, &salt)?;
        let text = key.to_hex();
        let sealed = aes_gcm_seal(&stretched, &nonce, &cost.covered(&salt), text.as_bytes());
        Some(Self {
            version: VERSION,
            cost,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            sealed: hex::encode(sealed),
        })
    }

    /// Reads one from its file.
    pub(super) fn parse(text: &str) -> Result<Self, NotOpened> {
        let sealed: Self = serde_json::from_str(text).map_err(|_| NotOpened::Malformed)?;
        let is_sound = sealed.version == VERSION && sealed.cost.is_sound();
        if is_sound { Ok(sealed) } else { Err(NotOpened::Malformed) }
    }

    /// The text of its file.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Opens it. This takes a moment, and some memory.
    pub(super) fn open(&self, passphrase: &str) -> Result<DatabaseKey, NotOpened> {
        let bytes = |text: &str| hex::decode(text).map_err(|_| NotOpened::Malformed);
        let salt = bytes(&self.salt)?;
        let nonce = bytes(&self.nonce)?.try_into().map_err(|_| NotOpened::Malformed)?;
        let stretched = self.cost.stretch(passphrase, &salt).ok_or(NotOpened::Malformed)?;
        let opened =
            aes_gcm_open(&stretched, &nonce, &self.cost.covered(&salt), &bytes(&self.sealed)?);
        let opened = Zeroizing::new(opened.map_err(|_| NotOpened::WrongPassphrase)?);
        let text = std::str::from_utf8(&opened).map_err(|_| NotOpened::Malformed)?;
        DatabaseKey::from_hex(text).map_err(|_| NotOpened::Malformed)
    }
}

impl Cost {
    const fn is_sound(&self) -> bool {
        self.memory_kib >= MIN_MEMORY_KIB
            && self.memory_kib <= MAX_COST.memory_kib
            && self.passes >= 1
            && self.passes <= MAX_COST.passes
            && self.lanes >= 1
            && self.lanes <= MAX_COST.lanes
    }

    fn stretch(&self, passphrase: &str, salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let mut key = Zeroizing::new([0; 32]);
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
            .ok()?;
        Some(key)
    }

    /// What the seal covers besides the key.
    fn covered(&self, salt: &[u8]) -> Vec<u8> {
        let numbers = [VERSION, self.memory_kib, self.passes, self.lanes];
        let mut covered = b"wa database key".to_vec();
        covered.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        covered.extend(salt);
        covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8 << 10, passes: 1, lanes: 1 };

    fn key() -> DatabaseKey {
        DatabaseKey::from_bytes([0x5a; 32])
    }

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_alone() {
        let sealed = SealedKey::seal_at(CHEAP, &key(), "correct horse").unwrap();
        let text = sealed.text();
        assert!(!text.contains(&"5a".repeat(32)) && !text.contains("horse"));
        let read = SealedKey::parse(&text).unwrap();
        assert_eq!(read.open("correct horse"), Ok(key()));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert_eq!(read.open(wrong), Err(NotOpened::WrongPassphrase), "{wrong:?}");
        }
        let again = SealedKey::seal_at(CHEAP, &key(), "correct horse").unwrap();
        assert_ne!((&again.salt, &again.sealed), (&sealed.salt, &sealed.sealed));
    }

    #[test]
    fn whoever_changes_the_costs_or_the_salt_changes_the_seal() {
        let sealed = SealedKey::seal_at(CHEAP, &key(), "p").unwrap();
        let mut cheaper = sealed.clone();
        cheaper.cost.passes = 2;
        let mut salted = sealed.clone();
        salted.salt = "00".repeat(16);
        let mut other = sealed;
        other.sealed.replace_range(..2, "zz");
        assert_eq!(cheaper.open("p"), Err(NotOpened::WrongPassphrase));
        assert_eq!(salted.open("p"), Err(NotOpened::WrongPassphrase));
        assert_eq!(other.open("p"), Err(NotOpened::Malformed));
    }

    #[test]
    fn a_file_that_asks_for_all_memory_or_for_nothing_is_refused() {
        let sealed = SealedKey::seal_at(CHEAP, &key(), "p").unwrap();
        let with = |cost: Cost| SealedKey::parse(&SealedKey { cost, ..sealed.clone() }.text());
        assert!(with(Cost { memory_kib: 1_048_576, passes: 64, lanes: 16 }).is_ok());
        for cost in [
            Cost { memory_kib: 1_048_577, ..CHEAP },
            Cost { memory_kib: 8_191, ..CHEAP },
            Cost { passes: 65, ..CHEAP },
            Cost { passes: 0, ..CHEAP },
            Cost { lanes: 17, ..CHEAP },
            Cost { lanes: 0, ..CHEAP },
        ] {
            assert_eq!(with(cost), Err(NotOpened::Malformed), "{cost:?}");
        }
        assert_eq!(SealedKey::parse("5a"), Err(NotOpened::Malformed));
    }
}
