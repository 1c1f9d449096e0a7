//! The binary, driven over standard input and output as an MCP client drives it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod client;
mod hostile;
mod names;
mod offline;
mod passkey;
mod schemas;
mod sending;
