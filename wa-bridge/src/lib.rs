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

pub mod api;
mod archive;
mod bridge;
mod caller;
mod clients;
mod close_memory;
mod database_key;
pub mod doctor;
mod endpoint;
mod environment;
mod failure;
pub mod foreign;
mod health;
mod http;
mod identity;
mod line;
mod link_page;
mod lock;
pub mod moment;
pub mod openapi;
mod owner;
mod page;
mod passkey;
pub mod policy;
mod private_folder;
mod profile;
mod recipient;
mod regular_file;
mod remote;
mod serve;
mod service;
mod shown;
mod socket;
mod token;
mod view;
mod voice;

pub use archive::Archive;
pub use bridge::{Bridge, BridgeEvents, BridgeOptions};
pub use caller::{Caller, Frontend};
pub use clients::{ClientName, Clients, InvalidClientName};
pub use database_key::{KeyError, KeyPlace, KeySource, Passphrase, PassphrasePrompt, move_key};
pub use endpoint::Endpoint;
pub use environment::Environment;
pub use failure::{Cause, Failure, ending, remedy};
pub use lock::{AccountLock, LockError};
pub use passkey::passkey_helper;
pub use profile::{InvalidProfileName, Profile, ProfileError, ProfileName};
pub use recipient::{ChatKind, Recipient, RecipientError};
pub use serve::{Accept, Limits, raise_descriptors, serve};
pub use service::{Call, EventSource, Perform, Route, Service, routes};
pub use socket::SocketPath;
pub use token::{Shown, Token};
pub use voice::{MAX_VOICE_DURATION, VoiceError, prepare_voice_note};
/// What [`prepare_voice_note`] makes.
pub use wa_transcode::VoiceNote;
