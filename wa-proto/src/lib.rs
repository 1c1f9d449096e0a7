//! WhatsApp's wire formats: protobufs, binary nodes, typed stanzas, JIDs and message content.
//!
//! Bytes become values and values become bytes here; nothing in this crate encrypts, connects or
//! looks at a clock.

pub mod app_state;
pub mod content;
pub mod entries;
pub mod fuzzing;
pub mod history;
pub mod ids;
pub mod jid;
pub mod node;
pub mod pb;
pub mod request;
pub mod samples;
pub mod stanza;
pub mod token;

pub use content::{Content, Unwrapped};
pub use ids::{MessageId, MessageKey};
pub use jid::{Jid, ParseJidError, Server};
pub use node::{AttrValue, Attrs, Node, NodeContent, OwnedNode};
pub use request::Request;
pub use stanza::Stanza;
