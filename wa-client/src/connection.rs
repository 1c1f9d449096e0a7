//! The connection: made, kept alive, served, and made again.
//!
//! The driver owns the loop over connections; a session is one of them, from handshake to end.
//! Every decision on the way is a value of its own: when to try again ([`backoff`]), whether the
//! other side still lives ([`keepalive`]), what an end means ([`ending`]), in which order stanzas
//! are dealt with ([`lanes`]). Knows nothing of what stanzas mean.

mod backoff;
mod connector;
mod driver;
mod ending;
mod handshake;
mod keepalive;
mod lanes;
mod link;
mod session;
mod websocket;

pub use connector::{ConnectError, ConnectTarget, Connector, Wire, WireReader, WireWriter};
pub use websocket::WebSocketConnector;

pub(crate) use driver::{run, wipe};
pub(crate) use ending::Ending;
pub(crate) use link::{Link, LinkClosed};
pub(crate) use session::Session;
pub(crate) use websocket::{tls_config, tls_config_with};
