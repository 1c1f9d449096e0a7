//! Account device verification (ADV): which devices an account vouches for.
//!
//! The server hands out everybody's keys, so a server that lies could add a device of its own to
//! anybody's account. Against that each account signs its devices with one key, the identity key of
//! its phone ([`AccountKey`]):
//!
//! - a [`SignedDeviceIdentity`] says "this identity key is my device with this key index", signed
//!   by the account and by the device; a device shows it whenever it opens a session;
//! - a [`KeyIndexList`] says which key indexes are still the account's, so that a device that was
//!   unlinked is none of its devices any more.
//!
//! [`KnownDevices`] is what is on file of an account: its key and its newest list. It moves forward
//! only, and gives a [`VouchedDevice`] for nothing else than a device that both vouch for.
//!
//! Owns the decoding, verifying and signing of these values. Knows nothing of stanzas, sessions,
//! storage or time.
//!
//! ```
//! use wa_adv::{AccountKey, Address, DeviceDetails, KeyIndexList, KnownDevices, SignedDeviceIdentity};
//! use wa_crypto::KeyPair;
//! # use rand_chacha::rand_core::SeedableRng as _;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut rand_chacha::ChaCha20Rng::seed_from_u64(1); // use the system's in earnest
//! let (phone, companion) = (KeyPair::random(rng), KeyPair::random(rng));
//!
//! // The phone signs its companion, the companion signs back, and the phone signs its list.
//! let details = DeviceDetails { raw_id: 7, timestamp: 1_700_000_000, key_index: 1, ..DeviceDetails::default() };
//! let signed = SignedDeviceIdentity::sign(&details, &companion.public, &phone, rng);
//! let signed = signed.countersign(&companion, rng)?;
//! let list = KeyIndexList::sign(7, 1_700_000_000, 1, &[0, 1], &phone, rng);
//!
//! // Somebody else knows the phone's identity key, and is shown the rest by the server.
//! let account = AccountKey::new(phone.public);
//! let known = KnownDevices::new(account).advanced(KeyIndexList::verify(&list, &account)?)?;
//! let shown = SignedDeviceIdentity::decode(&signed.encode())?;
//! let device = shown.verify(&companion.public, Address::Ordinary, &account)?;
//! assert_eq!(known.vouch(device)?.device().key_index(), 1);
//! # Ok(())
//! # }
//! ```

mod account_key;
mod device_identity;
pub mod fuzzing;
mod key_index;
mod known;
mod sealed;

pub use account_key::AccountKey;
pub use device_identity::{
    Address, DeviceDetails, DeviceIdentityError, SignedDeviceIdentity, VerifiedDevice,
};
pub use key_index::{KeyIndexError, KeyIndexList, MAX_KEY_INDEXES};
pub use known::{AdvanceError, KnownDevices, NotVouched, VouchedDevice};
pub use sealed::{SealError, open_identity, seal_identity};
