//! The protobuf messages, as the files in `proto/` describe them.
//!
//! Owns their Rust types and knows nothing of what they mean; [`crate::content`] reads a
//! [`Message`]. Everything is in one protobuf package, `wa`, and so in this one module, with
//! nested messages in modules named after their parent.
//!
//! `required` fields are plain values rather than options. They are always written, because
//! phones refuse a message without them, and read as their default where a sender left them out,
//! because a message is worth more than its missing field. Byte fields are [`bytes::Bytes`]:
//! decoding from `Bytes` shares the buffer instead of copying it.
//!
//! `Debug` of these types prints everything they hold, keys and texts included. Never log them.

#![expect(
    missing_docs,
    clippy::all,
    reason = "generated: the files in `proto/` are what people read"
)]

include!(concat!(env!("OUT_DIR"), "/wa.rs"));

#[cfg(test)]
mod tests;
