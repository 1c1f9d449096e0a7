//! Drives the real binary against a WhatsApp on loopback, as a person or a script would.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bad_input;
mod channels;
mod chats;
mod clients;
mod demo;
mod doctor;
mod everyday;
mod groups;
mod killed;
mod media;
mod messages;
mod owning;
mod passkey;
mod people;
mod permitted;
mod sending;
mod support;
mod syncing;
mod watched;
