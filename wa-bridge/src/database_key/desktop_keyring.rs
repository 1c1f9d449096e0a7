//! The database key in the desktop's keyring: the Secret Service on Linux, the keychain on macOS.
//!
//! Compiled in with the cargo feature `keyring`. A small file in the configuration folder names the
//! entry, so that the keyring is asked only where the key is there, and a locked one is told from
//! an account without a key. Every call may wait for somebody who unlocks it.

use wa_store::DatabaseKey;
#[cfg(feature = "keyring")]
use zeroize::Zeroizing;

/// Under which service the entries stand.
#[cfg(feature = "keyring")]
const SERVICE: &str = "wa database key";

/// Reads the key of an entry.
///
/// # Errors
/// Why there is none, in words.
#[cfg(feature = "keyring")]
pub(super) fn read(entry: &str) -> Result<DatabaseKey, String> {
    let text = Zeroizing::new(find(entry)?.get_password().map_err(|error| told(&error))?);
    DatabaseKey::from_hex(&text).map_err(|error| error.to_string())
}

/// Keeps a key under an entry, in place of what is there.
///
/// # Errors
/// Why not, in words.
#[cfg(feature = "keyring")]
pub(super) fn write(entry: &str, key: &DatabaseKey) -> Result<(), String> {
    find(entry)?.set_password(&key.to_hex()).map_err(|error| told(&error))
}

/// Removes an entry.
///
/// # Errors
/// Why not, in words.
#[cfg(feature = "keyring")]
pub(super) fn remove(entry: &str) -> Result<(), String> {
    match find(entry)?.delete_credential() {
        Err(keyring::Error::NoEntry) | Ok(()) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}

#[cfg(feature = "keyring")]
fn find(entry: &str) -> Result<keyring::Entry, String> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(told(error));
    }
    keyring::Entry::new(SERVICE, entry).map_err(|error| told(&error))
}

/// An error may hold what was read; of those only the kind is told.
#[cfg(feature = "keyring")]
fn told(error: &keyring::Error) -> String {
    match error {
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => {
            "the entry holds no key".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(not(feature = "keyring"))]
mod without {
    use super::DatabaseKey;

    const WHY: &str = "this program was built without keyrings (cargo feature keyring)";

    pub(in super::super) fn read(_entry: &str) -> Result<DatabaseKey, String> {
        Err(WHY.to_owned())
    }

    pub(in super::super) fn write(_entry: &str, _key: &DatabaseKey) -> Result<(), String> {
        Err(WHY.to_owned())
    }

    pub(in super::super) fn remove(_entry: &str) -> Result<(), String> {
        Err(WHY.to_owned())
    }
}

#[cfg(not(feature = "keyring"))]
pub(super) use without::{read, remove, write};
