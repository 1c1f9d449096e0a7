//! The one process that owns a WhatsApp account: its folders, its database key and its lock.
//!
//! Knows nothing of terminals and nothing of MCP. What a frontend needs before it may touch an
//! account is here, so that every frontend does it alike:
//!
//! ```no_run
//! use wa_bridge::{AccountLock, Environment, KeySource, Profile};
//!
//! let environment = Environment::from_process();
//! let profile = Profile::locate(&"default".parse()?, None, &environment)?;
//! profile.prepare()?;
//! let lock = AccountLock::acquire(&profile)?;
//! let key = KeySource::new(None, &environment).load_or_create(&profile)?;
//! # drop((lock, key));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod database_key;
mod environment;
mod lock;
mod profile;
mod recipient;
mod voice;

pub use database_key::{KeyError, KeySource};
pub use environment::Environment;
pub use lock::{AccountLock, LockError};
pub use profile::{InvalidProfileName, Profile, ProfileError, ProfileName};
pub use recipient::{Candidate, MAX_CANDIDATES, Recipient, RecipientError, Resolution};
pub use voice::{VoiceError, prepare_voice_note};
/// What [`prepare_voice_note`] makes.
pub use wa_transcode::VoiceNote;
