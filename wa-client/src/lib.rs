//! A WhatsApp Web multi-device client: pairing, receiving, sending, and an archive that loses nothing

mod account;
mod builder;
mod client;
mod clock;
mod connection;
mod devices;
mod draft;
mod error;
mod event;
mod identity;
mod inner;
mod keyed_locks;
mod lid;
mod login;
pub mod message_secret;
mod offline;
mod outbox;
mod pairing;
mod payload;
mod placeholder;
mod prekeys;
mod privacy_token;
mod receipts;
mod receive;
mod request;
mod retry;
mod send;
mod stanza_handler;
#[cfg(test)]
mod vectors;
mod version;

pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::Clock;
pub use connection::{
    ConnectError, ConnectTarget, Connector, WebSocketConnector, Wire, WireReader, WireWriter,
};
pub use error::{Error, Remedy};
pub use event::{
    BanReason, ConnectRefusal, DisconnectReason, EVENT_BUFFER, Event, EventStream, LogoutReason,
    LossReason, MessageEvent, OfflineCounts, PairingFailure, Repair, SendState, StatusChange,
    UndecryptableReason,
};
pub use inner::State;
pub use pairing::code as pairing_code;
pub use payload::{DeviceDescription, Platform};
pub use request::RequestError;
pub use send::{MAX_TEXT_LEN, SendMessage, Sent};
pub use version::{ClientVersion, ParseVersionError, VersionError, VersionSource, WebPageVersion};
