//! Drives the bridge against a WhatsApp on loopback: who owns an account, what its policy keeps,
//! and what comes through its socket.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod approval;
mod audit;
mod broadcasts;
mod confirmation;
mod exclusions;
mod files;
mod flooded;
mod health;
mod hold;
mod hostile;
mod identity;
mod names;
mod oracle;
mod owners;
mod pace;
mod page;
mod passkey;
mod reach;
mod read_only;
mod repeats;
mod schema;
mod socket;
mod strangers;
mod support;
mod taint;
mod wire;
