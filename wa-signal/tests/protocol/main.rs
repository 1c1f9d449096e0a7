//! The protocol as a user of the crate sees it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod corpus;
mod exchange;
mod limits;
mod party;
mod replay;
mod sender_keys;
mod session;
mod stored;
mod vectors;
