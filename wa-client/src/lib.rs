//! A WhatsApp Web multi-device client: pairing, receiving, sending, and an archive that loses nothing.
//!
//! A [`Client`] stands on a store, which is one account. It connects, keeps connected, and tells
//! what happens as [`Event`]s; messages are in the archive before they become events. The crate
//! knows nothing of who is asking, and draws nothing: a QR code is a text here.
//!
//! Linking a device, on a server that runs in the same process:
//!
//! ```
//! use std::sync::Arc;
//!
//! use wa_client::{Client, ConnectError, ConnectTarget, Connector, Event, Wire};
//! use wa_sim::{Sim, SimConfig};
//! use wa_store::MemoryStore;
//!
//! struct InProcess(Sim);
//! # impl std::fmt::Debug for InProcess {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//! #         f.write_str("InProcess")
//! #     }
//! # }
//!
//! #[async_trait::async_trait]
//! impl Connector for InProcess {
//!     async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
//!         Ok(Wire::from_stream(self.0.connect()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::new(SimConfig::seeded(1));
//! let phone = sim.add_account("15550100", "Ada")?;
//!
//! let client = Client::builder(Arc::new(MemoryStore::new()))
//!     .noise_root(sim.noise_root())
//!     .connector(Arc::new(InProcess(sim.clone())))
//!     .build()
//!     .await?;
//! let mut events = client.events();
//! client.connect()?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         // Show it; whoever scans it links this device.
//!         Event::Qr { code, .. } => drop(phone.scan_qr(&code)?),
//!         Event::Connected => break,
//!         _ => {}
//!     }
//! }
//! assert_eq!(client.jid().map(|jid| jid.to_user()), Some(phone.jid()));
//! client.disconnect().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod account_notice;
mod app_state;
mod builder;
mod call;
mod chats;
mod client;
mod clock;
mod connection;
mod contacts;
mod damper;
mod devices;
mod dirty;
mod draft;
mod encryption;
mod error;
mod event;
mod expiry;
mod groups;
mod health;
mod history;
mod identity;
mod inner;
mod keyed_locks;
mod lid;
mod locks;
mod login;
pub mod media;
mod mex;
mod newsletters;
mod offline;
mod outbox;
mod pairing;
mod payload;
mod people;
mod phone_number;
mod placeholder;
mod prekeys;
mod presence;
mod privacy;
mod privacy_token;
mod profile;
mod publisher;
mod receipts;
mod receive;
mod request;
mod restriction;
mod retry;
mod send;
mod server_settings;
mod stanza_handler;
mod tasks;
mod unkept;
#[cfg(test)]
mod vectors;
mod version;

pub use app_state::Synced;
pub use builder::ClientBuilder;
pub use chats::{Chats, MuteFor};
pub use client::Client;
pub use clock::Clock;
pub use connection::{
    ConnectError, ConnectTarget, Connector, WebSocketConnector, Wire, WireReader, WireWriter,
};
pub use contacts::{Contacts, SharedSettings, UnlinksAllDevices};
pub use error::{Error, Remedy};
pub use event::{
    AccountEvent, AccountSetting, AddressBookEvent, AppStateEvent, BanReason, CallEvent, CallState,
    ChatChange, ChatEvent, ChatPresenceEvent, ChunkFailure, ConnectRefusal, ContactEvent,
    DeviceRefusal, DisconnectReason, EVENT_BUFFER, Event, EventStream, GroupEvent, HistoryEvent,
    HistoryKind, LogoutReason, LossReason, MessageChange, MessageEvent, NewsletterEvent,
    OfflineCounts, PairingFailure, PresenceEvent, Repair, Restriction, SendState, StatusChange,
    SyncFailure, Typing, UndecryptableReason,
};
pub use groups::{CreateGroup, Groups, InviteLink, ParseInviteLinkError};
pub use health::{Health, Trouble, Unreadable};
pub use history::{FetchOlder, FetchedHistory, History, HistoryDepth, OlderOnPhone};
pub use inner::State;
pub use newsletters::{
    MAX_NEWSLETTER_PAGE, NewsletterInfo, NewsletterPost, NewsletterRole, Newsletters,
};
pub use outbox::{TransmitGate, TransmitVerdict};
pub use pairing::{
    PASSKEY_ORIGIN, PairWithCode, PasskeyAssertion, PasskeyProblem, PasskeyRequest,
    code as pairing_code,
};
pub use payload::{DeviceDescription, Platform};
pub use people::{About, OnWhatsApp, People, PersonInfo};
pub use privacy::{Privacy, PrivacyKind, PrivacySettings, PrivacyValue, StatusAudience};
pub use profile::{GetPicture, MAX_ABOUT_LEN, MAX_PICTURE_LEN, Profile, ProfilePicture};
pub use request::RequestError;
pub use send::compose::forward::{forward_content, forward_digest};
pub use send::{MAX_TEXT_LEN, SendMessage, Sent, WaitForAck};
pub use tasks::{TaskHealth, TaskState};
pub use version::{ClientVersion, ParseVersionError, VersionError, VersionSource, WebPageVersion};
