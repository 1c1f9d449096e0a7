//! The rules that keep a link whole: what is answered and when, in which order, with which keys,
//! and whom to trust.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod ends;
mod handling;
mod pairing;
mod prekeys;
#[path = "../script/mod.rs"]
mod script;
mod tasks;
mod unreadable;
mod writes;
