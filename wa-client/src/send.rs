//! Messages that go out.
//!
//! The life of one: the caller's words become a message with an id and a secret, which lands in
//! the outbox and the archive; from then on it is never lost. [`crate::outbox`] makes a stanza of
//! it, encrypted for every device it is for, and sends that until the server has it.

mod ack;
mod builder;
pub(crate) mod bundle;
mod check;
pub(crate) mod compose;
pub(crate) mod encrypt;
pub(crate) mod message_id;
pub(crate) mod peer;
mod quote;
pub(crate) mod reporting;
mod said;
pub(crate) mod sender_key;
pub(crate) mod sessions;
mod verbs;

pub use ack::WaitForAck;
pub use builder::{SendMessage, Sent};

/// The longest text that is sent, in bytes; clients show longer ones cut off.
pub const MAX_TEXT_LEN: usize = 65_536;
